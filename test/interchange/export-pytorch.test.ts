/**
 * Python files and state_dicts that netc writes: as text, for netc's own reader, and in PyTorch.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ExportedFile, ExportModel } from "../../interchange/export/model.js";
import { pytorchExporter } from "../../interchange/export/pytorch/index.js";
import { torchLayers } from "../../interchange/export/pytorch/layers.js";
import { openPyTorch, sourceOf } from "../../interchange/pytorch/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import {
  exportCases,
  exportedLayers,
  exportModel,
  formulaCases,
  graphCases,
  inputsOf,
  largestError,
  predictions,
  sequenceCases,
  sequenceLayers,
} from "./export-cases.js";
import { PYTHON, pythonHas } from "./peers.js";

const specs = join(import.meta.dirname, "../../specs");
const shipped = (name: string) => exportModel(readFileSync(join(specs, name), "utf8"), name);

function written(model: ExportModel, path = "model.py"): readonly ExportedFile[] {
  const choices = { as: "f32", softmax: false, preprocessing: false } as const;
  return pytorchExporter.write(model, { ...choices, path, version: "0" }).files;
}

test("every layer of the language has a form in PyTorch", () => {
  expect(Object.keys(torchLayers).sort()).toEqual(
    [...exportedLayers, ...sequenceLayers, "let"].sort(),
  );
});

describe("the text is what a person would write", () => {
  test.each(["digits.net", "resnet18.net", "mobilenet_v3_small.net", "squeezenet1_1.net"])(
    "%s",
    (name) => {
      const classNames = name === "digits.net" ? [..."0123456789"] : undefined;
      const model = { ...shipped(name), classNames };
      expect(written(model)[1]!.content).toMatchSnapshot();
    },
  );
});

test("netc reads the weights back, with a count of batches for running statistics", () => {
  const model = exportModel(exportCases.at(-1)!.text);
  const bytes = written(model)[0]!.content as Uint8Array;
  const { tensors, read } = openPyTorch(sourceOf(bytes));
  const names = tensors.map(({ name }) => name);
  const counts = names.filter((name) => name.endsWith(".num_batches_tracked"));
  expect(names.filter((name) => !counts.includes(name))).toEqual([...model.tensors.keys()]);
  expect(counts.length).toBe(names.filter((name) => name.endsWith(".running_mean")).length);
  const values = read([...model.tensors.keys()]);
  for (const [name, tensor] of model.tensors) expect(values.get(name)).toEqual(tensor.values);
});

test("names that Python or nn.Module has are written with an underscore", () => {
  const model = exportModel(`model M {
    input x: f32[N, 3, 6, 6]
    half { conv(4, kernel=3) as lambda -> relu }
    flatten -> linear(2) as type
  }`);
  const [weights, source] = written(model);
  expect(source!.content).toContain("self.half_ = nn.Sequential");
  expect(source!.content).toContain("self.type_ = nn.Linear");
  const { tensors } = openPyTorch(sourceOf(weights!.content as Uint8Array));
  expect(tensors.map(({ name }) => name)).toEqual([
    ...["half_.lambda_.weight", "half_.lambda_.bias", "type_.weight", "type_.bias"],
  ]);
});

const isFull = process.env.NETC_TEST_FULL === "1";
const hasTorch = isFull && pythonHas("torch");
const folder = mkdtempSync(join(tmpdir(), "netc-pytorch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads every case strictly, and writes what its network makes of the inputs. */
const RUN = `
import importlib.util, json, sys
import numpy, torch
torch.set_num_threads(1)
for case in json.load(open(sys.argv[1])):
    try:
        spec = importlib.util.spec_from_file_location("case", case["source"])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        net = module.load()
        inputs = [
            torch.from_numpy(numpy.fromfile(file, "<f4").astype(kind).reshape(shape))
            for file, shape, kind in case["inputs"]
        ]
        with torch.no_grad():
            outputs = net(*inputs)
        for index, output in enumerate(outputs if isinstance(outputs, tuple) else [outputs]):
            output.contiguous().numpy().astype("<f4").tofile(case["output"] + str(index))
    except Exception as error:
        print(case["source"], type(error).__name__, error)
`;

function prepare(model: ExportModel, name: string, batch = 2) {
  const source = join(folder, `${name}.py`);
  for (const { path, content } of written(model, source)) writeFileSync(path, content);
  const inputs = [...inputsOf(model, batch)].map(([input, values], index) => {
    const file = join(folder, `${name}.${input}`);
    writeFileSync(file, values);
    const { shape, vocabulary } = model.network.inputs[index]!.type;
    const kind = vocabulary === undefined ? "float32" : "int64";
    return [file, [batch, ...shape.slice(1)], kind] as const;
  });
  return { source, inputs, output: join(folder, `${name}.out`) };
}

function runInPython(cases: readonly ReturnType<typeof prepare>[]): string {
  const list = join(folder, "cases.json");
  writeFileSync(list, JSON.stringify(cases));
  return execFileSync(PYTHON, ["-c", RUN, list], { encoding: "utf8" });
}

const floatsIn = (path: string) => {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
};

describe.skipIf(!hasTorch)("PyTorch computes what the network computes", () => {
  const cases = [...exportCases, ...formulaCases, ...sequenceCases, ...graphCases];
  const models = cases.map(({ text }) => exportModel(text));

  test("every case loads strictly and runs", { timeout: 300_000 }, () => {
    expect(runInPython(models.map((model, index) => prepare(model, `case${index}`)))).toBe("");
  });

  test.each(cases.map(({ name }, index) => ({ name, index })))("$name", ({ index }) => {
    const model = models[index]!;
    predictions(model, inputsOf(model)).forEach((expected, output) => {
      const got = floatsIn(join(folder, `case${index}.out${output}`));
      expect(largestError(got, expected)).toBeLessThan(1e-5);
    });
  });
});

interface Case {
  readonly name: string;
  readonly logits: Summary;
}

/** Weights and images are hashed from names, as in test/parity/torchvision.test.ts. */
describe.skipIf(!hasTorch)("PyTorch gives torchvision's logits", () => {
  const oracle = join(import.meta.dirname, "../oracle/expected/torchvision.json");
  const cases = JSON.parse(readFileSync(oracle, "utf8")) as readonly Case[];
  test.each(cases)("$name", { timeout: 600_000 }, ({ name, logits }) => {
    const model = shipped(`${name}.net`);
    const tensors = [...model.tensors].map(([own, { shape }], index) => {
      const values = parameterValues(`${name}/${index}.${own.split(".").at(-1)}`, shape);
      return [own, { shape, values }] as const;
    });
    const images = uniformValues(`${name}/images`, 2 * 3 * 224 * 224, 1);
    const prepared = prepare({ ...model, tensors: new Map(tensors) }, name);
    writeFileSync(prepared.inputs[0]![0], images);
    expect(runInPython([prepared])).toBe("");
    const error = relativeError(floatsIn(`${prepared.output}0`), logits);
    console.log(`${name}: ${error.toExponential(1)}`);
    expect(error).toBeLessThan(0.8e-4);
    rmSync(prepared.source.replace(/py$/, "pth"));
  });
});
