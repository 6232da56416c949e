/** A network as a graph of ONNX's operators, opset 17. */
import type { NetworkOutput } from "../../../compiler/network/resolved.js";
import { withoutUndefined } from "../../../program/without-undefined.js";
import type { ForeignGraph } from "../../foreign-graph.js";
import { LayerCall } from "../layer-call.js";
import { nameOf, shapeOf, type ExportModel, type Preparation } from "../model.js";
import { forEachLayer, RefusedExport } from "../refusal.js";
import { onnxLayers } from "./layers.js";
import { LayerNodes, NodeWriter, type StoredType } from "./node-writer.js";
import type { WeightType } from "./weight-types.js";

export interface OnnxOptions {
  /** How weights of convolutions and linear layers are kept. */
  readonly weights: WeightType;
  /** Whether logits become probabilities. */
  readonly softmax: boolean;
  /** Whether the graph takes pixels and scales and normalizes them itself. */
  readonly preprocessing: boolean;
}

export interface OnnxGraph {
  readonly graph: ForeignGraph;
  /** Shapes of the outputs, the batch left open. */
  readonly outputShapes: readonly (readonly (number | undefined)[])[];
  /** Constants that are written in another type than f32 or i64. */
  readonly stored: ReadonlyMap<string, StoredType>;
}

/** Throws an ExportError where an input cannot be prepared as evaluation does it. */
export function onnxGraph(model: ExportModel, options: OnnxOptions): OnnxGraph {
  const { network } = model;
  const writer = new NodeWriter(options.weights);
  if (options.preprocessing) prepareInput(model, writer);
  forEachLayer(network.layers, "ONNX", (layer) => {
    const call = new LayerCall(model, layer);
    const write = onnxLayers[call.kind];
    if (!write) throw new RefusedExport("netc does not know how ONNX says it");
    write(new LayerNodes(call, writer));
  });
  const outputs = network.outputs.map((output) => endOf(model, output, writer, options));
  const { nodes, constants, stored } = writer;
  const graph: ForeignGraph = {
    name: network.name,
    source: "netc",
    inputs: network.inputs.map(({ name, type }) => {
      const integers = type.dtype === "u32" || undefined;
      return { name, shape: openBatch(type.shape), ...withoutUndefined({ integers }) };
    }),
    outputs,
    nodes,
    constants,
  };
  const outputShapes = network.outputs.map(({ value }) => openBatch(shapeOf(network, value)));
  return { graph, outputShapes, stored };
}

const openBatch = (shape: readonly (number | string)[]) => [
  undefined,
  ...shape.slice(1).map(Number),
];

/** What the graph calls an output. */
function endOf(
  { network }: ExportModel,
  { value, gives }: NetworkOutput,
  writer: NodeWriter,
  { softmax }: OnnxOptions,
): string {
  const name = nameOf(network, value);
  const made = writer.valueOf(name);
  if (softmax && gives === "logits") {
    return writer.node("Softmax", [made], { output: `${name}_probabilities`, axis: 1 });
  }
  return made === name ? name : writer.node("Identity", [made], { output: name });
}

/** Pixels from 0 to the data's maximum become what the network was trained on. */
function prepareInput({ network, preparation }: ExportModel, writer: NodeWriter): void {
  const { name, type } = network.inputs[0]!;
  const { maximum, transforms } = preparation!;
  const shape = type.shape.length === 4 ? [Number(type.shape[1]), 1, 1] : [Number(type.shape[1])];
  let value = name;
  if (maximum !== 1) {
    const scale = writer.floats(`${name}/scale`, [], [1 / maximum]);
    value = writer.node("Mul", [value, scale], { output: `${name}/scaled` });
  }
  for (const [index, transform] of transforms.entries()) {
    if (transform.kind !== "normalize") continue;
    const part = (what: string) => `${name}/${what}${index}`;
    const mean = writer.floats(part("mean"), shape, transform.mean);
    value = writer.node("Sub", [value, mean], { output: part("centered") });
    const std = writer.floats(part("std"), shape, transform.std);
    value = writer.node("Div", [value, std], { output: part("normalized") });
  }
  if (value !== name) writer.alias(name, value);
}

/** Transforms of images that stay with whoever calls the model. */
export function leftToCaller({ transforms }: Preparation): readonly Preparation["transforms"][0][] {
  return transforms.filter(({ kind }) => kind !== "normalize");
}
