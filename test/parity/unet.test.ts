import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "./harness.js";

const text = readFileSync(join(import.meta.dirname, "../../specs/unet.net"), "utf8");
const expected = readExpected<{ readonly parameters: number; readonly logits: Summary }>("unet");

test("U-Net has as many parameters as PyTorch's", () => {
  const { graph } = analyze(text, "unet.net").selected!.model;
  const counts = graph!.parameters.map(({ value }) =>
    value.shape.reduce<number>((product, size) => product * Number(size), 1),
  );
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(expected.parameters);
});

test("a narrow U-Net has PyTorch's logits", async () => {
  const narrow = text
    .replace(/^data [^]*/m, "")
    .replaceAll("256, 256", "32, 48")
    .replace("classes: int = 21, width: int = 64", "classes: int = 5, width: int = 4");
  const { programs, diagnostics } = compile(narrow, { file: "unet.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const network = await createNetwork(programs, { batch: 2 });
  try {
    for (const { name, shape } of network.parameters)
      await network.write(name, parameterValues(`unet/${name}`, shape));
    const logits = await network.predict(uniformValues("unet/images", 2 * 3 * 32 * 48, 1));
    expect(relativeError(logits, expected.logits)).toBeLessThan(2e-5);
  } finally {
    network.destroy();
  }
});
