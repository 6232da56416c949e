// Runs a TypeScript file of this folder: node scripts/run.mjs scripts/docs/main.ts. It is bundled
// with what it imports of the sources, so nothing needs to be built before; packages are left to
// Node.
import { build } from "esbuild";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [file] = process.argv.slice(2);
if (!file) throw new Error("usage: node scripts/run.mjs FILE.ts");

const cache = fileURLToPath(new URL("../.cache", import.meta.url));
// As deep as most sources are, for paths that they make from their own.
const outfile = join(cache, `scripts/${process.pid}.mjs`);

try {
  await mkdir(join(cache, "scripts"), { recursive: true });
  await build({
    entryPoints: [file],
    outfile,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
  await import(pathToFileURL(outfile).href);
} finally {
  await rm(outfile, { force: true });
}
