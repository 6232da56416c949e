/**
 * The folder of a run: what stays of an earlier one, who may work in it, and what becomes of a run
 * that was killed.
 */
import { spawn } from "node:child_process";
import { renameSync } from "node:fs";
import {
  access,
  copyFile,
  cp,
  readFile,
  readdir,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ReportData } from "../../report/data.js";
import { makeWorkspace, STRIPES, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run, netcInShell, type Outcome, type RunOptions } from "./netc.js";

const full = process.env["NETC_TEST_FULL"] === "1";

let workspace: Workspace;

const netc = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { cwd: workspace.folder, ...options });

const read = (...names: string[]) => readFile(workspace.path(...names));

/** Six epochs of four steps, a checkpoint after every third. */
const RUN = ["train", "stripes.net", "--epochs", "6", "--lr", "0.001", "--checkpoint-steps", "3"];

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  const { code, stderr } = await netc([...RUN, "--out", "whole"]);
  expect(code, stderr).toBe(0);
});

afterAll(() => workspace.remove());

/** What went wrong was said in words. */
function expectPlainError({ stderr }: Outcome, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at |NET9/);
}

/** The lines of a log, without what the clock says. */
async function untimed(folder: string): Promise<unknown[]> {
  const lines = (await read(folder, "metrics.jsonl")).toString().trimEnd().split("\n");
  return lines.map((line) => {
    const record = JSON.parse(line) as Record<string, unknown>;
    for (const timing of ["examplesPerSecond", "dataWait", "seconds"]) delete record[timing];
    return record;
  });
}

/** Kills a run with a signal that it cannot catch, as soon as stderr has this. */
function killedAt(text: string, args: readonly string[]): Promise<Outcome> {
  return netc(args, { onStderr: (stderr, kill) => stderr.includes(text) && kill("SIGKILL") });
}

