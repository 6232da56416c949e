import { sameShape, type Shape } from "./shape.js";

/** What a tensor holds, and its logical shape. */
export interface TensorType {
  readonly dtype: "f32" | "u32";
  readonly shape: Shape;
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
