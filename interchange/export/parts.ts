/** Which part of a value a layer takes, and along which axes it reduces one. */
import { numberOfAxis } from "../../compiler/layers/chosen-axes.js";
import { addedSides } from "../../compiler/layers/padded-axes.js";
import { orderOf } from "../../compiler/layers/permute.js";
import { swapped } from "../../compiler/layers/transpose.js";
import type { LayerCall } from "./layer-call.js";

/** The number of the axis that an argument chooses, the batch being 0. */
export const chosenAxis = (call: LayerCall, name: string): number =>
  numberOfAxis(call.axis(name), call.shape)!;

/** Axes of `sum(over)` and its like, in ascending order. */
export const reducedAxes = (call: LayerCall): readonly number[] =>
  call
    .axes("over")
    .map((axis) => numberOfAxis(axis, call.shape)!)
    .sort((a, b) => a - b);

export interface SlicePart {
  readonly axis: number;
  readonly start: number;
  /** The first element behind it. */
  readonly end: number;
  readonly step: number;
}

/** What `slice` takes, counted from the first element. */
export function slicePart(call: LayerCall): SlicePart {
  const axis = chosenAxis(call, "axis");
  const size = Number(call.shape[axis]);
  const counted = (at: number) => (at < 0 ? size + at : at);
  const end = call.has("end") ? counted(call.number("end")) : size;
  return { axis, start: counted(call.number("start")), end, step: call.number("step") };
}

/** Rows and columns that `crop` removes above and on the left. */
export function cropOffset(call: LayerCall): { readonly top: number; readonly left: number } {
  if (call.has("sides")) return call.padding("sides");
  const [rows, columns] = call.pair("size");
  const { height, width } = call.image;
  return { top: Math.floor((height - rows) / 2), left: Math.floor((width - columns) / 2) };
}

/** For each axis that `transpose` makes, which one it is of what it reads. */
export const transposedAxes = (call: LayerCall): readonly number[] =>
  swapped(call.shape, { first: call.axis("first"), second: call.axis("second") });

/** The same of `permute`. */
export const permutedAxes = (call: LayerCall): readonly number[] =>
  orderOf(call.shape, call.axes("axes")) as readonly number[];

/** What `pad` adds, by the number of the axis. */
export const paddedAxes = (call: LayerCall) =>
  addedSides(
    { size: call.padding("size"), axis: call.has("axis") ? call.axis("axis") : undefined },
    call.shape,
  ).map((sides) => ({ ...sides, axis: numberOfAxis(sides.axis, call.shape)! }));
