/** `mpirun -n N netc train` is one process, with the launchers of this machine. Takes minutes. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseTensors } from "../../runtime/safetensors.js";
import {
  LAUNCHERS,
  launchers,
  signalRank,
  startRanks,
  startScript,
  untilSaid,
  type Launcher,
} from "./mpirun.js";
import { netc, root, type Outcome } from "./netc.js";

const full = process.env["NETC_TEST_FULL"] === "1";
const found = full ? launchers() : [];
const DIGITS = join(root, "specs", "digits.net");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "netc-ranks-"));
  // Paths of data start from the spec's folder.
  const data = join(root, "specs", "data");
  execFileSync("cp", ["-r", data, join(folder, "data")]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** digits.net, changed. */
function specOf(name: string, change: (text: string) => string): string {
  const path = join(folder, `${name}.net`);
  writeFileSync(path, change(readFileSync(DIGITS, "utf8")));
  return path;
}

const withSetting = (setting: string) => (text: string) =>
  text.replace(/^( *batch +=.*)$/m, `$1\n  ${setting}`);

async function complete(run: Promise<Outcome>): Promise<Outcome> {
  const outcome = await run;
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

const train = (spec: string, out: string, ...flags: string[]) => [
  ...["train", spec, "--out", join(folder, out), ...flags],
];

function weightsOf(out: string): ReadonlyMap<string, Float32Array> {
  const { tensors } = parseTensors(readFileSync(join(folder, out, "weights.safetensors")));
  return new Map([...tensors].map(([name, { values }]) => [name, values]));
}

/** The largest difference between two runs' weights. */
function differenceOf(first: string, second: string): number {
  const others = weightsOf(second);
  const each = [...weightsOf(first)].map(([name, values]) => {
    const other = others.get(name)!;
    expect(other.length).toBe(values.length);
    return values.reduce((worst, value, at) => Math.max(worst, Math.abs(value - other[at]!)), 0);
  });
  return Math.max(...each);
}

const withoutTimes = (text: string, out: string) =>
  text.replaceAll(join(folder, out), "OUT").replace(/ in [\d.]+ (s|min)\b.*/g, "");

const named = LAUNCHERS.map((launcher) => [launcher.name, launcher] as const);

describe.each(named)("%s", (_, launcher) => {
  const testHere = test.skipIf(!found.includes(launcher));
  const onRanks = (ranks: number, args: readonly string[]) =>
    complete(startRanks(launcher, ranks, args).ended);
  const name = (text: string) => `${launcher.name.replace(" ", "")}-${text}`;

  testHere(
    "two ranks are one process in two slices, bit for bit; four are within 1e-6",
    async () => {
      const sliced = specOf("sliced", withSetting("accumulate = 2"));
      const outs = { one: name("one"), two: name("two"), four: name("four") };
      const flags = ["--steps", "40"];
      const one = await complete(netc(train(sliced, outs.one, ...flags)));
      const two = await onRanks(2, train(sliced, outs.two, ...flags));
      const four = await onRanks(4, train(sliced, outs.four, ...flags));
      expect(differenceOf(outs.one, outs.two)).toBe(0);
      expect(differenceOf(outs.one, outs.four)).toBeLessThan(1e-6);
      // As many lines, and the same, but for the last digits of what was measured.
      expect(withoutTimes(two.stdout, outs.two)).toBe(withoutTimes(one.stdout, outs.one));
      expect(four.stdout.split("\n")).toHaveLength(one.stdout.split("\n").length);
      expect(four.stderr).toContain("64 images a step, 16 on each of 4 ranks");
    },
  );

  testHere("one rank of a launcher trains alone", async () => {
    await onRanks(1, train(DIGITS, name("single"), "--steps", "2"));
  });

  testHere("a last batch of one example is divided, too", async () => {
    const [one, four] = [name("tail-one"), name("tail-four")];
    const flags = ["--batch", "479", "--steps", "8"];
    await complete(netc(train(DIGITS, one, ...flags)));
    await onRanks(4, train(DIGITS, four, ...flags));
    expect(differenceOf(one, four)).toBeLessThan(1e-6);
  });

  testHere("a signal stops all ranks with a checkpoint that any number resumes", async () => {
    const [whole, stopped] = [name("whole"), name("stopped")];
    const flags = ["--steps", "120"];
    await complete(netc(train(DIGITS, whole, ...flags)));
    const resumed = train(DIGITS, stopped, "--resume", ...flags);
    const parts = [
      [2, train(DIGITS, stopped, ...flags), "epoch 1:", "SIGTERM"],
      [4, resumed, "epoch 2:", "SIGINT"],
    ] as const;
    for (const [ranks, args, moment, signal] of parts) {
      const run = startRanks(launcher, ranks, args);
      await untilSaid(run, moment);
      signalRank(run, 1, signal);
      const { code, stdout, stderr } = await run.ended;
      expect(code, stderr).toBe(0);
      expect(stdout).toContain("stopped after");
    }
    await complete(netc(resumed));
    expect(differenceOf(whole, stopped)).toBeLessThan(1e-6);
  });

  testHere("a rank that is stopped is named, and nothing is lost", async () => {
    const out = name("silent");
    const flags = ["--steps", "2000", "--checkpoint-steps", "5", "--timeout", "3"];
    const run = startRanks(launcher, 2, train(DIGITS, out, ...flags));
    await untilSaid(run, "epoch 1:");
    signalRank(run, 1, "SIGSTOP");
    const { code, stderr } = await run.ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/error: rank 1 \(.+\) has given no sign of life for 3 s/);
    expect(stderr).toContain("--resume");
    expect(
      parseTensors(readFileSync(join(folder, out, "last.safetensors"))).metadata,
    ).toBeDefined();
  });

  testHere("a rank that is stopped before it has joined is named", async () => {
    // Rank 1 stops itself before it is netc.
    const script = `[ "\${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 1 ] && kill -STOP $$; exec "$@"`;
    const args = train(DIGITS, name("unborn"), "--timeout", "3");
    const { code, stderr } = await startScript(launcher, join(folder, "rank.sh"), script, args)
      .ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/error: rank 1 has not joined within 3 s: its process \d+ is stopped/);
  });

  testHere("a first rank that is stopped is named by the others", async () => {
    const run = startRanks(launcher, 2, train(DIGITS, name("first"), "--timeout", "3"));
    await untilSaid(run, "epoch 1:");
    signalRank(run, 0, "SIGSTOP");
    const { code, stderr } = await run.ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/rank 1 .*error: rank 0 \(.+\) has given no sign of life for 3 s/);
  });

  testHere("a rank that is killed ends all, and the last checkpoint is whole", async () => {
    const out = name("killed");
    const run = startRanks(launcher, 2, train(DIGITS, out, "--steps", "2000"));
    await untilSaid(run, "epoch 2:");
    signalRank(run, 1, "SIGKILL");
    const { code } = await run.ended;
    expect(code).not.toBe(0);
    expect(
      parseTensors(readFileSync(join(folder, out, "last.safetensors"))).metadata,
    ).toBeDefined();
  });

  testHere("an error on rank 1 alone ends all, named", async () => {
    const out = name("unreadable");
    // Rank 1 finds no data.
    const script =
      `[ "\${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 1 ] && set -- "$@" --data /nowhere; ` +
      `exec "$@"`;
    const { code, stderr } = await startScript(
      launcher,
      join(folder, "rank.sh"),
      script,
      train(DIGITS, out),
    ).ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^rank 1 \(.+\): error: .*nowhere/m);
    expect(stderr).toMatch(/^error: rank 1 \(.+\) ended the run: .*nowhere/m);
  });

  testHere("an error that all ranks have is told once", async () => {
    const args = train(DIGITS, name("wrong"), "--data", "/nowhere");
    const { code, stderr } = await startRanks(launcher, 2, args).ended;
    expect(code).not.toBe(0);
    expect(stderr.match(/error: /g)).toHaveLength(1);
  });

  testHere("ranks that differ in what they train on are refused", async () => {
    const isFirst = '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 1 ]';
    const script = `${isFirst} && set -- "$@" --seed 9; exec "$@"`;
    const run = startScript(
      launcher,
      join(folder, "rank.sh"),
      script,
      train(DIGITS, name("other")),
    );
    const { code, stderr } = await run.ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /^error: rank 1 \(.+\) does not have the recipe of rank 0: all ranks must/m,
    );
  });
});

test.runIf(found.length === 2)("a library of another launcher is refused", async () => {
  const [open, mpich] = found as [Launcher, Launcher];
  const args = train(DIGITS, "library", "--steps", "2");
  const { code, stderr } = await startRanks(mpich, 2, args, {
    env: { NETC_MPI_LIBRARY: open.library },
  }).ended;
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/MPICH started 2 processes, .*libmpi\.so\.40 \(Open MPI.*\) knows 1/);
});
