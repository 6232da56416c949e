/** Axes that layers take by name or by number. */
import { formatShape, isWide, type Shape, writtenAxes } from "../ir/shape.js";
import { axisNames, type AxisName, storedAxisOf } from "./channel-parts.js";
import type { InferenceContext } from "./layer.js";

/** A name, or a number as in PyTorch: 0 is the batch, and negative ones count from the end. */
export type ChosenAxis = AxisName | number;

/** The name of an axis behind the batch; undefined where the shape has none such. */
export function nameOfAxis(chosen: ChosenAxis, shape: Shape): AxisName | undefined {
  const names = axisNames(shape);
  if (typeof chosen === "string") return names.includes(chosen) ? chosen : undefined;
  return names[(chosen < 0 ? chosen + names.length + 1 : chosen) - 1];
}

/** Its number, the batch being 0; undefined where the shape has none such. */
export function numberOfAxis(chosen: ChosenAxis, shape: Shape): number | undefined {
  if (isWide(shape)) return typeof chosen === "string" ? undefined : behindBatch(chosen, shape);
  const name = nameOfAxis(chosen, shape);
  return name && axisNames(shape).indexOf(name) + 1;
}

function behindBatch(chosen: number, { length: rank }: Shape): number | undefined {
  const axis = chosen < 0 ? chosen + rank : chosen;
  return axis > 0 && axis < rank ? axis : undefined;
}

/**
 * An axis behind the batch by its name, or by its number where a value has more than 4 axes, which
 * have no names; undefined where the shape has none such.
 */
export const ownAxis = (chosen: ChosenAxis, shape: Shape): ChosenAxis | undefined =>
  isWide(shape) ? numberOfAxis(chosen, shape) : nameOfAxis(chosen, shape);

/** Its place in a shape as rules and ops see it, in which a signal has a row. */
export function placeOfAxis(chosen: ChosenAxis, shape: Shape): number | undefined {
  if (isWide(shape)) return numberOfAxis(chosen, shape);
  const name = nameOfAxis(chosen, shape);
  return name && storedAxisOf(name, shape);
}

/** An axis as messages call it: `rows`, or `axis 2`. */
export const axisText = (axis: ChosenAxis): string =>
  typeof axis === "number" ? `axis ${axis}` : axis;

/** What lies along an axis: `rows`, or `elements of axis 2`. */
export const elementsAlong = (axis: ChosenAxis): string =>
  typeof axis === "number" ? `elements of axis ${axis}` : axis;

/** Whether a number is that of the batch. */
export const isBatchAxis = (chosen: ChosenAxis, shape: Shape): boolean =>
  chosen === 0 || chosen === -writtenAxes(shape).length;

/** `1 (channels), 2 (rows), 3 (columns)`; axes of a value of more than 4 have no names. */
export const numberedAxes = (shape: Shape): string =>
  isWide(shape)
    ? `1 to ${shape.length - 1}`
    : axisNames(shape)
        .map((name, index) => `${index + 1} (${name})`)
        .join(", ");

/** What is wrong with an axis that the shape has not, or that is the batch. */
export function absentAxis(chosen: ChosenAxis, input: Shape) {
  const isNumber = typeof chosen === "number";
  const names = isNumber || isWide(input) ? numberedAxes(input) : axisNames(input).join(", ");
  return {
    message: isBatchAxis(chosen, input)
      ? `axis ${chosen} is the batch, whose examples stay apart`
      : `${formatShape(input)} has no ${isNumber ? "axis " : ""}${chosen}`,
    label: `its axes are ${names}`,
    notes: isWide(input) && !isNumber ? [NUMBERED] : [],
  };
}

const NUMBERED =
  "axes of values of more than 4 have numbers: 0 is the batch, 1 the next, -1 the last";

/** Reports an axis of a layer's argument that the shape has not, or that is the batch. */
export function reportAbsentAxis(
  chosen: ChosenAxis,
  input: Shape,
  context: InferenceContext,
  at: string,
): undefined {
  const [only, ...others] = axisNames(input);
  const isOne = only && others.length === 0;
  const { message, ...said } = absentAxis(chosen, input);
  return context.report("NET2035", {
    message: `${context.title}: ${message}`,
    at,
    ...said,
    axis: "rank",
    fixes: isOne ? [context.replaceArgument(at, only, `write \`${only}\``)] : [],
  });
}

/** The same of a layer that reorders axes, whose places are those of the batch, too. */
export function reportAbsentOrder(
  chosen: ChosenAxis,
  input: Shape,
  context: InferenceContext,
  at: string,
): undefined {
  const { message } = absentAxis(chosen, input);
  return context.report("NET2028", {
    message: `${context.title}: ${message}`,
    at,
    label: `its axes are ${numberedAxes(input)}`,
    axis: "rank",
    notes: ["axis 0 is the batch, which stays first"],
  });
}
