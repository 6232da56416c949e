/**
 * Where a run's batches come from: a dataset, which is shuffled and prepared here, or batches that
 * the caller makes.
 */
import type { Program, ProgramTensor } from "../../program/program.js";
import { sizeOf, tensorsOf } from "../../program/tensors.js";
import { TUPLE_INPUTS } from "../../program/tuples.js";
import type { Batch, Dataset, TensorParts } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { describe } from "../describe.js";
import { InputError } from "../errors.js";
import type { Targets, Tokens } from "../examples.js";
import type { Given } from "../pictures/picture.js";

/** Examples as `network.step` takes them, as many as the network's batch at most. */
export interface GivenBatch {
  /**
   * NCHW, preprocessed; by name where there are several inputs; what `loadBatches` makes; or
   * pictures, which go through the transforms of the eval split.
   */
  readonly images: Given;
  /**
   * Labels, or numbers in the order of the model's target; nothing where the loss is of the images
   * themselves.
   */
  readonly targets?: Targets;
  /** Images in the batch; needed only where they come as bytes. */
  readonly count?: number;
}

/** Batches in an array, or in any other iterable. */
type Batches = AsyncIterable<GivenBatch> | Iterable<GivenBatch>;

/**
 * Batches that are ready, an epoch a pass: an array, or something else that can be gone over again
 * and again (an object whose `[Symbol.asyncIterator]` starts again), or a function that makes the
 * batches of an epoch, counted from 0. What is shuffled or random in it should follow from the
 * epoch alone, so that a resumed run meets the same batches.
 */
export type BatchSource = Batches | ((epoch: number) => Batches);

/** A batch on its way to the network. */
export type TrainingBatch = Pick<Batch, "position" | "count"> & {
  readonly images: Given;
  readonly targets: Targets;
};

export function isDataset(source: Dataset | BatchSource): source is Dataset {
  return "get" in source;
}

/** Throws InputError for what is neither a dataset nor batches, and for no batches at all. */
export function assertSource(source: Dataset | BatchSource, what: string): void {
  if (Array.isArray(source) && source.length === 0) {
    throw new InputError(`${what} is an empty array: an epoch needs at least one batch`);
  }
  if (typeof source === "function" || isIterable(source)) return;
  if (source instanceof Object && "get" in source) return;
  throw new InputError(
    `${what} must be a dataset, an async iterable of batches, ` +
      `or a function that makes one, not ${describe(source)}`,
  );
}

