import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { build } from "../../compiler/network/build.js";
import { verify } from "../../compiler/ops/verify.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { analyze } from "../../compiler/semantics/index.js";
import { networksOf } from "./round-trip.js";

const FUNCTIONS = `
fn focal(p, t, gamma: float = 2) = -t * (1 - p)^gamma * log(p)
fn of_class(p, label) = sum(p * one_hot(label), over=channels)
`;

/** A network with targets of all kinds. */
const specOf = (scores: string) => `${FUNCTIONS}
model Net {
  input  image: f32[N, 3, 6, 6]
  target wanted: f32[N, 4]
  target label: u32[N] in 0..4
  target mask: u32[N, 6, 6] in 0..5
  target places: boxes[N, 3] in 0..4

  conv(5, kernel=3, padding=1) as logits
  from logits -> flatten as features -> linear(4) as a
  from features -> linear(4) as b -> softmax as p
  metric box = mean(a * wanted)
  metric top1 = accuracy(b, label)
  metric pixels = pixel_accuracy(logits, mask)
  from features -> linear(9 * 9 * 9) -> reshape([9, 9, 9]) as cells
  loss yolo(cells, places)${scores}
}
`;

/** Errors, without warnings of what a case leaves unread. */
const found = (scores: string) =>
  analyze(specOf(scores), "m.net")
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code, message }) => `${code} ${message}`);