test("a new run does not touch an earlier one, unless it is told to replace it", async () => {
  const weights = await read("whole", "weights.safetensors");
  const refused = await netc([...RUN, "--out", "whole"]);
  expect(refused.code).toBe(2);
  expectPlainError(refused, /whole holds an earlier run\n.*--resume .*--overwrite .*--out/);
  expect((await read("whole", "weights.safetensors")).equals(weights)).toBe(true);

  await cp(workspace.path("whole"), workspace.path("twice"), { recursive: true });
  const args = [...RUN, "--out", "twice", "--seed", "8"];
  // Killed before it has a checkpoint: the earlier run still exists, and is not
  // continued in place of this one.
  const killed = await killedAt("waits in twice/overwritten", [...args, "--overwrite"]);
  expect(killed.code).toBeNull();
  expect((await read("twice/overwritten", "weights.safetensors")).equals(weights)).toBe(true);
  const resumed = await netc([...args, "--resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toContain("ended before its first checkpoint, and begins again");
  expect(resumed.stderr).toMatch(/twice was left by process \d+, which has ended/);
  expect((await read("twice", "weights.safetensors")).equals(weights)).toBe(false);
  await expect(access(workspace.path("twice/overwritten"))).rejects.toThrow();
});

/** `stripes` with a second recipe that starts from the weights of the first. */
const twoRecipes = (load: string) => `${STRIPES}
train Fine of Stripes on Pictures {
  weights   = load("${load}")
  epochs    = 1
  batch     = 8
  optimizer = sgd(lr=0.01)
}
`;

test("recipes of one spec have separate folders", async () => {
  await workspace.write("two.net", twoRecipes("runs/two/best.safetensors"));
  const first = await netc(["train", "two.net", "--epochs", "1"]);
  expect(first.code, first.stderr).toBe(0);
  const weights = await read("runs/two", "best.safetensors");
  const second = await netc(["train", "two.net", "--train", "Fine"]);
  expect(second.code, second.stderr).toBe(0);
  expect((await read("runs/two", "best.safetensors")).equals(weights)).toBe(true);
  expect((await read("runs/two-Fine", "weights.safetensors")).length).toBeGreaterThan(0);
});

test("a run does not replace the weights that it starts from", async () => {
  await cp(workspace.path("whole"), workspace.path("source"), { recursive: true });
  const weights = await read("source", "best.safetensors");
  await symlink(workspace.path("source"), workspace.path("linked"));
  await workspace.write("loads.net", twoRecipes("linked/best.safetensors"));
  const fine = ["train", "loads.net", "--train", "Fine", "--out", "source", "--overwrite"];
  const named = ["train", "stripes.net", "--out", "source", "--overwrite"];
  for (const args of [fine, [...named, "--weights", "source/best.safetensors"]]) {
    const refused = await netc(args);
    expect(refused.code).toBe(2);
    expectPlainError(
      refused,
      /starts from \S+best\.safetensors, which --overwrite would replace\n/,
    );
    expect((await read("source", "best.safetensors")).equals(weights)).toBe(true);
  }
  await expect(access(workspace.path("source/overwritten"))).rejects.toThrow();
});

test("a run that is killed repeatedly ends with the same bits and log", async () => {
  const args = [...RUN, "--out", "killed", "--resume"];
  await killedAt("epoch 1:", RUN.concat("--out", "killed"));
  await killedAt("epoch 4:", args);
  const { code, stderr } = await netc(args);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/resuming from killed\/last\.safetensors: \d+ steps done/);
  const names = ["weights.safetensors", "best.safetensors", "last.safetensors"];
  for (const name of names) {
    expect((await read("killed", name)).equals(await read("whole", name)), name).toBe(true);
  }
  expect(await untimed("killed")).toEqual(await untimed("whole"));
  expect((await readdir(workspace.path("killed"))).sort()).toEqual(
    (await readdir(workspace.path("whole"))).sort(),
  );
});

test("two runs in one folder: the second is told of the first", async () => {
  const holder = spawn("sleep", ["60"]);
  onTestFinished(() => void holder.kill());
  const lock = { pid: holder.pid, host: hostname() };
  await workspace.write("busy/run.lock", JSON.stringify(lock));
  const outcome = await netc([...RUN, "--out", "busy"]);
  expect(outcome.code).toBe(4);
  expectPlainError(
    outcome,
    new RegExp(`another run is at work in busy: process ${holder.pid}\\n.*--out`),
  );
  expect(await readdir(workspace.path("busy"))).toEqual(["run.lock"]);
});

test("checkpoints of another spec and damaged ones are named and kept", async () => {
  await workspace.write("other.net", `${STRIPES}// another\n`);
  await cp(workspace.path("whole"), workspace.path("damaged"), { recursive: true });
  const resume = (spec: string) => netc([...RUN.with(1, spec), "--out", "damaged", "--resume"]);
  const other = await resume("other.net");
  expect(other.code).toBe(1);
  expectPlainError(other, /last\.safetensors cannot be resumed: other\.net has changed since/);

  const last = workspace.path("damaged/last.safetensors");
  await truncate(last, 600);
  await copyFile(last, workspace.path("damaged/previous.safetensors"));
  const cut = await resume("stripes.net");
  expect(cut.code).toBe(1);
  expectPlainError(cut, /damaged\/last\.safetensors: this safetensors file is truncated/);
  expect((await read("damaged", "last.safetensors")).length).toBe(600);
  expect(await untimed("damaged")).toEqual(await untimed("whole"));

  await copyFile(
    workspace.path("whole/previous.safetensors"),
    workspace.path("damaged/previous.safetensors"),
  );
  // A single bit of a weight, which no check of the file's structure sees.
  const flipped = await read("whole", "last.safetensors");
  flipped[flipped.length - 2]! ^= 1;
  await writeFile(last, flipped);
  const log = await read("damaged", "metrics.jsonl");
  await writeFile(workspace.path("damaged/metrics.jsonl"), `{"step":\n${log.toString()}`);
  const fallback = await resume("stripes.net");
  expect(fallback.code, fallback.stderr).toBe(0);
  expect(fallback.stderr).toMatch(
    /file is damaged: its checksum is .*; continuing from damaged\/previous\.safetensors/,
  );
  expect(fallback.stderr).toContain(
    "damaged/metrics.jsonl has 1 line that is not a record: left out",
  );
  const name = "weights.safetensors";
  expect((await read("damaged", name)).equals(await read("whole", name))).toBe(true);

  await rm(workspace.path("damaged/last.safetensors"));
  await rm(workspace.path("damaged/previous.safetensors"));
  const none = await resume("stripes.net");
  expect(none.code).toBe(1);
  expectPlainError(none, /there is no checkpoint in damaged\n.*train without --resume first/);
});

/** Recipes that fail before their first step. */
const withMissingWeights = STRIPES.replace(
  "epochs    = 4",
  'weights = load("none.safetensors")\n  epochs    = 4',
);
const withUnreadableImages = STRIPES.replace("data/train", "unreadable");

test("a run that fails before its first step leaves what was there", async () => {
  await workspace.write("weights.net", withMissingWeights);
  await workspace.write("unreadable.net", withUnreadableImages);
  for (const name of ["above", "below"]) await workspace.write(`unreadable/${name}/0.png`, "junk");
  const failing = ["weights.net", "unreadable.net"];
  for (const spec of failing) {
    const outcome = await netc(["train", spec, "--out", "failed"]);
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).not.toContain("--resume");
    await expect(access(workspace.path("failed"))).rejects.toThrow();
  }
  await cp(workspace.path("whole"), workspace.path("kept"), { recursive: true });
  for (const spec of failing) {
    const outcome = await netc(["train", spec, "--out", "kept", "--overwrite"]);
    expect(outcome.code, outcome.stderr).toBe(1);
    const names = await readdir(workspace.path("whole"));
    expect((await readdir(workspace.path("kept"))).sort()).toEqual(names.sort());
    for (const name of names) {
      expect((await read("kept", name)).equals(await read("whole", name)), name).toBe(true);
    }
  }
  const resumed = await netc([...RUN, "--out", "nowhere", "--resume"]);
  expect(resumed.code).toBe(1);
  expectPlainError(resumed, /there is no checkpoint in nowhere/);
  await expect(access(workspace.path("nowhere"))).rejects.toThrow();
});

