import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LOCK_FILE, lockRun } from "../../runtime/node/run-lock.js";
import { temporaryFolder } from "../data/pattern.js";

const folder = await temporaryFolder();
const path = join(folder, LOCK_FILE);

/** The number of a process that has ended. */
const ended = () => spawnSync(process.execPath, ["--version"]).pid;

test("a second run is refused while the first is at work, and admitted afterwards", async () => {
  const lock = await lockRun(folder);
  expect(lock.abandonedBy).toBeUndefined();
  await expect(lockRun(folder)).rejects.toMatchObject({
    name: "RunFailedError",
    message: `another run is at work in ${folder}: process ${process.pid}`,
    hint: expect.stringContaining("--out"),
  });
  await lock.release();
  await (await lockRun(folder)).release();
  expect(await readdir(folder)).toEqual([]);
});

test("the lock of a process that has ended is taken over", async () => {
  const owner = { pid: ended(), host: hostname() };
  await writeFile(path, JSON.stringify(owner));
  const lock = await lockRun(folder);
  expect(lock.abandonedBy).toEqual(owner);
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid });
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
});

test.runIf(process.platform === "linux")("a zombie's lock is taken over", async () => {
  // The child runs until `exec`, since a shell would wait for it, and `sleep` does not.
  const child = 'while [ "$(cat /proc/$$/comm)" = sh ]; do sleep 0.05; done';
  const parent = spawn("sh", ["-c", `(${child}) & echo $!; exec sleep 30`]);
  try {
    const [printed] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(printed.toString());
    const state = () => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1];
    await expect.poll(state).toBe("Z");
    await writeFile(path, JSON.stringify({ pid, host: hostname() }));
    const lock = await lockRun(folder);
    expect(lock.abandonedBy).toMatchObject({ pid });
    await lock.release();
  } finally {
    parent.kill();
    await once(parent, "exit");
  }
});

test("a truncated lock file is ignored", async () => {
  await writeFile(path, '{"pid":');
  await (await lockRun(folder)).release();
});

test.runIf(process.platform === "linux")(
  "a process that has the number of an earlier one is not it",
  async () => {
    const child = spawn("sleep", ["60"]);
    onTestFinished(() => void child.kill());
    await writeFile(path, JSON.stringify({ pid: child.pid, host: hostname(), started: "1" }));
    await (await lockRun(folder)).release();
  },
);

test("processes of other machines are taken to be at work", async () => {
  await writeFile(path, JSON.stringify({ pid: ended(), host: "elsewhere" }));
  await expect(lockRun(folder)).rejects.toMatchObject({
    message: expect.stringContaining("on elsewhere"),
    hint: expect.stringContaining(`delete ${path}`),
  });
  await writeFile(path, "");
});

test("of many runs that find an abandoned lock, one gets it", async () => {
  for (let round = 0; round < 20; round++) {
    await writeFile(path, JSON.stringify({ pid: ended(), host: hostname() }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockRun(folder)));
    const locks = outcomes.flatMap((outcome) =>
      outcome.status === "fulfilled" ? [outcome.value] : [],
    );
    expect(locks).toHaveLength(1);
    await locks[0]!.release();
  }
});