describe("scores of formulas with targets", () => {
  test.each([
    [" + mean(sum(focal(p, one_hot(label)), over=channels))", ["cells", "p"]],
    [" + mean(-log(of_class(p, label)))", ["cells", "p"]],
    [" + mean(wanted * (a - b)^2)", ["cells"]],
    [" + mean(1 - sum(a * wanted, over=1))", ["cells", "a"]],
    [" + mean((a - wanted * one_hot(label))^2)", ["cells", "a"]],
    [" + mean((logits - one_hot(mask))^2)", ["cells", "logits"]],
    [" + mean((a - wanted)^2)\n  metric m = mean(abs(b - one_hot(label)))", ["cells", "a"]],
  ])("%s predicts %s, without targets", (scores, names) => {
    const [network] = networksOf(specOf(scores));
    expect(network!.outputs.map(({ name }) => name)).toEqual(names);
    const graph = build(network!);
    verify(graph);
    const { predict } = stepGraphs(graph, {});
    expect(predict.inputs.map(({ role }) => role)).toEqual(["input"]);
  });

  test.each([
    ["mean(-log(of_class(p, label))) + kl(b, a, temperature=4)", "p"],
    ["kl(a, b) + cross_entropy(b, label)", "b"],
    ["kl(a, b)", "a"],
  ])("%s predicts %s: a value of the network is a target where there is no other", (loss, name) => {
    const text = `${FUNCTIONS}
model Net {
  input  image: f32[N, 3, 6, 6]
  target label: u32[N] in 0..4
  flatten as features -> linear(4) as a
  from features -> linear(4) as b -> softmax as p
  metric top1 = accuracy(b, label)
  loss ${loss}
}
`;
    expect(networksOf(text)[0]!.outputs.map((each) => each.name)).toEqual([name]);
  });

  test("who sees inside a network sees what is not computed of targets", () => {
    const scores = " + mean(sum(focal(p, one_hot(label)), over=channels))";
    const { inside } = compile(specOf(scores), { file: "m.net", inspect: true });
    const seen = inside[0]!.layers.map(({ kind }) => kind);
    expect(seen).toContain("softmax");
    expect(seen).not.toContain("one_hot");
  });

  test("pixels without a class are known where a formula alone names them", () => {
    const [network] = networksOf(specOf(" + mean((logits - one_hot(mask, ignore=255))^2)"));
    const { inputs } = build(network!);
    expect(inputs.find(({ name }) => name === "mask")?.ignore).toBe(255);
  });

  test.each([
    [
      " + mean((p - label)^2)",
      "NET2046 a formula computes with numbers, but `label` holds classes",
    ],
    [" + mean(sum(label) + p)", "NET1007 `sum` needs `over`"],
    [
      " + mean(sum(label, over=channels) * p)",
      "NET2046 a formula computes with numbers, but `label` holds classes",
    ],
    [" + mean(p - focal(p, label))", "NET2046 a formula computes with numbers, but `label`"],
    [
      " + mean(sum(p * places, over=channels))",
      "NET2046 a formula computes with numbers, but `places` holds boxes",
    ],
    [" + mean(p - one_hot(wanted))", "NET2046 `one_hot` is of classes, but `wanted` holds numbers"],
    [" + mean(p - one_hot(places))", "NET2046 `one_hot` is of classes, but `places` holds boxes"],
    [" + mean(wanted - one_hot(p))", "NET2046 `one_hot` is of a target of classes"],
    [" + mean(one_hot(label) - wanted)", "NET1040 the formula of a score needs a value"],
    [" + mean(p - one_hot(label, ignore=9))", "NET2049 `ignore` is for masks"],
    [
      " + mean(logits - one_hot(mask, ignore=3)) + mean(logits + one_hot(mask))",
      "NET2049 `one_hot` has no `ignore`, but an earlier loss of `mask` has `ignore=3`",
    ],
    [
      " + mean(logits + one_hot(mask)) + mean(logits - one_hot(mask, ignore=3))",
      "NET2049 `ignore=3` leaves out a class of `mask`, but an earlier loss counts it",
    ],
    [" + mean(p - one_hot(mask))", "NET2031"],
    [" + mean(sum(a - b, over=0) * wanted)", "NET2035"],
    ["\n  let y = one_hot(label)", "NET1040 `one_hot` is of a target, which only scores read"],
  ])("%s is refused", (scores, message) => {
    expect(found(scores)[0]).toContain(message);
  });

  test.each(["one_hot1", "sum1", "part1"])("`%s` of a score cannot be read by layers", (name) => {
    const metric = "\n  metric m = mean(sum(p * one_hot(label), over=channels))";
    expect(found(`${metric}\n  from ${name} -> linear(4) as z`)[0]).toContain(
      `there is no value \`${name}\``,
    );
  });

  test.each([
    "sum(p, over=rows) + sum(t, over=rows)",
    "sum(p * (1 - t), over=rows)",
    "sum(mean(p * t, over=rows) + p, over=columns)",
  ])("%s counts pixels without a class", (formula) => {
    const own = formula.replaceAll("p", "logits").replaceAll("t,", "one_hot(mask),");
    const text = own.replaceAll("t)", "one_hot(mask))");
    const other = " + cross_entropy(logits, mask, ignore=255)";
    expect(found(` + mean(${text})`)).toEqual([]);
    expect(found(` + mean(${text})${other}`).join()).toContain("NET2049 `sum` over pixels counts");
  });

  test.each([
    "sum(logits * one_hot(mask), over=[rows, columns])",
    "sum(logits * max(one_hot(mask), over=channels), over=[rows, columns])",
    "mean(logits, over=channels) * one_hot(mask)",
  ])("%s does not", (formula) => {
    const other = " + cross_entropy(logits, mask, ignore=255)";
    expect(found(` + mean(${formula})${other}`)).toEqual([]);
  });
});

describe("transforms of masks that a formula is a loss of", () => {
  const errorsWith = (target: string) =>
    analyze(
      `model Net {
  input  image: f32[N, 3, 6, 6]
  target mask: u32[N, 6, 6] in 0..3
  conv(3, kernel=1) -> softmax as p
  loss mean(sum((p - ${target})^2, over=channels))
}
data Masks for Net {
  train pairs("images", "masks") { affine(degrees=10) }
}
`,
      "m.net",
    ).diagnostics.filter(({ severity }) => severity === "error");

  test("may add pixels that the formula ignores", () => {
    expect(errorsWith("one_hot(mask, ignore=255)")).toEqual([]);
  });

  test("are told what the formula needs", () => {
    const [error, ...others] = errorsWith("one_hot(mask)");
    expect(others).toEqual([]);
    expect(error).toMatchObject({
      code: "NET3025",
      notes: ["give the loss a label for them: `one_hot(mask, ignore=255)`"],
    });
  });
});
