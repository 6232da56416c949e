/**
 * Whether two checkouts compile all specs, and all their variants, to the same modules:
 * node scripts/run.mjs scripts/same.ts OLD NEW [SPEC...]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type * as Compiler from "../compiler/index.js";
import { compileVariant, SPECS, VARIANTS } from "../test/emit/variants.js";

const [old, current, ...only] = process.argv.slice(3);
if (!old || !current) throw new Error("usage: scripts/same.ts OLD NEW [SPEC...]");

/** The compiler of a checkout, bundled. */
async function compilerOf(checkout: string): Promise<typeof Compiler.compile> {
  const folder = mkdtempSync(join(resolve(checkout), ".cache/same-"));
  const outfile = join(folder, "compiler.mjs");
  try {
    await build({
      entryPoints: [join(checkout, "compiler/index.ts")],
      outfile,
      bundle: true,
      packages: "external",
      format: "esm",
      platform: "node",
      logLevel: "warning",
    });
    const { compile } = (await import(pathToFileURL(outfile).href)) as typeof Compiler;
    return compile;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [before, after] = [await compilerOf(old), await compilerOf(current)];
let different = 0;
for (const spec of only.length > 0 ? only : SPECS) {
  for (const variant of ["f32", ...VARIANTS] as const) {
    const [first, second] = [before, after].map((compile) =>
      compileVariant(compile, spec, variant),
    );
    if (first!.module === second!.module && first!.declarations === second!.declarations) continue;
    console.log(`${spec} ${variant}: the modules differ`);
    different++;
  }
}
console.log(different === 0 ? "all modules are the same" : `${different} modules differ`);
process.exitCode = different === 0 ? 0 : 1;
