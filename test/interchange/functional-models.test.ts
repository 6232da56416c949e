/** Models with branches and several inputs, against what Keras 3.15 and TensorFlow 2.21 gave. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importGraph, type ImportedModel } from "../../interchange/import-graph.js";
import { specText } from "../../interchange/spec-text.js";
import { predictions } from "./export-cases.js";
import { readForeign, relativeError, sourceIn } from "./foreign-model.js";

const models = join(import.meta.dirname, "../fixtures/models");

type Numbers = Readonly<Record<string, readonly number[]>>;

function gives({ network, tensors }: ImportedModel, expected: Numbers): ArrayLike<number> {
  const weights = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const given = network.inputs.map(({ name }) => {
    return [name, Float32Array.from(expected[name]!)] as const;
  });
  return predictions({ network, tensors: weights }, new Map(given))[0]!;
}

test.each([
  ["keras-functional", "functional.keras", ["image", "numbers"]],
  ["keras-functional", "functional.h5", ["image", "numbers"]],
  ["tfjs-graph", "model.json", ["image"]],
])("%s: %s", async (folder, file, inputs) => {
  const bytesOf = (name: string) => new Uint8Array(readFileSync(join(models, folder, name)));
  const shards = folder === "tfjs-graph" ? ["group1-shard1of1.bin"] : [];
  const files = Object.fromEntries([file, ...shards].map((name) => [name, bytesOf(name)]));
  const graph = await readForeign(sourceIn(files, [file]));
  const model = importGraph(graph, { name: "Functional" });
  expect(model.network.inputs.map(({ name }) => name)).toEqual(inputs);
  const expected = JSON.parse(
    readFileSync(join(models, folder, "expected.json"), "utf8"),
  ) as Numbers;
  expect(relativeError(gives(model, expected), expected["shares"]!)).toBeLessThan(1e-5);
  await specText(model, file);
});
