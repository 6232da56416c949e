/** Checks of what users hand to a network. */
import type { Program } from "../program/program.js";
import type { Images, StagedImages } from "./data/dataset.js";
import { describe } from "./describe.js";
import { InputError } from "./errors.js";

/** A class for each image. */
export type ClassLabels = Uint32Array | readonly number[];

/**
 * Labels of images that are mixtures of two, as cutmix and mixup make them: the loss counts `labels` by `shares` (0 to 1, one for each
 * image) and `partners` by the rest. For training by a recipe whose data mix images.
 */
export interface MixedLabels {
  readonly labels: ClassLabels;
  readonly partners: ClassLabels;
  readonly shares: Float32Array;
}

export type Labels = ClassLabels | MixedLabels;

/** Examples in `images`, 1 to `batch`. Throws InputError for a wrong length or a value that is not finite. */
export function countImages(program: Program, images: Images, batch: number): number {
  const { name } = program.input;
  const count =
    images instanceof Object && "staged" in images
      ? countStaged(program, images)
      : countFloats(program, images);
  if (count > batch) {
    throw new InputError(
      `\`${name}\` holds ${count} images, and the network was created with a batch of ${batch}: ` +
        "pass fewer at a time, or create it with a larger `batch`",
    );
  }
  return count;
}

function countStaged({ input, preparations }: Program, images: StagedImages): number {
  const preparation = preparations?.[images.split];
  if (preparation === undefined) {
    throw new InputError(`this program prepares no images of the ${images.split} split`);
  }
  const isArrays = images.staged instanceof Uint8Array && images.draws instanceof Uint32Array;
  if (!isArrays) {
    const came = `${describe(images.staged)} and ${describe(images.draws)}`;
    throw new InputError(`\`${input.name}\` must be a Uint8Array and a Uint32Array, not ${came}`);
  }
  const count = images.staged.length / preparation.staged.slot;
  const words = preparation.views * preparation.draws.words;
  if (count > 0 && Number.isInteger(count) && images.draws.length === count * words) return count;
  throw new InputError(
    `\`${input.name}\` has ${images.staged.length} bytes and ${images.draws.length} draws: expected ` +
      `${preparation.staged.slot} and ${words} an image`,
  );
}

function countFloats({ input }: Program, images: Float32Array): number {
  const { name, channels, height, width } = input;
  if (!(images instanceof Float32Array)) {
    throw new InputError(`\`${name}\` must be a Float32Array, not ${describe(images)}`);
  }
  const each = channels * height * width;
  const count = images.length / each;
  const shape = `${each} values an image (${channels} x ${height} x ${width})`;
  if (count === 0 || !Number.isInteger(count)) {
    throw new InputError(
      `\`${name}\` has ${images.length} values, which is no whole number of images: expected ${shape}`,
    );
  }
  assertFinite(images, `\`${name}\``);
  return count;
}

/** What a model's loss compares its output with: labels, numbers, or nothing but the images themselves. */
export type Targets = Labels | Float32Array | undefined | void;

/** What is uploaded beside the images. Partners and shares only for training that mixes images. */
export interface TargetData {
  readonly labels?: Uint32Array | Float32Array;
  readonly partners?: Uint32Array;
  readonly shares?: Float32Array;
}

/**
 * A copy of the targets as the device takes them, none where the loss is of the images themselves. Throws InputError for a wrong
 * count, a label that is no class, a share beyond 0 to 1, and a number that is not finite.
 */
export function checkTargets(
  program: Program,
  targets: Targets,
  { images, training }: { readonly images: number; readonly training: boolean },
): TargetData {
  if (program.metrics.length === 0) {
    throw new InputError(
      `model \`${program.model}\` has no loss: it cannot be trained or evaluated`,
    );
  }
  if (program.targets) return { labels: checkNumbers(program.targets, targets, images) };
  const { classes } = program;
  if (classes === undefined) return {};
  const mixes = training && program.buffers.some(({ purpose }) => purpose === "partners");
  if (isMixed(targets)) {
    if (!mixes) throw notMixing(program, training);
    return checkMixed(classes, targets, images);
  }
  const labels = checkLabels(classes, targets as ClassLabels, { name: "label", images });
  return mixes
    ? { labels, partners: labels, shares: new Float32Array(images).fill(1) }
    : { labels };
}

