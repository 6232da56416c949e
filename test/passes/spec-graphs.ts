import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";

const folder = join(import.meta.dirname, "../../specs");

/** The specs that are shipped, by name. */
export const SPECS = readdirSync(folder)
  .filter((file) => file.endsWith(".net"))
  .map((file) => file.replace(/\.net$/, ""));

/** A spec's first model on images of that many pixels a side, where it takes larger ones. */
export function graphOf(name: string, size: number): Graph {
  const text = readFileSync(join(folder, `${name}.net`), "utf8")
    .replace(/^(data|train) [\s\S]*/m, "")
    .replace(/f32\[N, 3, 2\d\d, 2\d\d\]/, `f32[N, 3, ${size}, ${size}]`)
    .replace(/u32\[N, 2\d\d, 2\d\d\]/, `u32[N, ${size}, ${size}]`)
    .replace(/size: int = \d{3}/, `size: int = ${size}`);
  const { selected, diagnostics } = analyze(text, `${name}.net`);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.map(({ message }) => message)).toEqual([]);
  return selected!.model.graph!;
}
