/** What checks of kernels found. */
import type { Deviation, Finding } from "./comparison.js";
import type { Program } from "../../program/program.js";

/**
 * Step lists, the preparation of images from bytes, and whole calls. What is folded is checked with
 * the lists that read it.
 */
export type VerifiedList = Exclude<keyof Program["steps"], "fold"> | "prepare" | "calls";

/** Kernels whose results are checked together. */
export interface Checked {
  readonly list: VerifiedList;
  /** What is computed: `features.conv1 forward`. */
  readonly name: string;
  readonly layer: string;
  readonly line: number;
  /** The names of the kernels that computed it; none of a whole call. */
  readonly kernels: readonly string[];
}

/** What is wrong. */
export interface Divergence extends Checked {
  readonly deviation: Deviation;
}

/** What a check of kernels found. */
export interface CheckResult extends Checked, Finding {}

/** What callers of checks may say. */
export interface CheckOptions {
  /** Called after each check. */
  readonly onChecked?: ((result: CheckResult) => void) | undefined;
  /** Checks what comes after a divergence, too; ends with the first divergence unless given. */
  readonly continues?: boolean | undefined;
}

export interface Tally {
  /** Dispatches whose results were checked, and elements that were compared. */
  kernels: number;
  values: number;
  /** The first, in the order in which kernels run. */
  readonly divergence?: Divergence;
}

/** What the check of this many dispatches counts. */
export function tallyOf(result: CheckResult, dispatches: number): Tally {
  const { compared: values, deviation, list, name, layer, line, kernels } = result;
  const divergence = deviation && { list, name, layer, line, kernels, deviation };
  return { kernels: dispatches, values, divergence };
}

export function addTallies(first: Tally, second: Tally): Tally {
  const divergence = first.divergence ?? second.divergence;
  const kernels = first.kernels + second.kernels;
  const values = first.values + second.values;
  return { kernels, values, divergence };
}
