/**
 * Networks as files: what `save` writes and `load` reads. A page that does neither needs none of
 * it, so saving.ts imports this file, and the format behind it, with the first call of either.
 */
import type { Program } from "../program/program.js";
import type { LoadOptions, Metadata, SaveOptions } from "./calls.js";
import type { OwnSource } from "./copies.js";
import { programOf } from "./enter-phase.js";
import { WeightsError } from "./errors.js";
import type { Loaded } from "./loaded.js";
import type { TensorOf } from "./parameters.js";
import type { Phases } from "./phases.js";
import type { Tensor } from "./tensor-file.js";
import { namedClasses, readWeightsFile, withFile } from "./weights-file.js";
import { AVERAGE_PREFIX, matchWeights, statePrefix, statesOf } from "./weights.js";
import { writeTensors } from "./write-tensors.js";

export { packPiece, unpackPiece } from "./layout.js";

/** A safetensors file of the parameters; with `optimizer`, of all that training needs. */
export async function save(
  phases: Phases,
  { optimizer = false, metadata = {} }: SaveOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { loaded } = phases;
  const { measured } = loaded.program;
  if (measured && !optimizer) (await import("./measured.js")).assertMeasured(loaded, phases);
  const tensors = await tensorsOf(loaded, "value", "");
  tensors.push(...(await tensorsOf(loaded, "average", optimizer ? AVERAGE_PREFIX : "")));
  if (optimizer) {
    for (const state of statesOf(loaded.program)) {
      tensors.push(...(await tensorsOf(loaded, state, statePrefix(state))));
    }
  }
  const training = optimizer ? await trainingMetadata(phases) : {};
  // Of two by the same name, a value and its average, the later one counts.
  // Without what only losses need, unless training is to continue.
  const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  if (!optimizer)
    for (const { name, teacher } of loaded.program.parameters) if (teacher) named.delete(name);
  // In one place whether they were loaded or are given: files of the same content are the same.
  const classes = metadata["classes"] ?? (phases.classes && JSON.stringify(phases.classes));
  const names = classes && { classes };
  const all = { ...modelMetadata(loaded.program), ...training, ...metadata, ...names };
  return writeTensors([...named.values()], all);
}

async function tensorsOf(loaded: Loaded, of: TensorOf, prefix: string): Promise<Tensor[]> {
  const tensors = await loaded.parameters.valuesOf(of);
  return [...tensors].map(([{ name, shape }, values]) => ({ name: prefix + name, shape, values }));
}

/** `format` tells PyTorch's readers whose order the values are in. */
const modelMetadata = ({ model, source }: Program): Metadata => ({
  format: "pt",
  model,
  spec: source.hash,
});

/** Where training is. */
async function trainingMetadata(phases: Phases): Promise<Metadata> {
  const { step, seed, since, current, loaded } = phases;
  const phase = phases.count > 1 && { phase: current, since };
  const counts = Object.entries({ step, seed, ...phase });
  const metadata = counts.map(([name, count]) => [name, String(count)]);
  if (loaded.program.measured)
    metadata.push((await import("./measured.js")).measuredEntry(loaded, phases));
  const scale = await loaded.lossScale();
  if (scale) metadata.push(["loss_scale", scale.join(" ")]);
  return Object.fromEntries(metadata) as Metadata;
}

export interface LoadedFile extends LoadOptions {
  readonly source: OwnSource;
}

/** What a file says in addition to its weights, and notes on how it was read. */
export interface LoadResult {
  readonly metadata: Metadata;
  readonly warning: string | undefined;
}

/**
 * Fills the parameters from a safetensors file. Throws WeightsError, and changes nothing, if the
 * file cannot be had, is broken, or belongs to another network.
 */
export function load(phases: Phases, { source, ...options }: LoadedFile): Promise<LoadResult> {
  return withFile(source, options, (bytes) => fill(phases, bytes, options));
}

async function fill(
  phases: Phases,
  bytes: Uint8Array<ArrayBuffer>,
  { optimizer = true, except }: LoadOptions,
): Promise<LoadResult> {
  const { tensors, metadata } = await readWeightsFile(bytes);
  const phase = (optimizer ? countIn(metadata, "phase") : undefined) ?? phases.current;
  const matched = await matchWeights(programOf(phases, phase), tensors, { optimizer, except });
  const classes = except?.length
    ? undefined
    : await namedClasses(phases.loaded.program, phases.classes, metadata);
  const [step, seed, since] = ["step", "seed", "since"].map((name) => countIn(metadata, name));
  await phases.enter(phase);
  const { values, averages, states, prefix } = matched;
  phases.classes = classes ?? phases.classes;
  await phases.loaded.put({ values, averages, states: optimizer ? states : undefined });
  if (optimizer) {
    phases.step = step ?? phases.step;
    phases.seed = seed ?? phases.seed;
    phases.since = since ?? 0;
    await phases.loaded.lossScale(metadata["loss_scale"]?.split(" ").map(Number));
  }
  if (phases.loaded.program.measured)
    (await import("./measured.js")).noteLoaded(phases.loaded, phases, { averages, metadata });
  if (prefix === "") return { metadata, warning: undefined };
  return { metadata, warning: (await import("./weights-problems.js")).describePrefix(prefix) };
}

/** A count in a file's metadata. Throws WeightsError if it is not one. */
function countIn(metadata: Metadata, key: string): number | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 0xffffffff) return count;
  throw new WeightsError(`the file's \`${key}\` is not a count: ${text}`);
}
