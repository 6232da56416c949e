import type { GroupNormalizeAttributes } from "../ir/graph.js";
import { imageShape, type Shape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { Tensor } from "./op.js";
import { imageSizes } from "./tensors.js";

export function requireGroups(shape: Shape, { groups }: GroupNormalizeAttributes): void {
  const { channels } = imageShape(shape);
  ensure(channels % groups === 0, () => `${groups} groups do not divide ${channels} channels`);
}

/**
 * Visits what is normalized together: the indices of each group of channels of each image, or of
 * each of its pixels.
 */
export function forEachGroup(
  { shape }: Tensor,
  { groups, pixels: extent }: GroupNormalizeAttributes,
  visit: (indices: readonly number[]) => void,
): void {
  const { images, channels, pixels } = imageSizes(shape);
  const together = extent === "together" ? pixels : 1;
  const size = channels / groups;
  for (let plane = 0; plane < images * groups; plane++) {
    for (let first = 0; first < pixels; first += together) {
      const indices = Array.from({ length: size * together }, (_, index) => {
        const channel = plane * size + Math.floor(index / together);
        return channel * pixels + first + (index % together);
      });
      visit(indices);
    }
  }
}

/** What normalizing subtracts, and what it multiplies by. */
export function groupMoments(
  { data }: Tensor,
  indices: readonly number[],
  epsilon: number,
): { readonly mean: number; readonly perDeviation: number } {
  const average = (of: (value: number) => number) =>
    indices.reduce((sum, index) => sum + of(data[index]!), 0) / indices.length;
  const mean = average((value) => value);
  const variance = average((value) => (value - mean) ** 2);
  return { mean, perDeviation: 1 / Math.sqrt(variance + epsilon) };
}
