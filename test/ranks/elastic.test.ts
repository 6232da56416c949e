/** examples/elastic.sh starts a run again on what is left; the launcher fails on purpose. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPT = join(import.meta.dirname, "..", "..", "examples", "elastic.sh");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netc-elastic-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stderr: string;
  /** What the launcher was started with, each time. */
  readonly starts: readonly string[];
}

/** Runs the script; its launcher ends with these exit codes, one after the other. */
function run(codes: readonly number[], ...flags: readonly string[]): Promise<Ended> {
  const launcher = join(folder, "mpirun");
  const log = join(folder, "starts");
  const lines = [
    `echo "$*" >> ${log}`,
    `touch ${folder}/last.safetensors`,
    `code=$(echo ${codes.join(" ")} | cut -d ' ' -f $(wc -l < ${log}))`,
    `exit $code`,
  ];
  writeFileSync(log, "");
  writeFileSync(launcher, `#!/bin/sh\n${lines.join("\n")}\n`, { mode: 0o755 });
  const args = [SCRIPT, "--out", folder, ...flags, "--", "netc", "train", "a.net"];
  return new Promise((resolve) => {
    const env = { ...process.env, MPIRUN: launcher };
    const child = execFile("sh", args, { env }, (_, __, stderr) => {
      const starts = readFileSync(log, "utf8").trim().split("\n");
      resolve({ code: child.exitCode ?? -1, stderr, starts });
    });
  });
}

test("a rank less after each failure, from the last checkpoint", async () => {
  const { code, starts } = await run([137, 4, 0], "--ranks", "4", "--min-ranks", "2");
  expect(code).toBe(0);
  const rest = `netc train a.net --out ${folder}`;
  expect(starts).toEqual([`-n 4 ${rest}`, `-n 3 ${rest} --resume`, `-n 2 ${rest} --resume`]);
});

test("too few ranks end it", async () => {
  const { code, stderr, starts } = await run([4, 4, 4], "--ranks", "3", "--min-ranks", "2");
  expect(code).toBe(1);
  expect(starts).toHaveLength(2);
  expect(stderr).toContain("1 ranks are left, and --min-ranks is 2");
});

test("wrong input is not tried again", async () => {
  const { code, starts } = await run([1, 0], "--ranks", "3");
  expect(code).toBe(1);
  expect(starts).toHaveLength(1);
});

test("hosts that do not answer are left out", async () => {
  const hosts = "no-host.invalid:2,neither.invalid";
  const { code, stderr, starts } = await run([4], "--hosts", hosts);
  expect(code).toBe(1);
  expect(starts).toEqual([`--host ${hosts} -n 3 netc train a.net --out ${folder}`]);
  expect(stderr).toContain("neither.invalid does not answer");
});
