/** The network as it is being mapped: layers without their final names, and the weights of each. */
import type { CallValues } from "../compiler/calls/signature.js";
import { typeOf } from "../compiler/network/facts.js";
import { NetworkMaker } from "../compiler/network/maker.js";
import type { NetworkValue, ResolvedNetwork } from "../compiler/network/resolved.js";
import type { Shape } from "../compiler/ir/shape.js";
import type { ForeignNode, ForeignTensor } from "./foreign-graph.js";
import type { Feature } from "./known.js";
import { STORED } from "./known.js";

/** A weight by its name within the layer: `weight`, `bias`; nothing for a `parameter`'s own. */
export type LayerTensors = Readonly<Record<string, ForeignTensor>>;

export interface DraftLayer {
  readonly kind: string;
  readonly inputs: readonly NetworkValue[];
  readonly values: CallValues;
  readonly tensors: LayerTensors;
  /** The node that it comes from. */
  readonly node: ForeignNode;
  /** A choice that a person reading the spec should know of. */
  readonly remark?: string;
}

export interface DraftInput {
  readonly name: string;
  /** Without the batch. */
  readonly sizes: Shape;
}

/** A weight of the imported network, by its full name. */
export interface ImportedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface FinishedDraft {
  readonly network: ResolvedNetwork;
  /** What each of the network's layers was made of. */
  readonly layers: readonly DraftLayer[];
}

export class Draft {
  readonly layers: DraftLayer[] = [];
  /** Values that join others along their channels, by these. */
  readonly joins = new Map<string, Feature>();
  /** The inputs, in their order. */
  readonly starts: readonly Feature[];
  private readonly maker = new NetworkMaker("draft");

  /** @param batch where the file fixes its size */
  constructor(
    private readonly inputs: readonly DraftInput[],
    readonly batch: number | undefined,
  ) {
    this.starts = inputs.map(({ name, sizes }) => {
      const value = this.maker.input(name, sizes);
      return { is: "feature", value, stored: this.shapeOf(value), order: STORED };
    });
  }

  /** Adds a layer. Throws with the reason where the layer refuses its input. */
  add(layer: DraftLayer): Feature {
    const { kind, inputs, values } = layer;
    const name = `${kind}_${this.layers.length}`;
    const value = this.maker.layer(name, kind, inputs, values);
    this.layers.push(layer);
    return { is: "feature", value, stored: this.shapeOf(value), order: STORED };
  }

  /** A `parameter`: numbers that are the same for each example, under a name of the file's. */
  parameter(name: string, tensor: ForeignTensor, node: ForeignNode): Feature {
    const values = { shape: tensor.shape };
    const tensors = { "": tensor };
    return this.add({ kind: "parameter", inputs: [], values, tensors, node: { ...node, name } });
  }

  /** The network of the layers that the output needs, under names that only count. */
  finish(name: string, output: NetworkValue): FinishedDraft {
    this.joinPatches(output);
    const needed = this.neededFor(output);
    const layers = this.layers.filter((_, index) => needed.has(index));
    const places = new Map([...needed].sort((a, b) => a - b).map((old, index) => [old, index]));
    const moved = layers.map((layer) => ({
      ...layer,
      inputs: layer.inputs.map((value) => movedValue(value, places)),
    }));
    const last = movedValue(output, places);
    if (last.from === "layer" && last.index !== layers.length - 1) {
      throw new Error("the output is not the last layer");
    }
    const maker = new NetworkMaker(name);
    for (const input of this.inputs) maker.input(input.name, input.sizes);
    moved.forEach(({ kind, inputs, values }, index) =>
      maker.layer(`${kind}_${index}`, kind, inputs, values),
    );
    return { network: maker.finish(), layers: moved };
  }

  /** A convolution over patches whose pixels become tokens is `patches`. */
  private joinPatches(output: NetworkValue): void {
    const needed = this.neededFor(output);
    const readers = new Map<number, number>();
    const count = ({ from, index }: NetworkValue) => {
      if (from === "layer") readers.set(index, (readers.get(index) ?? 0) + 1);
    };
    count(output);
    for (const index of needed) this.layers[index]!.inputs.forEach(count);
    for (const index of needed) {
      const { kind, inputs } = this.layers[index]!;
      const [image] = inputs;
      if (kind !== "tokens" || image?.from !== "layer" || readers.get(image.index) !== 1) continue;
      const patches = this.patchesOf(this.layers[image.index]!);
      if (patches) this.layers[index] = patches;
    }
  }

  private patchesOf(conv: DraftLayer): DraftLayer | undefined {
    const { out, kernel, stride, padding, dilation, groups, bias = true } = conv.values;
    const [size, other] = Array.isArray(kernel) ? (kernel as readonly number[]) : [];
    if (conv.kind !== "conv" || size === undefined || size !== other) return undefined;
    const sides = Object.values(padding ?? {}) as readonly number[];
    const isPlain = sides.every((side) => side === 0) && listOf(dilation) === "1,1" && groups === 1;
    const [, , height, width] = this.shapeOf(conv.inputs[0]!).map(Number);
    const isFilled = height! % size === 0 && width! % size === 0;
    if (!isPlain || !isFilled || listOf(stride) !== listOf(kernel)) return undefined;
    return { ...conv, kind: "patches", values: { size, out, bias } };
  }

  private neededFor(output: NetworkValue): ReadonlySet<number> {
    const needed = new Set<number>();
    const open = [output];
    for (let value = open.pop(); value; value = open.pop()) {
      if (value.from !== "layer" || needed.has(value.index)) continue;
      needed.add(value.index);
      open.push(...this.layers[value.index]!.inputs);
    }
    return needed;
  }

  private shapeOf(value: NetworkValue): Shape {
    return typeOf(this.maker, value).shape;
  }
}

const listOf = (value: unknown): string => (Array.isArray(value) ? value.join() : "");

function movedValue(value: NetworkValue, places: ReadonlyMap<number, number>): NetworkValue {
  return value.from === "layer" ? { from: "layer", index: places.get(value.index)! } : value;
}

/** A layer's weights under its name in the network. */
export function tensorsOf({ tensors }: DraftLayer, name: string): readonly ImportedTensor[] {
  return Object.entries(tensors).map(([own, tensor]) => {
    const whole = own === "" ? name : `${name}.${own}`;
    return { name: whole, shape: tensor.shape, values: asFloats(tensor) };
  });
}

const asFloats = ({ values }: ForeignTensor) =>
  values instanceof Float32Array ? values : Float32Array.from(values);
