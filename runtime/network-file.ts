/**
 * Networks as files: what `save` writes and `load` reads. A page that does neither needs none of
 * it, so saving.ts imports this file, and the format behind it, with the first call of either.
 */
import type { Program } from "../program/program.js";
import { classesOf } from "../program/tensors.js";
import type { LoadOptions, Metadata, SaveOptions } from "./calls.js";
import { WeightsError } from "./errors.js";
import type { Loaded } from "./loaded.js";
import type { TensorOf } from "./parameters.js";
import type { Phases } from "./phases.js";
import { isSmall, readTensors, splitFile, viewed, type Tensor } from "./tensor-file.js";
import { AVERAGE_PREFIX, matchWeights, statePrefix, statesOf } from "./weights.js";
import { writeTensors } from "./write-tensors.js";

export { packPiece, unpackPiece } from "./layout.js";

/** A safetensors file of the parameters; with `optimizer`, of all that training needs. */
export async function save(
  phases: Phases,
  { optimizer = false, metadata = {} }: SaveOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { loaded } = phases;
  const tensors = await tensorsOf(loaded, "value", "");
  tensors.push(...(await tensorsOf(loaded, "average", optimizer ? AVERAGE_PREFIX : "")));
  if (optimizer) {
    for (const state of statesOf(loaded.program)) {
      tensors.push(...(await tensorsOf(loaded, state, statePrefix(state))));
    }
  }
  const training = optimizer ? await trainingMetadata(phases) : {};
  // Of two by the same name, a value and its average, the later one counts.
  const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
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
  const scale = await loaded.lossScale();
  if (scale) metadata.push(["loss_scale", scale.join(" ")]);
  return Object.fromEntries(metadata) as Metadata;
}

export interface LoadedFile extends LoadOptions {
  /** The network's to keep. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a file says in addition to its weights, and notes on how it was read. */
export interface LoadResult {
  readonly metadata: Metadata;
  readonly warning: string | undefined;
}

/**
 * Fills the parameters from a safetensors file. Throws WeightsError, and changes nothing, if the
 * file is broken or belongs to another network.
 */
export async function load(
  phases: Phases,
  { bytes, optimizer = true, except }: LoadedFile,
): Promise<LoadResult> {
  const read = isSmall(await headerOf(bytes)) ? await importSmall() : readTensors;
  const { tensors, metadata } = read(bytes, viewed);
  const phase = (optimizer ? countIn(metadata, "phase") : undefined) ?? phases.current;
  const matched = await matchWeights(phases.programOf(phase), tensors, { optimizer, except });
  const classes = except?.length ? undefined : await namedClasses(phases, metadata);
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
  if (prefix === "") return { metadata, warning: undefined };
  return { metadata, warning: (await import("./weights-problems.js")).describePrefix(prefix) };
}

/** Rejects with what the file is instead where it has no header. */
async function headerOf(bytes: Uint8Array) {
  try {
    return splitFile(bytes).header;
  } catch (error) {
    throw (await import("./explain-file.js")).explained(bytes, error);
  }
}

/** What reads integers with scales, which most files do not have. */
const importSmall = async () => (await import("./read-small-weights.js")).readSmallWeights;

/**
 * The class names of a file; undefined where it has none. Rejects with a WeightsError where they
 * are not those that the network has.
 */
async function namedClasses({ classes, loaded }: Phases, metadata: Metadata) {
  const names = listIn(metadata["classes"]);
  const count = classesOf(loaded.program);
  if (!names || count === undefined) return undefined;
  if (names.length === count && names.every((name, index) => name === (classes ?? names)[index])) {
    return names;
  }
  throw (await import("./weights-problems.js")).otherClasses(names, classes ?? [count]);
}

/** A list of text; undefined for anything else, which other programs may mean. */
function listIn(text: string | undefined): readonly string[] | undefined {
  try {
    const names: unknown = JSON.parse(text ?? "null");
    return Array.isArray(names) ? names.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** A count in a file's metadata. Throws WeightsError if it is not one. */
function countIn(metadata: Metadata, key: string): number | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 0xffffffff) return count;
  throw new WeightsError(`the file's \`${key}\` is not a count: ${text}`);
}
