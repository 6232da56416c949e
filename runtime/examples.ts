/**
 * Checks of what users hand to a network: each tensor of the program against what is given for it.
 */
import type { Program, ProgramTensor } from "../program/program.js";
import { sizeOf, tensorsOf } from "../program/tensors.js";
import type { Images, StagedImages } from "./data/dataset.js";
import { areFinite } from "./are-finite.js";
import { describe } from "./describe.js";
import { InputError } from "./errors.js";
import type { CapturedPictures } from "./pictures/picture.js";

/** A class for each image. */
export type ClassLabels = Uint32Array | readonly number[];

/**
 * Labels of images that are mixtures of two, as cutmix and mixup make them: the loss counts
 * `labels` by `shares` (0 to 1, one for each image) and `partners` by the rest. For training by a
 * recipe whose data mix images.
 */
export interface MixedLabels {
  readonly labels: ClassLabels;
  readonly partners: ClassLabels;
  readonly shares: Float32Array;
}

/** Labels of a batch of a classifier. */
export type Labels = ClassLabels | MixedLabels;

/** Tokens of an input, example by example. */
export type Tokens = Uint32Array | Int32Array;

/** What a call takes as inputs: by name, or the one input as it is. */
export type Inputs = Images | Tokens | { readonly [name: string]: Float32Array | Tokens };

/**
 * What a model's losses compare its outputs with: labels or numbers, by name or as they are where
 * there is one target, or nothing where the loss is of the images themselves.
 */
export type Targets =
  | Labels
  | Float32Array
  | { readonly [name: string]: ClassLabels | Float32Array }
  | undefined
  | void;

/** Inputs, or pictures that become the one input. */
export type Checkable = Inputs | CapturedPictures;

/** The data of a call as the device takes them: by index of the program's tensors. */
export interface TensorData {
  readonly [tensor: number]: Float32Array | Uint32Array;
}

/** Examples in `images`, 1 to `batch`, with all inputs. */
export interface CheckedInputs {
  readonly count: number;
  readonly data: TensorData & Partial<StagedImages> & WithPictures;
}

interface WithPictures {
  readonly pictures?: CapturedPictures;
}

/**
 * Throws InputError for a wrong length, a value that is not finite, or an input that is missing or
 * unknown. Inputs that predictions do not need are ignored.
 */
export function checkInputs(
  program: Program,
  images: Checkable,
  batch: number,
  list?: string,
): CheckedInputs {
  const { tensors: all, uses } = program;
  const inputs = tensorsOf(program, "input");
  // Predictions are given noise, and may not need all inputs.
  const tensors = list === "predict" ? uses[list].reads.map((index) => all[index]!) : inputs;
  const [first, ...others] = tensors as [ProgramTensor, ...ProgramTensor[]];
  const { name } = first;
  const advice = others.length > 0 ? NAMED : "";
  const pictures = !advice && "prepare" in images ? (images as CapturedPictures) : undefined;
  const isStaged = "staged" in images;
  const given =
    pictures || isStaged ? [images] : namedValues(tensors, images, [...tensors, ...inputs]);
  const count = pictures
    ? pictures.count
    : isStaged
      ? countStaged(program, images as StagedImages)
      : countFloats(first, given[0] as Float32Array, advice);
  if (count > batch) {
    throw new InputError(
      `\`${name}\` holds ${count} examples, and the network's batch is ${batch}: ` +
        "pass fewer, or create a larger one",
    );
  }
  if (pictures) return { count, data: { pictures } };
  if (isStaged) return { count, data: images as StagedImages & TensorData };
  others.forEach((tensor, index) => checkNumbers(tensor, given[index + 1], count, advice));
  return { count, data: byTensor(program, tensors, given as Float32Array[]) };
}

/** Rows that a prediction runs: `ten_crop` makes ten of each picture, which are averaged. */
export const rowsOf = (
  { preparations }: Program,
  { count, data }: Pick<CheckedInputs, "count"> & { readonly data: WithPictures },
): number => count * ((data.pictures && preparations?.eval?.crops) ?? 1);

