/** Which elements of one activation another one is: a block of its channels, rows and columns. */
import type { AnyNode, Node, RearrangeAttributes, Value } from "../ir/graph.js";
import { imageShape, isSequence, type Shape } from "../ir/shape.js";
import { FIRST_PART, type Part } from "./activation-layout.js";
import { logicalStrides, rearrangedStrides } from "./strides.js";

/** The part of x that a rearranged value is; undefined where it has another order. */
export function partTaken(x: Shape, attributes: RearrangeAttributes): Part | undefined {
  if (attributes.sizes) return undefined;
  const [own, taken] = [logicalStrides(x), rearrangedStrides(attributes)];
  const [from, to] = [imageShape(x), imageShape(attributes.shape)];
  const steps = {
    channel: stepOf(to.channels, own.channel, taken.channel),
    row: stepOf(to.height, own.row, taken.row),
    column: stepOf(to.width, own.column, taken.column),
  };
  if (steps.channel !== 1 || steps.row === undefined || steps.column === undefined)
    return undefined;
  const { channel, row, column } = placeOf(x, attributes.start);
  const isInside =
    channel + to.channels <= from.channels &&
    row + (to.height - 1) * steps.row < from.height &&
    column + (to.width - 1) * steps.column < from.width;
  return isInside
    ? { channel, row, column, rowStep: steps.row, columnStep: steps.column }
    : undefined;
}

/** From one to the next along an axis; undefined where that is not a step along x's own axis. */
function stepOf(size: number, own: number, taken: number): number | undefined {
  if (size === 1) return 1;
  return own > 0 && taken % own === 0 ? taken / own : undefined;
}

/** Where an element is, by its number in logical order. */
function placeOf(x: Shape, element: number) {
  const { channels, height, width } = imageShape(x);
  if (isSequence(x)) {
    return { channel: element % channels, row: 0, column: Math.floor(element / channels) };
  }
  return {
    channel: Math.floor(element / (height * width)),
    row: Math.floor(element / width) % height,
    column: element % width,
  };
}

/** For each input of a concatenation, the part of the result that it becomes. */
export function partsJoined({ inputs, attributes }: Node<"concatenate">): readonly Part[] {
  let before = 0;
  return inputs.map(({ shape }) => {
    const { channels, height, width } = imageShape(shape);
    const start = before;
    switch (attributes.axis) {
      case undefined:
        before += channels;
        return { ...FIRST_PART, channel: start };
      case "rows":
        before += height;
        return { ...FIRST_PART, row: start };
      default:
        before += width;
        return { ...FIRST_PART, column: start };
    }
  });
}

/** A value that is a part of another. */
export interface PartOf<Of = Value> {
  readonly part: Of;
  readonly whole: Of;
  readonly at: Part;
}

type Shaped = Pick<Value, "shape">;

/** What a node takes from a value, or joins to one. */
export function partsOf(node: AnyNode): readonly PartOf[] {
  const [output] = node.outputs as [Value];
  if (node.kind === "concatenate") {
    const parts = partsJoined(node);
    return node.inputs.map((part, index) => ({ part, whole: output, at: parts[index]! }));
  }
  if (node.kind !== "rearrange" || node.fusion) return [];
  const whole = node.inputs[0]!;
  const at = partTaken(whole.shape, node.attributes);
  return at ? [{ part: output, whole, at }] : [];
}

/** Whether channels begin and end with vec4 of the whole, or with its last channel. */
export function isOfQuads({ part, whole, at: { channel } }: PartOf<Shaped>): boolean {
  const [{ channels }, { channels: all }] = [imageShape(part.shape), imageShape(whole.shape)];
  return channel % 4 === 0 && (channels % 4 === 0 || channel + channels === all);
}

/** Whether a part has all rows and columns of the whole. */
export function hasAllPixels({ part, whole }: Pick<PartOf, "part" | "whole">): boolean {
  const [own, all] = [imageShape(part.shape), imageShape(whole.shape)];
  return own.height === all.height && own.width === all.width;
}
