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

test("data evaluate one output", () => {
  const data = (model: string) => `${model}
data Pictures for Net {
  train folder("data/pictures") { resize([6, 6]) }
}
`;
  const codesOf = (end: string) =>
    analyze(data(specOf(`${end}\n  ${LOSS}`)), "m.net").diagnostics.map(({ code }) => code);
  expect(codesOf("output logits, hidden")).toContain("NET2063");
  expect(codesOf("output logits")).not.toContain("NET2063");
});

test("`output` is a name elsewhere", () => {
  const [network] = networksOf(
    specOf(`from logits -> relu as output\n  ${LOSS}\n  metric m = mean(output)`),
  );
  expect(network!.outputs.map(({ name }) => name)).toEqual(["logits"]);
});
