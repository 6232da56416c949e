/**
 * Weights of other programs under the names of a model: what a file has is matched with what the
 * model wants, and comes out as the safetensors file that netc itself would have written.
 */
import { isPyTorch, openPyTorch } from "../interchange/pytorch/index.js";
import {
  adviceOf,
  describeLeft,
  problemsOf,
  rowsOf,
  summarize,
} from "../interchange/weights/describe.js";
import { matchTensors, type Matching } from "../interchange/weights/match.js";
import { sameNumbers, type Shaped } from "../interchange/weights/modules.js";
import type { Renaming } from "../interchange/weights/rename.js";
import { WeightsError } from "../runtime/errors.js";
import { parseTensors, type Tensor } from "../runtime/safetensors.js";
import { withoutUndefined } from "../program/without-undefined.js";
import type { FileSource } from "./file-source.js";
import { wrongInput } from "./failure.js";
import { renderTable, type Column } from "./table.js";
import { say, warn } from "./terminal.js";

/** Weights of a file, by the names that it has for them. */
export interface FileWeights {
  readonly tensors: readonly Shaped[];
  /** Whether they are in the order in which the layers were defined. */
  readonly isOrdered: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** What users should know of how the file was read. */
  readonly notes: readonly string[];
  readonly read: (names: readonly string[]) => ReadonlyMap<string, Float32Array>;
}

/** Weights of a PyTorch file; undefined for a file of another kind. */
export function pyTorchWeights(source: FileSource, key?: string): FileWeights | undefined {
  if (!isPyTorch(source)) return undefined;
  const { tensors, path, others, read } = openPyTorch(source, key);
  const and = others.length > 0 ? `; it also has \`${others.join("`, `")}\`` : "";
  const notes = path === "" ? [] : [`the weights are \`${path}\` in the file${and}`];
  return { tensors, isOrdered: true, metadata: {}, notes, read };
}

/**
 * Those of a safetensors file. Libraries sort tensors by type and name: their order says nothing.
 */
export function safetensorsWeights(bytes: Uint8Array): FileWeights {
  const { tensors, metadata } = parseTensors(bytes);
  return {
    tensors: [...tensors.values()],
    isOrdered: false,
    metadata,
    notes: [],
    read: (names) => new Map(names.map((name) => [name, tensors.get(name)!.values])),
  };
}

export interface MatchOptions {
  /** The dictionary of a PyTorch checkpoint to read. */
  readonly key?: string | undefined;
  /** Names of the model's tensors that keep their initial values. */
  readonly except?: readonly string[] | undefined;
  readonly rename?: readonly Renaming[] | undefined;
}

/** A file's weights, and how they match a model. */
export interface MatchedFile {
  readonly weights: FileWeights;
  readonly matching: Matching;
  /** The whole file, where it is of safetensors. */
  readonly bytes?: Uint8Array;
}

export function matchWeights(
  { tensors, isOrdered }: FileWeights,
  own: readonly Shaped[],
  { except, rename }: MatchOptions,
): Matching {
  const sparing = except && { except: new Set(except) };
  return matchTensors({
    own,
    file: tensors,
    isOrdered,
    ...sparing,
    rename,
  });
}

/** Whether names and shapes are the model's own, as in netc's files, or are meant to be. */
export function isOwnFile(matching: Matching): boolean {
  const { matches, unmatched } = matching;
  const named = matches.filter(({ how }) => how === "same name").length;
  if (unmatched.length > 0) {
    // Tensors of the model's names and other shapes: the network's `load` names the spec's lines.
    const misshapen = unmatched.filter(({ own, candidates }) =>
      candidates.some(({ name }) => name === own.name),
    );
    return (named + misshapen.length) * 2 >= matches.length + unmatched.length;
  }
  const isSame = ({ own, file }: { own: Shaped; file: Shaped }) =>
    String(own.shape) === String(file.shape);
  return named === matches.length && matches.every(isSame);
}

/**
 * Throws WeightsError unless every tensor of the model has its match; with `strict`, also where the
 * file has tensors that the model has not.
 */
export function requireMatched(matching: Matching, left: "refused" | "ignored"): void {
  const problems = problemsOf(matching);
  if (problems.length > 0) {
    const count = matching.unmatched.length;
    const what = count === 1 ? "one tensor" : `${count} tensors`;
    const lines = [
      ...problems,
      ...matching.remarks.map((remark) => `note: ${remark}`),
      ...adviceOf(matching).map((advice) => `help: ${advice}`),
    ];
    throw new WeightsError(`${what} of the model cannot be filled:\n  ${lines.join("\n  ")}`);
  }
  if (left === "ignored" || matching.left.length === 0) return;
  throw new WeightsError(
    `the file has tensors that the model does not have: ${describeLeft(matching.left)}\n  ` +
      "help: `netc import SPEC FILE -o DIR` leaves them out",
  );
}

/** What a safetensors file of the model's own names holds. */
export interface OwnWeights {
  readonly tensors: readonly Tensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

export function underOwnNames({ read, metadata }: FileWeights, { matches }: Matching): OwnWeights {
  const values = read(matches.map(({ file }) => file.name));
  const tensors = matches.map(({ own, file }) => ({
    name: own.name,
    shape: own.shape,
    values: values.get(file.name)!,
  }));
  // Names of classes stay true; what else netc notes down is of the file as it was.
  const { classes } = metadata;
  return { tensors, metadata: withoutUndefined({ format: "pt", classes }) };
}

/** Says how weights were matched; where that is not sure, tensor by tensor. */
export function announceMatching(path: string, file: FileWeights, matching: Matching): void {
  for (const note of file.notes) say(`${path}: ${note}`);
  const { matches } = matching;
  say(`${path}: ${matches.length} tensors matched, ${summarize(matching)}`);
  for (const remark of matching.remarks) warn(remark);
  const likely = matches.filter(({ sure }) => sure === "likely");
  if (likely.length === 0) return;
  say(matchingTable({ matches: likely, unmatched: [], left: [], remarks: [] }));
  warn(`${likely.length} of these matches are likely, not sure: check them`);
}

const COLUMNS: readonly Column[] = [
  { title: "spec", align: "left", expendable: 0 },
  { title: "file", align: "left", expendable: 0 },
  { title: "shape", align: "left", expendable: 2 },
  { title: "matched by", align: "left", expendable: 0 },
  { title: "sure", align: "left", expendable: 0 },
];

export function matchingTable(matching: Matching, width?: number): string {
  const rows = rowsOf(matching).map(({ own, file, shape, how, sure }) => {
    return [own, file, shape, how, sure];
  });
  return renderTable(COLUMNS, rows, width);
}

/** A tensor that a recipe may load: of the model's shape where only ones at the end differ. */
export const shapeAsWanted = ({ own, file }: { own: Shaped; file: Shaped }) =>
  sameNumbers(own.shape, file.shape) ? own.shape : file.shape;

/** Puts the file's name in front of what is wrong with it. */
export async function explained<Result>(
  path: string,
  action: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof WeightsError) throw wrongInput(`${path}: ${error.message}`);
    throw error;
  }
}
