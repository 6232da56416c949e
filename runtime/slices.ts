/** A call's examples in slices that fit the device, one after the other. */
import type { Program, ProgramTensor } from "../program/program.js";
import { sizeOf } from "../program/tensors.js";
import type { DeviceBytes } from "./pictures/picture.js";
import type { StepListName } from "./schedule.js";

/** Images [first, first + count) of a call. */
export interface Slice {
  readonly first: number;
  readonly count: number;
}

/**
 * Slices of at most `most` images, and at least as many of them as requested, as even as
 * torch.chunk makes them.
 */
export function slicesOf(
  images: number,
  { most, atLeast = 1 }: { readonly most: number; readonly atLeast?: number | undefined },
): readonly Slice[] {
  const wanted = Math.max(Math.ceil(images / most), Math.min(atLeast, images));
  const each = Math.ceil(images / wanted);
  return Array.from({ length: Math.ceil(images / each) }, (_, index) => {
    const first = index * each;
    return { first, count: Math.min(each, images - first) };
  });
}

/** What a network is called for. */
export type Call = "train" | "evaluate" | "predict";

/** What tools do with its runs, or what `measureStatistics` does. */
export type InspectedCall = Call | "statistics";

/**
 * One run of a step list: the images of the call that it works on, and a list that follows in the
 * same submission.
 */
export interface ListRun {
  readonly list: StepListName;
  readonly slice: Slice;
  readonly after?: StepListName;
  /** Whether what the list leaves is wanted: not after a slice whose sums others add to. */
  readonly collects?: boolean;
}

/**
 * The runs that a call of `images` images comes to. A training step in several slices sums
 * gradients slice by slice and updates once; where the optimizer takes slices as they come, each
 * slice runs the whole training list.
 */
export function runsOf(
  call: InspectedCall,
  images: number,
  { steps, most, batch, atLeast }: CallLimits,
): readonly ListRun[] {
  const slices = slicesOf(images, { most, atLeast });
  const training = call === "train";
  const inSlices = training && (slices.length > 1 || most < batch);
  const accumulates = inSlices && steps.accumulate.length > 0;
  const runs: ListRun[] = slices.map((slice) => ({
    list: accumulates ? "accumulate" : call,
    slice,
    collects: call === "predict" || slice.first + slice.count === images,
  }));
  if (accumulates) runs.push({ list: "update", slice: { first: 0, count: images } });
  if (training && steps.average.length > 0) runs.push({ ...runs.pop()!, after: "average" });
  return runs;
}

export interface CallLimits {
  readonly steps: Pick<Program["steps"], "accumulate" | "average">;
  /** The most images of a slice. */
  readonly most: number;
  /** The most images of a step, on all devices. */
  readonly batch: number;
  /** Slices that the caller asks for. */
  readonly atLeast?: number | undefined;
}

type DataArray = Float32Array | Uint32Array | Uint8Array | DeviceBytes;

/** A slice's part of a call's values, with this many values for each image. */
export function partOf<Values extends DataArray>(
  values: Values,
  { first, count }: Slice,
  images: number,
): Values {
  const each = values.length / images;
  return values.subarray(first * each, (first + count) * each) as Values;
}

/**
 * What a run uploads of a call's data, arrays of `images` parts: those of its slice, and nothing
 * for an update, which reads the sums of the slices.
 */
export function partOfRun<Data extends object>(
  data: Data,
  { list, slice }: ListRun,
  images: number,
): Partial<Data> {
  if (list.startsWith("update")) return {};
  const parts = Object.entries(data).map(([name, all]: [string, DataArray | string]) => [
    name,
    typeof all === "string" ? all : partOf(all, slice, images),
  ]);
  return Object.fromEntries(parts) as Partial<Data>;
}

/** What a slice left: its predictions, or metrics. */
export type SliceResult = Slice & { readonly values: Float32Array };

/** The predictions of a call of `images` images, without the padding of each. */
export function joinSlices(
  prediction: ProgramTensor,
  parts: readonly SliceResult[],
  images: number,
): Float32Array {
  const whole = parts.map(({ values, count }) => withoutPitch(prediction, values, count));
  if (whole.length === 1) return whole[0]!;
  const each = sizeOf(prediction.shape);
  const result = new Float32Array(images * each);
  parts.forEach(({ first }, index) => result.set(whole[index]!, first * each));
  return result;
}

function withoutPitch(
  { shape, pitch }: ProgramTensor,
  values: Float32Array,
  images: number,
): Float32Array {
  const length = sizeOf(shape);
  if (pitch === undefined || length === pitch) return values;
  const result = new Float32Array(images * length);
  for (let image = 0; image < images; image++) {
    result.set(values.subarray(image * pitch, image * pitch + length), image * length);
  }
  return result;
}
