/** Networks of Caffe: a prototxt, and a caffemodel with its weights. */
import { ImportError } from "../error.js";
import type { ForeignGraph, ForeignInput } from "../foreign-graph.js";
import { GraphWriter, RefusedLayer } from "../graph-writer.js";
import type { ImportFile, Importer, ImportSource } from "../importer.js";
import { decodeUtf8 } from "../json.js";
import { batchNormWith, layers, scaleWeights, type Blob, type LayerCall } from "./layers.js";
import {
  readCaffemodel,
  readPrototxt,
  type CaffeBlob,
  type CaffeLayer,
  type CaffeNetwork,
} from "./network.js";
import {
  Phase,
  type LayerParameter,
  type SolverParameter,
  type TransformationParameter,
} from "./generated/caffe_pb.js";
import { isSolver, networkFile, readSolver, trainingOf } from "./solver.js";

export const caffe: Importer = {
  format: "Caffe",
  extensions: [".prototxt with .caffemodel"],
  sniff: ({ path }: ImportFile) => /\.(prototxt|pbtxt|caffemodel)$/.test(path),
  read,
};

async function read(source: ImportSource): Promise<ForeignGraph> {
  const { file, weights } = source;
  if (file.path.endsWith(".caffemodel") || !weights) {
    throw new ImportError("a network of Caffe is two files", [
      "netc import deploy.prototxt weights.caffemodel",
      "netc import solver.prototxt weights.caffemodel, for a recipe as well",
    ]);
  }
  const text = decodeUtf8(file.bytes, file.path);
  const blobs = readCaffemodel(weights.bytes, weights.path);
  if (isSolver(text)) return readTrained(source, readSolver(text, file.path), blobs);
  return new Walk(readPrototxt(text, file.path), blobs).run();
}

/** The network that a solver trains, and how. */
async function readTrained(
  { sibling }: ImportSource,
  solver: SolverParameter,
  blobs: ReadonlyMap<string, readonly CaffeBlob[]>,
): Promise<ForeignGraph> {
  const path = networkFile(solver);
  const text = decodeUtf8(await sibling(path), path);
  const networks = {
    train: readPrototxt(text, path, Phase.TRAIN),
    test: readPrototxt(text, path, Phase.TEST),
  };
  const graph = new Walk(networks.test, blobs, true).run();
  const remarks = [...(graph.remarks ?? [])];
  const training = trainingOf(solver, networks, (remark) => remarks.push(remark));
  return { ...graph, remarks, training };
}

/** Layers that give images, and those that only compare or swallow what they read. */
const DATA = new Set([
  ...["Data", "ImageData", "HDF5Data", "MemoryData", "WindowData", "DummyData", "Input"],
]);
const ENDS = /(Loss|Accuracy|Silence|ArgMax)$|WithLoss$|^HDF5Output$/;

class Walk {
  private readonly writer = new GraphWriter();
  /** What each name holds at this point of the file: layers in place change it. */
  private readonly values = new Map<string, Blob | undefined>();
  private readonly unread = new Set<string>();
  /** Scale layers that are part of the BatchNorm before them. */
  private readonly joined = new Set<CaffeLayer>();
  private readonly input: ForeignInput;

  constructor(
    private readonly network: CaffeNetwork,
    private readonly weights: ReadonlyMap<string, readonly CaffeBlob[]>,
    /** Whether a solver tells how it is trained: then comments need not. */
    private readonly isTrained = false,
  ) {
    const { name, shape } = inputOf(network);
    this.input = { name, shape };
    this.values.set(name, { value: name, rank: shape.length });
  }

  run(): ForeignGraph {
    const { layers: all, net } = this.network;
    all.forEach((layer, index) => this.visit(layer, index));
    this.remarkOnImages();
    return this.writer.finish(net.name, "Caffe", [this.input], this.outputs());
  }

  private outputs(): readonly string[] {
    return [...this.unread].map((name) => {
      const blob = this.values.get(name);
      return blob ? this.writer.named(name, blob.value) : "";
    });
  }

  private visit(layer: CaffeLayer, index: number): void {
    const { parameters, place } = layer;
    const { name, type, bottom, top } = parameters;
    if (DATA.has(type) || this.joined.has(layer)) return;
    if (ENDS.test(type)) return this.end(parameters);
    this.writer.begin({ name, type, place });
    for (const each of bottom) this.unread.delete(each);
    const inputs = bottom.map((each) => this.values.get(each));
    if (inputs.some((input, at) => !input && !this.values.has(bottom[at]!))) {
      this.writer.refuse(`it reads \`${bottom.join("`, `")}\`, which no layer before it makes`);
    }
    const known = inputs.filter((input) => input !== undefined);
    const result = known.length < inputs.length ? undefined : this.mapped(layer, index, known);
    for (const each of this.topOf(layer, index) ?? top) {
      this.values.set(each, result);
      this.unread.add(each);
    }
  }

