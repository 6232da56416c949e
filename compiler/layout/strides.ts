import type { Node, RearrangeAttributes, Value } from "../ir/graph.js";
import { imageShape, isSequence, type Shape } from "../ir/shape.js";
import type { ActivationLayout } from "./activation-layout.js";

/** A number for each axis of an activation as it is stored. */
export interface PerAxis {
  readonly channel: number;
  readonly row: number;
  readonly column: number;
}

/** Elements of an image from one to the next along each stored axis, in logical order. */
export function logicalStrides(shape: Shape): PerAxis {
  const { channels, height, width } = imageShape(shape);
  if (isSequence(shape)) return { channel: 1, row: 0, column: channels };
  return { channel: height * width, row: width, column: 1 };
}

/** What an element of y moves in x along each of y's stored axes, where it has no finer ones. */
export function rearrangedStrides({ shape, strides }: RearrangeAttributes): PerAxis {
  const [first = 0, second = 0, third = 0] = strides;
  if (isSequence(shape)) return { channel: second, row: 0, column: first };
  return { channel: first, row: second, column: third };
}

/** Whether the node's result lies in memory as what it reads. */
export function movesNothing(
  node: Node<"rearrange"> | Node<"rearrangeGradient">,
  layoutOf: (value: Value) => ActivationLayout,
): boolean {
  if (node.fusion) return false;
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const [x, y] = node.kind === "rearrange" ? [input, output] : [output, input];
  return keepsPlaces(node.attributes, x.shape, [layoutOf(x), layoutOf(y)]);
}

/** Whether y, taken from x in an order, lies in memory as x does. */
export function keepsPlaces(
  attributes: RearrangeAttributes,
  x: Shape,
  [from, to]: readonly [ActivationLayout, ActivationLayout],
): boolean {
  const isSame = from.pitch === to.pitch && from.channels === to.channels;
  if (!isSame || !from.isContiguous || !to.isContiguous) return false;
  if (attributes.sizes || attributes.start > 0 || from.pixels !== to.pixels) return false;
  const [own, taken] = [logicalStrides(x), rearrangedStrides(attributes)];
  const stride = pixelStride(from, own);
  return own.channel === taken.channel && stride !== undefined && stride === pixelStride(to, taken);
}

/** From one pixel to the next in the order of rows; undefined where rows are not a continuation. */
function pixelStride({ height, width }: ActivationLayout, { row, column }: PerAxis) {
  if (width === 1) return height === 1 ? 0 : row;
  return height === 1 || row === width * column ? column : undefined;
}
