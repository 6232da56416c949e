import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const PARTS = ["grammar", "compiler", "runtime", "cli", "program", "workbench"];

/** Runs dependency-cruiser over files and folders in a folder and returns what it printed. */
function cruise(
  folder: string,
  outputType: "err" | "json",
  parts: readonly string[] = PARTS,
): string {
  const bin = join(root, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const options = ["--config", ".dependency-cruiser.cjs", "--output-type", outputType, ...parts];
  const { stdout, stderr } = spawnSync(process.execPath, [bin, ...options], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return stdout + stderr;
}

const copy = mkdtempSync(join(tmpdir(), "netc-imports-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

interface Cruised {
  readonly summary: { readonly violations: readonly { readonly rule: object }[] };
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
}

/** The largest sets of files that all reach each other. */
function circlesOf({ modules }: Cruised): readonly (readonly string[])[] {
  const imports = new Map(
    modules.map(({ source, dependencies }) => [source, dependencies.map((each) => each.resolved)]),
  );
  const reached = (from: string): ReadonlySet<string> => {
    const found = new Set<string>();
    const open = [from];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      for (const next of imports.get(file) ?? []) {
        if (!found.has(next)) open.push(next);
        found.add(next);
      }
    }
    return found;
  };
  const from = new Map([...imports.keys()].map((file) => [file, reached(file)]));
  const circles = new Map<string, readonly string[]>();
  for (const [file, files] of from) {
    if (!files.has(file)) continue;
    const circle = [...files].filter((other) => from.get(other)?.has(file)).sort();
    circles.set(circle.join(" "), circle);
  }
  return [...circles.values()];
}

test("no import goes against the arrows, and circles have at most three files", () => {
  const cruised = JSON.parse(cruise(root, "json")) as Cruised;
  expect(cruised.summary.violations).toEqual([]);
  expect(circlesOf(cruised).filter((circle) => circle.length > 3)).toEqual([]);
});

test("an import against an arrow is found", () => {
  for (const name of [...PARTS, ".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const wrong: Record<string, string> = {
    "program/wrong.ts": 'import "../grammar/ast.js";',
    "grammar/wrong.ts": 'import "../program/random.js";',
    "compiler/wrong.ts": 'import "node:fs";',
    "compiler/ir/wrong.ts": 'import type { OpDefinition } from "../ops/op.js";',
    "compiler/layers/wrong.ts": 'import type { Analysis } from "../semantics/analysis.js";',
    "compiler/kernels/wrong.ts": 'import "../ops/index.js";',
    "compiler/lower/wrong.ts": 'import "../passes/fuse.js";',
    "runtime/wrong.ts": 'import "../compiler/ir/shape.js";',
    "runtime/wrong-node.ts": 'import "sharp";',
    "workbench/wrong.ts": 'import "../cli/failure.js";',
    "compiler/wrong-cycle.ts": 'import "./wrong-cycle-back.js";',
    "compiler/wrong-cycle-back.ts": 'import "./wrong-cycle.js";',
    "compiler/lower/wrong-room-cycle.ts":
      'export type { Back } from "../wrong-room-cycle-back.js";',
    "compiler/wrong-room-cycle-back.ts":
      'import type { Back as B } from "./lower/wrong-room-cycle.js"; export type Back = B;',
  };
  for (const [path, text] of Object.entries(wrong)) writeFileSync(join(copy, path), text + "\n");
  const output = cruise(copy, "err", Object.keys(wrong));
  for (const path of Object.keys(wrong)) expect(output).toContain(path);
  expect(output).toContain("no-cycles-between-rooms");
});
