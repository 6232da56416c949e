/** cutmix and mixup in plain loops: the reference of the kernel that mixes staged images. */
import type { InputShape } from "./dataset.js";
import type { Decisions } from "./decide.js";
import type { Mixture } from "./stage.js";

/** The first of some NCHW images, one for each mixture, each mixed with another of them. */
export function mixPlanes(
  images: Float32Array,
  shape: InputShape,
  mixtures: readonly Mixture[],
): Float32Array {
  const size = shape.channels * shape.height * shape.width;
  const result = images.slice(0, mixtures.length * size);
  mixtures.forEach(({ kind, partner, decisions }, slot) => {
    const target = result.subarray(slot * size, (slot + 1) * size);
    const other = images.subarray(partner * size, (partner + 1) * size);
    const cuts = kind === "cutmix" || ("cuts" in decisions && decisions.cuts === 1);
    if (!cuts) blend(target, other, decisions.share);
    else paste(target, other, shape, decisions as Decisions<"cutmix">);
  });
  return result;
}

function blend(target: Float32Array, other: Float32Array, share: number): void {
  for (let index = 0; index < target.length; index++) {
    target[index] = share * target[index]! + (1 - share) * other[index]!;
  }
}

function paste(
  target: Float32Array,
  other: Float32Array,
  shape: InputShape,
  { left, top, width, height }: Decisions<"cutmix">,
): void {
  for (let row = 0; row < shape.channels * shape.height; row++) {
    const y = row % shape.height;
    if (y < top || y >= top + height) continue;
    const start = row * shape.width + left;
    target.set(other.subarray(start, start + width), start);
  }
}
