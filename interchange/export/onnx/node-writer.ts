/** Collects the nodes and weights of a graph that is to become a file. */
import type { Padding } from "../../../compiler/ir/graph.js";
import type { ForeignAttributes, ForeignNode, ForeignTensor } from "../../foreign-graph.js";
import { floats, integers } from "../../tensors.js";
import type { LayerCall, NamedTensor } from "../layer-call.js";
import { compressed, type WeightType } from "./weight-types.js";

/**
 * How a constant's numbers are written; f32 for floats and i64 for integers where nothing is said.
 */
export type StoredType = "f16" | "i8" | "u8";

export class NodeWriter {
  readonly nodes: ForeignNode[] = [];
  readonly constants = new Map<string, ForeignTensor>();
  readonly stored = new Map<string, StoredType>();
  /** Names of the values that layers without a node pass on. */
  private readonly aliases = new Map<string, string>();
  private readonly compressedWeights = new Set<string>();

  constructor(private readonly weights: WeightType = "f32") {}

  /** The name that a value has in the graph. */
  valueOf(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  /** Makes a layer's value that of another one: the layer computes nothing. */
  alias(name: string, value: string): void {
    this.aliases.set(name, value);
  }

  /** Adds a node and returns the name of its output, which is the node's, too. */
  node(
    operator: string,
    inputs: readonly (string | undefined)[],
    { output: name, ...attributes }: ForeignAttributes & { readonly output: string },
  ): string {
    const place = `node ${this.nodes.length}`;
    this.nodes.push({ operator, name, place, inputs, outputs: [name], attributes });
    return name;
  }

  constant(name: string, tensor: ForeignTensor): string {
    this.constants.set(name, tensor);
    return name;
  }

  floats(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    return this.constant(name, floats(shape, values));
  }

  integers(name: string, values: readonly number[]): string {
    return this.constant(name, integers([values.length], values));
  }

  /** A weight as it is, in another shape of as many numbers if one is given. */
  parameter({ name, shape, values }: NamedTensor, as: readonly number[] = shape): string {
    return this.floats(name, as, values);
  }

  /** A weight that may be written with fewer bits: nodes then make f32 of it. */
  weight(tensor: NamedTensor): string {
    const { name } = tensor;
    if (this.weights === "f32") return this.parameter(tensor);
    if (this.compressedWeights.has(name)) return name;
    this.compressedWeights.add(name);
    const { type, numbers, scale, zero } = compressed(tensor, this.weights);
    const packed = this.constant(`${name}/${type}`, numbers);
    this.stored.set(packed, type);
    if (!scale || !zero) return this.node("Cast", [packed], { output: name, to: FLOAT });
    const scales = this.constant(`${name}/scale`, scale);
    const zeros = this.constant(`${name}/zero`, zero);
    this.stored.set(zeros, type);
    return this.node("DequantizeLinear", [packed, scales, zeros], { output: name, axis: 0 });
  }
}

/** `TensorProto.FLOAT`. */
const FLOAT = 1;

/** A layer that nodes are being written for. The last of them has the layer's name. */
export class LayerNodes {
  constructor(
    readonly call: LayerCall,
    readonly writer: NodeWriter,
  ) {}

  /** Name of the graph's value that the layer reads. */
  input(index = 0): string {
    return this.writer.valueOf(this.call.inputs[index]!);
  }

  /** The node that makes the layer's value. */
  end(
    operator: string,
    inputs: readonly (string | undefined)[],
    attributes: ForeignAttributes = {},
  ): void {
    this.writer.node(operator, inputs, { ...attributes, output: this.call.name });
  }

  /** A node before it. */
  part(
    name: string,
    operator: string,
    inputs: readonly (string | undefined)[],
    attributes: ForeignAttributes = {},
  ): string {
    return this.writer.node(operator, inputs, { ...attributes, output: this.named(name) });
  }

  /** The layer's value is the one that it reads. */
  pass(): void {
    this.writer.alias(this.call.name, this.input());
  }

  weight(part: string): string {
    return this.writer.weight(this.call.tensor(part));
  }

  parameter(part: string, shape?: readonly number[]): string {
    return this.writer.parameter(this.call.tensor(part), shape);
  }

  scalar(name: string, value: number): string {
    return this.writer.floats(this.named(name), [], [value]);
  }

  floats(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    return this.writer.floats(this.named(name), shape, values);
  }

  integers(name: string, values: readonly number[]): string {
    return this.writer.integers(this.named(name), values);
  }

  /** A single integer. */
  index(name: string, value: number): string {
    return this.writer.constant(this.named(name), integers([], [value]));
  }

  private named(name: string): string {
    return `${this.call.name}/${name}`;
  }
}

/** ONNX's order of sides. */
export const sidesOf = ({ top, left, bottom, right }: Padding) => [top, left, bottom, right];
