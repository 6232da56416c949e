import { expect, test } from "vitest";
import type { Program, ProgramBuffer, Target } from "../../program/program.js";
import { targetFor, type AdapterSummary } from "../../runtime/device.js";
import { BatchTooLargeError, DeviceLimitError } from "../../runtime/errors.js";
import { bufferBytes } from "../../program/planned-memory.js";
import { Memory } from "../../runtime/memory.js";
import { assertPlanes, countWorkgroups, foldWorkgroups } from "../../runtime/schedule.js";
import { chooseProgram } from "../../runtime/targets.js";
import { tinyProgram } from "./tiny-program.js";

const LIMITS = { maxStorageBufferBindingSize: 1000, maxBufferSize: 5000 };
const buffer = (name: string, fixed: number, perImage: number): ProgramBuffer => ({
  name,
  purpose: "scratch",
  bytes: { fixed, perImage },
});

/** What a device with these limits says to the allocation of buffers. */
async function refusal(buffers: readonly ProgramBuffer[], batch: number): Promise<unknown> {
  const gpu = {
    limits: LIMITS,
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: () => undefined }),
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(null),
  } as unknown as GPUDevice;
  const program = { buffers, parameters: [] } as Pick<Program, "buffers"> as Program;
  const memory = new Memory(gpu, program, batch);
  return memory.allocate(buffers.keys()).catch((error: unknown) => error);
}

function thrown(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

test("a batch that is too large: the message has the buffer, sizes and what fits", async () => {
  const located = { ...buffer("conv1", 100, 90), location: { line: 7, column: 3 } };
  const buffers = [buffer("small", 16, 1), located, buffer("conv2", 0, 99)];
  expect(await refusal(buffers, 9)).toBeUndefined();
  const error = (await refusal(buffers, 20)) as BatchTooLargeError;
  expect(error).toBeInstanceOf(BatchTooLargeError);
  expect(error.largestBatch).toBe(9);
  expect(error.message).toBe(
    "a batch of 20 is too large for this device: " +
      "`conv1` (line 7) needs 1.9 KiB, and the device binds " +
      "at most 992 B; the largest batch that fits is 9",
  );
});

test("the largest batch really is the largest", async () => {
  for (const each of [1, 7, 16, 33, 99, 250]) {
    const buffers = [buffer("x", 100, each)];
    const { largestBatch } = (await refusal(buffers, 5000)) as BatchTooLargeError;
    const largest = largestBatch!;
    expect(bufferBytes(buffers[0]!.bytes, largest)).toBeLessThanOrEqual(992);
    expect(bufferBytes(buffers[0]!.bytes, largest + 1)).toBeGreaterThan(992);
  }
});

test("a parameter that alone exceeds the limit does not depend on the batch", async () => {
  const error = (await refusal([buffer("fc6", 2000, 0)], 1)) as Error;
  expect(error).toBeInstanceOf(DeviceLimitError);
  expect(error).not.toBeInstanceOf(BatchTooLargeError);
  expect(error.message).toContain("`fc6` needs 2.0 KiB, and the device binds at most 992 B");
});

test("an activation of which a single image exceeds the limit is named with its line", async () => {
  const located = { ...buffer("conv1", 64, 1000), location: { line: 7, column: 3 } };
  const error = (await refusal([buffer("x", 0, 500), located], 8)) as Error;
  expect(error).toBeInstanceOf(DeviceLimitError);
  expect(error.message).toBe(
    "the model does not fit this device: `conv1` (line 7) needs 1.0 KiB for a single image, " +
      "and the device binds at most 992 B",
  );
});

test("more workgroups in z than the device dispatches are refused by layer and line", () => {
  const workgroups = { x: { fixed: 1, perImage: 0, tile: 1 }, z: 65_536 };
  const steps = [{ label: "fc6 forward", location: { line: 9, column: 3 }, workgroups }];
  const most = (maximum: number) => ({ maxComputeWorkgroupsPerDimension: maximum });
  expect(() => assertPlanes(steps, most(65_536))).not.toThrow();
  const error = thrown(() => assertPlanes(steps, most(65_535)));
  expect(error).toBeInstanceOf(DeviceLimitError);
  expect(error.message).toContain("fc6 forward (line 9) needs 65536 workgroups in z");
});

test("workgroups are counted by the batch and folded beyond what a dimension allows", () => {
  expect(countWorkgroups({ fixed: 0, perImage: 3025, tile: 24 }, 2)).toBe(253);
  expect(foldWorkgroups(65_535, 65_535)).toEqual([65_535, 1]);
  expect(foldWorkgroups(65_536, 65_535)).toEqual([32_768, 2]);
  for (const count of [0, 1, 65_537, 131_071, 1_000_003]) {
    const [x, y] = foldWorkgroups(count, 65_535);
    expect(x).toBeLessThanOrEqual(65_535);
    expect(x * y).toBeGreaterThanOrEqual(count);
    expect(x * y - count).toBeLessThan(y);
  }
});

test("software adapters have targets by their subgroups, hardware has one", () => {
  const targets = (software: boolean) =>
    [0, 4, 8, 32].map((lanes) => targetFor({ software, lanes }));
  expect(targets(true)).toEqual(["gpu", "lanes4", "lanes8", "lanes8"]);
  expect(targets(false)).toEqual(["gpu", "gpu", "gpu", "gpu"]);
});

test("the best program that the adapter runs is chosen", () => {
  const adapter = (target: Target) => ({ name: "A", target }) as AdapterSummary;
  const compiled = (...targets: Target[]) =>
    targets.map((target) => ({ ...tinyProgram, target }) as const);
  const choose = (target: Target, ...targets: Target[]) =>
    chooseProgram(compiled(...targets), adapter(target)).target;
  expect(choose("lanes8", "gpu", "lanes4", "lanes8")).toBe("lanes8");
  expect(choose("lanes8", "gpu", "lanes4")).toBe("lanes4");
  expect(choose("lanes4", "lanes8", "gpu")).toBe("gpu");
  expect(() => choose("gpu", "lanes8", "lanes4")).toThrow(/compiled for lanes8, lanes4/);
});
