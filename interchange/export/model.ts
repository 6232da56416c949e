/** What exporters read: a network, its weights, and what belongs to them. */
import type {
  NetworkValue,
  ResolvedLayer,
  ResolvedNetwork,
} from "../../compiler/network/resolved.js";
import { typeOf } from "../../compiler/network/facts.js";
import type { Shape } from "../../compiler/ir/shape.js";
import type { ExportOptimizer } from "./optimizer.js";
import type { Transform } from "../../program/transforms.js";

export interface ExportTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface ExportModel {
  readonly network: ResolvedNetwork;
  /** Weights and statistics by the network's names; every one of them. */
  readonly tensors: ReadonlyMap<string, ExportTensor>;
  /** In the order of the labels, where the weights file names them. */
  readonly classNames?: readonly string[];
  /** What evaluation does to an image before the network sees it, where the spec says it. */
  readonly preparation?: Preparation;
  /** Of a checkpoint. */
  readonly optimizer?: ExportOptimizer;
}

export interface Preparation {
  /** The largest pixel value of the data, which becomes 1. */
  readonly maximum: number;
  readonly transforms: readonly Transform[];
}

/** A file that an exporter makes. */
export interface ExportedFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

export interface Exported {
  /** The one that names the others is last, so that it is there only when they are. */
  readonly files: readonly ExportedFile[];
  /** Sentences on what is in the files in another form than in the spec, or not at all. */
  readonly notes: readonly string[];
}

/** Where a value's numbers are: the shape of an example, the batch axis first. */
export const shapeOf = (network: ResolvedNetwork, value: NetworkValue): Shape =>
  typeOf(network, value).shape;

/** The name that the spec has for a value. */
export function nameOf(network: ResolvedNetwork, { from, index }: NetworkValue): string {
  const ports = { input: network.inputs, target: network.targets, layer: network.layers }[from];
  return ports[index]!.name;
}

/** Layers that read a value. */
export function readersOf(
  { layers }: ResolvedNetwork,
  { from, index }: NetworkValue,
): readonly ResolvedLayer[] {
  return layers.filter(({ inputs }) =>
    inputs.some((input) => input.from === from && input.index === index),
  );
}
