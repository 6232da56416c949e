/**
 * What netc writes for ONNX and TensorFlow.js comes back as a network that computes the same: the
 * importer knows every form that the language has in these formats.
 */
import { describe, expect, test } from "vitest";
import { onnxExporter } from "../../interchange/export/onnx/index.js";
import type { Exporter } from "../../interchange/export/exporter.js";
import type { ExportedFile, ExportModel } from "../../interchange/export/model.js";
import { ExportError } from "../../interchange/export/refusal.js";
import { tfjsExporter } from "../../interchange/export/tfjs/index.js";
import { importGraph, type ImportedModel } from "../../interchange/import-graph.js";
import {
  exportCases,
  exportModel,
  graphCases,
  inputsOf,
  largestError,
  predictions,
  sequenceCases,
} from "./export-cases.js";
import { readForeign, sourceIn } from "./foreign-model.js";
import { ImportError } from "../../interchange/error.js";

const REQUEST = { as: "f32", softmax: false, preprocessing: false, version: "0" } as const;

const bytesOf = ({ content }: ExportedFile) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

/** Undefined where the format has no form of a layer. */
function written(model: ExportModel, exporter: Exporter, path: string) {
  try {
    const { files } = exporter.write(model, { ...REQUEST, path });
    return Object.fromEntries(files.map((file) => [file.path, bytesOf(file)]));
  } catch (error) {
    if (error instanceof ExportError) return undefined;
    throw error;
  }
}

async function broughtBack(
  model: ExportModel,
  exporter: Exporter,
  path: string,
): Promise<readonly ImportedModel[] | undefined> {
  const files = written(model, exporter, path);
  if (!files) return undefined;
  const graph = await readForeign(sourceIn(files, [path]));
  return graph.outputs.map((output) => importGraph(graph, { name: "Back", output }));
}

/** Of inputs by their place: names of readers may differ from the spec's. */
function predictedBy({ network, tensors }: ImportedModel, model: ExportModel) {
  const given = [...inputsOf(model).values()];
  const kept = model.network.inputs.map(({ name }, index) => [name, given[index]!] as const);
  const named = network.inputs.map(({ name }, index) => {
    return [name, kept.find(([own]) => own === name)?.[1] ?? given[index]!] as const;
  });
  const own = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return predictions({ network, tensors: own }, new Map(named))[0]!;
}

test("a newer layer comes back as one that computes the same, or is refused", async () => {
  const returned = new Set<string>();
  for (const { name, text } of graphCases) {
    const model = exportModel(text);
    const models = await broughtBack(model, onnxExporter, "model.onnx").catch((error: unknown) => {
      if (error instanceof ImportError) return [];
      throw error;
    });
    const expected = predictions(model, inputsOf(model));
    models!.forEach((back, index) => {
      const error = largestError(predictedBy(back, model), expected[index]!);
      expect(error, name).toBeLessThan(1e-5);
      returned.add(name.split(" ")[0]!);
    });
  }
  expect([...returned].sort()).toEqual([
    ...["adaptive_maxpool", "adaptive_maxpool(1)", "adaptive_maxpool([4,", "celu"],
    ...["channel_shuffle", "concat", "crop", "glu", "hardshrink", "identity", "instancenorm"],
    ...["logsigmoid", "logsumexp", "lp_pool", "max", "maxpool", "mean", "min", "pad", "pad([1,"],
    ...["pad([5,", "pad([8,", "pixel_shuffle", "prelu", "prelu(per_channel=true)"],
    ...["prelu(start=0.1)", "relu", "selu", "signal", "slice", "softmin", "softplus", "softshrink"],
    ...["softsign", "split(axis=columns,", "stage", "sum", "threshold", "upsample(2,"],
  ]);
});

describe.each([
  ["ONNX", onnxExporter, "model.onnx", [...exportCases, ...sequenceCases]],
  ["TensorFlow.js", tfjsExporter, "model.json", exportCases],
] as const)("forms of %s", (_, exporter, path, cases) => {
  test.each(cases)("$name", async ({ text }) => {
    const model = exportModel(text);
    const expected = predictions(model, inputsOf(model));
    const models = await broughtBack(model, exporter, path).catch((error: Error) => {
      // Models of tokens are written, and not read.
      if (text.includes("embedding(")) {
        expect(error.message).toContain("holds tokens, which netc does not import");
        return [];
      }
      // Padding of tokens is written, and not read.
      if (/\bpad\(.*axis=tokens/.test(text)) {
        expect(error.message).toContain("are not pixels around an image");
        return [];
      }
      // Values of more than four axes are written, and not read.
      if (/\breshape\(\[([^,\]]+, ){3}/.test(text)) {
        expect(error.message).toMatch(/it makes \[N(, \d+){4,}\]|whose channels are two axes/);
        return [];
      }
      if (/\binput +x: f32\[N(, \d+){4,}\]/.test(text)) {
        expect(error.message).toMatch(/input `x` is \[N(, \d+){4,}\], and netc imports /);
        return [];
      }
      // There is no spec without layers.
      expect(error.message).toBe("the model computes nothing");
      const [image] = inputsOf(model).values();
      expect(largestError(expected[0]!, image!)).toBe(0);
      return [];
    });
    if (!models) return;
    models.forEach((back, index) => {
      expect(largestError(predictedBy(back, model), expected[index]!)).toBeLessThan(1e-5);
    });
  });
});
