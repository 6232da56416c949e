import { expect, test } from "vitest";
import { analyze, compile, compileNetwork } from "../../compiler/index.js";
import { NetworkMaker } from "../../compiler/network/maker.js";
import { outlineOf } from "../../compiler/network/outline.js";
import { print } from "../../compiler/network/print.js";
import type { ResolvedNetwork } from "../../compiler/network/resolved.js";
import { verify } from "../../compiler/ops/verify.js";
import { formatSpec as format } from "../../format/index.js";
import { PLAIN, SIAMESE } from "./siamese.js";

function resolved(text: string): ResolvedNetwork {
  const { models, diagnostics } = analyze(text, "siamese.net");
  expect(diagnostics).toEqual([]);
  return models[0]!.network!;
}

/** Two inputs, layers that share weights, two targets, made without a text. */
function made(): ResolvedNetwork {
  const maker = new NetworkMaker("Made");
  const sides = [maker.input("left", [1, 6, 6]), maker.input("right", [1, 6, 6])];
  const kind = maker.labels("kind", 3);
  const shift = maker.numbers("shift", [2]);
  const [a, b] = sides.map((side, index) => {
    const use = `tower${index + 1}`;
    const conv = { out: 2, kernel: [3, 3] };
    const first = maker.layer(`${use}.conv1`, "conv", [side], conv, "tower.conv1");
    return maker.layer(`${use}.flatten1`, "flatten", [first], {}, "tower.flatten1");
  });
  const both = maker.layer("concat1", "concat", [b!, a!]);
  const logits = maker.layer("logits", "linear", [both], { out: 3 });
  const moved = maker.layer("moved", "linear", [both], { out: 2 });
  maker.loss("cross_entropy", { prediction: logits, target: kind });
  maker.loss("mse", { prediction: moved, target: shift }, {}, 2);
  return maker.finish();
}

test.each([SIAMESE, PLAIN])("a printed siamese network resolves to itself", (text) => {
  const network = resolved(text);
  const printed = print(network);
  expect(outlineOf(resolved(printed))).toEqual(outlineOf(network));
  expect(print(resolved(printed))).toBe(printed);
});

test("a network made without a text compiles, and prints as a spec that resolves to it", () => {
  const network = made();
  expect(outlineOf(resolved(print(network)))).toEqual(outlineOf(network));
  const { program, declarations } = compileNetwork(network, {
    file: "made.net",
    target: "gpu",
    afterPass: verify,
  });
  expect(program!.tensors.map(({ name, role }) => `${role} ${name}`)).toEqual([
    "input left",
    "input right",
    "target kind",
    "target shift",
    "metrics metrics",
    "prediction logits",
    "prediction moved",
  ]);
  expect(program!.parameters.map(({ name }) => name)).toEqual([
    ...["tower.conv1.weight", "tower.conv1.bias", "logits.weight", "logits.bias"],
    ...["moved.weight", "moved.bias"],
  ]);
  expect(declarations).toContain(
    '{ readonly "kind": ClassLabels; readonly "shift": Float32Array }',
  );
});

test("the formatter keeps shared layers", async () => {
  expect(await format(SIAMESE)).toContain("  share tower {\n    conv(6");
  expect(await format(await format(SIAMESE))).toBe(await format(SIAMESE));
});

const RECIPES = [
  "optimizer = sgd(lr=0.1)",
  "optimizer = adamw(lr=0.1)\n  clip_norm = 1\n  precision = f16",
  "optimizer = sgd(lr=0.1, momentum=0.9, nesterov=true)\n  freeze = [tower.*]",
];

test.each(RECIPES)("every graph of a step is sound: %s", (settings) => {
  const recipe = `train T of Siamese {\n  epochs = 1\n  batch = 4\n  ${settings}\n}\n`;
  const options = { file: "siamese.net", afterPass: verify, memory: { bytes: 1 << 20 } };
  const { diagnostics, programs } = compile(SIAMESE + recipe, options);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(programs.length).toBeGreaterThan(2);
});
