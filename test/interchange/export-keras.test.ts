/** Models that netc writes for Keras 3: in netc's own reader, in h5py and in Keras. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { hdf5File, type Hdf5Group } from "../../interchange/export/keras/hdf5.js";
import { kerasExporter } from "../../interchange/export/keras/index.js";
import { kerasMappings } from "../../interchange/export/keras/layers.js";
import type { ExportModel } from "../../interchange/export/model.js";
import { ExportError } from "../../interchange/export/refusal.js";
import { storedZip } from "../../interchange/export/zip.js";
import { openHdf5 } from "../../interchange/keras/hdf5.js";
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
import { readModel } from "./imported.js";
import { KERAS_PYTHON, PYTHON, pythonHas } from "./peers.js";

const CHOICES = { as: "f32", softmax: false, preprocessing: false } as const;

function written(model: ExportModel): Uint8Array {
  const request = { ...CHOICES, path: "model.keras", version: "0" };
  return kerasExporter.write(model, request).files[0]!.content as Uint8Array;
}

/** Undefined where a layer of it is refused. */
function writtenOrRefused(model: ExportModel): Uint8Array | undefined {
  try {
    return written(model);
  } catch (error) {
    if (error instanceof ExportError) return undefined;
    throw error;
  }
}

test("every layer of the language has a form in Keras", () => {
  const wanted = [...exportedLayers, "let"];
  expect(Object.keys(kerasMappings).sort()).toEqual(wanted.sort());
});

const cases = exportCases.map(({ name, text }) => {
  const model = exportModel(text);
  return { name, model, bytes: writtenOrRefused(model) };
});
const saying = cases.flatMap(({ bytes, ...rest }) => (bytes ? [{ ...rest, bytes }] : []));

test("all cases have a form", () => {
  expect(cases.filter(({ bytes }) => !bytes).map(({ name }) => name)).toEqual([]);
});

test("what has none is refused at the line of the spec, with what to write instead", () => {
  const model = exportModel(
    "model M {\ninput x: f32[N, 3, 8, 8]\nconv_transpose(4, kernel=3, stride=2, dilation=2)\n}",
  );
  const write = () => kerasExporter.write(model, { ...CHOICES, path: "m.keras", version: "0" });
  expect(write).toThrow("has no form in Keras: it has either strides or dilations");
});

test("a formula is refused", () => {
  const model = exportModel("model M {\ninput x: f32[N, 3, 8, 8]\nrelu as a\nlet y = 2 * a\n}");
  const write = () => kerasExporter.write(model, { ...CHOICES, path: "m.keras", version: "0" });
  expect(write).toThrow("let `y` has no form in Keras: it has layers only, and no formulas");
});

test("the same model is the same bytes", () => {
  const { model, bytes } = saying.at(-1)!;
  expect(Buffer.compare(written(model), bytes)).toBe(0);
});

interface Configuration {
  readonly config: { readonly layers: readonly { readonly class_name: string; name: string }[] };
}

function configOf(bytes: Uint8Array): Configuration {
  const json = new TextDecoder().decode(unzipSync(bytes)["config.json"]);
  return JSON.parse(json) as Configuration;
}

/** `[layer.name for layer in model.layers]` of Keras 3.15 with functions left out. */
const ORDERS: Readonly<Record<string, readonly string[]>> = {
  "two inputs that share weights": [
    ...["right", "left", "tower.conv1", "tower.batchnorm1", "b.relu1", "a.relu1"],
    ...["b.flatten1.channels_first", "a.flatten1.channels_first", "b.flatten1", "a.flatten1"],
    ...["concat1", "logits"],
  ],
  "two outputs": ["x", "features.conv1", "features.relu1", "features.flat", "logits", "measured"],
  "concat { branch { conv(2, kernel=1) } branch { maxpool(3, stride=1, padding=1) } } -> relu": [
    ...["x", "branch1.conv1", "branch2.maxpool1", "concat1", "relu1"],
  ],
};

