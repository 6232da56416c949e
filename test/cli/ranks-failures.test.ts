/** Ranks that fail at random moments: no run hangs, and none loses its checkpoints. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { cp, readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parseTensors } from "../../runtime/safetensors.js";
import { makeWorkspace, writeStripes, type Workspace } from "./fixtures.js";
import {
  LAUNCHERS,
  launchers,
  signalRank,
  startRanks,
  startScript,
  untilGone,
  untilSaid,
  type Launcher,
  type RankRun,
} from "./mpirun.js";
import type { Outcome } from "./netc.js";

/** Root alone can mount a small disk and fill it. */
const isRoot = process.getuid?.() === 0;
const found = isRoot && process.env["NETC_TEST_FULL"] === "1" ? launchers() : [];

/** Of each launcher. */
const MOMENTS = 20;
/** The latest moment, in milliseconds, after the start or after the first epoch. */
const LATEST = 4000;
/** Before a run has read all of its data. */
const EARLY = 300;
/** More than any run does before it fails. */
const ENDLESS = 1_000_000;
/** What a run trains after all failures. */
const REST = 20;

let workspace: Workspace;
let run: RankRun | undefined;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  if (found.length > 0) mountDisk(workspace.path(DISK));
});
afterEach(() => run?.child.kill("SIGKILL"));
afterAll(async () => {
  if (found.length > 0) execFileSync("umount", [workspace.path(DISK)]);
  await workspace.remove();
});

/** Numbers from 0 to below 1, the same in every run of the tests (Park and Miller, 1988). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Where the runs of the first test are: a small file system, which needs root. */
const DISK = "disk";

function mountDisk(path: string): void {
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", path]);
}

/** Writes a file until nothing more fits. */
function fill(path: string): void {
  const page = new Uint8Array(4096);
  const isFull = () => {
    try {
      appendFileSync(path, page);
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" });
      return true;
    }
  };
  while (!isFull());
}

const train = (out: string, steps: number, ...flags: string[]) => [
  ...["train", workspace.path("stripes.net"), "--out", workspace.path(out)],
  ...["--steps", `${steps}`, "--checkpoint-steps", "5", "--timeout", "3", ...flags],
];

async function checkpointOf(out: string) {
  const { tensors, metadata } = parseTensors(
    await readFile(workspace.path(out, "last.safetensors")),
  );
  return { tensors, step: (JSON.parse(metadata["training"]!) as { step: number }).step };
}

/** The process that holds a run's folder, if any does. */
async function ownerOf(out: string): Promise<readonly number[]> {
  const text = await readFile(workspace.path(out, "run.lock"), "utf8").catch(() => undefined);
  return text === undefined ? [] : [(JSON.parse(text) as { pid: number }).pid];
}

/** What happens to a rank, and what the run must say of it. */
interface Failure {
  readonly name: string;
  readonly inflict: (run: RankRun, rank: number) => void;
  /** Fails where the run did not end as it should. */
  readonly check: (outcome: Outcome, rank: number) => void;
}

const FAILURES: readonly Failure[] = [
  {
    name: "SIGKILL",
    inflict: (running, rank) => signalRank(running, rank, "SIGKILL"),
    // The launcher names the rank, where it does.
    check: ({ code, stderr }) => expect(code, stderr).not.toBe(0),
  },
  {
    name: "SIGSTOP",
    inflict: (running, rank) => signalRank(running, rank, "SIGSTOP"),
    check({ code, stderr }, rank) {
      expect(code, stderr).not.toBe(0);
      expect(stderr).toMatch(new RegExp(`error: rank ${rank} .*(no sign of life|is stopped)`));
    },
  },
  {
    name: "full disk",
    inflict() {
      fill(workspace.path(DISK, "filler"));
    },
    check({ code, stderr }) {
      rmSync(workspace.path(DISK, "filler"));
      expect(code, stderr).not.toBe(0);
      expect(stderr).toMatch(/error: .*no space|error: .*ENOSPC|error: .*disk is full/i);
    },
  },
];

const named = LAUNCHERS.map((launcher) => [launcher.name, launcher] as const);

describe.each(named)("%s", (_, launcher) => {
  const testHere = test.skipIf(!found.includes(launcher));
  const prefix = launcher.name.replace(" ", "");

  testHere(
    `${MOMENTS} failures at random moments leave the bits of a run without any`,
    { timeout: 600_000 },
    async () => {
      const [out, whole] = [`${DISK}/${prefix}-failing`, `${prefix}-whole`];
      const next = numbers(18);
      let step = 0;
      for (let attempt = 0; attempt < MOMENTS; attempt++) {
        const failure = FAILURES[attempt % FAILURES.length]!;
        const rank = Math.floor(2 * next());
        const isBegun = (await checkpointOf(out).catch(() => undefined)) !== undefined;
        run = startRanks(launcher, 2, train(out, ENDLESS, isBegun ? "--resume" : "--overwrite"));
        // Every other one trains before it fails, however slow the machine is.
        if (attempt % 2 === 1) await untilSaid(run, "epoch ");
        await sleep(LATEST * next());
        failure.inflict(run, rank);
        failure.check(await run.ended, rank);
        // The launcher may end before rank 0, which still saves.
        await untilGone(await ownerOf(out));
        const checkpoint = await checkpointOf(out).catch(() => undefined);
        if (step > 0) expect(checkpoint, `${failure.name}, attempt ${attempt}`).toBeDefined();
        expect(checkpoint?.step ?? 0).toBeGreaterThanOrEqual(step);
        step = checkpoint?.step ?? 0;
      }
      expect(step).toBeGreaterThan(0);
      for (const args of [train(out, step + REST, "--resume"), train(whole, step + REST)]) {
        run = startRanks(launcher, 2, args);
        const { code, stderr } = await run.ended;
        expect(code, stderr).toBe(0);
      }
      const [one, other] = [await checkpointOf(out), await checkpointOf(whole)];
      expect(one.tensors).toEqual(other.tensors);
    },
  );

  testHere("files that become unreadable on one rank end the run, with its name", async () => {
    const next = numbers(5);
    let failed = 0;
    for (let attempt = 0; attempt < 4; attempt++) {
      const out = `${prefix}-unreadable-${attempt}`;
      run = await startOnCopy(launcher, out);
      await sleep((attempt % 2 === 0 ? EARLY : LATEST) * next());
      await rm(workspace.path("copy"), { recursive: true, force: true });
      // Pictures are kept in memory: once all have been read, a run continues without the files.
      const continues = untilSaid(run, "epoch 20:").then(
        () => true,
        () => false,
      );
      if (await continues) {
        signalRank(run, 1, "SIGINT");
        await run.ended;
        expect((await checkpointOf(out)).step).toBeGreaterThan(0);
        continue;
      }
      failed++;
      const { code, stderr } = await run.ended;
      expect(code, stderr).not.toBe(0);
      expect(stderr).toMatch(/rank 1 \(.+\) ended the run: /);
      if (stderr.includes("epoch 2:")) expect((await checkpointOf(out)).step).toBeGreaterThan(0);
    }
    expect(failed).toBeGreaterThan(0);
  });
});

/** Rank 1 reads a copy of the data. */
async function startOnCopy(launcher: Launcher, out: string): Promise<RankRun> {
  const copy = workspace.path("copy");
  await cp(workspace.path("data"), copy, { recursive: true });
  const line =
    `[ "\${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 1 ] && set -- "$@" --data ${copy}; ` + `exec "$@"`;
  return startScript(launcher, workspace.path("rank.sh"), line, train(out, ENDLESS));
}
