/** Guides whose blocks are files of one program: it runs, and prints what the page says. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePageFiles } from "../docs/files.js";
import { root } from "../docs/pages.js";
import { netc } from "./netc.js";

let folder: string;

beforeAll(() => {
  // Inside the package, so that Node finds "netc/runtime" as a user's project would.
  mkdirSync(join(root, ".cache"), { recursive: true });
  folder = mkdtempSync(join(root, ".cache", "guide-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("several inputs and targets train and predict, end to end", async () => {
  writePageFiles("docs/guides/several-inputs.md", folder);
  const compiled = await netc(["compile", "scenes.net"], { cwd: folder });
  expect(compiled).toMatchObject({ code: 0, stderr: "" });
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["scenes.mjs"], { cwd: folder });
  const [last, right, ...predicted] = stdout.trim().split("\n").slice(3) as [string, string];
  expect(Number(/epoch 4: loss (\S+)/.exec(last)![1])).toBeLessThan(0.05);
  expect(Number(/right: (\d+)%/.exec(right)![1])).toBeGreaterThan(95);
  expect(predicted).toHaveLength(3);
  for (const line of predicted) {
    const [, moved, wanted] = /^(?:rows|columns), moved by (\S+) of (\d)$/.exec(line)!;
    expect(Math.abs(Number(moved) - Number(wanted))).toBeLessThan(1);
  }
});