function byTensor(
  { tensors: all }: Pick<Program, "tensors">,
  tensors: readonly ProgramTensor[],
  values: readonly (Float32Array | Uint32Array)[],
): TensorData {
  return Object.fromEntries(tensors.map((tensor, place) => [all.indexOf(tensor), values[place]!]));
}

const isNamed = (given: unknown): given is Readonly<Record<string, unknown>> =>
  given instanceof Object && !Array.isArray(given) && !ArrayBuffer.isView(given);

/** What is given for each tensor of a role: the only one may come without its name. */
function namedValues(
  tensors: readonly ProgramTensor[],
  given: unknown,
  known = tensors,
): readonly unknown[] {
  const names = tensors.map(({ name }) => name);
  if (tensors.length === 1 && !(isNamed(given) && names[0]! in given)) return [given];
  const wanted = `{ ${names.join(", ")} }`;
  if (!isNamed(given)) throw new InputError(`expected ${wanted}, not ${describe(given)}`);
  const wrong =
    names.find((name) => given[name] === undefined) ??
    Object.keys(given).find((key) => !known.some(({ name }) => name === key));
  if (wrong === undefined) return names.map((name) => given[name]);
  const what = names.includes(wrong) ? `\`${wrong}\` is missing` : `there is no \`${wrong}\``;
  throw new InputError(`${what}: expected ${wanted}`);
}

function countStaged(program: Program, images: StagedImages): number {
  const [{ name }] = tensorsOf(program, "input") as [ProgramTensor];
  const preparation = program.preparations?.[images.split];
  if (preparation === undefined) {
    throw new InputError(`the program prepares no images of ${images.split}`);
  }
  const isArrays = images.staged instanceof Uint8Array && images.draws instanceof Uint32Array;
  if (!isArrays) {
    throw new InputError(
      `\`${name}\` must be a Uint8Array and a Uint32Array, not ${describe(images.staged)} ` +
        `and ${describe(images.draws)}`,
    );
  }
  const count = images.staged.length / preparation.staged.slot;
  const words = preparation.views * preparation.draws.words;
  if (count > 0 && Number.isInteger(count) && images.draws.length === count * words) return count;
  throw new InputError(
    `\`${name}\` has ${images.staged.length} bytes and ${images.draws.length} draws: expected ` +
      `${preparation.staged.slot} and ${words} an image`,
  );
}

function countFloats({ name, shape }: ProgramTensor, images: Float32Array, advice: string): number {
  assertFloats(name, images, advice);
  const each = sizeOf(shape);
  const count = images.length / each;
  if (!count || count % 1) {
    throw new InputError(
      `\`${name}\` has ${images.length} values, not a whole number of examples: ` +
        `expected ${each} each (${sizesOf(shape)})`,
    );
  }
  assertFinite(images, `\`${name}\``);
  return count;
}

/** Of a signal, which is an image of one row, without the row. */
const sizesOf = (shape: readonly number[]) =>
  shape.filter((size, at) => at !== 1 || size > 1).join(" x ");

function assertFloats(name: string, values: unknown, advice = ""): asserts values is Float32Array {
  if (values instanceof Float32Array) return;
  throw new InputError(`\`${name}\` must be a Float32Array, not ${describe(values)}${advice}`);
}

/** For a picture, such as one input takes. */
const NAMED = ": several inputs take no pictures";

/** What targets are checked against. */
export type ComparingProgram = Pick<Program, "metrics" | "model" | "tensors">;

/**
 * A copy of the targets as the device takes them, none where the loss is of the images themselves.
 * Throws InputError for a wrong count, a label that is not a class, a share beyond 0 to 1, and a
 * number that is not finite.
 */
