/** netc's package.json. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const manifest = createRequire(import.meta.url).resolve("netc/package.json");

export function version(): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** The URI of a file of the package, by its path in there: `docs/cli.md`. */
export function packageFile(path: string): string {
  return pathToFileURL(join(manifest, "..", path)).href;
}
