/** Which axes `pad` makes longer. */
import type { Padding } from "../ir/graph.js";
import type { Shape } from "../ir/shape.js";
import type { AxisName } from "./channel-parts.js";
import { type ChosenAxis, nameOfAxis } from "./chosen-axes.js";

/** How many elements come in front of an axis and behind it. */
export interface AddedSides {
  readonly axis: AxisName;
  readonly before: number;
  readonly after: number;
}

interface PadSizes {
  readonly size: Padding;
  readonly axis?: ChosenAxis | undefined;
}

/** Rows and columns, or the one axis that the shape has. */
export function addedSides({ size, axis }: PadSizes, shape: Shape): readonly AddedSides[] {
  const { top, bottom, left, right } = size;
  if (axis !== undefined) return [{ axis: nameOfAxis(axis, shape)!, before: top, after: left }];
  return [
    { axis: "rows", before: top, after: bottom },
    { axis: "columns", before: left, after: right },
  ];
}
