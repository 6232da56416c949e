/** Which dispatch of a call is the first to make a number that is not finite. */
import type { ProgramKernel, ProgramStep, SourceLocation } from "../../program/program.js";
import { floatsOf } from "../../program/half.js";
import { areFinite } from "../are-finite.js";
import type { Targets } from "../examples.js";
import type { Given } from "../pictures/picture.js";
import { inspectingRuns, type Inspection } from "../inspection.js";
import type { TrainableNetwork } from "./network.js";

/** A dispatch, and where in the spec it comes from. */
export interface Culprit {
  /** `features.conv1 forward`. */
  readonly label: string;
  readonly location: SourceLocation;
  /** Whether what it made is beyond the range of the 16 bits that it is stored in. */
  readonly leavesHalf?: true;
}

const isInfinite = (value: number) => Math.abs(value) === Infinity;

/** What a search needs of a network. */
export type InspectableNetwork = Pick<TrainableNetwork, "inspectCall"> & {
  readonly program: Pick<TrainableNetwork["program"], "kernels">;
};

/** The call that is looked into. */
export interface InspectedCall {
  readonly call: "train" | "evaluate" | "predict";
  readonly optimizer?: { readonly learningRate: number };
  /** The recipe's: slices of the batch, at least. */
  readonly accumulate?: number | undefined;
}

/**
 * Does a call dispatch by dispatch, in the slices that it comes in, without changing the network.
 * Undefined where all stays finite, or the network cannot be looked into.
 */
export async function findNonFinite(
  network: InspectableNetwork,
  { images, targets }: { readonly images: Given; readonly targets?: Targets },
  { call, ...manner }: InspectedCall,
): Promise<Culprit | undefined> {
  const { kernels } = network.program;
  if (!network.inspectCall || !kernels) return undefined;
  const visit = inspectingRuns(async (runs) => {
    for (const run of runs) {
      const culprit = await firstCulprit(await run.begin(), kernels);
      if (culprit) return culprit;
    }
    return undefined;
  });
  return network.inspectCall(call, { images, targets, ...manner }, visit);
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
    const isSpoilt = after.map((values, at) => becameNonFinite(before[at]!, values));
    if (!isSpoilt.includes(true)) continue;
    const leavesHalf = written.some(
      ({ isHalf }, at) => isHalf && isSpoilt[at] && after[at]!.some(isInfinite),
    );
    return { label, location, leavesHalf: leavesHalf || undefined };
  }
  return undefined;
}

/** A buffer of numbers. */
interface Written {
  readonly buffer: number;
  readonly isHalf: boolean;
}

/**
 * The buffers that a dispatch writes numbers to. Codes of poolings are integers, whose bits may
 * look like no number.
 */
function writtenNumbers({ buffers }: ProgramStep, { bindings }: ProgramKernel): Written[] {
  return bindings.flatMap(({ access, element }, index) => {
    if (access === "read" || element === "u32" || element === "vec4u") return [];
    return [{ buffer: buffers[index]!, isHalf: element === "f16" || element === "vec4h" }];
  });
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
