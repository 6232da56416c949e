import { mkdir, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { parseTensors, serializeTensors } from "../../runtime/safetensors.js";
import { WeightsError } from "../../runtime/errors.js";
import {
  resumeCheckpoint,
  saveCheckpoint,
  saveWeights,
  type RunIdentity,
} from "../../runtime/node/checkpoint.js";
import { MetricsLog, readMetrics } from "../../runtime/node/metrics-log.js";
import { parseState, serializeState, type TrainingState } from "../../runtime/training/state.js";
import { temporaryFolder } from "../data/pattern.js";

/** Set to an error code to make writing fail as a full disk does. */
const disk = vi.hoisted(() => ({ failure: undefined as string | undefined }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const open = async (...parameters: Parameters<typeof real.open>) => {
    const file = await real.open(...parameters);
    const code = disk.failure;
    if (code === undefined) return file;
    file.writeFile = () => Promise.reject(Object.assign(new Error(code), { code }));
    return file;
  };
  return { ...real, open };
});

const root = await temporaryFolder();
let directory: string;
let count = 0;

beforeEach(() => {
  disk.failure = undefined;
  directory = join(root, String(count++));
});

type Saving = Parameters<typeof saveCheckpoint>[1];
type Loading = Parameters<typeof resumeCheckpoint>[1];

/** A network of one weight, which it saves and loads. */
class OneWeight {
  program = { model: "Tiny", source: { file: "tiny.net", hash: "abc" } };
  constructor(public weight: number) {}

  save(options: { metadata?: Readonly<Record<string, string>> } = {}) {
    const values = Float32Array.of(this.weight);
    const metadata = {
      model: this.program.model,
      spec: this.program.source.hash,
      ...options.metadata,
    };
    return Promise.resolve(serializeTensors([{ name: "w", shape: [1], values }], metadata));
  }

  load(bytes: Uint8Array) {
    const { tensors, metadata } = parseTensors(bytes);
    this.weight = tensors.get("w")!.values[0]!;
    return Promise.resolve(metadata);
  }
}

const asSaving = (network: OneWeight) => network as unknown as Saving;
const asLoading = (network: OneWeight) => network as unknown as Loading;
const RUN: RunIdentity = { seed: 1, batch: 4, examples: 10, classes: ["a", "b"] };

/** Numbers that JSON must keep to the last bit. */
const state = (step: number): TrainingState => ({
  step,
  epoch: 1,
  position: 2,
  plateau: { best: 0.1 + 0.2, bad: 1, factor: 0.1 ** 3 },
  patience: { bad: 2 },
});

async function saveTwo(): Promise<void> {
  await saveCheckpoint(directory, asSaving(new OneWeight(0.5)), state(7), RUN);
  await saveCheckpoint(directory, asSaving(new OneWeight(0.75)), state(9), RUN);
}

test("a run resumes from its last checkpoint; the one before is kept", async () => {
  await saveTwo();
  const network = new OneWeight(0);
  const resumed = await resumeCheckpoint(directory, asLoading(network), RUN);
  expect(resumed).toEqual({ state: state(9), file: join(directory, "last.safetensors") });
  expect(network.weight).toBe(0.75);
  expect((await readdir(directory)).sort()).toEqual(["last.safetensors", "previous.safetensors"]);
});

test.each([0, 4, 60, "all but one"] as const)(
  "a last checkpoint cut off at %s bytes gives way to the one before, and says so",
  async (length) => {
    await saveTwo();
    const last = join(directory, "last.safetensors");
    const size = (await readFile(last)).length;
    await truncate(last, length === "all but one" ? size - 1 : length);
    const network = new OneWeight(0);
    const resumed = await resumeCheckpoint(directory, asLoading(network), RUN);
    expect(resumed.state).toEqual(state(7));
    expect(resumed.notice).toMatch(
      /last\.safetensors: .*; continuing from .*previous\.safetensors/,
    );
    expect(network.weight).toBe(0.5);
  },
);

test("one flipped bit anywhere gives way to the checkpoint before, and says so", async () => {
  const metrics = { loss: 0.5, top1: 0.25 };
  const best = { step: 5, epoch: 1, examples: 9, metrics };
  await saveCheckpoint(directory, asSaving(new OneWeight(0.5)), { ...state(7), best }, RUN);
  await saveCheckpoint(directory, asSaving(new OneWeight(0.75)), state(9), RUN);
  const last = join(directory, "last.safetensors");
  const whole = await readFile(last);
  for (let bit = 0; bit < 8 * whole.length; bit += bit < 64 ? 1 : 3) {
    const damaged = Buffer.from(whole);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    await writeFile(last, damaged);
    const network = new OneWeight(0);
    const resumed = await resumeCheckpoint(directory, asLoading(network), RUN);
    expect(resumed.state, `bit ${bit}`).toEqual({ ...state(7), best });
    expect(resumed.notice).toMatch(
      /last\.safetensors: .*; continuing from .*previous\.safetensors/,
    );
    expect(network.weight).toBe(0.5);
  }
});

test("a checkpoint with NaN is damaged, and named", async () => {
  await saveTwo();
  const file = await new OneWeight(NaN).save();
  await writeFile(join(directory, "last.safetensors"), file);
  const resumed = await resumeCheckpoint(directory, asLoading(new OneWeight(0)), RUN);
  expect(resumed.state).toEqual(state(7));
  expect(resumed.notice).toContain("last.safetensors: `w` is not finite; continuing from");
});

test("a checkpoint tells of the length and the rate that its run was planned with", async () => {
  const plan = { steps: 40, learningRate: 0.1 };
  await saveCheckpoint(directory, asSaving(new OneWeight(0.5)), state(7), { ...RUN, plan });
  const resumed = await resumeCheckpoint(directory, asLoading(new OneWeight(0)), RUN);
  expect(resumed.plan).toEqual(plan);
});

test("a run that died between the renames resumes from the one before", async () => {
  await saveTwo();
  await rm(join(directory, "last.safetensors"));
  const resumed = await resumeCheckpoint(directory, asLoading(new OneWeight(0)), RUN);
  expect(resumed.state).toEqual(state(7));
});

test("where both are damaged, the error names both", async () => {
  await saveTwo();
  await writeFile(join(directory, "last.safetensors"), "junk");
  await writeFile(join(directory, "previous.safetensors"), "junk");
  const resuming = resumeCheckpoint(directory, asLoading(new OneWeight(0)), RUN);
  await expect(resuming).rejects.toThrow(WeightsError);
  await expect(resuming).rejects.toThrow(
    /^no checkpoint in .* can be resumed: .*last\.safetensors: .*; .*previous\.safetensors: /,
  );
});

test("no checkpoint at all is an error that says where it was looked for", async () => {
  await expect(resumeCheckpoint(directory, asLoading(new OneWeight(0)), RUN)).rejects.toMatchObject(
    {
      name: "CheckpointError",
      message: expect.stringContaining(`there is no checkpoint in ${directory}, neither last.`),
    },
  );
});

test("checkpoints of another model, spec or run are refused by name and reason", async () => {
  await saveTwo();
  const resume = (changes: Partial<OneWeight["program"]>, changedRun = RUN) => {
    const network = new OneWeight(0);
    network.program = { ...network.program, ...changes };
    return resumeCheckpoint(directory, asLoading(network), changedRun);
  };
  await expect(resume({ model: "Other" })).rejects.toThrow(
    /last\.safetensors cannot be resumed: it is of model `Tiny`, not `Other`/,
  );
  await expect(resume({ source: { file: "tiny.net", hash: "def" } })).rejects.toThrow(
    /tiny\.net has changed/,
  );
  await expect(resume({}, { ...RUN, batch: 8 })).rejects.toThrow(
    /its run had batch 4, this one has 8/,
  );
  await expect(resume({}, { ...RUN, seed: 2 })).rejects.toThrow(
    /its run had seed 1, this one has 2/,
  );
  await expect(resume({}, { ...RUN, classes: ["b"] })).rejects.toThrow(
    /its run had classes \["a","b"\], this one has \["b"\]/,
  );
  // Earlier checkpoints do not say what they were trained on.
  const told = { ...RUN, contents: "0123" };
  expect((await resume({}, told)).state.step).toBe(9);
  await saveCheckpoint(directory, asSaving(new OneWeight(0.5)), state(9), told);
  expect((await resume({}, told)).state.step).toBe(9);
  await expect(resume({}, { ...told, contents: "4567" })).rejects.toThrow(
    /its run had as many examples, but others: their labels, names, numbers, boxes or order have/,
  );
});

test("a state is text and back the same, and other text is not a state", () => {
  expect(parseState(serializeState(state(3)))).toEqual(state(3));
  for (const text of [
    "",
    "null",
    "[]",
    "{",
    '{"step":1,"epoch":0}',
    '{"step":-1,"epoch":0,"position":0}',
  ])
    expect(parseState(text), text).toBeUndefined();
});

test("metrics that are not finite are numbers after a state or a log was read", async () => {
  const metrics = { loss: 1, odd: NaN };
  const best = { step: 3, epoch: 1, examples: 4, metrics };
  expect(parseState(serializeState({ ...state(3), best }))).toEqual({ ...state(3), best });

  await mkdir(directory);
  const path = join(directory, "metrics.jsonl");
  const log = await MetricsLog.open(path);
  log.write({ step: 3, epoch: 1, eval: metrics, train: metrics });
  log.close();
  expect(await readMetrics(path)).toEqual([{ step: 3, epoch: 1, eval: metrics, train: metrics }]);
});

test("plain weights are not a checkpoint", async () => {
  await mkdir(directory);
  const network = new OneWeight(1);
  const metadata = { seed: "1", batch: "4", examples: "10" };
  await saveWeights(join(directory, "last.safetensors"), asSaving(network), metadata);
  await expect(resumeCheckpoint(directory, asLoading(network), RUN)).rejects.toThrow(
    /last\.safetensors: this file does not say how far/,
  );
});

test("a full disk is named and leaves the checkpoints as they were", async () => {
  await saveTwo();
  disk.failure = "ENOSPC";
  await expect(
    saveCheckpoint(directory, asSaving(new OneWeight(1)), state(11), RUN),
  ).rejects.toMatchObject({
    name: "RunFailedError",
    message: expect.stringContaining("the disk is full"),
  });
  expect((await readdir(directory)).sort()).toEqual(["last.safetensors", "previous.safetensors"]);
  const resumed = await resumeCheckpoint(directory, asLoading(new OneWeight(0)), RUN);
  expect(resumed.state).toEqual(state(9));
});

test("a directory that cannot be made is an error in words", async () => {
  await writeFile(directory, "a file in the way");
  const saving = saveCheckpoint(join(directory, "run"), asSaving(new OneWeight(1)), state(1), RUN);
  await expect(saving).rejects.toMatchObject({ name: "RunFailedError" });
});

// metrics.jsonl

const record = (step: number) => ({
  step,
  epoch: 1,
  loss: 1 / step,
  lr: 0.1,
  examplesPerSecond: 10,
});

test("metrics are in the file as they are written, one object a line", async () => {
  await mkdir(directory);
  const path = join(directory, "metrics.jsonl");
  const log = await MetricsLog.open(path);
  log.write(record(1));
  log.write({ step: 1, epoch: 1, eval: { loss: 2, top1: 0.5 } });
  const lines = (await readFile(path, "utf8")).split("\n");
  expect(lines.length).toBe(3);
  expect(JSON.parse(lines[0]!)).toEqual(record(1));
  log.close();
});

test("a resumed log keeps what stays done, and drops the rest and a line cut off", async () => {
  await mkdir(directory);
  const path = join(directory, "metrics.jsonl");
  const first = await MetricsLog.open(path);
  [1, 2, 3, 4].forEach((step) => first.write(record(step)));
  first.close();
  await writeFile(path, '{"step":5,"ep', { flag: "a" });
  const second = await MetricsLog.open(path, { step: 2, epoch: 0, position: 2 });
  second.write(record(3));
  second.close();
  expect(await readMetrics(path)).toEqual([1, 2, 3].map(record));
  const third = await MetricsLog.open(path);
  third.close();
  expect(await readMetrics(path)).toEqual([]);
});

test("the line of an epoch stays only where the state is after its evaluation", async () => {
  await mkdir(directory);
  const path = join(directory, "metrics.jsonl");
  const epoch = (number: number) => ({ step: 2 * number, epoch: number, eval: { loss: 1 } });
  const lines = [record(1), record(2), epoch(1), record(3), record(4), epoch(2)];
  const log = await MetricsLog.open(path);
  for (const line of lines) log.write(line);
  log.close();
  const kept = async (state: TrainingState) => {
    (await MetricsLog.open(path, state)).close();
    return readMetrics(path);
  };
  expect(await kept({ step: 4, epoch: 2, position: 0 })).toEqual(lines);
  expect(await kept({ step: 4, epoch: 1, position: 2 })).toEqual(lines.slice(0, 5));
  expect(await kept({ step: 2, epoch: 1, position: 0 })).toEqual(lines.slice(0, 3));
});

test("a resumed log that is missing, garbled or short says so", async () => {
  await mkdir(directory);
  const path = join(directory, "metrics.jsonl");
  const reopened = async (start?: TrainingState) => {
    const log = await MetricsLog.open(path, start);
    log.close();
    return log.notices;
  };
  const after = (step: number) => ({ step, epoch: 0, position: step });
  expect(await reopened()).toEqual([]);
  await rm(path);
  expect(await reopened(after(3))).toEqual([`${path} is missing: curves begin after step 3`]);
  const lines = [1, 2, 3].map((step) => `${JSON.stringify(record(step))}\n`);
  await writeFile(path, lines.join(""));
  expect(await reopened(after(3))).toEqual([]);
  // The last one was truncated by a crash.
  await writeFile(path, lines.join("") + '{"step":4,"ep');
  expect(await reopened(after(3))).toEqual([]);
  await writeFile(path, [lines[0], "\u0000\u0000\n", "7\n", '{"a":1}\n', lines[2]].join(""));
  expect(await reopened(after(3))).toEqual([
    `${path} has 3 lines that are not records: left out`,
    `${path} has 2 of the 3 steps that are done`,
  ]);
  expect(await readMetrics(path)).toEqual([record(1), record(3)]);
});
