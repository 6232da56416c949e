/** Runs that lose their terminal, their reader, or a log, and files that are not files. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeWorkspace, stripe, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run, netcInShell as runInShell, type RunOptions } from "./netc.js";

let workspace: Workspace;

const netc = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { cwd: workspace.folder, ...options });
const netcInShell = (line: string, args: readonly string[]) =>
  runInShell(line, args, { cwd: workspace.folder });

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  const { code, stderr } = await netc(["train", "stripes.net", "--out", "base", "--steps", "1"]);
  expect(code, stderr).toBe(0);
});
afterAll(() => workspace.remove());

const makePipe = (path: string) => spawnSync("mkfifo", [path]);

/** The files of a run that ended well, in a folder that others may use. */
async function expectCompleted(out: string): Promise<void> {
  const names = await readdir(workspace.path(out));
  expect(names).toEqual(expect.arrayContaining(["weights.safetensors", "report.html"]));
  expect(names).not.toContain("run.lock");
}

describe.runIf(existsSync("/dev/full"))("a run completes", () => {
  test("where its results cannot be written, and says so", async () => {
    const args = ["train", "stripes.net", "--out", "full"];
    const { code, stderr } = await netcInShell('"$@" > /dev/full', args);
    expect(code, stderr).toBe(4);
    expect(stderr).toContain("error: the results could not be written: ENOSPC");
    expect(stderr).not.toMatch(/\n\s+at |NET9/);
    await expectCompleted("full");
  });

  test("where nothing that it says can be written", async () => {
    const args = ["train", "stripes.net", "--out", "silent"];
    const { code, stdout } = await netcInShell('"$@" 2> /dev/full', args);
    expect(code).toBe(0);
    expect(stdout).toContain("trained 16 steps");
    await expectCompleted("silent");
  });

  test("where its reader leaves after a line", async () => {
    const args = ["train", "stripes.net", "--out", "left"];
    const line = '("$@" 2>&1; echo "$?" > left.code) | head -1';
    await netcInShell(line, args);
    // The pipeline ends with all of its parts.
    expect(await readFile(workspace.path("left.code"), "utf8")).toBe("0\n");
    await expectCompleted("left");
  });
});

/** Stops a long run with signals, each as soon as stderr has its text. */
async function signalled(out: string, signals: readonly (readonly [string, NodeJS.Signals])[]) {
  const left = [...signals];
  return netc(["train", "stripes.net", "--out", out, "--epochs", "10000", "--lr", "0.0001"], {
    onStderr: (text, kill) => {
      while (left.length > 0 && text.includes(left[0]![0])) kill(left.shift()![1]);
    },
  });
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s saves and ends a run", async (signal) => {
  const { code, stdout, stderr } = await signalled(signal, [["epoch 1:", signal]]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/stopped after \d+ steps; the checkpoint is in/);
  expect(await readdir(workspace.path(signal))).toContain("last.safetensors");
});

test("a second signal ends a run that is about to save", async () => {
  const signals = [
    ["epoch 1:", "SIGHUP"],
    ["stopping after this step", "SIGTERM"],
  ] as const;
  const { code, stdout } = await signalled("twice", signals);
  // By the signal, or, where it came too late, in order.
  if (code !== null) expect(stdout).toContain("stopped after");
  else expect(stdout).toBe("");
});

describe.runIf(process.platform !== "win32")(
  "what is not a file is refused, without waiting",
  () => {
    test("a pipe among images is skipped by name", async () => {
      const path = workspace.path("data/train/above/pipe.png");
      makePipe(path);
      const { code, stderr } = await netc([
        "train",
        "stripes.net",
        "--out",
        "pipe",
        "--steps",
        "4",
      ]);
      await rm(path);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain(`skipped ${path}: it is a named pipe, not a file`);
    });

    test.each([
      ["run.lock", "a directory, not a file"],
      ["run.lock.removal", "it is not the directory that it was"],
    ])("%s in the folder of a run", async (name, message) => {
      const folder = workspace.path(`locked-${name}`);
      await mkdir(folder, { recursive: true });
      if (name === "run.lock") await mkdir(`${folder}/${name}`);
      else {
        await writeFile(`${folder}/run.lock`, "not whole");
        await writeFile(`${folder}/${name}`, "");
      }
      const { code, stderr } = await netc(["train", "stripes.net", "--out", folder]);
      expect(code).toBe(4);
      expect(stderr).toContain(`${folder}/${name} keeps runs out of this folder`);
      expect(stderr).toContain(message);
    });

    test("pipes as spec, weights, image and log", async () => {
      await workspace.write("one.png", await stripe("above", 3));
      makePipe(workspace.path("fifo"));
      const weights = ["--weights", "base/weights.safetensors"];
      for (const args of [
        ["check", "fifo"],
        ["eval", "stripes.net", "--weights", "fifo"],
        ["predict", "stripes.net", ...weights, "fifo"],
        ["train", "stripes.net", "--out", "log", "--log", "fifo"],
        ["check", "stripes.net", "--limits", "fifo"],
        ["fmt", "fifo"],
      ]) {
        const { code, stderr } = await netc(args);
        expect(code, args.join(" ")).not.toBe(0);
        expect(stderr, args.join(" ")).toMatch(/fifo.*named pipe, not a file/);
        expect(stderr).not.toMatch(/\n\s+at |NET9/);
      }
    });

    test("a device as a log is not replaced by a file", async () => {
      const { code, stderr } = await netc([
        "train",
        "stripes.net",
        "--out",
        "dev",
        "--log",
        "/dev/null",
      ]);
      expect(code).toBe(4);
      expect(stderr).toContain("/dev/null could not be written: it is a device, not a file");
    });

    test.each(["64", "40"])("a limit of %s open files is met, or said", async (limit) => {
      const line = `ulimit -n ${limit}; exec "$@"`;
      const { code, stderr } = await netcInShell(line, ["train", "stripes.net", "--out", limit]);
      expect(stderr).not.toMatch(/\n\s+at |NET9|skipped/);
      if (code !== 0) expect(stderr).toContain("too many files are open: raise the limit");
    });
  },
);
