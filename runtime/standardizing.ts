/**
 * Networks whose inputs are columns of a table that training standardized: calls take the numbers
 * as they are in the table. Modules of such specs create these.
 */
import type { Program } from "../program/program.js";
import { sizeOf, tensorsOf } from "../program/tensors.js";
import type { Metadata } from "./calls.js";
import type { Scale } from "./data/dataset.js";
import { InputError, WeightsError } from "./errors.js";

/** Of each input, what its columns are standardized by, in their order. */
export type Scales = Readonly<Record<string, Scale>>;

/** What a network that standardizes has in addition. */
export interface Standardizing {
  /**
   * What inputs are standardized by: `load` takes it from weights that `netc train` wrote, and
   * `save` writes it. Undefined before that, where `predict`, `step` and `evaluate` throw
   * InputError.
   */
  readonly scales: Scales | undefined;
  /**
   * Sets it, for weights that do not hold it or that are not trained yet; a mean of 0 and a
   * deviation of 1 leave numbers as they are. Throws InputError for an input that is missing, and
   * for lists that are not as long as an example.
   */
  standardizeBy(scales: Scales): void;
}

type Call = (...given: readonly unknown[]) => Promise<unknown>;

interface Opened {
  readonly program: Program;
  load(...given: readonly never[]): Promise<Metadata>;
}

/** Calls that take examples first. `fit` and `evaluateDataset` call others. */
const CALLS = ["predict", "step", "evaluate", "activations", "attribution"] as const;

/** The same network, whose calls standardize the numbers of these inputs. */
export function standardizing<Network extends Opened>(
  network: Network,
  names: readonly string[],
): Network & Standardizing {
  const { program } = network;
  const plain = boundCalls(network);
  let scales: Scales | undefined;
  let table: object = {};
  /** Ends with the last `load`; nothing while none is under way. */
  let loading: Promise<unknown> | undefined;

  const set = (given: Scales, because: (message: string) => Error) => {
    checkScales(program, { scales: given, names }, because);
    scales = structuredClone(given);
  };
  const load: Call = async (...given) => {
    const read = plain.load!(...given) as Promise<Metadata>;
    const done = read.then((metadata) => {
      table = JSON.parse(metadata["table"] ?? "{}") as object;
      const found = (table as { readonly scale?: Scales }).scale;
      scales = undefined;
      if (found) set(found, (message) => new WeightsError(`the weights' \`table\`: ${message}`));
    });
    const last = done.catch(() => undefined);
    loading = last;
    void last.then(() => (loading = loading === last ? undefined : loading));
    await done;
    return read;
  };
  const save: Call = (options = {}) => {
    const { metadata } = options as { readonly metadata?: Metadata };
    const own = scales ? { table: JSON.stringify({ ...table, scale: scales }) } : {};
    return plain.save!({ ...(options as object), metadata: { ...own, ...metadata } });
  };
  const call =
    (name: string): Call =>
    async (inputs, ...rest) => {
      const own = copyOf(inputs);
      if (loading) await loading;
      return plain[name]!(scaled(own, { program, names, scales }), ...rest);
    };
  const called = CALLS.filter((name) => plain[name]).map((name) => [name, call(name)] as const);
  const standardizeBy = (given: Scales) => set(given, (message) => new InputError(message));
  const saving = plain["save"] ? { save } : {};
  const asPrepared: unknown = Object.create(network, values(plain));
  const members: object = {
    ...Object.fromEntries(called),
    ...saving,
    load,
    standardizeBy,
    asPrepared,
  };
  Object.defineProperties(network, values(members));
  Object.defineProperty(network, "scales", { get: () => scales, configurable: true });
  return network as Network & Standardizing;
}

/** Properties that replace others. */
function values(members: object): PropertyDescriptorMap {
  const entries: readonly [string, unknown][] = Object.entries(members);
  return Object.fromEntries(entries.map(([name, value]) => [name, { value, configurable: true }]));
}

function boundCalls(network: object): Readonly<Record<string, Call | undefined>> {
  const calls = network as Readonly<Record<string, Call | undefined>>;
  return Object.fromEntries(
    [...CALLS, "load", "save"].flatMap((name) => {
      const own = calls[name];
      return own ? [[name, own.bind(network)]] : [];
    }),
  );
}

interface Chosen {
  readonly scales: Scales | undefined;
  readonly names: readonly string[];
}

function checkScales(
  program: Program,
  { scales, names }: Chosen,
  because: (message: string) => Error,
): void {
  for (const { name, shape } of tensorsOf(program, "input")) {
    if (!names.includes(name)) continue;
    const size = sizeOf(shape);
    const { mean, std } = scales?.[name] ?? {};
    if (mean?.length === size && std?.length === size && std.every((each) => each > 0)) continue;
    throw because(
      `\`${name}\` takes ${size} means and as many deviations above 0: ` +
        `{ ${name}: { mean: [...], std: [...] } }`,
    );
  }
}

/** Arrays as they are when a call is made. */
function copyOf(inputs: unknown): unknown {
  if (inputs instanceof Float32Array) return inputs.slice();
  return isNamed(inputs)
    ? Object.fromEntries(Object.entries(inputs).map(([name, each]) => [name, copyOf(each)]))
    : inputs;
}

const isNamed = (inputs: unknown): inputs is Readonly<Record<string, unknown>> =>
  inputs instanceof Object && Object.getPrototypeOf(inputs) === Object.prototype;

/** What is not an array of floats stays, so that the network says what it takes. */
function scaled(inputs: unknown, { program, names, scales }: Chosen & { program: Program }) {
  if (!scales) throw unknownScales(names);
  const of = (name: string, values: unknown) => {
    const scale = names.includes(name) ? scales[name] : undefined;
    if (!scale || !(values instanceof Float32Array)) return values;
    const { mean, std } = scale;
    return values.map((value, at) => (value - mean[at % mean.length]!) / std[at % std.length]!);
  };
  if (!isNamed(inputs)) return of(tensorsOf(program, "input")[0]!.name, inputs);
  return Object.fromEntries(Object.entries(inputs).map(([name, each]) => [name, of(name, each)]));
}

function unknownScales(names: readonly string[]): InputError {
  const list = names.map((name) => `\`${name}\``).join(", ");
  const example = `standardizeBy({ ${names[0]}: { mean: [...], std: [...] } })`;
  return new InputError(
    `nothing says by which means and deviations the columns of ${list} are standardized: ` +
      `\`load\` weights that \`netc train\` wrote, or call \`${example}\``,
  );
}
