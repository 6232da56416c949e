/** Between kernels that are still assembled from text and those that are not; it goes with the last. */
import { Code, type Declared } from "./code.js";
import { Printer } from "./printer.js";

export const plain = (code: Code): string => code.print(new Printer());

export const raw = (wgsl: string): Code => new Code(() => wgsl);

/** A declaration by itself: what it needs is listed apart. */
export const plainDeclaration = (declared: Declared | string): string =>
  typeof declared === "string" ? declared : plain(declared.declaration.code);
