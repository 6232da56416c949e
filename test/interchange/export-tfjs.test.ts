/** Layers models that netc writes for TensorFlow.js, in netc's own reader and in TensorFlow.js. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exporters } from "../../interchange/export/formats.js";
import type { ExportedFile, ExportModel } from "../../interchange/export/model.js";
import type { ForeignGraph } from "../../interchange/foreign-graph.js";
import { ExportError } from "../../interchange/export/refusal.js";
import { tfjsExporter } from "../../interchange/export/tfjs/index.js";
import { tfjsLayers } from "../../interchange/export/tfjs/layers.js";
import { evaluate } from "../../interchange/reference/evaluate.js";
import { expectedOf, floats, turnedImage } from "./channels-last.js";
import {
  exportCases,
  exportedLayers,
  exportModel,
  inputsOf,
  largestError,
  predictions,
} from "./export-cases.js";
import { readForeign, sourceIn } from "./foreign-model.js";
import { peer } from "./peers.js";

const CHOICES = { as: "f32", softmax: false, preprocessing: false } as const;

/** Undefined where a layer of it is refused. */
function written(model: ExportModel): readonly ExportedFile[] | undefined {
  try {
    return tfjsExporter.write(model, { ...CHOICES, path: "model.json", version: "0" }).files;
  } catch (error) {
    if (error instanceof ExportError) return undefined;
    throw error;
  }
}

const bytesOf = ({ content }: ExportedFile) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

test("every layer of the language has a form in TensorFlow.js, or a reason", () => {
  expect(Object.keys(tfjsLayers).sort()).toEqual([...exportedLayers, "let"].sort());
  expect(exporters.map(({ name }) => name)).toContain("tfjs");
});

const cases = exportCases.map(({ name, text }) => ({ name, model: exportModel(text) }));
const saying = cases.filter(({ model }) => written(model));

test("what is refused is what TensorFlow.js has no layer for", () => {
  const refused = cases.filter(({ model }) => !written(model)).map(({ name }) => name);
  expect(refused).toMatchSnapshot();
});

test("a refusal names the line, the reason and what to do", () => {
  const model = exportModel("model M {\ninput x: f32[N, 8, 5, 5]\nconv(8, kernel=3) -> lrn(5)\n}");
  expect(() => tfjsExporter.write(model, { ...CHOICES, path: "m.json", version: "0" })).toThrow(
    "lrn `lrn1` has no form in TensorFlow.js: it has no layer for local response normalization",
  );
});

function readBack(files: readonly ExportedFile[]): Promise<ForeignGraph> {
  const named = Object.fromEntries(files.map((file) => [file.path, bytesOf(file)]));
  return readForeign(sourceIn(named, ["model.json"]));
}

describe("netc's own reader finds the same network in it", () => {
  test.each(saying)("$name", async ({ model }) => {
    const graph = await readBack(written(model)!);
    const values = inputsOf(model);
    const given = new Map(
      model.network.inputs.map(({ name, type }) => {
        const shape = [2, ...type.shape.slice(1).map(Number)];
        return [name, { kind: "float" as const, shape, values: values.get(name)! }];
      }),
    );
    const got = evaluate(graph, given);
    const expected = predictions(model, values);
    expect(got.length).toBe(expected.length);
    got.forEach((output, index) => {
      expect(largestError(output.values, expected[index]!)).toBeLessThan(1e-5);
    });
  });
});

/** As much of TensorFlow.js as is used here. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  loadLayersModel(handler: unknown): Promise<{
    predict(inputs: unknown): Tensor | readonly Tensor[];
    dispose(): void;
  }>;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
}

interface Tensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
}

const isFull = process.env.NETC_TEST_FULL === "1";
const tf = isFull ? (peer("@tensorflow/tfjs") as TensorFlow | undefined) : undefined;

/** What TensorFlow.js reads from memory. */
function handlerOf(files: readonly ExportedFile[]) {
  const shards = files.slice(0, -1).map(bytesOf);
  const json = JSON.parse(files.at(-1)!.content as string) as {
    readonly modelTopology: unknown;
    readonly weightsManifest: readonly [{ readonly weights: unknown }];
  };
  const data = Buffer.concat(shards);
  const weightData = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
  const [{ weights: weightSpecs }] = json.weightsManifest;
  return {
    load: () => Promise.resolve({ modelTopology: json.modelTopology, weightSpecs, weightData }),
  };
}

async function computed(
  model: ExportModel,
  inputs: ReadonlyMap<string, Float32Array>,
): Promise<readonly Float32Array[]> {
  await tf!.setBackend("cpu");
  const net = await tf!.loadLayersModel(handlerOf(written(model)!));
  const tensors = model.network.inputs.map(({ name, type }) => {
    const sizes = type.shape.slice(1).map(Number);
    const values = turnedImage(inputs.get(name)!, sizes);
    const batch = values.length / sizes.reduce((a, b) => a * b, 1);
    const [channels, ...pixels] = sizes as [number, ...number[]];
    return tf!.tensor(values, [batch, ...pixels, channels]);
  });
  const result = net.predict(tensors.length === 1 ? tensors[0] : tensors);
  const outputs = Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
  const values = outputs.map((output) => floats(output.dataSync()));
  net.dispose();
  return values;
}

describe.skipIf(!tf)("TensorFlow.js computes what the network computes", () => {
  test.each(saying)("$name", async ({ model }) => {
    const got = await computed(model, inputsOf(model));
    expectedOf(model, inputsOf(model)).forEach((expected, index) => {
      expect(largestError(got[index]!, expected)).toBeLessThan(1e-5);
    });
  });

  const specs = join(import.meta.dirname, "../../specs");
  test.each(["digits", "lenet", "cifar10-quick"])("%s", async (name) => {
    const model = exportModel(readFileSync(join(specs, `${name}.net`), "utf8"));
    const got = await computed(model, inputsOf(model));
    const [expected] = expectedOf(model, inputsOf(model));
    expect(largestError(got[0]!, expected!)).toBeLessThan(1e-5);
  });
});
