import type { DataSource } from "./recipe.js";
import { sidesOf, type Transform } from "./transforms.js";

/** What is known of an image's size on its way through the transforms. */
export type ImageSize =
  | { readonly kind: "unknown" }
  | { readonly kind: "shorter"; readonly size: number }
  | { readonly kind: "exact"; readonly height: number; readonly width: number };

/** The size of a source's images, where the format fixes it. */
export function sourceSize(
  source: DataSource,
  input: { readonly height: number; readonly width: number },
): ImageSize {
  if (source.kind === "cifar10") return { kind: "exact", height: 32, width: 32 };
  // A table has as many pixels as the input wants, which is checked when it is read.
  if (source.kind === "csv" && source.files === undefined)
    return { kind: "exact", height: input.height, width: input.width };
  return { kind: "unknown" };
}

export function sizeAfter(transform: Transform, size: ImageSize): ImageSize {
  switch (transform.kind) {
    case "resize":
      if (typeof transform.size !== "number") {
        const [height, width] = transform.size;
        return { kind: "exact", height, width };
      }
      return size.kind === "exact" && size.height === size.width
        ? { kind: "exact", height: transform.size, width: transform.size }
        : { kind: "shorter", size: transform.size };
    case "center_crop":
    case "random_crop":
    case "random_resized_crop":
    case "letterbox":
    case "ten_crop":
      return { kind: "exact", ...sidesOf(transform.size) };
    default:
      return size;
  }
}

/** Whether images come out of a transform as large as they went in. */
export function keepsSize(transform: Transform): boolean {
  return !("size" in transform);
}
