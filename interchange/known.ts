/** What the mapping knows of a value of the foreign graph. */
import { BATCH, isSequence, type Dimension, type Shape } from "../compiler/ir/shape.js";
import type { NetworkValue } from "../compiler/network/resolved.js";
import type { ForeignTensor } from "./foreign-graph.js";

export type Known = Constant | Sizes | Feature | Groups;

export interface Constant {
  readonly is: "constant";
  readonly tensor: ForeignTensor;
}

/** Integers that follow from shapes: a vector, or a scalar. The batch size is among them as `N`. */
export interface Sizes {
  readonly is: "sizes";
  readonly sizes: readonly Dimension[];
  readonly isScalar: boolean;
}

/** A value that depends on the network's input. */
export interface Feature {
  readonly is: "feature";
  /** The value of the network that holds its elements. */
  readonly value: NetworkValue;
  /** Of that value: `[N, C, H, W]`, `[N, T, C]` or `[N, F]`. */
  readonly stored: Shape;
  readonly order: Order;
}

/** An image whose channels are two axes: `[N, groups, channels / groups, H, W]`. */
export interface Groups {
  readonly is: "groups";
  readonly image: Feature;
  readonly groups: number;
  /** Whether they are in turn: `[N, channels / groups, groups, H, W]`. */
  readonly areTurned: boolean;
}

/**
 * How the foreign value's elements lie in the network's value: as they are; an image or a sequence
 * with its axes permuted (axis i of the foreign value is axis `axes[i]` of the stored one); or
 * features in another order (feature i of the foreign value is feature `features[i]` of the stored
 * one).
 */
export type Order =
  | { readonly as: "stored" }
  | { readonly as: "axes"; readonly axes: readonly number[] }
  | { readonly as: "features"; readonly features: Int32Array };

export const STORED: Order = { as: "stored" };

/** Of each axis of the foreign value the axis of the stored one. */
export function axesOf({ stored, order }: Feature): readonly number[] {
  return order.as === "axes" ? order.axes : stored.map((_, axis) => axis);
}

/** An order of axes: as they are stored, where none of them moves. */
export function orderOf(axes: readonly number[]): Order {
  return axes.every((axis, index) => axis === index) ? STORED : { as: "axes", axes };
}

/** The axis of the stored value that netc's layers use for channels. */
export const channelAxisOf = ({ stored }: Pick<Feature, "stored">): number =>
  isSequence(stored) ? 2 : 1;

export const channelsOf = (feature: Pick<Feature, "stored">): number =>
  Number(feature.stored[channelAxisOf(feature)]);

/** The shape that the foreign graph sees. */
export function shapeOf({ stored, order }: Feature): Shape {
  return order.as === "axes" ? order.axes.map((axis) => stored[axis]!) : stored;
}

export const constant = (tensor: ForeignTensor): Constant => ({ is: "constant", tensor });

export const sizes = (values: readonly Dimension[]): Sizes => ({
  is: "sizes",
  sizes: values,
  isScalar: false,
});

/** The elements of each example, where the first axis is the batch. */
export function isBatched(shape: readonly Dimension[]): boolean {
  return shape[0] === BATCH && shape.slice(1).every((size) => size !== BATCH);
}
