/** Datasets that lie in memory, and examples kept there. */
import type { Dataset, Example } from "./dataset.js";

/** A dataset of `length` examples made by a function that never fails. */
export function datasetInMemory(
  description: {
    readonly name: string;
    readonly classes: readonly string[];
    readonly length: number;
    readonly pixels?: Dataset["pixels"];
  },
  example: (index: number) => Example,
): Dataset {
  return { pixels: "bytes", ...description, get: (index) => Promise.resolve(example(index)) };
}

/** Keeps the first decoded examples in memory, up to `budget` bytes of pixels; the others are decoded anew each time. */
export function keepInMemory(dataset: Dataset, budget: number): Dataset {
  const kept = new Map<number, Example>();
  let free = budget;
  const get = async (index: number) => {
    const known = kept.get(index);
    if (known !== undefined) return known;
    const example = await dataset.get(index);
    const bytes = example?.image.pixels.byteLength ?? 0;
    if (example !== undefined && bytes <= free && !kept.has(index)) {
      kept.set(index, example);
      free -= bytes;
    }
    return example;
  };
  return { ...dataset, get };
}
