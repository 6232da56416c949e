/**
 * Between kernels that are still assembled from text and those that are not; it goes with the last.
 */
import { Code, type Declared } from "./code.js";
import { Printer } from "./printer.js";

export const plain = (code: Code): string => code.print(new Printer());

export const raw = (wgsl: string): Code => new Code(() => wgsl);

/** Texts of declarations, with what they need. */
export function plainDeclarations(declarations: readonly (string | Declared)[]): readonly string[] {
  const printer = new Printer();
  const texts = new Set<string>();
  for (const each of declarations) {
    if (typeof each === "string") texts.add(each);
    else each.print(printer);
    for (const text of printer.declarations) texts.add(text);
  }
  return [...texts];
}