describe("layers come in the order in which Keras numbers their weights", () => {
  test.each(Object.keys(ORDERS))("%s", (name) => {
    const { bytes } = saying.find((each) => each.name === name)!;
    expect(configOf(bytes).config.layers.map((layer) => layer.name)).toEqual(ORDERS[name]);
  });
});

/**
 * What the reader has no form for: functions, products along axes, other orders of axes, and
 * normalizations of groups and layers without weights.
 */
const FUNCTIONS = ["Power", "Pad", "Maximum", "Minimum", "Gelu"];
const LAYERS = ["EinsumDense", "Cropping2D", "Permute", "Reshape"];
const HAS_NO_FORM = new RegExp(
  `"(${[...FUNCTIONS, ...LAYERS].join("|")})"|"epsilon":[^,]*,"center":false`,
);

describe("netc's own reader finds the same network in it", () => {
  const single = saying.filter(({ model: { network } }) => {
    return network.inputs.length === 1 && network.outputs.length === 1;
  });
  const isRead = ({ bytes }: (typeof saying)[number]) =>
    !HAS_NO_FORM.test(JSON.stringify(configOf(bytes)));

  test("two of three cases", () => {
    expect(single.filter(isRead).length).toBeGreaterThan((2 / 3) * single.length);
  });

  test.each(single.filter(isRead))("$name", async ({ model, bytes }) => {
    const graph = await readModel("model.keras", bytes);
    const [[, values]] = [...inputsOf(model)] as [[string, Float32Array]];
    const shape = [2, ...model.network.inputs[0]!.type.shape.slice(1).map(Number)];
    const given = new Map([[graph.inputs[0]!.name, { kind: "float" as const, shape, values }]]);
    const [got] = evaluate(graph, given);
    expect(largestError(got!.values, predictions(model, inputsOf(model))[0]!)).toBeLessThan(1e-5);
  });
});

const folder = mkdtempSync(join(tmpdir(), "netc-keras-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("HDF5", () => {
  const array = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).map((shape) => ({
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 7),
  }));
  const name = fc.stringMatching(/^[a-z0-9_]{1,20}$/);
  const tree = fc.letrec<{ readonly group: Hdf5Group }>((tie) => ({
    group: fc
      .array(fc.tuple(name, fc.oneof({ depthSize: "small" }, array, tie("group"))), {
        maxLength: 5,
      })
      .map((entries) => new Map(entries)),
  })).group;

  test("any tree is read back as it is", () => {
    fc.assert(fc.property(tree, (root) => expectSame(openHdf5(hdf5File(root)), root)));
  });

  test("a group has any number of members", () => {
    const one = { shape: [1], values: new Float32Array(1) };
    const root = new Map(Array.from({ length: 700 }, (_, index) => [`conv2d_${index}`, one]));
    expect(openHdf5(hdf5File(root)).keys).toEqual([...root.keys()]);
  });

  function expectSame(group: ReturnType<typeof openHdf5>, expected: Hdf5Group): void {
    expect([...group.keys].sort()).toEqual([...expected.keys()].sort());
    for (const [key, child] of expected) {
      if (!("shape" in child)) expectSame(group.group(key)!, child);
      else {
        const dataset = group.dataset(key)!;
        expect(dataset.shape).toEqual(child.shape);
        expect(floats(dataset.read().values)).toEqual(child.values);
      }
    }
  }
});

test("a file of more than 4 GiB is refused before it is made", () => {
  const bytes = { length: 2 ** 32 } as Uint8Array;
  expect(() => storedZip([{ name: "model.weights.h5", bytes }], "a Keras file")).toThrow(
    "a Keras file of 4.0 GiB is not possible: it ends at 4.0 GiB",
  );
});

const isFull = process.env.NETC_TEST_FULL === "1";

