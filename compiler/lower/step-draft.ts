import type { Affine, BatchRange, SharedBuffer } from "../../program/program.js";
import { FIRST_PLANE, type Kernel } from "../kernels/kernel.js";
import type { Origin } from "../ir/origin.js";
import { shares } from "../layout/shares.js";
import type { Storage } from "../plan/storage.js";

/** A dispatch before its memory is planned. */
export interface StepDraft {
  readonly kernel: Kernel;
  readonly storage: readonly Storage[];
  /** A word for each of the kernel's fields. */
  readonly constants: readonly number[];
  readonly workgroups: { readonly x: Affine & { readonly tile: number }; readonly z: number };
  readonly label: string;
  readonly origin: Origin;
  /** Multiply-adds per image. */
  readonly macs: number;
  /** The batches for which the step is part of its list; all if absent. */
  readonly batches?: BatchRange;
  /** What ranks that train together combine after it. */
  readonly shares?: { readonly storage: Storage; readonly as: SharedBuffer["as"] };
}

/**
 * The step, or, where its kernel goes through more planes than a dispatch may have workgroups in z,
 * as many as are needed.
 */
export function inPlanes(step: StepDraft, most: number): readonly StepDraft[] {
  const { kernel, constants, workgroups, label, macs } = step;
  if (!kernel.constants.includes(FIRST_PLANE)) return [step];
  const { z: planes } = workgroups;
  const counts = shares(planes, most);
  return counts.map((z, index) => ({
    ...step,
    constants: [...constants, index * most],
    workgroups: { ...workgroups, z },
    label: counts.length === 1 ? label : `${label} (${index + 1} of ${counts.length} dispatches)`,
    macs: macs * (z / planes),
  }));
}
