import { expect, test } from "vitest";
import { build } from "../../compiler/network/build.js";
import { print } from "../../compiler/network/print.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { analyze } from "../../compiler/semantics/index.js";
import { expectRoundTrip, networksOf } from "../network/round-trip.js";

const specOf = (end: string) => `model Net {
  input  image: f32[N, 3, 6, 6]
  target label: u32[N] in 0..4

  body {
    conv(4, kernel=3) -> relu -> flatten as features
  }
  linear(8) as hidden
  from hidden -> linear(4) as logits
  ${end}
}
`;

const LOSS = "loss cross_entropy(logits, label)";

test.each([
  ["output logits", ["logits"]],
  ["output logits, hidden", ["logits", "hidden"]],
  [`output body.features, logits\n  ${LOSS}`, ["body.features", "logits"]],
  [`output features\n  output logits\n  ${LOSS}`, ["body.features", "logits"]],
  [`${LOSS}\n  output logits, hidden`, ["logits", "hidden"]],
])("%s: these values, in this order", (end, names) => {
  const [network] = networksOf(specOf(end));
  expect(network!.outputs.map(({ name }) => name)).toEqual(names);
  const { predict } = stepGraphs(build(network!), {});
  expect(predict.outputs.map(({ name }) => name)).toEqual(names);
  expectRoundTrip(network!);
});

test("logits are logits where they are one of several outputs", () => {
  const [network] = networksOf(specOf(`output hidden, logits\n  ${LOSS}`));
  expect(network!.outputs.map(({ gives }) => gives)).toEqual(["values", "logits"]);
  expect(print(network!)).toContain("  output hidden, logits\n");
});

test.each([
  [`output hidden\n  ${LOSS}`, "NET2063 the loss compares `logits` with a target"],
  [`output logits, logits\n  ${LOSS}`, "NET1004 output `logits` is declared twice"],
  [`output logits, image\n  ${LOSS}`, "NET2063 `image` is an input"],
  [`output logits, hiden\n  ${LOSS}`, "NET1021 there is no value `hiden`"],
  [`more { output logits }\n  ${LOSS}`, "NET0"],
])("%s is refused", (end, message) => {
  const [first] = analyze(specOf(end), "m.net").diagnostics;
  expect(`${first?.code} ${first?.message}`).toContain(message);
});

const onPictures = (end: string) =>
  analyze(
    `${specOf(`${end}\n  ${LOSS}`)}
data Pictures for Net {
  train folder("data/pictures") { resize([6, 6]) }
}
`,
    "m.net",
  ).diagnostics.filter(({ severity }) => severity === "error");

test("data evaluate the first output, which a loss compares with the target", () => {
  expect(onPictures("output logits, hidden")).toEqual([]);
  const [problem] = onPictures("output hidden, body.features, logits");
  expect(problem?.code).toBe("NET2063");
  expect(problem?.message).toContain("does not compare `hidden` with a target");
  expect(problem?.notes).toEqual([
    "write `output logits, hidden, body.features`, so that reports are about `logits`",
  ]);
  const [note] = problem!.notes;
  expect(onPictures(/`(output.*?)`/.exec(note!)![1]!)).toEqual([]);
});

test("triplets evaluate one output", () => {
  const spec = (outputs: string) => `model Near {
  input anchor: f32[N, 3, 6, 6]
  input positive: f32[N, 3, 6, 6]
  input negative: f32[N, 3, 6, 6]
  share tower { flatten -> linear(4) }
  from positive -> tower as b
  from negative -> tower as c
  from anchor -> tower as a -> relu as other
  output ${outputs}
  loss mean((a - b)^2 - 0.1 * (a - c)^2)
}
data Pictures for Near { train triplets(folder("data/pictures")) { resize([6, 6]) } }
`;
  const errorsOf = (outputs: string) =>
    analyze(spec(outputs), "m.net").diagnostics.filter(({ severity }) => severity === "error");
  expect(errorsOf("a")).toEqual([]);
  expect(errorsOf("a, other")).toMatchObject([
    { code: "NET2063", message: expect.stringContaining("`triplets` evaluates one output") },
  ]);
});

test("`output` is a name elsewhere", () => {
  const [network] = networksOf(
    specOf(`from logits -> relu as output\n  ${LOSS}\n  metric m = mean(output)`),
  );
  expect(network!.outputs.map(({ name }) => name)).toEqual(["logits"]);
});
