/** Which tensors of a file are a network's parameters, and clear words where they are not. */
import { stateNames } from "../program/optimizers.js";
import type { Program, ProgramParameter } from "../program/program.js";
import { commonPrefix, withoutPrefix, wrapperPrefix } from "../program/weight-names.js";
import { WeightsError } from "./errors.js";
import { areFinite } from "./are-finite.js";
import type { ParameterValues } from "./loaded.js";
import type { TensorOf } from "./parameters.js";
import type { Tensor } from "./tensor-file.js";

/** The prefix of the names of everything that an optimizer keeps. */
export const OPTIMIZER_PREFIX = "optimizer.";

/**
 * The prefix of a parameter's name in the name of one of the optimizer's states:
 * `optimizer.velocity.`.
 */
export const statePrefix = (state: TensorOf): string => `${OPTIMIZER_PREFIX}${state}.`;

/**
 * The prefix of the names of averages in a checkpoint. In a file of weights alone they are the
 * weights.
 */
export const AVERAGE_PREFIX = "average.";

/** What the optimizer of a program keeps of each parameter. */
export function statesOf({ optimizer }: Program): readonly TensorOf[] {
  return stateNames(optimizer) as readonly TensorOf[];
}

/** More mismatches than these are only counted. */
const MISMATCHES_SHOWN = 5;

/** What a file holds of each parameter, after every name and shape was found to agree. */
export interface MatchedWeights extends Required<ParameterValues> {
  /** What a wrapper had put before every name, and was left out. */
  readonly prefix: string;
}

export interface MatchOptions {
  /** Whether what another optimizer kept is a mistake, or of no interest. */
  readonly optimizer: boolean;
  /**
   * Names of parameters that the file need not fill; given, tensors that the model does not have
   * are of no interest either.
   */
  readonly except?: readonly string[] | undefined;
}

/**
 * Throws WeightsError listing each tensor that is missing, unknown, of another shape, or not
 * finite.
 */
export function matchWeights(
  program: Program,
  file: ReadonlyMap<string, Tensor>,
  { optimizer, except }: MatchOptions,
): MatchedWeights {
  const own = program.parameters.map(({ name }) => name);
  const prefix = wrapperPrefix([...file.keys()], own);
  const tensors = withoutPrefix(file, prefix);
  const spared = new Set(except);
  const mismatches: string[] = [];
  const notFinite: string[] = [];
  const values = new Map<ProgramParameter, Float32Array>();
  const averages = new Map<ProgramParameter, Float32Array>();
  const averaged = program.steps.average.length > 0;
  const states = new Map(
    statesOf(program).map((state) => [state, new Map<ProgramParameter, Float32Array>()]),
  );
  const unknown = new Set(tensors.keys());
  const match = (parameter: ProgramParameter, name: string, into: typeof values): void => {
    const tensor = tensors.get(name);
    if (tensor === undefined) return;
    unknown.delete(name);
    if (!sameShape(tensor.shape, parameter.shape))
      mismatches.push(describeMismatch(program, parameter, tensor));
    else if (areFinite(tensor.values)) into.set(parameter, tensor.values);
    else notFinite.push(describeNotFinite(tensor));
  };
  for (const parameter of program.parameters) {
    if (spared.has(parameter.name)) continue;
    match(parameter, parameter.name, values);
    if (averaged) match(parameter, AVERAGE_PREFIX + parameter.name, averages);
    for (const [state, into] of states) match(parameter, statePrefix(state) + parameter.name, into);
    if (!tensors.has(parameter.name)) mismatches.push(describeMissing(program, parameter));
  }
  for (const { name } of program.parameters) unknown.delete(counterOf(name));
  if (!optimizer) {
    for (const name of unknown) if (isOfTraining(name)) unknown.delete(name);
  }
  if (except) unknown.clear();
  for (const name of unknown) mismatches.push(`\`${name}\` is not in model \`${program.model}\``);
  if (mismatches.length > 0) {
    const what = `these weights do not belong to model \`${program.model}\``;
    throw listError(what, mismatches, describeNames(tensors, own));
  }
  if (notFinite.length > 0) throw listError("these weights are not finite", notFinite);
  return { values, averages, states, prefix };
}

const isOfTraining = (name: string) =>
  name.startsWith(OPTIMIZER_PREFIX) || name.startsWith(AVERAGE_PREFIX);

/** PyTorch saves how many batches a running mean has seen. With a momentum, it is not needed. */
const counterOf = (name: string) => name.replace(/\.running_mean$/, ".num_batches_tracked");

/** The names in a file that lacks some of the model's: what to rename shows in them. */
function describeNames(tensors: ReadonlyMap<string, Tensor>, own: readonly string[]): string[] {
  const names = [...tensors.keys()].filter((name) => !isOfTraining(name));
  const isComplete = own.every((name) => tensors.has(name));
  if (isComplete || names.length === 0) return [];
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

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
