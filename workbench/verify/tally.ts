/** What checks of kernels found. */
import type { Deviation } from "./comparison.js";
import type { Program } from "../../program/program.js";

/**
 * Step lists, and the preparation of images from bytes. What is folded is checked with the lists
 * that read it.
 */
export type VerifiedList = Exclude<keyof Program["steps"], "fold"> | "prepare";

/** What is wrong first, in the order in which kernels run. */
export interface Divergence {
  readonly list: VerifiedList;
  /** What is computed: `features.conv1 forward`. */
  readonly name: string;
  readonly layer: string;
  readonly line: number;
  /** The names of the kernels that computed it. */
  readonly kernels: readonly string[];
  readonly deviation: Deviation;
}

export interface Tally {
  /** Dispatches whose results were checked, and elements that were compared. */
  kernels: number;
  values: number;
  readonly divergence?: Divergence;
}

export function addTallies(first: Tally, second: Tally): Tally {
  return {
    ...second,
    kernels: first.kernels + second.kernels,
    values: first.values + second.values,
  };
}
