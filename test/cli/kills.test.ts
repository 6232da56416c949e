/**
 * Runs that are killed without a word, at random moments: nothing is lost, and they end as if
 * nothing had happened. Takes minutes.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { threefry, toUnit } from "../../program/random.js";
import { parseState } from "../../runtime/training/state.js";
import { parseTensors } from "../../runtime/safetensors.js";
import { ADAPTER, root } from "./netc.js";

const full = process.env["NETC_TEST_FULL"] === "1";
const main = join(root, "dist", "cli", "main.js");
const DIGITS = join(root, "specs", "digits.net");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "netc-kills-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

function start(out: string, flags: readonly string[]): Run {
  const args = [main, "train", DIGITS, "--out", join(folder, out), ...flags];
  const env = { ...process.env, ...ADAPTER };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, stderr }));
  });
  return { child, ended };
}

async function complete(out: string, flags: readonly string[]): Promise<string> {
  const { code, stderr } = await start(out, flags).ended;
  expect(code, stderr).toBe(0);
  return stderr;
}

interface Line {
  readonly step: number;
  readonly epoch: number;
  readonly loss?: number;
}

/** The whole lines of a log, without what the clock says. */
async function log(out: string): Promise<Line[]> {
  const text = await readFile(join(folder, out, "metrics.jsonl"), "utf8").catch(() => "");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const record = JSON.parse(line) as Record<string, unknown>;
      for (const timing of ["examplesPerSecond", "dataWait", "seconds"]) delete record[timing];
      return record as unknown as Line;
    });
}

/** The step of a checkpoint of the killed run, which is read whole and checked. */
async function stepOf(name: string): Promise<number> {
  const { metadata } = parseTensors(await readFile(join(folder, "killed", `${name}.safetensors`)));
  return parseState(metadata["training"]!)!.step;
}

/** Numbers in [0, 1), the same in every run of this file. */
function random(seed: number): () => number {
  let counter = 0;
  return () => toUnit(threefry(seed, 0, counter++, 0)[0]);
}

/** Settles when the log has a step, or the run has ended. */
async function reached(run: Run, out: string, step: number): Promise<void> {
  let over = false;
  void run.ended.then(() => (over = true));
  while (!over && !(await log(out)).some((line) => line.step >= step)) await sleep(5);
}

describe.runIf(full)("kill -9", { timeout: 1_800_000 }, () => {
  test(
    "at ten random steps: weights, checkpoints and log are those of a run " + "that was left alone",
    async () => {
      const flags = ["--epochs", "5", "--checkpoint-steps", "7", "--seed", "3"];
      await complete("whole", flags);
      const steps = Math.max(...(await log("whole")).map(({ step }) => step));
      const draw = random(1);
      const points = Array.from({ length: 10 }, () => 1 + Math.floor(draw() * (steps - 1)));
      points.sort((a, b) => a - b);
      for (const [index, point] of points.entries()) {
        const run = start("killed", index === 0 ? flags : [...flags, "--resume"]);
        await reached(run, "killed", point);
        await sleep(20 * draw());
        run.child.kill("SIGKILL");
        expect((await run.ended).code, (await run.ended).stderr).toBeNull();
      }
      await complete("killed", [...flags, "--resume"]);
      console.log(`killed at steps ${points.join(", ")} of ${steps}`);
      // `previous` is of the middle of an epoch: it holds the seconds that the epoch took so far.
      for (const name of ["weights", "best", "last"]) {
        const [a, b] = await Promise.all(
          ["whole", "killed"].map((out) => readFile(join(folder, out, `${name}.safetensors`))),
        );
        expect(b!.equals(a!), name).toBe(true);
      }
      expect(await stepOf("previous")).toBeLessThan(await stepOf("last"));
      expect(await log("killed")).toEqual(await log("whole"));
    },
  );

  test(
    "fifty times at random moments: the folder can always be resumed, and nothing saved " +
      "is lost",
    async () => {
      // A checkpoint after every step, so that many kills fall into their writing.
      const flags = ["--epochs", "500", "--checkpoint-steps", "1", "--seed", "4"];
      const draw = random(2);
      const resumed: number[] = [];
      for (let kill = 0; kill < 50; kill++) {
        const begun = existsSync(join(folder, "fifty", "run.lock"));
        const run = start("fifty", begun ? [...flags, "--resume"] : flags);
        // A third while it starts, the others after a few steps more, in or between the writing of
        // their checkpoints.
        const done = (await log("fifty")).at(-1)?.step ?? 0;
        if (draw() < 0.33) await sleep(3000 * draw());
        else await reached(run, "fifty", done + 1 + Math.floor(8 * draw()));
        await sleep(60 * draw());
        run.child.kill("SIGKILL");
        const { code, stderr } = await run.ended;
        expect(code, stderr).toBeNull();
        expect(stderr).not.toMatch(/error/);
        const from = /resuming from .*: (\d+) steps? done/.exec(stderr);
        if (from) resumed.push(Number(from[1]));
      }
      console.log(`resumed ${resumed.length} times, at steps ${resumed.join(", ")}`);
      expect(resumed).toEqual([...resumed].sort((a, b) => a - b));
      expect(resumed.at(-1)).toBeGreaterThan(0);
      const last = await log("fifty");
      const alone = start("alone", flags);
      await reached(alone, "alone", last.at(-1)!.step + 1);
      alone.child.kill("SIGKILL");
      await alone.ended;
      expect((await log("alone")).slice(0, last.length)).toEqual(last);
    },
  );
});
