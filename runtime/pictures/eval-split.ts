/** What happens to pictures by the eval split of a program. */
import type { Preparation, Program, ProgramTensor } from "../../program/program.js";
import { tensorsOf } from "../../program/tensors.js";
import type { Transform } from "../../program/transforms.js";
import type { ExampleKey } from "../data/dataset.js";
import { InputError } from "../errors.js";
import { checkCrops } from "./crops.js";

/** The preparation of pictures. Throws InputError where the spec declares none. */
export function evalPreparation(program: Program): Preparation {
  const preparation = program.preparations?.eval;
  if (!preparation) throw noPreparation(program);
  return preparation;
}

/** The preparation of a call's pictures, each of which has that many rows of the batch. */
export function preparationFor(program: Program, rowsOfEach: number): Preparation {
  const preparation = evalPreparation(program);
  checkCrops(program, preparation, rowsOfEach);
  return preparation;
}

/** The error for pictures where the spec does not say how they become the input. */
export function noPreparation({ model, source }: Program): InputError {
  return new InputError(
    `${source.file} does not say how pictures become the input of model \`${model}\`: ` +
      "pass a Float32Array, or declare data with an eval split of images and its transforms, " +
      'such as `eval folder("photos/val") { resize(256) -> center_crop(224) }`, ' +
      "and train on it",
  );
}

/** The transforms that happen before the device's. */
export const transformsBefore = ({ transforms, first }: Preparation): readonly Transform[] =>
  transforms.slice(0, first);

/** Of random transforms in an eval split: as `netc predict` draws them. */
export const keyOf = (example: number): ExampleKey => ({ seed: 0, epoch: 0, example });

/** `picture 2 of 3`, as messages name the pictures of a call. */
export const nameOf = (index: number, count: number): string =>
  count === 1 ? "the picture" : `picture ${index + 1} of ${count}`;

/** The error for what is not a picture, or is not one here. */
export function notPicture(program: Program, came: string, wanted: string): InputError {
  const [input] = tensorsOf(program, "input");
  return new InputError(`\`${input!.name}\` must be a Float32Array or ${wanted}, not ${came}`);
}

/** The error for pixels that a page may show and not read. */
export const notGiven = (name: string): InputError =>
  new InputError(
    `the browser does not give the pixels of ${name}, which comes from another site: ` +
      'add `crossorigin="anonymous"` to the element, and have the server allow it (CORS)',
  );

/** The error for a list of numbers. */
export function notNumbers(program: Program): InputError {
  const [{ name, shape }] = tensorsOf(program, "input") as [ProgramTensor];
  return new InputError(
    `\`${name}\` cannot be a list of numbers: pass a Float32Array of ${shape.join(" x ")} values ` +
      "an example, in NCHW order (lists are of pictures)",
  );
}

export function requirePictures(count: number): void {
  if (count === 0) throw new InputError("the list of pictures is empty: pass at least one");
}

/** Channels that pictures are decoded to. */
export const channelsOf = ({ staged }: Preparation): 1 | 3 => (staged.channels === 1 ? 1 : 3);
