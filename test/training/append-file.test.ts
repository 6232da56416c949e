import type * as fs from "node:fs";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { AppendFile } from "../../runtime/node/append-file.js";
import { MetricsLog } from "../../runtime/node/metrics-log.js";
import { temporaryFolder } from "../data/pattern.js";

/** Bytes that the disk still takes. */
let room = Infinity;

vi.mock("node:fs", async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  return {
    ...real,
    writeSync: (file: number, bytes: Uint8Array) => {
      if (room <= 0) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
      const written = real.writeSync(file, bytes.subarray(0, room));
      room -= written;
      return written;
    },
  };
});

const folder = await temporaryFolder();

test("what a full disk does not take is written once it does, and is said once", () => {
  const path = join(folder, "log");
  const said: string[] = [];
  const log = AppendFile.open(path, (message) => said.push(message));
  log.write("one\n");
  room = 2;
  log.write("two\n");
  log.write("three\n");
  expect(readFileSync(path, "utf8")).toBe("one\ntw");
  expect(log.unwritten.toString()).toBe("o\nthree\n");
  expect(said).toEqual([
    expect.stringMatching(/log could not be written: the disk is full; the run/),
  ]);
  room = Infinity;
  log.write("four\n");
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\nthree\nfour\n");
  room = 0;
  log.write("five\n");
  expect(said).toHaveLength(2);
  room = Infinity;
  log.sync();
  log.close();
});

test("the records of a log are all of them, also where the disk is full", async () => {
  const said: string[] = [];
  const log = await MetricsLog.open(join(folder, "metrics.jsonl"), undefined, (message) =>
    said.push(message),
  );
  const record = (step: number) => ({
    step,
    epoch: 1,
    loss: 1,
    learningRate: 0.1,
    examplesPerSecond: 1,
    dataWait: 0,
  });
  log.write(record(1));
  room = 7;
  log.write(record(2));
  log.write(record(3));
  expect((await log.records()).map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(said).toHaveLength(1);
  room = Infinity;
  log.close();
});

test("a folder is not a log", async () => {
  await mkdir(join(folder, "sub"));
  expect(() => AppendFile.open(join(folder, "sub"), () => {})).toThrow(/could not be written/);
});
