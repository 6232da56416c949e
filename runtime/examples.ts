/** Checks of what users hand to a network. */
import type { Program } from "../program/program.js";
import { InputError } from "./errors.js";

export type Labels = Uint32Array | readonly number[];

/** Examples in `images`, 1 to `batch`. Throws InputError for a wrong length or a value that is not finite. */
export function countImages(program: Program, images: Float32Array, batch: number): number {
  const { name, channels, height, width } = program.input;
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
  if (count > batch) {
    throw new InputError(
      `\`${name}\` holds ${count} images, and the network was created with a batch of ${batch}: ` +
        "pass fewer at a time, or create it with a larger `batch`",
    );
  }
  assertFinite(images, `\`${name}\``);
  return count;
}

/** What a model's loss compares its output with: labels, numbers, or nothing but the images themselves. */
export type Targets = Labels | Float32Array | undefined | void;

/**
 * The targets as the device takes them, undefined where the loss is of the images themselves. Throws InputError for a wrong
 * count, a label that is no class, and a number that is not finite.
 */
export function checkTargets(
  program: Program,
  targets: Targets,
  images: number,
): Uint32Array | Float32Array | undefined {
  if (program.metrics.length === 0) {
    throw new InputError(
      `model \`${program.model}\` has no loss: it cannot be trained or evaluated`,
    );
  }
  if (program.targets) return checkNumbers(program.targets, targets, images);
  return program.classes === undefined
    ? undefined
    : checkLabels(program.classes, targets as Labels, images);
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
  return targets;
}

function checkLabels(classes: number, labels: Labels, images: number): Uint32Array {
  if (!(labels instanceof Uint32Array || Array.isArray(labels))) {
    throw new InputError(`labels must be a Uint32Array or number[], not ${describe(labels)}`);
  }
  if (labels.length !== images) {
    throw new InputError(`expected ${images} labels for ${images} images, got ${labels.length}`);
  }
  const values: ArrayLike<number> = labels;
  for (let index = 0; index < values.length; index++) {
    const label = values[index]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new InputError(
        `label ${index} is ${label}: labels are integers from 0 to ${classes - 1}`,
      );
    }
  }
  return labels instanceof Uint32Array ? labels : Uint32Array.from(labels);
}

export function assertFinite(values: Float32Array, what: string): void {
  for (let index = 0; index < values.length; index++) {
    // x - x is 0 for every finite x and NaN for the others.
    if (values[index]! - values[index]! !== 0) {
      throw new InputError(`${what} is ${values[index]} at index ${index}: values must be finite`);
    }
  }
}

/** Throws InputError unless `value` is an integer of at least `minimum` that 32 bits hold. */
export function assertInteger(value: number, minimum: number, what: string): void {
  if (!Number.isInteger(value) || value < minimum || value > 0xffffffff) {
    throw new InputError(`${what} must be an integer from ${minimum} to 4294967295, not ${value}`);
  }
}

export function assertFiniteNumber(value: number, what: string): void {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new InputError(`${what} must be a finite number, not ${String(value)}`);
  }
}

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return `a ${typeof value}`;
  return value.constructor?.name ?? "an object";
}
