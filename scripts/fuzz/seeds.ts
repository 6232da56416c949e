import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Seed } from "./mutants.js";

/** The specs in a folder and the folders in it, in the order of their paths. */
export function readSeeds(folder: string): readonly Seed[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".net"))
    .sort()
    .map((name) => join(folder, name))
    .map((file) => ({ file, text: readFileSync(file, "utf8") }));
}
