/** What the mapping of one node may ask and do. */
import type { CallValues } from "../compiler/calls/signature.js";
import type { Dimension } from "../compiler/ir/shape.js";
import { BATCH, formatShape } from "../compiler/ir/shape.js";
import { Attributes, RefusedNode } from "./attributes.js";
import type { Draft, LayerTensors } from "./draft.js";
import type { ForeignNode, ForeignTensor } from "./foreign-graph.js";
import {
  axesOf,
  channelAxisOf,
  orderOf,
  shapeOf,
  STORED,
  type Feature,
  type Known,
  type Order,
} from "./known.js";
import { gathered } from "./tensors.js";

export class NodeContext {
  readonly attributes: Attributes;

  constructor(
    readonly node: ForeignNode,
    readonly inputs: readonly (Known | undefined)[],
    private readonly draft: Draft,
  ) {
    this.attributes = new Attributes(node.attributes);
  }

  /** How many examples the file is for; undefined where it leaves that open. */
  get batch(): number | undefined {
    return this.draft.batch;
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  /** An input that depends on the network's input. */
  feature(index: number): Feature {
    const input = this.inputs[index];
    if (input?.is === "feature") return input;
    if (input?.is === "groups") {
      return this.refuse(
        `its input ${index} is an image whose channels are two axes`,
        "netc knows such an image between `Reshape`, `Transpose` and `Reshape`: `channel_shuffle`",
      );
    }
    return this.refuse(`its input ${index} is ${input ? "a constant" : "left out"}`);
  }

  /** A feature whose elements lie as the foreign graph has them. */
  stored(index: number): Feature {
    return this.asStored(this.feature(index));
  }

  /** Axes that the file permutes are moved here, by a layer. */
  asStored(feature: Feature): Feature {
    const { order } = feature;
    if (order.as === "stored") return feature;
    if (order.as === "axes") return this.permuted(feature, order.axes);
    const said = formatShape(shapeOf(feature));
    return this.refuse(`its input ${said} holds features in another order than the file`);
  }

  /**
   * The value with one of the file's axes as netc's channels, which a layer moves there if it lies
   * elsewhere.
   */
  channelsAt(feature: Feature, axis: number): Feature {
    if (axis === 0) this.refuse("it works along the batch");
    const channels = channelAxisOf(feature);
    const axes = axesOf(feature);
    const wanted = axes[axis]!;
    if (feature.order.as === "features" || wanted === channels) return feature;
    const moved = axes.map((_, index) => index).filter((each) => each !== wanted);
    moved.splice(channels, 0, wanted);
    const value = this.permuted(feature, moved);
    return { ...value, order: orderOf(axes.map((each) => moved.indexOf(each))) };
  }

  /** The stored value with its axes in another order, under the name of the stored one. */
  private permuted(feature: Feature, axes: readonly number[]): Feature {
    if (axes.join() === "0,2,1") return this.layer("transpose", [feature]);
    return this.layer("permute", [feature], { axes });
  }

  constant(index: number, what: string): ForeignTensor {
    const input = this.inputs[index];
    if (input?.is === "constant") return input.tensor;
    return this.refuse(
      input ? `its ${what} is computed from the network's input` : `its ${what} is left out`,
    );
  }

  optionalConstant(index: number, what: string): ForeignTensor | undefined {
    return this.has(index) ? this.constant(index, what) : undefined;
  }

  /** Integers that are constant, or that follow from shapes. */
  sizes(index: number, what: string): readonly Dimension[] {
    const input = this.inputs[index];
    if (input?.is === "sizes") return input.sizes;
    return [...this.constant(index, what).values];
  }

  /** Integers that do not depend on the batch. */
  integers(index: number, what: string): readonly number[] {
    return this.sizes(index, what).map((size) =>
      size === BATCH ? this.refuse(`its ${what} depends on the batch`) : Number(size),
    );
  }

  /** Adds a layer. The tensors are its weights by their names within the layer. */
  layer(
    kind: string,
    inputs: readonly Feature[],
    values: CallValues = {},
    extra: { readonly tensors?: LayerTensors; readonly remark?: string } = {},
  ): Feature {
    const { tensors = {}, remark } = extra;
    const { node } = this;
    const read = inputs.map((input) => input.value);
    try {
      return this.draft.add({
        kind,
        inputs: read,
        values,
        tensors,
        node,
        remark,
      });
    } catch (error) {
      if (error instanceof RefusedNode) throw error;
      const said = (error as Error).message.replace(/^`[^`]*` of /, "of ");
      return this.refuse(`\`${kind}\` refuses it: ${said}`);
    }
  }

  /**
   * A constant that is a sequence, as numbers that are trained: `[1, T, C]`, with or without the
   * axis of the batch.
   *
   * @param index of the input that has the constant's name in the file
   * @param name what it is called where the file has none
   */
  parameter(tensor: ForeignTensor, index: number, name: string): Feature | undefined {
    const [tokens = 1, channels = 0] = tensor.shape.slice(-2);
    const isOne = tensor.shape.slice(0, -2).every((size) => size === 1);
    if (tensor.shape.length < 2 || !isOne || channels < 1) return undefined;
    const given = nameIn(this.node.inputs[index] ?? "") ?? name;
    return this.draft.parameter(given, { ...tensor, shape: [tokens, channels] }, this.node);
  }

  /**
   * Joins channels, or tokens. The value itself where there is one; and where the first of several
   * were joined before, as in DenseNet, that join and the rest.
   */
  concat(parts: readonly Feature[], axis: "channels" | "tokens" = "channels"): Feature {
    const { joins } = this.draft;
    const nameOf = (inputs: readonly Feature[]) =>
      [axis, ...inputs.map(({ value: { from, index } }) => `${from} ${index}`)].join();
    for (let count = parts.length; count > 1; count--) {
      const known = joins.get(nameOf(parts.slice(0, count)));
      if (known) return this.concat([known, ...parts.slice(count)], axis);
    }
    if (parts.length === 1) return parts[0]!;
    const joined = this.layer("concat", parts, axis === "tokens" ? { axis } : {});
    joins.set(nameOf(parts), joined);
    return joined;
  }

  /** A layer that treats each element by itself, so that their order stays. */
  elementwise(kind: string, inputs: readonly Feature[], values: CallValues = {}): Feature {
    const order = inputs[0]!.order;
    return { ...this.layer(kind, inputs, values), order };
  }

  refuse(reason: string, instead?: string): never {
    throw new RefusedNode(reason, instead);
  }
}

/**
 * The last part of a name that the file gives a constant: `pos_embedding` of
 * `encoder.pos_embedding`; undefined for `onnx::Add_12` and `/Expand_output_0`, which tools give.
 */
function nameIn(constant: string): string | undefined {
  const own = constant.split(/[./]/).at(-1)!;
  const isGiven = /^[A-Za-z_]\w*$/.test(own) && !/_output_\d+$|^[A-Z][a-z]+_\d+$/.test(own);
  return isGiven ? own : undefined;
}

/** Axis of a tensor; negative ones count from the end. */
export function axisOf(axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(counted) && counted >= 0 && counted < rank) return counted;
  throw new RefusedNode(`its axis ${axis} is not an axis of ${rank} axes`);
}

/** Numbers of one per feature, brought into the order in which the network stores the features. */
export function inStoredOrder(tensor: ForeignTensor, axis: number, order: Order): ForeignTensor {
  if (order.as !== "features") return tensor;
  const places = new Int32Array(order.features.length);
  order.features.forEach((stored, foreign) => (places[stored] = foreign));
  return gathered(tensor, axis, places);
}

export { STORED };
