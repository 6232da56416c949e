/** Kernels as they are printed. */
import type { KernelSection, ProgramBinding } from "../../program/program.js";

export interface StorageBinding extends ProgramBinding {
  readonly name: string;
}

/** A compute shader with the names of what it takes, ready to be put into a Program. */
export interface Kernel {
  readonly name: string;
  readonly wgsl: string;
  readonly sections: readonly KernelSection[];
  readonly storage: readonly StorageBinding[];
  /** Fields of the `Constants` struct, in order. A step gives each a 32-bit integer. */
  readonly constants: readonly string[];
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /** Memory that they share. */
  readonly workgroupBytes: number;
}

/** The constant that says where in z a dispatch begins: the last one of a kernel. */
export const FIRST_PLANE = "first_plane";
