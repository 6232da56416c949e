import type { Dataset } from "../../runtime/data/dataset.js";

/** Examples of each class; undefined where a dataset does not know its labels. */
export function countLabels(dataset: Dataset, classes: number): readonly number[] | undefined {
  if (!dataset.labelAt) return undefined;
  const counts = new Array<number>(classes).fill(0);
  for (let index = 0; index < dataset.length; index++) counts[dataset.labelAt(index)]!++;
  return counts;
}
