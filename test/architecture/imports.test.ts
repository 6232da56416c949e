import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const parts = ["grammar", "compiler", "runtime", "cli", "program"];

/** Runs dependency-cruiser over the parts in a folder and returns what it printed. */
function cruise(folder: string): string {
  const bin = join(root, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const options = ["--config", ".dependency-cruiser.cjs", "--output-type", "err", ...parts];
  const { stdout, stderr } = spawnSync(process.execPath, [bin, ...options], {
    cwd: folder,
    encoding: "utf8",
  });
  return stdout + stderr;
}

const copy = mkdtempSync(join(tmpdir(), "netc-imports-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

test("no import goes against the arrows between the parts", () => {
  expect(cruise(root)).toContain("no dependency violations found");
});

test("an import against an arrow is found", () => {
  for (const name of [...parts, ".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const wrong: Record<string, string> = {
    "program/wrong.ts": 'import "../grammar/ast.js";',
    "grammar/wrong.ts": 'import "../program/random.js";',
    "compiler/wrong.ts": 'import "node:fs";',
    "runtime/wrong.ts": 'import "../compiler/ir/shape.js";',
    "runtime/wrong-node.ts": 'import "sharp";',
    "compiler/wrong-cycle.ts": 'import "./wrong-cycle-back.js";',
    "compiler/wrong-cycle-back.ts": 'import "./wrong-cycle.js";',
  };
  for (const [path, text] of Object.entries(wrong)) writeFileSync(join(copy, path), text + "\n");
  const output = cruise(copy);
  for (const path of Object.keys(wrong)) expect(output).toContain(path);
});
