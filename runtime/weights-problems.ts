/** What is wrong with weights that do not fit a network: loaded only where they do not. */
import type { Program, ProgramParameter } from "../program/program.js";
import { commonPrefix } from "../program/weight-names.js";
import { InputError, WeightsError } from "./errors.js";
import type { Tensor } from "./tensor-file.js";

/** A parameter whose tensor is missing, or of another shape. */
export interface Mismatch {
  readonly parameter: ProgramParameter;
  readonly tensor?: Tensor;
}

export interface WeightsProblems {
  /** Of the file, by the model's names. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names in the file, without those of what only training needs. */
  readonly names: readonly string[];
  readonly mismatches: readonly Mismatch[];
  /** Names of the file that the model does not have. */
  readonly unknown: ReadonlySet<string>;
  readonly notFinite: readonly Tensor[];
}

export function describeProblems(
  program: Program,
  { tensors, names, mismatches, unknown, notFinite }: WeightsProblems,
): WeightsError {
  const { model, parameters } = program;
  const mistakes = [
    ...mismatches.map(({ parameter, tensor }) => {
      return tensor
        ? describeMismatch(program, parameter, tensor)
        : describeMissing(program, parameter);
    }),
    ...[...unknown].map((name) => `\`${name}\` is not in model \`${model}\``),
  ];
  if (mistakes.length === 0) {
    return listError("these weights are not finite", notFinite.map(describeNotFinite));
  }
  const what = `these weights do not belong to model \`${model}\``;
  const own = parameters.map(({ name }) => name);
  const isComplete = own.every((name) => tensors.has(name));
  return listError(what, mistakes, isComplete ? [] : describeNames(names, own));
}

/** Of a file that names other classes than the network has, whose names may not be known. */
export const otherClasses = (
  names: readonly string[],
  own: readonly (string | number)[],
): WeightsError =>
  new WeightsError(
    `the weights file names the classes ${names.join(", ")}, and the network has ${own.join(", ")}`,
  );

/** A name without effect would leave weights of the file where the caller wants their own. */
export const unknownException = (name: string, own: readonly string[]): InputError =>
  new InputError(
    `\`except\` is a list of names of parameters, and \`${name}\` is not one; ` +
      `the model has ${own.join(", ")}`,
  );

/** What a file had before every name. */
export const describePrefix = (prefix: string) =>
  `all names in the weights file begin with \`${prefix}\`, as PyTorch's wrappers write them: ` +
  "they were loaded without it";

/** More mismatches than these are only counted. */
const MISMATCHES_SHOWN = 5;

/** The names in a file that lacks some of the model's: what to rename shows in them. */
function describeNames(names: readonly string[], own: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `\`${name}\``);
  const more = names.length > shown.length ? `, and ${names.length - shown.length} more` : "";
  const prefix = commonPrefix(names);
  const isNeedless = prefix !== "" && names.some((name) => own.includes(name.slice(prefix.length)));
  const advice = isNeedless
    ? `; all begin with \`${prefix}\`, which the model's names do not: remove it from them`
    : "";
  return [`the file has ${shown.join(", ")}${more}${advice}`];
}

/** Of a file's names. */
const NAMES_SHOWN = 3;

function listError(
  what: string,
  mistakes: readonly string[],
  notes: readonly string[] = [],
): WeightsError {
  const shown = mistakes.slice(0, MISMATCHES_SHOWN);
  const more = mistakes.length - shown.length;
  const lines = [...shown, ...(more > 0 ? [`and ${more} more`] : []), ...notes];
  return new WeightsError(`${what}:\n  ${lines.join("\n  ")}`);
}

function describeNotFinite({ name, values }: Tensor): string {
  const index = values.findIndex((value) => !Number.isFinite(value));
  const count = values.reduce((sum, value) => sum + Number(!Number.isFinite(value)), 0);
  const others =
    count > 1 ? `, and ${count - 1} more of its ${values.length} numbers are not finite` : "";
  return `\`${name}\` has ${values[index]} at index ${index}${others}`;
}

function describeMismatch(program: Program, parameter: ProgramParameter, tensor: Tensor): string {
  const came = `is ${formatShape(tensor.shape)} in the file`;
  return `\`${tensor.name}\` ${came}, but ${describeWanted(program, parameter)}`;
}

function describeMissing(program: Program, parameter: ProgramParameter): string {
  return `\`${parameter.name}\` is not in the file, but ${describeWanted(program, parameter)}`;
}

function describeWanted(program: Program, { shape, location }: ProgramParameter): string {
  return (
    `the model wants ${formatShape(shape)} ` +
    `(${program.source.file}:${location.line}:${location.column})`
  );
}

function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
