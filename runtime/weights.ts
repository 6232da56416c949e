/** Which tensors of a file are a network's parameters, and clear words where they are not. */
import { stateNames } from "../program/optimizers.js";
import type { Program, ProgramParameter } from "../program/program.js";
import { withoutPrefix, wrapperPrefix } from "../program/weight-names.js";
import { areFinite } from "./are-finite.js";
import type { ParameterValues } from "./loaded.js";
import type { TensorOf } from "./parameters.js";
import type { Tensor } from "./tensor-file.js";
import type { Mismatch } from "./weights-problems.js";

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
 * Rejects with a WeightsError that lists each tensor that is missing, unknown, of another shape, or
 * not finite, and with an InputError where `except` names no parameter (weights-problems.ts).
 */
export async function matchWeights(
  program: Program,
  file: ReadonlyMap<string, Tensor>,
  { optimizer, except }: MatchOptions,
): Promise<MatchedWeights> {
  const own = program.parameters.map(({ name }) => name);
  const stranger = except?.find((name) => !own.includes(name));
  if (stranger !== undefined) {
    throw (await import("./weights-problems.js")).unknownException(stranger, own);
  }
  const prefix = wrapperPrefix([...file.keys()], own);
  const tensors = withoutPrefix(file, prefix);
  const spared = new Set(except);
  const mismatches: Mismatch[] = [];
  const notFinite: Tensor[] = [];
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
    if (!sameShape(tensor.shape, parameter.shape)) mismatches.push({ parameter, tensor });
    else if (areFinite(tensor.values)) into.set(parameter, tensor.values);
    else notFinite.push(tensor);
  };
  for (const parameter of program.parameters) {
    if (spared.has(parameter.name)) continue;
    match(parameter, parameter.name, values);
    if (averaged) match(parameter, AVERAGE_PREFIX + parameter.name, averages);
    for (const [state, into] of states) match(parameter, statePrefix(state) + parameter.name, into);
    if (!tensors.has(parameter.name) && !parameter.teacher) mismatches.push({ parameter });
  }
  for (const { name } of program.parameters) unknown.delete(counterOf(name));
  if (!optimizer) {
    for (const name of unknown) if (isOfTraining(name)) unknown.delete(name);
  }
  if (except) unknown.clear();
  if (mismatches.length + unknown.size + notFinite.length > 0) {
    const { describeProblems } = await import("./weights-problems.js");
    const names = [...tensors.keys()].filter((name) => !isOfTraining(name));
    throw describeProblems(program, { tensors, names, mismatches, unknown, notFinite });
  }
  return { values, averages, states, prefix };
}

const isOfTraining = (name: string) =>
  name.startsWith(OPTIMIZER_PREFIX) || name.startsWith(AVERAGE_PREFIX);

/** PyTorch saves how many batches a running mean has seen. With a momentum, it is not needed. */
const counterOf = (name: string) => name.replace(/\.running_mean$/, ".num_batches_tracked");

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}