test("a resumed run says what its flags change, and keeps its best epoch", async () => {
  await cp(workspace.path("whole"), workspace.path("longer"), { recursive: true });
  // From now on, examples to train on have each other's labels.
  const swap = { above: "below", below: "above" };
  for (const [from, to] of Object.entries(swap)) {
    const folder = workspace.path("swapped/train", to);
    await cp(workspace.path("data/train", from), folder, { recursive: true });
  }
  await cp(workspace.path("data/val"), workspace.path("swapped/val"), { recursive: true });
  const flags = ["--epochs", "8", "--lr", "0.02", "--out", "longer", "--resume"];
  flags.push("--data", "swapped");
  const outcome = await netc(["train", "stripes.net", ...flags]);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(outcome.stderr).toContain(
    "the resumed run has 32 steps (before: 24) and a learning rate of 0.02 (before: 0.001)",
  );
  expect(outcome.stdout).toMatch(/^test accuracy: top1 .* on 16 images \(epoch 7, best top1\)$/m);
  expect(outcome.stdout).toMatch(/^last epoch's test accuracy: top1 /m);
  const shorter = ["--epochs", "2", "--out", "longer", "--resume", "--data", "swapped"];
  const none = await netc(["train", "stripes.net", ...shorter]);
  expect(none.stderr).toMatch(/evaluating on 16 images: 0 steps of/);
  const [, top1, loss] = /top1 ([\d.]+)%, loss ([\d.e-]+)/.exec(outcome.stdout)!;
  expect(outcome.stdout).toContain("npx netc eval stripes.net --weights longer/best.safetensors");
  const evaluated = await netc([
    "eval",
    "stripes.net",
    "--weights",
    "longer/best.safetensors",
    "--json",
  ]);
  const figures = JSON.parse(evaluated.stdout) as {
    top1: number;
    loss: number;
    confusion: number[][];
  };
  expect(100 * figures.top1).toBeCloseTo(Number(top1), 1);
  expect(figures.loss).toBeCloseTo(Number(loss), 3);
  // The report is of the best weights, too.
  const report = await reportIn("longer");
  expect(report.best).toEqual({ epoch: 7, step: 28, metric: "top1", file: "best.safetensors" });
  expect(report.examination!.confusion).toEqual(figures.confusion);
});

async function reportIn(folder: string): Promise<ReportData> {
  const html = (await read(folder, "report.html")).toString();
  return JSON.parse(/<script[^>]* id="data"[^>]*>([^]*?)<\/script>/.exec(html)![1]!) as ReportData;
}

test("a folder that cannot be written to is named", async (context) => {
  const probe = await netcInShell("unshare --user --map-root-user --mount true", []);
  context.skip(probe.code !== 0, "this system has no user name spaces");
  const mount = 'mkdir -p fixed && mount -t tmpfs -o ro tmpfs fixed && "$@"';
  const line = `unshare --user --map-root-user --mount sh -c '${mount}' sh "$@"`;
  const args = [...RUN, "--out", "fixed"];
  const outcome = await netcInShell(line, args, { cwd: workspace.folder });
  expect(outcome.code).toBe(4);
  expectPlainError(outcome, /fixed\/run\.lock may not be written: the file system is read-only/);
});

test("a file in the place of the folder is named", async () => {
  await writeFile(workspace.path("a-file"), "");
  const outcome = await netc([...RUN, "--out", "a-file"]);
  expect(outcome.code).toBe(4);
  expectPlainError(outcome, /cannot create the folder a-file: a file has this name/);
});

test("a lost device is replaced, which is said, and the run ends with the same bits", async () => {
  const loseDevice = pathToFileURL(join(import.meta.dirname, "lose-device.mjs")).href;
  const { code, stderr } = await netc([...RUN, "--out", "lost"], {
    env: { NODE_OPTIONS: `--import ${loseDevice}`, LOSE_AFTER: "40" },
  });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/warning: the GPU device was lost \(.*\)\n/);
  expect(stderr).toMatch(/another device was opened; continuing from the checkpoint of step \d+/);
  for (const name of ["weights.safetensors", "best.safetensors", "last.safetensors"]) {
    expect((await read("lost", name)).equals(await read("whole", name)), name).toBe(true);
  }
  expect(await untimed("lost")).toEqual(await untimed("whole"));
});

