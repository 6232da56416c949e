/** Batches of several inputs or targets, whose numbers lie together in an example. */
import type { InputShape, TensorPart } from "./dataset.js";

/** An example's inputs, as one row. */
export const rowShape = (parts: readonly TensorPart[]): InputShape => ({
  channels: sizeOf(parts),
  height: 1,
  width: 1,
});

const sizeOf = (parts: readonly TensorPart[]): number =>
  parts.reduce((sum, { size }) => sum + size, 0);

/** The numbers of `count` examples, row by row, as an array for each tensor, by name. */
export function byPart(
  values: Float32Array,
  parts: readonly TensorPart[],
  count: number,
): Readonly<Record<string, Float32Array | Uint32Array>> {
  const pitch = sizeOf(parts);
  let start = 0;
  const named = parts.map(({ name, size, isWhole }) => {
    const own = isWhole ? new Uint32Array(count * size) : new Float32Array(count * size);
    for (let example = 0; example < count; example++) {
      const from = example * pitch + start;
      own.set(values.subarray(from, from + size), example * size);
    }
    start += size;
    return [name, own] as const;
  });
  return Object.fromEntries(named);
}
