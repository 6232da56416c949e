/** Small whole files of every format that netc imports, and what reading them means. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../compiler/network/build.js";
import { analyze } from "../../compiler/index.js";
import { openPyTorch, sourceOf } from "../../interchange/pytorch/index.js";
import { matchTensors } from "../../interchange/weights/match.js";
import type { Shaped } from "../../interchange/weights/modules.js";
import { parseTensors } from "../../runtime/safetensors.js";
import { darknetFiles } from "./darknet-files.js";
import { caseNamed, imported, readForeign, sourceIn } from "./foreign-model.js";

/** Files by name, the model first; the second is its weights where both are named by users. */
export type Files = Readonly<Record<string, Uint8Array>>;

export interface DamagedFormat {
  readonly samples: readonly Files[];
  /** Names of files that are damaged, one at a time. */
  readonly damaged: RegExp;
  readonly read: (files: Files) => Promise<void>;
}

const fixtures = join(import.meta.dirname, "../fixtures");
const bytesOf = (...path: readonly string[]) =>
  new Uint8Array(readFileSync(join(fixtures, ...path)));

function filesOf(name: string): Files {
  const { folder } = caseNamed(name);
  const { files } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as {
    readonly files: readonly string[];
  };
  return Object.fromEntries(files.map((file) => [file, bytesOf("models", name, file)]));
}

const onnx = (name: string): Files => ({ "model.onnx": bytesOf("onnx", `${name}.onnx`) });

/** Of a model in one file, or in two that the command line names. */
const readModel =
  (count: 1 | 2) =>
  async (files: Files): Promise<void> => {
    const graph = await readForeign(sourceIn(files, Object.keys(files).slice(0, count)));
    imported({ ...graph, outputs: graph.outputs.slice(0, 1) });
  };

/** Of weights alone, for the network that the fixtures were made for. */
const readWeights =
  (read: (bytes: Uint8Array) => Described) =>
  (files: Files): Promise<void> => {
    const { tensors, values, isOrdered } = read(Object.values(files)[0]!);
    matchTensors({ own: OWN, file: tensors, isOrdered });
    values(tensors.filter(({ type }) => !/^(complex|q)/.test(type)).map(({ name }) => name));
    return Promise.resolve();
  };

interface Described {
  readonly tensors: readonly (Shaped & { readonly type: string })[];
  readonly isOrdered: boolean;
  readonly values: (names: readonly string[]) => void;
}

const OWN = ownTensors(
  readFileSync(join(fixtures, "models/pytorch-zip-module/network.net"), "utf8"),
);

function ownTensors(spec: string): readonly Shaped[] {
  const { selected } = analyze(spec, "network.net");
  return build(selected!.model.network!).parameters.map(({ value }) => {
    return { name: value.name, shape: value.shape.map(Number) };
  });
}

function readPyTorch(bytes: Uint8Array): Described {
  const { tensors, read } = openPyTorch(sourceOf(bytes));
  return { tensors, isOrdered: true, values: read };
}

function readSafetensors(bytes: Uint8Array): Described {
  const { tensors } = parseTensors(bytes);
  const described = [...tensors.values()].map((tensor) => ({ ...tensor, type: "float32" }));
  return { tensors: described, isOrdered: false, values: () => {} };
}

const pytorch = (...path: readonly string[]): Files => ({
  "weights.pt": bytesOf("models", ...path),
});
const caffe = ["caffe-lenet-lrn", "caffe-residual-batchnorm"].map(filesOf);
const darknet = [darknetFiles()];

export const damagedFormats: Readonly<Record<string, DamagedFormat>> = {
  ONNX: {
    samples: ["gate-by-hand", "channels-last", "lenet-pytorch", "timm-attention"].map(onnx),
    damaged: /onnx/,
    read: readModel(1),
  },
  "Keras HDF5": { samples: [filesOf("keras-2-h5")], damaged: /h5/, read: readModel(1) },
  ".keras": { samples: [filesOf("keras-3-keras")], damaged: /keras/, read: readModel(1) },
  "TensorFlow.js": {
    samples: ["tfjs-flatten", "tfjs-depthwise-quantised"].map(filesOf),
    damaged: /json|bin/,
    read: readModel(1),
  },
  prototxt: { samples: caffe, damaged: /prototxt/, read: readModel(2) },
  caffemodel: { samples: caffe, damaged: /caffemodel/, read: readModel(2) },
  "Darknet cfg": { samples: darknet, damaged: /cfg/, read: readModel(2) },
  "Darknet weights": { samples: darknet, damaged: /weights/, read: readModel(2) },
  "PyTorch zip": {
    samples: [
      pytorch("views-zip.pt"),
      pytorch("checkpoint-ema.pt"),
      pytorch("torchscript.pt"),
      pytorch("exported-program.pt2"),
      pytorch("pytorch-zip-module", "checkpoint.pth"),
    ],
    damaged: /pt/,
    read: readWeights(readPyTorch),
  },
  "PyTorch before 1.6": {
    samples: [pytorch("views-legacy.pt"), pytorch("pytorch-legacy-half", "weights.pt")],
    damaged: /pt/,
    read: readWeights(readPyTorch),
  },
  safetensors: {
    samples: ["safetensors-bfloat16", "safetensors-sorted"].map((name) => ({
      "model.safetensors": bytesOf("models", name, "model.safetensors"),
    })),
    damaged: /safetensors/,
    read: readWeights(readSafetensors),
  },
};
