/** Datasets that lie in memory, and examples kept there. */
import type { TransformKind } from "../../program/transforms.js";
import type { Dataset, Example, Stage } from "./dataset.js";
import { transformBoxes } from "./boxes.js";
import { transformMask } from "./masks.js";
import { applyTransforms } from "./apply.js";

/** A dataset of `length` examples made by a function that never fails. */
export function datasetInMemory(
  description: {
    readonly name: string;
    readonly classes: readonly string[];
    readonly length: number;
    readonly contents?: Dataset["contents"];
    readonly pixels?: Dataset["pixels"];
    readonly largestPixel?: number;
    readonly labelAt?: Dataset["labelAt"];
    readonly nameAt?: Dataset["nameAt"];
    readonly groupAt?: Dataset["groupAt"];
    readonly parts?: Dataset["parts"];
    readonly table?: Dataset["table"];
  },
  example: (index: number) => Example,
): Dataset {
  return { pixels: "bytes", ...description, get: (index) => Promise.resolve(example(index)) };
}

/** An example after a stage's transforms, wherever they happen. */
export async function prepareExample(
  dataset: Dataset,
  index: number,
  stage: Stage,
): Promise<Example | undefined> {
  if (dataset.prepare) return dataset.prepare(index, stage);
  const example = await dataset.get(index);
  if (example === undefined) return undefined;
  const { image, mask, boxes } = example;
  return {
    ...example,
    boxes: boxes && transformBoxes(boxes, stage.transforms, stage.key),
    image: applyTransforms(image, stage.transforms, stage.key),
    mask: mask && transformMask(mask, stage.transforms, stage.key),
  };
}

/**
 * Keeps the first examples in memory, up to `budget` bytes of pixels; the others are made again
 * each time. After a stage, too, where nothing in it is random.
 */
export function keepInMemory(dataset: Dataset, budget: number): Dataset {
  const kept = new Map<string, Example>();
  let free = budget;
  const remember = async (key: string, make: () => Promise<Example | undefined>) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const example = await make();
    const { image, mask } = example ?? {};
    const bytes = (image?.pixels.byteLength ?? 0) + (mask?.pixels.byteLength ?? 0);
    if (example !== undefined && bytes <= free && !kept.has(key)) {
      kept.set(key, example);
      free -= bytes;
    }
    return example;
  };
  return {
    ...dataset,
    get: (index) => remember(String(index), () => dataset.get(index)),
    prepare: (index, stage) => {
      const make = () => prepareExample(dataset, index, stage);
      if (stage.transforms.some(({ kind, when }) => when || !FIXED.includes(kind))) return make();
      return remember(
        [index, ...stage.transforms.map((each) => JSON.stringify(each))].join(" "),
        make,
      );
    },
  };
}

/** Transforms that make the same of an image each time. */
const FIXED: readonly TransformKind[] = ["resize", "center_crop", "ten_crop", "normalize"];