export function checkTargets(
  program: ComparingProgram,
  targets: Targets,
  { images, training }: { readonly images: number; readonly training: boolean },
): TensorData {
  if (program.metrics.length === 0) {
    throw new InputError(
      `model \`${program.model}\` has no loss: it cannot be trained or evaluated`,
    );
  }
  const compared = tensorsOf(program, "target");
  if (compared.length === 0) return {};
  const mixing = training ? ["partner", "share"] : [];
  const mixed = program.tensors.filter(({ role }) => mixing.includes(role));
  const all = [...compared, ...mixed];
  if (isMixed(targets)) {
    if (mixed.length === 0) throw notMixing(program, training);
    return byTensor(program, all, checkMixed(compared[0]!, targets, images));
  }
  const values = namedValues(compared, targets).map((given, index) => {
    const tensor = compared[index]!;
    return tensor.dtype === "f32"
      ? new Float32Array(checkNumbers(tensor, given, images))
      : checkLabels(tensor, given, { name: compared.length > 1 ? tensor.name : "label", images });
  });
  return byTensor(program, all, [...values, values[0]!, new Float32Array(images).fill(1)]);
}

const isMixed = (targets: Targets): targets is MixedLabels =>
  targets instanceof Object && "partners" in targets && "shares" in targets;

function notMixing({ model }: ComparingProgram, training: boolean): InputError {
  return new InputError(
    training
      ? `model \`${model}\` was compiled for one label an image: ` +
          "mixed labels need cutmix or mixup in its data"
      : "mixed labels are for training: evaluate with one label an image",
  );
}

function checkMixed(target: ProgramTensor, mixed: MixedLabels, images: number) {
  const shares = checkNumbers({ name: "shares", shape: [1] }, mixed.shares, images);
  const wrong = shares.findIndex((share) => !(share >= 0 && share <= 1));
  if (wrong >= 0) {
    throw new InputError(`share ${wrong} is ${shares[wrong]}: shares are numbers from 0 to 1`);
  }
  return [
    checkLabels(target, mixed.labels, { name: "label", images }),
    checkLabels(target, mixed.partners, { name: "partner", images }),
    new Float32Array(shares),
  ];
}

function checkNumbers(
  { name, shape }: Pick<ProgramTensor, "name" | "shape">,
  values: unknown,
  images: number,
  advice?: string,
) {
  assertFloats(name, values, advice);
  const wanted = images * sizeOf(shape);
  if (values.length !== wanted) {
    const sizes = `${images} x ${sizesOf(shape)}`;
    throw new InputError(
      `expected ${sizes} = ${wanted} values of \`${name}\`, got ${values.length}`,
    );
  }
  assertFinite(values, `\`${name}\``);
  return values;
}

function checkLabels(
  { classes, shape }: ProgramTensor,
  labels: unknown,
  { name, images }: { readonly name: string; readonly images: number },
): Uint32Array {
  if (!(labels instanceof Uint32Array || Array.isArray(labels))) {
    throw new InputError(`${name}s must be a Uint32Array or number[], not ${describe(labels)}`);
  }
  const wanted = images * sizeOf(shape);
  if (labels.length !== wanted) {
    throw new InputError(
      `expected ${wanted} ${name}s for ${images} examples, got ${labels.length}`,
    );
  }
  const values: ArrayLike<number> = labels;
  const { count, ignore } = classes!;
  for (let index = 0; index < values.length; index++) {
    const label = values[index]!;
    if (!(Number.isInteger(label) && label >= 0 && label < count) && label !== ignore) {
      throw new InputError(
        `${name} ${index} is ${label}: ${name}s are integers from 0 to ${count - 1}`,
      );
    }
  }
  // Beyond all classes, whichever label that was.
  return new Uint32Array(labels).map((label) => (label === ignore ? -1 : label));
}

export function assertFinite(values: Float32Array, what: string): void {
  if (areFinite(values)) return;
  const index = values.findIndex((value) => !Number.isFinite(value));
  throw new InputError(`${what} is ${values[index]} at index ${index}: values must be finite`);
}