test.skipIf(!isFull || !pythonHas("h5py"))("h5py reads what netc writes", () => {
  const { bytes } = saying.at(-1)!;
  const path = join(folder, "weights.h5");
  const weights = unzipSync(bytes)["model.weights.h5"]!;
  writeFileSync(path, weights);
  const program = `
import h5py, json, sys
found = {}
def visit(name, node):
    if isinstance(node, h5py.Dataset):
        found[name] = [list(node.shape), str(node.dtype), node[()].ravel().tolist()]
h5py.File(sys.argv[1]).visititems(visit)
print(json.dumps(found))`;
  const output = execFileSync(PYTHON, ["-c", program, path], { encoding: "utf8" });
  const found = JSON.parse(output) as Record<string, [number[], string, number[]]>;
  const group = openHdf5(weights);
  expect(Object.keys(found).length).toBeGreaterThan(20);
  for (const [name, [shape, type, values]] of Object.entries(found)) {
    const dataset = group.dataset(name)!;
    expect(type).toBe("float32");
    expect(dataset.shape).toEqual(shape);
    expect([...dataset.read().values]).toEqual(values);
  }
});

/** Loads every model, and writes what it predicts and the names of its layers. */
const RUN = `
import json, os, sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras, numpy
result = {}
for case in json.load(open(sys.argv[1])):
    try:
        model = keras.models.load_model(case["model"])
        inputs = [numpy.fromfile(i["path"], "<f4").reshape(i["shape"]) for i in case["inputs"]]
        outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        for index, output in enumerate(outputs):
            keras.ops.convert_to_numpy(output).astype("<f4").tofile(case["output"] + str(index))
        result[case["name"]] = [layer.name for layer in model.layers]
    except Exception as error:
        result[case["name"]] = str(error)
print("RESULT" + json.dumps(result))
`;

type Run = Readonly<Record<string, readonly string[] | string>>;

function runKeras(models: readonly (typeof saying)[number][]): Run {
  const described = models.map(({ name, model, bytes }, index) => {
    const path = join(folder, `case${index}`);
    writeFileSync(`${path}.keras`, bytes);
    const values = inputsOf(model);
    const inputs = model.network.inputs.map(({ name: input, type }, place) => {
      const [channels, ...pixels] = type.shape.slice(1).map(Number) as [number, ...number[]];
      const file = `${path}.input${place}`;
      writeFileSync(file, turnedImage(values.get(input)!, [channels, ...pixels]));
      return { path: file, shape: [2, ...pixels, channels] };
    });
    return { name, model: `${path}.keras`, inputs, output: `${path}.output` };
  });
  const list = join(folder, "cases.json");
  writeFileSync(list, JSON.stringify(described));
  const output = execFileSync(KERAS_PYTHON!, ["-c", RUN, list], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(output.slice(output.indexOf("RESULT") + 6)) as Run;
}

const numbersIn = ({ buffer, byteOffset, length }: Buffer) =>
  new Float32Array(buffer.slice(byteOffset, byteOffset + length));

describe.skipIf(!isFull || !KERAS_PYTHON)("Keras computes what the network computes", () => {
  const specs = join(import.meta.dirname, "../../specs");
  const shipped = ["digits", "lenet", "cifar10-quick", "squeezenet1_1"].map((name) => {
    const model = exportModel(readFileSync(join(specs, `${name}.net`), "utf8"), `${name}.net`);
    return { name, model, bytes: written(model) };
  });
  const all = [...saying, ...shipped];
  let run: Run = {};
  test("all files are loaded", { timeout: 600_000 }, () => {
    run = runKeras(all);
    const failed = Object.entries(run).filter(([, names]) => typeof names === "string");
    expect(failed).toEqual([]);
  });

  test.each(all)("$name", ({ name, model, bytes }) => {
    const { layers: listed } = configOf(bytes).config;
    const own = listed.filter((each) => !FUNCTIONS.includes(each.class_name));
    expect(run[name]).toEqual(own.map((layer) => layer.name));
    const path = join(folder, `case${all.findIndex((each) => each.name === name)}.output`);
    expectedOf(model, inputsOf(model)).forEach((expected, index) => {
      const got = numbersIn(readFileSync(`${path}${index}`));
      expect(largestError(got, expected)).toBeLessThan(1e-5);
    });
  });
});