  /** A BatchNorm with its Scale writes what the Scale does. */
  private topOf(layer: CaffeLayer, index: number): readonly string[] | undefined {
    const scale = this.scaleBehind(layer, index);
    return scale && this.joined.has(scale) ? scale.parameters.top : undefined;
  }

  private end({ name, type, bottom }: LayerParameter): void {
    if (this.isTrained || !type.includes("Loss")) return;
    const read = bottom.map((each) => `\`${each}\``).join(" and ");
    this.writer.remark(`The Caffe network compares ${read} by ${type} in \`${name}\`.`);
  }

  private mapped(layer: CaffeLayer, index: number, inputs: readonly Blob[]): Blob | undefined {
    const { writer } = this;
    const { name, type } = layer.parameters;
    const call: LayerCall = {
      writer,
      inputs,
      layer: layer.parameters,
      blobs: this.weights.get(name) ?? [],
    };
    try {
      const mapping = Object.hasOwn(layers, type) ? layers[type] : undefined;
      if (!mapping) throw new RefusedLayer("netc has no layer of this type");
      const scale = type === "BatchNorm" ? this.scaleBehind(layer, index) : undefined;
      if (!scale) return mapping(call);
      const blobs = this.weights.get(scale.parameters.name) ?? [];
      const tensors = scaleWeights({ ...call, layer: scale.parameters, blobs });
      this.joined.add(scale);
      return batchNormWith(call, tensors);
    } catch (error) {
      // Constants of the wrong shape throw a RefusedNode.
      const refusal = error as RefusedLayer;
      if (!/^Refused/.test(refusal.name)) throw error;
      writer.refuse(refusal.message, refusal.instead);
      return undefined;
    }
  }

  /** The Scale that alone reads a BatchNorm. */
  private scaleBehind(layer: CaffeLayer, index: number): CaffeLayer | undefined {
    if (layer.parameters.type !== "BatchNorm") return undefined;
    const [top] = layer.parameters.top;
    const readers: CaffeLayer[] = [];
    for (const later of this.network.layers.slice(index + 1)) {
      if (later.parameters.bottom.includes(top!)) readers.push(later);
      if (later.parameters.top.includes(top!)) break;
    }
    const [reader] = readers;
    if (readers.length !== 1 || reader?.parameters.type !== "Scale") return undefined;
    return reader.parameters.bottom.length === 1 ? reader : undefined;
  }

  private remarkOnImages(): void {
    const transforms = this.network.layers.flatMap(
      ({ parameters }) => parameters.transformParam ?? [],
    );
    const [first] = transforms;
    if (this.isTrained) {
      if (this.input.shape[1] === 3) this.writer.remark(IN_BGR);
      return;
    }
    if (this.input.shape[1] !== 3 && !first) return;
    this.writer.remark(first ? transformRemark(first) : UNKNOWN_IMAGES);
  }
}

const IN_BGR =
  "Caffe's data layers read channels in the order BGR, and netc RGB: " +
  "`netc import --bgr` reorders the first weights and the means.";

const UNKNOWN_IMAGES =
  "Networks of Caffe mostly read images with channels in the order BGR, from 0 to 255, minus a " +
  "mean. The prototxt does not say which: ask whoever trained it.";

/** The data transform as netc writes it, for images from 0 to 1. */
function transformRemark({ meanValue, scale, meanFile }: TransformationParameter): string {
  const share = (value: number) => Number((value / 255).toPrecision(6));
  const means = meanValue.length > 0 ? meanValue : [0];
  const deviation = Number((1 / (255 * scale)).toPrecision(6));
  const file = meanFile === "" ? "" : ` The mean is in ${meanFile}, which is not imported.`;
  return (
    `Caffe's transform_param is normalize(mean=[${means.map(share).join(", ")}], ` +
    `std=[${means.map(() => deviation).join(", ")}]) with channels in Caffe's order, BGR.${file}`
  );
}

interface NamedInput {
  readonly name: string;
  readonly shape: readonly (number | undefined)[];
}

/** An Input layer, `input` of the network, or a data layer that crops. */
function inputOf({ net, layers: all }: CaffeNetwork): NamedInput {
  const layer = all.find(({ parameters }) => DATA.has(parameters.type))?.parameters;
  const dims = layer
    ? layer.inputParam?.shape[0]?.dim.map(Number)
    : (net.inputShape[0]?.dim.map(Number) ?? net.inputDim.slice(0, 4));
  const name = layer?.top[0] ?? net.input[0];
  if (name === undefined) {
    throw new ImportError("the prototxt names no input", ["add an Input layer, or `input`"]);
  }
  if (dims && dims.length > 0) return { name, shape: [undefined, ...dims.slice(1)] };
  const crop = layer?.transformParam?.cropSize || undefined;
  return { name, shape: [undefined, crop === undefined ? undefined : 3, crop, crop] };
}