const isMixed = (targets: Targets): targets is MixedLabels =>
  targets instanceof Object && "partners" in targets;

function notMixing({ model }: Program, training: boolean): InputError {
  return new InputError(
    training
      ? `model \`${model}\` was compiled for one label an image: mixed labels need a recipe whose data mix images (cutmix or mixup)`
      : "mixed labels are for training: evaluate with one label an image",
  );
}

function checkMixed(classes: number, mixed: MixedLabels, images: number): TargetData {
  const { shares } = mixed;
  if (!(shares instanceof Float32Array)) {
    throw new InputError(`\`shares\` must be a Float32Array, not ${describe(shares)}`);
  }
  if (shares.length !== images) {
    throw new InputError(`expected ${images} shares for ${images} images, got ${shares.length}`);
  }
  const wrong = shares.findIndex((share) => !(share >= 0 && share <= 1));
  if (wrong >= 0) {
    throw new InputError(`share ${wrong} is ${shares[wrong]}: shares are numbers from 0 to 1`);
  }
  return {
    labels: checkLabels(classes, mixed.labels, { name: "label", images }),
    partners: checkLabels(classes, mixed.partners, { name: "partner", images }),
    shares: new Float32Array(shares),
  };
}

function checkNumbers(
  { name, shape }: NonNullable<Program["targets"]>,
  targets: Targets,
  images: number,
): Float32Array {
  if (!(targets instanceof Float32Array)) {
    throw new InputError(`\`${name}\` must be a Float32Array, not ${describe(targets)}`);
  }
  const each = shape.reduce((product, extent) => product * extent, 1);
  if (targets.length !== images * each) {
    const wanted = `${images} x ${shape.join(" x ")} = ${images * each} values`;
    throw new InputError(`expected ${wanted} of \`${name}\`, got ${targets.length}`);
  }
  assertFinite(targets, `\`${name}\``);
  return new Float32Array(targets);
}

function checkLabels(
  classes: number,
  labels: ClassLabels,
  { name, images }: { readonly name: string; readonly images: number },
): Uint32Array {
  if (!(labels instanceof Uint32Array || Array.isArray(labels))) {
    throw new InputError(`${name}s must be a Uint32Array or number[], not ${describe(labels)}`);
  }
  if (labels.length !== images) {
    throw new InputError(`expected ${images} ${name}s for ${images} images, got ${labels.length}`);
  }
  const values: ArrayLike<number> = labels;
  for (let index = 0; index < values.length; index++) {
    const label = values[index]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new InputError(
        `${name} ${index} is ${label}: ${name}s are integers from 0 to ${classes - 1}`,
      );
    }
  }
  return new Uint32Array(labels);
}

export function assertFinite(values: Float32Array, what: string): void {
  if (areFinite(values)) return;
  const index = values.findIndex((value) => !Number.isFinite(value));
  throw new InputError(`${what} is ${values[index]} at index ${index}: values must be finite`);
}

/**
 * Whether no value is infinite or NaN. Runs over all images of every step, so it takes no branch for an element: sums keep NaN and infinities,
 * and those of finite f32 are finite in JavaScript's doubles. Eight at a time, summed in pairs, wait little for each other.
 */
export function areFinite(values: Float32Array): boolean {
  const end = values.length - (values.length % 8);
  let [left, right] = [0, 0];
  for (let index = 0; index < end; index += 8) {
    left += values[index]! + values[index + 1]! + (values[index + 2]! + values[index + 3]!);
    right += values[index + 4]! + values[index + 5]! + (values[index + 6]! + values[index + 7]!);
  }
  for (let index = end; index < values.length; index++) left += values[index]!;
  return Number.isFinite(left + right);
}
