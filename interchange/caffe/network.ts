/** A prototxt as the list of layers that Caffe runs to test a network, with their weights. */
import { create, fromBinary } from "@bufbuild/protobuf";
import { fromText } from "@bufbuild/protobuf/txtpb";
import { ImportError } from "../error.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import { floats } from "../tensors.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import {
  LayerParameterSchema,
  NetParameterSchema,
  ParamSpecSchema,
  Phase,
  V1LayerParameter_LayerType,
  type LayerParameter,
  type NetParameter,
  type NetStateRule,
  type V1LayerParameter,
} from "./generated/caffe_pb.js";
import { NetSchema, type Blob } from "./generated/weights_pb.js";

export interface CaffeLayer {
  /** Also of layers in the older form, which has other names of types. */
  readonly parameters: LayerParameter;
  /** `deploy.prototxt:40`. */
  readonly place: string;
}

export interface CaffeNetwork {
  readonly net: NetParameter;
  readonly layers: readonly CaffeLayer[];
}

/** Messages within messages. */
const DEEPEST = 20;

/** Throws an ImportError for a text that is not a network. */
export function readPrototxt(text: string, path: string, phase = Phase.TEST): CaffeNetwork {
  const net = parsed(() => fromText(NetParameterSchema, text, { recursionLimit: DEEPEST }), path);
  if (net.layer.length > 0 && net.layers.length > 0) {
    throw new ImportError(`${path} has both \`layer\` and \`layers\``);
  }
  if (net.layers.some(({ layer }) => layer !== undefined)) {
    throw new ImportError(`${path} is in the form of Caffe before 2014`, [
      "convert it with Caffe's upgrade_net_proto_text",
    ]);
  }
  const lines = layerLines(text);
  const all = net.layer.length > 0 ? net.layer : net.layers.map(upgraded);
  const layers = all.map((parameters, index): CaffeLayer => {
    return { parameters, place: `${path}:${lines[index] ?? "?"}` };
  });
  return { net, layers: layers.filter(({ parameters }) => isOfPhase(parameters, phase)) };
}

/** Throws an ImportError with what is wrong with a text or its numbers. */
export function parsed<Result>(parse: () => Result, path: string): Result {
  try {
    return parse();
  } catch (error) {
    throw new ImportError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Lines on which layers begin, counted from 1. */
function layerLines(text: string): readonly number[] {
  const lines: number[] = [];
  const tokens = /#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}<>\n]|\w+/g;
  let [depth, line] = [0, 1];
  for (const [token] of text.matchAll(tokens)) {
    if (token === "\n") line++;
    else if (token === "{" || token === "<") depth++;
    else if (token === "}" || token === ">") depth--;
    else if (depth === 0 && (token === "layer" || token === "layers")) lines.push(line);
  }
  return lines;
}

const TYPES: Readonly<Record<string, string>> = {
  RELU: "ReLU",
  LRN: "LRN",
  TANH: "TanH",
  ABSVAL: "AbsVal",
  BNLL: "BNLL",
  MVN: "MVN",
  SOFTMAX_LOSS: "SoftmaxWithLoss",
  HDF5_DATA: "HDF5Data",
  ARGMAX: "ArgMax",
};

/** A layer of the older form in the newer one. */
function upgraded(layer: V1LayerParameter): LayerParameter {
  const { name, bottom, top, include, exclude, type } = layer;
  const said = V1LayerParameter_LayerType[type] ?? "NONE";
  const words = said.toLowerCase().split("_");
  const pascal = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
  const { convolutionParam, poolingParam, innerProductParam, lrnParam, dropoutParam } = layer;
  const { concatParam, eltwiseParam, reluParam, softmaxParam, powerParam, transformParam } = layer;
  const { dataParam, imageDataParam, accuracyParam, lossParam } = layer;
  const parameters = {
    dataParam,
    imageDataParam,
    accuracyParam,
    lossParam,
    convolutionParam,
    poolingParam,
    innerProductParam,
    lrnParam,
    dropoutParam,
    concatParam,
    eltwiseParam,
    reluParam,
    softmaxParam,
    powerParam,
    transformParam,
  };
  return create(LayerParameterSchema, {
    name,
    bottom,
    top,
    include,
    exclude,
    lossWeight: layer.lossWeight,
    param: layer.blobsLr.map((lrMult, index) => {
      return create(ParamSpecSchema, { lrMult, decayMult: layer.weightDecay[index] ?? 1 });
    }),
    type: TYPES[said] ?? pascal,
    ...withoutUndefined(parameters),
  });
}

/** Whether Caffe runs the layer in a phase, at level 0, without stages. */
function isOfPhase({ include, exclude }: LayerParameter, phase: Phase): boolean {
  if (include.length > 0) return include.some((rule) => isMet(rule, phase));
  return !exclude.some((rule) => isMet(rule, phase));
}

function isMet(rule: NetStateRule, phase: Phase): boolean {
  const isInPhase = !isSet(rule, "phase") || rule.phase === phase;
  const isOfLevel = !((rule.minLevel || 0) > 0) && !(isSet(rule, "maxLevel") && rule.maxLevel < 0);
  return isInPhase && isOfLevel && rule.stage.length === 0;
}

/** Whether the text says the field: those left out are on the message's prototype. */
export const isSet = (message: object, field: string) => Object.hasOwn(message, field);

/** Blobs of each layer, by the layer's name. Throws an ImportError for a broken caffemodel. */
export function readCaffemodel(
  bytes: Uint8Array,
  path: string,
): ReadonlyMap<string, readonly CaffeBlob[]> {
  const net = parsed(() => fromBinary(NetSchema, bytes), path);
  const all = [...net.layers, ...net.layer];
  return new Map(
    all
      .filter(({ blobs }) => blobs.length > 0)
      .map(({ name, blobs }) => [
        name,
        blobs.map((blob) => blobOf(blob, `\`${name}\` in ${path}`)),
      ]),
  );
}

export interface CaffeBlob {
  readonly shape: readonly number[];
  read(): ForeignTensor;
}

function blobOf(blob: Blob, what: string): CaffeBlob {
  const legacy = [blob.num, blob.channels, blob.height, blob.width];
  const shape = blob.shape ? blob.shape.dim.map(Number) : legacy;
  const isDouble = blob.doubleData.length > 0;
  const bytes = isDouble ? blob.doubleData : blob.data;
  const width = isDouble ? 8 : 4;
  const count = sizeOf(shape);
  if (!shape.every((size) => size >= 0) || bytes.length !== count * width) {
    throw new ImportError(
      `the weights of ${what} are [${shape.join(", ")}], and have ${bytes.length} bytes`,
    );
  }
  return { shape, read: () => floats(shape, numbersIn(bytes, width)) };
}

function numbersIn(bytes: Uint8Array, width: number): Float32Array {
  // A copy that starts at a multiple of the width; `slice` of a Buffer is not a copy.
  const { buffer } = new Uint8Array(bytes);
  return width === 4 ? new Float32Array(buffer) : Float32Array.from(new Float64Array(buffer));
}
