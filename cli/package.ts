/** netc's package.json. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PageAssets } from "../report/document.js";

const manifest = createRequire(import.meta.url).resolve("netc/package.json");

export function version(): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** The URI of a file of the package, by its path in there: `docs/cli.md`. */
export function packageFile(path: string): string {
  return pathToFileURL(join(manifest, "..", path)).href;
}

/** The script and style of a page, which the build puts into a folder of the package. */
export async function readPageAssets(folder: "report" | "workbench"): Promise<PageAssets> {
  const read = (name: string) => readFile(new URL(packageFile(`dist/${folder}/${name}`)), "utf8");
  const [script, style] = await Promise.all([read("page.js"), read("page.css")]);
  return { script, style };
}