/** `for await` goes over lists of batches, too. */
function isIterable(source: unknown): boolean {
  if (!(source instanceof Object)) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

export interface Pass {
  readonly epoch: number;
  /** Batches to leave out: those before were done already. */
  readonly start: number;
  /** Batches after which the epoch ends, although there may be more. */
  readonly most: number;
  /** What the batches are for. */
  readonly program: WithTensors;
}

type WithTensors = Pick<Program, "tensors">;

/**
 * The batches of an epoch. Throws a DataError where there are none, as in a generator's second
 * pass, and where there are fewer than a finite `most`.
 */
export async function* passOver(
  source: BatchSource,
  { epoch, start, most, program }: Pass,
): AsyncGenerator<TrainingBatch, void, void> {
  if (start >= most) return;
  const batches = typeof source === "function" ? source(epoch) : source;
  if (!isIterable(batches)) {
    throw new InputError(`the batches of epoch ${epoch + 1} are ${describe(batches)}: ${A_BATCH}`);
  }
  let position = 0;
  for await (const batch of batches) {
    if (position >= start) yield numbered(batch, { position, epoch, program });
    if (++position >= most) return;
  }
  if (position === 0) throw exhausted(epoch);
  if (most < Infinity) throw tooFew(epoch, position, most);
}

const A_BATCH = "expected an async iterable of batches { images, targets }";

interface Place {
  readonly position: number;
  readonly epoch: number;
  readonly program: WithTensors;
}

function numbered(batch: GivenBatch, { position, epoch, program }: Place): TrainingBatch {
  if (!(batch instanceof Object)) {
    throw new InputError(
      `batch ${position + 1} of epoch ${epoch + 1} is ${describe(batch)}: ${A_BATCH}`,
    );
  }
  const { images, targets, count } = batch;
  return { position, count: count ?? countImages(images, program), images, targets };
}

function countImages(given: Given, program: WithTensors): number {
  const inputs = tensorsOf(program, "input");
  const [{ name, shape }] = inputs as [ProgramTensor];
  const isNamed = given instanceof Object && name in given;
  const images: unknown = isNamed ? (given as Readonly<Record<string, unknown>>)[name] : given;
  const isKnown = isNamed || inputs.length === 1;
  if (isKnown && isNumbers(images)) return images.length / sizeOf(shape);
  if (images instanceof Object && "staged" in images) {
    throw new InputError("a batch of bytes and draws must say how many images it has: `count`");
  }
  if (!isNamed && isKnown && isPicture(images)) return [images].flat().length;
  const wanted = isNamed ? "a Float32Array" : isKnown ? ARRAY_OR_PICTURES : namesOf(inputs);
  throw new InputError(`a batch's \`images\` must be ${wanted}, not ${describe(images)}`);
}

const isNumbers = (given: unknown): given is Float32Array | Tokens =>
  [Float32Array, Uint32Array, Int32Array].some((kind) => given instanceof kind);

const ARRAY_OR_PICTURES = "a Float32Array or pictures";

/** Paths of files, objects that are not plain, and lists of them: the network knows the rest. */
function isPicture(images: unknown): boolean {
  if (Array.isArray(images)) return images.every(isPicture);
  if (typeof images === "string") return true;
  return images instanceof Object && Object.getPrototypeOf(images) !== Object.prototype;
}

/** `{ left, right }`. */
const namesOf = (tensors: readonly ProgramTensor[]) =>
  `{ ${tensors.map(({ name }) => name).join(", ")} }`;

/**
 * Throws InputError where a network has other inputs than a dataset with `tuples` has pictures, or
 * has several targets; and where it has other inputs and targets than a dataset with `parts`.
 */
export function assertFed(program: WithTensors, dataset: Dataset): void {
  const { tuples, parts } = dataset;
  if (parts) return assertParts(program, parts, dataset);
  if (!tuples) return assertOneTensor(program);
  const inputs = tensorsOf(program, "input");
  const names: readonly string[] = TUPLE_INPUTS[tuples];
  const isFed = names.every((name) => inputs.some((input) => input.name === name));
  const targets = tensorsOf(program, "target");
  if (isFed && names.length === inputs.length && targets.length <= 1) return;
  throw new InputError(
    `\`${tuples}\` gives the pictures { ${names.join(", ")} } and at most one target, ` +
      `but this network has the inputs ${namesOf(inputs)} and ${targets.length} targets`,
  );
}

function assertParts(program: WithTensors, parts: TensorParts, { name }: Dataset): void {
  const given = [parts.inputs, parts.targets];
  const wanted = (["input", "target"] as const).map((role) =>
    tensorsOf(program, role).filter(({ distribution }) => distribution === undefined),
  );
  const listed = (tensors: readonly { readonly name: string }[]) =>
    tensors.map((tensor) => tensor.name).join(", ");
  const wrong = wanted.findIndex((tensors, role) => listed(tensors) !== listed(given[role]!));
  if (wrong < 0) return;
  throw new InputError(
    `${name} gives { ${listed(given[wrong]!)} }, ` +
      `but this network has ${namesOf(wanted[wrong]!)}`,
  );
}

/**
 * Throws InputError where a network has several inputs or targets: a dataset gives one image and
 * one label an example.
 */
export function assertOneTensor(program: WithTensors): void {
  const roles = ["input", "target"] as const;
  const [inputs, targets] = roles.map((role) => tensorsOf(program, role)) as [
    readonly ProgramTensor[],
    readonly ProgramTensor[],
  ];
  if (inputs.length <= 1 && targets.length <= 1) return;
  const [noun, several] = inputs.length > 1 ? ["inputs", inputs] : ["targets", targets];
  const images = inputs.length > 1 ? `images: ${namesOf(inputs)}` : "images";
  const others = targets.length > 1 ? `targets: ${namesOf(targets)}` : "targets";
  throw new InputError(
    `a dataset gives one image and one label an example, but this network has the ${noun} ` +
      `${namesOf(several)}: give batches of named arrays, { ${images}, ${others} }, instead`,
  );
}

function exhausted(epoch: number): DataError {
  return new DataError(
    `epoch ${epoch + 1} has no batches: ` +
      "each epoch is a pass over the dataset, and a generator can be passed over once",
    "give `fit` an object whose [Symbol.asyncIterator] begins again, " +
      "or a function of the epoch: (epoch) => batches(epoch)",
  );
}

function tooFew(epoch: number, batches: number, stepsPerEpoch: number): DataError {
  return new DataError(
    `epoch ${epoch + 1} has ${batches} batches, and \`stepsPerEpoch\` is ${stepsPerEpoch}: ` +
      "learning rate schedules and the run's length count on them",
    `give \`fit\` the number of batches that every epoch has: \`stepsPerEpoch: ${batches}\``,
  );
}
