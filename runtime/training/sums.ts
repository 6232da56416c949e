/** Adds up over ranks what the update of a step reads. */
import type { Program } from "../../program/program.js";
import type { SummedPart } from "../calls.js";
import { readBuffer } from "../readback.js";
import type { Collective } from "./collective.js";

type Piece = Program["parameters"][number]["pieces"][number];

/** The most bytes that are added up at a time. */
const BUCKET_BYTES = 64 * 2 ** 20;

/**
 * Adds up the gradients of all ranks, and averages the running statistics by the share that each
 * rank has of the step's examples; all in place on the device.
 */
export async function sumOverRanks(
  part: SummedPart,
  collective: Collective,
  weight: number,
): Promise<void> {
  const { parameters } = part.program;
  const gradients = parameters.flatMap(({ pieces }) => pieces.flatMap(gradientOf));
  const statistics = parameters.flatMap((parameter) =>
    parameter.role === "statistic" ? parameter.pieces.map(({ buffer }) => buffer) : [],
  );
  await part.memory.allocate([...gradients, ...statistics]);
  const sum = async (indices: readonly number[], factor: number) => {
    for (const bucket of bucketsOf(indices.map((index) => part.memory.buffer(index)))) {
      await sumBucket(bucket, part, collective, factor);
    }
  };
  await sum(gradients, weight > 0 ? 1 : 0);
  await sum(statistics, weight);
}

const gradientOf = ({ gradient }: Piece): readonly number[] =>
  gradient === undefined ? [] : [gradient];

async function sumBucket(
  buffers: readonly GPUBuffer[],
  { gpu }: SummedPart,
  collective: Collective,
  factor: number,
): Promise<void> {
  const read = await Promise.all(buffers.map((buffer) => readBuffer(gpu, buffer)));
  const all = new Float32Array(read.reduce((length, values) => length + values.length, 0));
  let at = 0;
  for (const values of read) {
    all.set(values, at);
    at += values.length;
  }
  // What is left of an earlier step must not count, not even as NaN.
  if (factor === 0) all.fill(0);
  else if (factor !== 1) all.forEach((value, index) => (all[index] = factor * value));
  await collective.allReduce(all);
  at = 0;
  for (const [index, { length }] of read.entries()) {
    gpu.queue.writeBuffer(buffers[index]!, 0, all, at, length);
    at += length;
  }
}

function bucketsOf(buffers: readonly GPUBuffer[]): readonly (readonly GPUBuffer[])[] {
  const buckets: GPUBuffer[][] = [];
  let bytes = Infinity;
  for (const buffer of buffers) {
    if (bytes + buffer.size > BUCKET_BYTES) {
      buckets.push([]);
      bytes = 0;
    }
    buckets.at(-1)!.push(buffer);
    bytes += buffer.size;
  }
  return buckets;
}
