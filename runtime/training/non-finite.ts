/** Which dispatch of a training step is the first to make a number that is not finite. */
import type { ProgramKernel, ProgramStep, SourceLocation } from "../../program/program.js";
import { floatsOf } from "../../program/half.js";
import type { Images } from "../data/dataset.js";
import { areFinite, type Targets } from "../examples.js";
import { inspecting, type Inspection } from "../inspection.js";
import { partOf, slicesOf, type Slice } from "../slices.js";
import type { TrainableNetwork } from "./network.js";
import type { TrainingBatch } from "./source.js";

/** A dispatch, and where in the spec it comes from. */
export interface Culprit {
  /** `features.conv1 forward`. */
  readonly label: string;
  readonly location: SourceLocation;
}

/**
 * Does a training step dispatch by dispatch, without changing the network. Undefined where all stays finite, or the network cannot be
 * looked into.
 */
export async function findNonFinite(
  network: TrainableNetwork,
  batch: TrainingBatch,
  learningRate: number,
): Promise<Culprit | undefined> {
  const { kernels } = network.program;
  if (!network.inspect || !kernels) return undefined;
  for (const slice of slicesOf(batch.count, { most: network.slice ?? network.batch })) {
    const examples = { ...sliceOf(batch, slice), optimizer: { learningRate } };
    const visit = inspecting((inspection) => firstCulprit(inspection, kernels));
    const culprit = await network.inspect("train", examples, visit);
    if (culprit) return culprit;
  }
  return undefined;
}

async function firstCulprit(
  inspection: Inspection,
  kernels: readonly ProgramKernel[],
): Promise<Culprit | undefined> {
  for (const [index, step] of inspection.steps.entries()) {
    const written = writtenNumbers(step, kernels[step.kernel]!);
    const before = await readAll(inspection, written);
    inspection.run(index, index + 1);
    const after = await readAll(inspection, written);
    const { label, location } = step;
    if (after.some((values, at) => becameNonFinite(before[at]!, values)))
      return { label, location };
  }
  return undefined;
}

/** A buffer of numbers. */
interface Written {
  readonly buffer: number;
  readonly isHalf: boolean;
}

/** The buffers that a dispatch writes numbers to. Codes of poolings are integers, whose bits may look like no number. */
function writtenNumbers({ buffers }: ProgramStep, { wgsl }: ProgramKernel): Written[] {
  const numbers = /@binding\((\d+)\)\s+var<storage, read_write> \w+: array<(f32|vec4f|f16|vec4h)>/g;
  return [...wgsl.matchAll(numbers)].map(([, binding, element]) => ({
    buffer: buffers[Number(binding) - 2]!,
    isHalf: element === "f16" || element === "vec4h",
  }));
}

const readAll = (inspection: Inspection, written: readonly Written[]) =>
  Promise.all(
    written.map(async ({ buffer, isHalf }) => {
      const values = await inspection.read(buffer);
      return isHalf ? floatsOf(new Uint16Array(values.buffer)) : values;
    }),
  );

/** What a value that shared the memory has left there does not count. */
function becameNonFinite(before: Float32Array, after: Float32Array): boolean {
  if (areFinite(after)) return false;
  return after.some((value, index) => !Number.isFinite(value) && Number.isFinite(before[index]));
}

function sliceOf({ images, targets, count }: TrainingBatch, slice: Slice) {
  if (slice.count === count) return { images, targets };
  return { images: imagesOf(images, slice, count), targets: targetsOf(targets, slice, count) };
}

function imagesOf(images: Images, slice: Slice, count: number): Images {
  if (images instanceof Float32Array) return partOf(images, slice, count);
  const { split, staged, draws } = images;
  return { split, staged: partOf(staged, slice, count), draws: partOf(draws, slice, count) };
}

function targetsOf(targets: Targets, slice: Slice, images: number): Targets {
  if (targets === undefined) return targets;
  if (targets instanceof Float32Array) return partOf(targets, slice, images);
  const end = slice.first + slice.count;
  if (!("partners" in targets)) return targets.slice(slice.first, end);
  const { labels, partners, shares } = targets;
  return {
    labels: labels.slice(slice.first, end),
    partners: partners.slice(slice.first, end),
    shares: partOf(shares, slice, images),
  };
}
