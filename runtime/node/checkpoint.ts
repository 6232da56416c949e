/**
 * Checkpoints of a run: `last.safetensors` and the one before it, `previous.safetensors`, each with
 * weights, velocities, and in its metadata how far the run had come and which run it was.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { TableFacts } from "../data/dataset.js";
import { NetcError, WeightsError } from "../errors.js";
import type { Network } from "../network.js";
import { assertFiniteTensors } from "../training/finite.js";
import { parseState, serializeState, type TrainingState } from "../training/state.js";
import { readBytes } from "./read-file.js";
import { makeFolders, syncFolder, writeError, writeFileAtomically } from "./write-file.js";

/** The file of the last checkpoint in a run folder. */
export const LAST_CHECKPOINT = "last.safetensors";
/** The file of the checkpoint before the last one. */
export const PREVIOUS_CHECKPOINT = "previous.safetensors";

/** A run cannot be resumed: there is no checkpoint, or it is of another run. */
export class CheckpointError extends NetcError {
  override readonly name: string = "CheckpointError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** What must agree for a resumed run to equal an uninterrupted one. */
export interface RunIdentity {
  readonly seed: number;
  readonly batch: number;
  /** Examples in the training split. */
  readonly examples: number;
  /** Names of the classes, in the order of their numbers. */
  readonly classes: readonly string[];
  /** A digest that changes where the examples do; not compared unless given. */
  readonly contents?: string | undefined;
  /** Of a run on a table: what its columns are. */
  readonly table?: TableFacts | undefined;
}

/** What may differ in a resumed run, of which netc informs the user. */
export interface RunPlan {
  /** Of the whole run. */
  readonly steps: number;
  /** The optimizer's, before any schedule. */
  readonly learningRate: number;
}

/** The result of `resumeCheckpoint`. */
export interface ResumedRun {
  readonly state: TrainingState;
  /** The file that was read. */
  readonly file: string;
  /** What the run was going to do; absent in checkpoints that do not say. */
  readonly plan?: RunPlan;
  /** Why it is not the last checkpoint, for the user. */
  readonly notice?: string;
}

/** Under which names a checkpoint's metadata hold the state of the run, and its plan. */
const [STATE, PLAN, TABLE, CONTENTS] = ["training", "plan", "table", "contents"] as const;

type Metadata = Readonly<Record<string, string>>;
type SavingNetwork = Pick<Network, "save">;
type LoadingNetwork = Pick<Network, "load" | "program">;

/**
 * Saves a checkpoint and keeps the one before. Throws a RunFailedError where the disk is full, and
 * a NotFiniteError where there are numbers that no run can continue from.
 */
export async function saveCheckpoint(
  directory: string,
  network: SavingNetwork,
  state: TrainingState,
  { plan, ...run }: RunIdentity & { readonly plan?: RunPlan },
): Promise<void> {
  const planned = plan && { [PLAN]: JSON.stringify(plan) };
  const metadata = { [STATE]: serializeState(state), ...planned, ...toText(run) };
  const bytes = await network.save({ optimizer: true, metadata });
  assertFiniteTensors(bytes);
  await makeDirectory(directory);
  const last = join(directory, LAST_CHECKPOINT);
  const next = join(directory, "next.safetensors");
  await writeFileAtomically(next, bytes);
  // Between these two renames there is no `last`: a run that dies here resumes from `previous`.
  await rename(last, join(directory, PREVIOUS_CHECKPOINT)).catch(ignoreMissing);
  await rename(next, last);
  await syncFolder(directory);
}

/** Saves the weights alone, with what a user of them needs to know in the metadata. */
export async function saveWeights(
  path: string,
  network: SavingNetwork,
  metadata: Metadata = {},
): Promise<void> {
  await writeFileAtomically(path, await network.save({ metadata }));
}

/**
 * Loads the last checkpoint of a directory, or the one before it where the last is missing or
 * damaged. Throws a CheckpointError where there is none or it belongs to another run, a
 * WeightsError where none can be read.
 */
export async function resumeCheckpoint(
  directory: string,
  network: LoadingNetwork,
  run: RunIdentity,
): Promise<ResumedRun> {
  const last = join(directory, LAST_CHECKPOINT);
  const previous = join(directory, PREVIOUS_CHECKPOINT);
  const failure = await tryResume(last, network, run);
  if (!(failure instanceof Error)) return failure;
  const fallback = await tryResume(previous, network, run);
  if (fallback instanceof Error) throw unreadable(directory, [failure, fallback]);
  return { ...fallback, notice: `${failure.message}; continuing from ${previous} instead` };
}

/** What is said where neither checkpoint can be read. */
function unreadable(directory: string, failures: readonly Error[]): Error {
  const damages = failures.filter((failure) => failure instanceof WeightsError);
  if (damages.length > 0) {
    const reasons = damages.map(({ message }) => message).join("; ");
    return new WeightsError(`no checkpoint in ${directory} can be resumed: ${reasons}`);
  }
  return new CheckpointError(
    `there is no checkpoint in ${directory}, neither ${LAST_CHECKPOINT} nor ${PREVIOUS_CHECKPOINT}`,
  );
}

/** The resumed run, or the error of a file that is missing or damaged. Other errors are thrown. */
async function tryResume(
  file: string,
  network: LoadingNetwork,
  run: RunIdentity,
): Promise<ResumedRun | CheckpointError | WeightsError> {
  const bytes = await readBytes(file).catch(ignoreMissing);
  if (bytes === undefined) {
    return new CheckpointError(`there is no checkpoint ${file}`);
  }
  try {
    assertFiniteTensors(bytes);
    const metadata = await network.load(bytes);
    const state = readState(metadata);
    checkIdentity(file, metadata, network, run);
    const plan = readPlan(metadata);
    return { state, file, plan };
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    return new WeightsError(`${file}: ${error.message}`);
  }
}

function checkIdentity(
  file: string,
  metadata: Metadata,
  { program }: LoadingNetwork,
  run: RunIdentity,
): void {
  const { model, source } = program;
  if (metadata["model"] !== model) {
    throw refusal(file, `it is of model \`${metadata["model"]}\`, not \`${model}\``);
  }
  if (metadata["spec"] !== source.hash) {
    throw refusal(file, `${source.file} has changed since it was written`);
  }
  for (const [name, value] of Object.entries(toText(run))) {
    // Earlier checkpoints do not say how their table was read, and what of.
    const isUnknown = metadata[name] === undefined && (name === TABLE || name === CONTENTS);
    if (metadata[name] === value || isUnknown) continue;
    if (name === CONTENTS) throw refusal(file, CHANGED);
    const [before, now] = [metadata[name] ?? "unknown", value].map(shorten);
    throw refusal(file, `its run had ${name} ${before}, this one has ${now}`);
  }
}

const CHANGED =
  "its run had as many examples, but others: " +
  "their labels, names, numbers, boxes or order have changed";

const LONGEST_TEXT = 200;

const shorten = (text: string) =>
  text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text;

function refusal(file: string, reason: string): CheckpointError {
  return new CheckpointError(
    `${file} cannot be resumed: ${reason}`,
    `to start a new run from its weights, use --weights ${file}`,
  );
}

function readState(metadata: Metadata): TrainingState {
  const state = parseState(metadata[STATE] ?? "");
  if (!state) throw new WeightsError("this file does not say how far its run had come");
  if (metadata["checksum"] !== undefined) return state;
  throw new WeightsError("this file has no checksum, so that damage to it cannot be seen");
}

function readPlan(metadata: Metadata): RunPlan | undefined {
  const text = metadata[PLAN];
  return text === undefined ? undefined : (JSON.parse(text) as RunPlan);
}

function toText({
  seed,
  batch,
  examples,
  classes,
  contents,
  table,
}: RunIdentity): Record<string, string> {
  const text = {
    seed: String(seed),
    batch: String(batch),
    examples: String(examples),
    classes: JSON.stringify(classes),
  };
  const others = { [CONTENTS]: contents, [TABLE]: table && JSON.stringify(table) };
  return { ...text, ...withoutUndefined(others) };
}

async function makeDirectory(path: string): Promise<void> {
  await makeFolders(path).catch((error: NodeJS.ErrnoException) => {
    throw writeError(error.path ?? path, error);
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
