import { code, local, type Code } from "./code.js";

/** Splits a linear pixel index (over images, rows, columns) into `image`, `y` and `x`. */
export function splitPixel(
  pixel: Code,
  { pixels, width }: { readonly pixels: Code; readonly width: Code },
  suffix: number | "" = "",
): readonly Code[] {
  return [
    code`let ${local("image", suffix)} = ${pixel} / ${pixels};`,
    code`let ${local("y", suffix)} = ${pixel} % ${pixels} / ${width};`,
    code`let ${local("x", suffix)} = ${pixel} % ${width};`,
  ];
}

/** The variable for where an activation's pixel begins. */
export const placeName = (name: string, suffix: number | "" = ""): Code =>
  local(`${name}_place`, suffix);
