/** Which axes `pad` makes longer. */
import type { Padding } from "../ir/graph.js";
import { isSignal, type Shape } from "../ir/shape.js";
import { type ChosenAxis, ownAxis } from "./chosen-axes.js";

/** How many elements come in front of an axis and behind it. */
export interface AddedSides {
  /** By its name; by its number where axes have no names. */
  readonly axis: ChosenAxis;
  readonly before: number;
  readonly after: number;
}

interface PadSizes {
  readonly size: Padding;
  readonly axis?: ChosenAxis | undefined;
}

/**
 * Rows and columns, or the one axis that the shape has; places of a signal are columns. Along an
 * axis the size is a pair: it is read as vertical and horizontal, of a signal as left and right.
 */
export function addedSides({ size, axis }: PadSizes, shape: Shape): readonly AddedSides[] {
  const { top, bottom, left, right } = size;
  if (axis === undefined) {
    return [
      { axis: "rows", before: top, after: bottom },
      { axis: "columns", before: left, after: right },
    ];
  }
  const name = ownAxis(axis, shape)!;
  const [before, after] = isSignal(shape) ? [left, right] : [top, left];
  return [{ axis: name === "length" ? "columns" : name, before, after }];
}

/** The size along an axis of a signal as that of an image. */
export const sizeOfRow = ({ left, right }: Padding): Padding => {
  return { top: left, bottom: left, left: right, right };
};
