/**
 * ONNX files of netc in onnxruntime, and for ONNX's own checker: with NETC_TEST_FULL=1, where both
 * are installed (see peers.ts).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { onnxExporter } from "../../interchange/export/onnx/index.js";
import type { WeightType } from "../../interchange/export/onnx/weight-types.js";
import type { ExportModel } from "../../interchange/export/model.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import {
  exportCases,
  exportModel,
  graphCases,
  inputsOf,
  largestError,
  predictions,
  sequenceCases,
} from "./export-cases.js";
import { peer, PYTHON, pythonHas } from "./peers.js";

/** As much of onnxruntime-web as is used here. */
interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
  readonly Tensor: new (
    type: "float32" | "int64",
    values: Float32Array | BigInt64Array,
    shape: readonly number[],
  ) => { readonly data: Float32Array };
  readonly InferenceSession: { create(model: Uint8Array): Promise<Session> };
}

interface Session {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
  release(): Promise<void>;
}

const isFull = process.env.NETC_TEST_FULL === "1";
const runtime = isFull ? (peer("onnxruntime-web") as OnnxRuntime | undefined) : undefined;
if (runtime) {
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = "error";
}

function bytesOf(model: ExportModel, as: WeightType = "f32"): Uint8Array {
  const choices = { as, softmax: false, preprocessing: false };
  const { files } = onnxExporter.write(model, { ...choices, path: "m.onnx", version: "0" });
  return files[0]!.content as Uint8Array;
}

async function computed(
  bytes: Uint8Array,
  { network }: ExportModel,
  inputs: ReadonlyMap<string, Float32Array>,
): Promise<readonly Float32Array[]> {
  const { InferenceSession, Tensor } = runtime!;
  const session = await InferenceSession.create(bytes);
  const feeds = network.inputs.map(({ name, type }) => {
    const sizes = type.shape.slice(1).map(Number);
    const values = inputs.get(name)!;
    const batch = values.length / sizes.reduce((a, b) => a * b, 1);
    const shape = [batch, ...sizes];
    if (type.dtype !== "u32") return [name, new Tensor("float32", values, shape)] as const;
    const tokens = BigInt64Array.from(values, BigInt);
    return [name, new Tensor("int64", tokens, shape)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  const outputs = session.outputNames.map((name) => results[name]!.data);
  await session.release();
  return outputs;
}

describe.skipIf(!runtime)("onnxruntime computes what the network computes", () => {
  test.each([...exportCases, ...sequenceCases, ...graphCases])("$name", async ({ text }) => {
    const model = exportModel(text);
    const expected = predictions(model, inputsOf(model));
    const got = await computed(bytesOf(model), model, inputsOf(model));
    expect(got.length).toBe(expected.length);
    got.forEach((values, index) => {
      expect(largestError(values, expected[index]!)).toBeLessThan(1e-5);
    });
  });

  test.each(["f16", "i8", "u8"] as const)("weights as %s", async (as) => {
    const { text } = exportCases.at(-1)!;
    const model = exportModel(text);
    const [expected] = predictions(model, inputsOf(model));
    const [got] = await computed(bytesOf(model, as), model, inputsOf(model));
    expect(largestError(got!, expected!)).toBeLessThan(as === "f16" ? 2e-3 : 5e-2);
  });
});

const folder = mkdtempSync(join(tmpdir(), "netc-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHECK = `
import sys, onnx
for path in sys.argv[1:]:
    try:
        onnx.checker.check_model(onnx.load(path), full_check=True)
    except Exception as error:
        print(path, str(error).splitlines()[0])
`;

describe.skipIf(!isFull || !pythonHas("onnx.checker"))("ONNX's checker", () => {
  test("finds nothing wrong in any of them", { timeout: 300_000 }, () => {
    const types: readonly WeightType[] = ["f32", "f16", "i8", "u8"];
    const paths = [...exportCases, ...sequenceCases, ...graphCases].flatMap(({ text }, index) =>
      types.map((as) => {
        const path = join(folder, `${index}-${as}.onnx`);
        writeFileSync(path, bytesOf(exportModel(text), as));
        return path;
      }),
    );
    const found = execFileSync(PYTHON, ["-c", CHECK, ...paths], { encoding: "utf8" });
    expect(found).toBe("");
  });
});

interface Case {
  readonly name: string;
  readonly logits: Summary;
}

/** 1e-4 of the logits' norm, less what a sketch may hide. */
const TOLERANCE = 0.8e-4;

/** Weights and images are hashed from names, as in test/parity/torchvision.test.ts. */
describe.skipIf(!runtime)("onnxruntime gives torchvision's logits", () => {
  const oracle = join(import.meta.dirname, "../oracle/expected/torchvision.json");
  const cases = JSON.parse(readFileSync(oracle, "utf8")) as readonly Case[];
  test.each(cases)("$name", { timeout: 600_000 }, async ({ name, logits }) => {
    const file = join(import.meta.dirname, "../../specs", `${name}.net`);
    const model = exportModel(readFileSync(file, "utf8"), file);
    const tensors = [...model.tensors].map(([own, { shape }], index) => {
      const values = parameterValues(`${name}/${index}.${own.split(".").at(-1)}`, shape);
      return [own, { shape, values }] as const;
    });
    const images = new Map([["image", uniformValues(`${name}/images`, 2 * 3 * 224 * 224, 1)]]);
    const weighted = { ...model, tensors: new Map(tensors) };
    const [got] = await computed(bytesOf(weighted), weighted, images);
    const error = relativeError(got!, logits);
    console.log(`${name}: ${error.toExponential(1)}`);
    expect(error).toBeLessThan(TOLERANCE);
  });
});
