import type { Affine, BatchRange, ProgramBuffer } from "../../program/program.js";
import { FIRST_PLANE, type Kernel } from "../kernels/kernel.js";
import type { Origin } from "../ir/origin.js";
import { shares } from "../layout/shares.js";

/**
 * Memory that a step binds. The memory plan maps it to a buffer; scratch of one lifetime may share
 * a buffer with another.
 */
export interface Storage {
  readonly name: string;
  readonly purpose: ProgramBuffer["purpose"];
  readonly bytes: Affine;
  /** Present where its numbers have 16 bits; 32 otherwise. */
  readonly element?: "f16";
  /** What must stay zero in it; scratch shares a buffer only where promises are the same. */
  readonly zeros?: string;
}

/** A dispatch before its memory is planned. */
export interface StepDraft {
  readonly kernel: Kernel;
  readonly storage: readonly Storage[];
  readonly constants: Readonly<Record<string, number>>;
  readonly workgroups: { readonly x: Affine & { readonly tile: number }; readonly z: number };
  readonly label: string;
  readonly origin: Origin;
  /** Multiply-adds per image. */
  readonly macs: number;
  /** The batches for which the step is part of its list; all if absent. */
  readonly batches?: BatchRange;
}

export const perImage = (count: number): Affine => ({ fixed: 0, perImage: count });
export const fixed = (count: number): Affine => ({ fixed: count, perImage: 0 });

/** The same room for numbers of 16 bits instead of 32. What must stay zero lies elsewhere then. */
export function inHalf({ bytes, zeros, ...storage }: Storage): Storage {
  return {
    ...storage,
    element: "f16",
    bytes: { fixed: bytes.fixed / 2, perImage: bytes.perImage / 2 },
    ...(zeros !== undefined && { zeros: `${zeros} f16` }),
  };
}

/** The bits of an f32, for constants that are not integers. */
export function floatBits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]!;
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
    constants: { ...constants, [FIRST_PLANE]: index * most },
    workgroups: { ...workgroups, z },
    label: counts.length === 1 ? label : `${label} (${index + 1} of ${counts.length} dispatches)`,
    macs: macs * (z / planes),
  }));
}
