import { sameShape, type Shape } from "./shape.js";

/** What a tensor holds, and its logical shape. */
export interface TensorType {
  readonly dtype: "f32" | "u32";
  readonly shape: Shape;
  /** Of an input of tokens: they are integers in 0 .. vocabulary - 1. */
  readonly vocabulary?: number;
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
