/** What the update of a step reads, in the order in which ranks add it up. */
import type { Program, ProgramStep } from "../../program/program.js";
import type { Range } from "./ranges.js";

/** Gradients that are added up at a time, once the step at `after` of their list has run. */
export interface Bucket {
  readonly after: number;
  readonly ranges: readonly Range[];
  readonly bytes: number;
}

/** The most bytes of a bucket. The first ones travel while the backward pass makes the others. */
const BUCKET_BYTES = 16 * 2 ** 20;

type Parts = Pick<Program, "buffers" | "parameters">;

/**
 * The gradients of a program in buckets, in about the order in which the backward pass makes them:
 * the parameters from the last to the first. The order is the same for all adapters. `steps`: those
 * of the list `accumulate`.
 */
export function bucketsOf(program: Parts, steps: readonly ProgramStep[]): readonly Bucket[] {
  const lastUse = lastUses(steps);
  const buckets: Bucket[] = [];
  for (const buffer of [...gradientsOf(program)].reverse()) {
    for (const range of rangesOf(buffer, program.buffers[buffer]!.bytes.fixed)) {
      const before = buckets.at(-1);
      const after = Math.max(lastUse.get(buffer) ?? steps.length - 1, before?.after ?? 0);
      const joins = before !== undefined && before.bytes + range.bytes <= BUCKET_BYTES;
      const bucket = joins ? buckets.pop()! : { ranges: [], bytes: 0 };
      buckets.push({
        after,
        ranges: [...bucket.ranges, range],
        bytes: bucket.bytes + range.bytes,
      });
    }
  }
  return buckets;
}

function lastUses(steps: readonly ProgramStep[]): ReadonlyMap<number, number> {
  return new Map(
    steps.flatMap(({ buffers }, index) => buffers.map((buffer) => [buffer, index] as const)),
  );
}

const gradientsOf = ({ parameters }: Parts): readonly number[] =>
  parameters.flatMap(({ pieces }) => pieces.flatMap(({ gradient }) => gradient ?? []));

/** The running statistics that a step moves, whole, without an order among other things. */
export function statisticsOf({ buffers, parameters }: Parts): readonly Range[] {
  const statistics = parameters.filter(({ role, kept }) => role === "statistic" && !kept);
  return statistics.flatMap(({ pieces }) =>
    pieces.map(({ buffer }) => ({ buffer, offset: 0, bytes: buffers[buffer]!.bytes.fixed })),
  );
}

function rangesOf(buffer: number, size: number): readonly Range[] {
  return Array.from({ length: Math.ceil(size / BUCKET_BYTES) }, (_, index) => {
    const offset = index * BUCKET_BYTES;
    return { buffer, offset, bytes: Math.min(BUCKET_BYTES, size - offset) };
  });
}
