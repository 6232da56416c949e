import type { Affine, ProgramBuffer } from "../../program/program.js";

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

export const perImage = (count: number): Affine => ({ fixed: 0, perImage: count });
export const fixed = (count: number): Affine => ({ fixed: count, perImage: 0 });

export const scratch = (name: string, bytes: Affine): Storage => {
  return { name, purpose: "scratch", bytes };
};

/** The same room for numbers of 16 bits instead of 32. What must stay zero lies elsewhere then. */
export function inHalf({ bytes, zeros, ...storage }: Storage): Storage {
  return {
    ...storage,
    element: "f16",
    bytes: { fixed: bytes.fixed / 2, perImage: bytes.perImage / 2 },
    zeros: zeros === undefined ? undefined : `${zeros} f16`,
  };
}