test("a run that diverges names step, layer, spec line and the last good checkpoint", async () => {
  const wild = STRIPES.replace("sgd(lr=0.02, momentum=0.9)", "sgd(lr=1e12)");
  await workspace.write("wild.net", wild);
  const outcome = await netc([
    ...RUN.with(1, "wild.net").filter((flag) => !/lr|0\.001/.test(flag)),
    "--out",
    "wild",
  ]);
  expect(outcome.code).toBe(4);
  expectPlainError(
    outcome,
    new RegExp(
      [
        "is (not finite|NaN|Infinity) after step \\d+, at a learning rate of 1000000000000: ",
        "the run has diverged; the first numbers that are not finite come from `.+` in step \\d+ ",
        "\\(line \\d+\\)\\n +wild\\.net:\\d+: \\S",
      ].join(""),
    ),
  );
  expect(outcome.stderr).toMatch(
    /the last good checkpoint is wild\/last\.safetensors, of step \d+/,
  );
});

test(
  "data that vanish end the run with a checkpoint, from which it continues when they " + "are back",
  async () => {
    const spec = STRIPES.replace("{ normalize", "{ random_resized_crop(8) -> normalize");
    await workspace.write("moving.net", spec.replace("data/train", "moving/train"));
    await cp(workspace.path("data"), workspace.path("moving"), { recursive: true });
    const args = ["train", "moving.net", "--epochs", "15", "--lr", "0.001"];
    let moved = false;
    const outcome = await netc([...args, "--out", "moved"], {
      onStderr: (stderr) => {
        if (moved || !stderr.includes("epoch 2:")) return;
        moved = true;
        renameSync(workspace.path("moving"), workspace.path("elsewhere"));
      },
    });
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /the folder .*moving\/train\/\w+ does not exist any more/);
    expect(outcome.stderr).toContain(
      "the trained weights are in moved/last.safetensors: --resume continues from there",
    );
    renameSync(workspace.path("elsewhere"), workspace.path("moving"));
    const resumed = await netc([...args, "--out", "moved", "--resume"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    if (!full) return;
    const whole = await netc([...args, "--out", "stayed"]);
    expect(whole.code, whole.stderr).toBe(0);
    const name = "weights.safetensors";
    expect((await read("moved", name)).equals(await read("stayed", name))).toBe(true);
    expect(await untimed("moved")).toEqual(await untimed("stayed"));
  },
);
