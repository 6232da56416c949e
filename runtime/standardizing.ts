/**
 * Networks whose inputs are columns of a table that training standardized: calls take the numbers
 * as they are in the table. Modules of such specs create these.
 */
import type { Program } from "../program/program.js";
import { sizeOf, tensorsOf } from "../program/tensors.js";
import type { Metadata } from "./calls.js";
import type { Scale, TableFacts } from "./data/dataset.js";
import { noteTable, tableOf } from "./data/standardized.js";
import { InputError, WeightsError } from "./errors.js";

/** Of each input, what its columns are standardized by, in their order. */
export type Scales = Readonly<Record<string, Scale>>;

/** What a network that standardizes has in addition. */
export interface Standardizing {
  /**
   * What inputs are standardized by: `load` takes it from weights that `netc train` wrote, a new
   * network from the first batch of a table that is read with `standardize`, and `save` writes it.
   * Undefined before that, where calls with numbers of these inputs throw InputError. Batches of
   * such a table stay as they are; of one that is standardized by other numbers, calls throw
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
type Calls = Readonly<Record<string, Call | undefined>>;

interface Opened {
  readonly program: Program;
  load(...given: readonly never[]): Promise<Metadata>;
}

/** Calls that take inputs first. Some call others, which leave what is standardized already. */
const TAKING_INPUTS = [
  ...["predict", "classify", "step", "measureStep", "evaluate", "measure"],
  ...["activations", "attribution"],
];

/** Calls that take them second, as `images` of examples. */
const TAKING_EXAMPLES = ["inspect", "inspectCall"];

const CALLS = [...TAKING_INPUTS, ...TAKING_EXAMPLES];

/**
 * The same network, whose calls standardize the numbers of these inputs, but for batches that
 * `loadBatches` makes of a table which is read so.
 */
export function standardizing<Network extends Opened>(
  network: Network,
  names: readonly string[],
): Network & Standardizing {
  const plain = boundCalls(network);
  // Of a network whose weights a dev server kept (hot.ts).
  const { scales: kept } = network as { readonly scales?: Scales };
  const tables = new Tables(network.program, names, kept);
  /** Ends with the last `load`; nothing while none is under way. */
  let loading: Promise<unknown> | undefined;

  const load: Call = async (...given) => {
    const read = plain["load"]!(...given) as Promise<Metadata>;
    const done = read.then((metadata) => tables.load(metadata));
    const last = done.catch(() => undefined);
    loading = last;
    void last.then(() => (loading = loading === last ? undefined : loading));
    await done;
    return read;
  };
  const save: Call = (options = {}) => {
    const { metadata } = options as { readonly metadata?: Metadata };
    return plain["save"]!({
      ...(options as object),
      metadata: { ...tables.metadata, ...metadata },
    });
  };
  const call =
    (name: string): Call =>
    async (...given) => {
      const own = loading ? given.map(copyOf) : given;
      if (loading) await loading;
      const [first, second, ...rest] = own;
      if (!TAKING_EXAMPLES.includes(name)) {
        return plain[name]!(tables.scaled(first), ...own.slice(1));
      }
      const examples = second as { readonly images: unknown };
      return plain[name]!(first, { ...examples, images: tables.scaled(examples.images) }, ...rest);
    };
  const replaced = CALLS.filter((name) => plain[name]).map((name) => [name, call(name)] as const);
  const saving = plain["save"] ? { save } : {};
  const standardizeBy = (scales: Scales) => tables.set(scales);
  const members: object = { ...Object.fromEntries(replaced), ...saving, load, standardizeBy };
  Object.defineProperties(network, values(members));
  Object.defineProperty(network, "scales", { get: () => tables.scales, configurable: true });
  return network as Network & Standardizing;
}

/** Properties that replace others. */
function values(members: object): PropertyDescriptorMap {
  const entries: readonly [string, unknown][] = Object.entries(members);
  return Object.fromEntries(entries.map(([name, value]) => [name, { value, configurable: true }]));
}

function boundCalls(network: object): Calls {
  const calls = network as Calls;
  return Object.fromEntries(
    [...CALLS, "load", "save"].flatMap((name) => {
      const own = calls[name];
      return own ? [[name, own.bind(network)]] : [];
    }),
  );
}

/** How the table was read that a network is of. */
class Tables {
  private table: TableFacts = {};

  constructor(
    private readonly program: Program,
    private readonly names: readonly string[],
    kept: Scales | undefined,
  ) {
    // A changed spec may read other columns.
    if (kept && this.problemOf(kept) === undefined) this.table = { scale: kept };
  }

  get scales(): Scales | undefined {
    return this.table.scale;
  }

  get metadata(): Metadata {
    return this.scales ? { table: JSON.stringify(this.table) } : {};
  }

  /** What weights say of their table. */
  load(metadata: Metadata): void {
    const table = JSON.parse(metadata["table"] ?? "{}") as TableFacts;
    const problem = table.scale && this.problemOf(table.scale);
    this.table = problem === undefined ? table : {};
    if (problem !== undefined) throw new WeightsError(`the weights' \`table\`: ${problem}`);
  }

  set(scales: Scales): void {
    const problem = this.problemOf(scales);
    if (problem !== undefined) throw new InputError(problem);
    this.table = { ...this.table, scale: structuredClone(scales) };
  }

  private problemOf(scales: Scales): string | undefined {
    for (const { name, shape } of tensorsOf(this.program, "input")) {
      if (!this.names.includes(name)) continue;
      const size = sizeOf(shape);
      const { mean = [], std = [] } = scales?.[name] ?? {};
      const areAll = mean.length === size && std.length === size;
      const isFinite = [...mean, ...std].every(Number.isFinite);
      if (areAll && isFinite && std.every((each) => each > 0)) continue;
      return (
        `\`${name}\` takes ${size} means and as many deviations above 0: ` +
        `{ ${name}: { mean: [...], std: [...] } }`
      );
    }
    return undefined;
  }

  /** What is not an array of floats stays, so that the network says what it takes. */
  scaled(inputs: unknown): unknown {
    if (!isNamed(inputs)) return this.scaledInput(firstInput(this.program), inputs);
    const entries = Object.entries(inputs);
    return Object.fromEntries(entries.map(([name, each]) => [name, this.scaledInput(name, each)]));
  }

  private scaledInput(name: string, given: unknown): unknown {
    if (!this.names.includes(name) || !(given instanceof Float32Array)) return given;
    const known = tableOf(given);
    if (known) {
      this.adopt(known);
      return given;
    }
    const scale = this.scales?.[name];
    if (!scale) throw unknownScales(this.names);
    const { mean, std } = scale;
    const own = given.map((value, at) => (value - mean[at % mean.length]!) / std[at % std.length]!);
    return noteTable(own, this.table);
  }

  /** A network without trained weights takes the scales of the first batch of a table. */
  private adopt(known: TableFacts): void {
    if (!this.scales) this.table = known;
    const listed = ({ scale }: TableFacts) =>
      JSON.stringify(this.names.map((name) => [scale?.[name]?.mean, scale?.[name]?.std]));
    if (listed(known) === listed(this.table)) return;
    throw new InputError(
      "the table of this batch is standardized by other means and deviations than the network's " +
        "`scales`: open it with the weights' (`table` of `openData`), or call " +
        "`standardizeBy(dataset.table.scale)`",
    );
  }
}

const firstInput = (program: Program) => tensorsOf(program, "input")[0]!.name;

/** Arrays as they are when a call is made. */
function copyOf(given: unknown): unknown {
  if (given instanceof Float32Array) {
    const table = tableOf(given);
    return table ? noteTable(given.slice(), table) : given.slice();
  }
  if (given instanceof Uint32Array || given instanceof Int32Array || Array.isArray(given)) {
    return given.slice() as unknown;
  }
  return isNamed(given)
    ? Object.fromEntries(Object.entries(given).map(([name, each]) => [name, copyOf(each)]))
    : given;
}

const isNamed = (inputs: unknown): inputs is Readonly<Record<string, unknown>> =>
  inputs instanceof Object && Object.getPrototypeOf(inputs) === Object.prototype;

function unknownScales(names: readonly string[]): InputError {
  const list = names.map((name) => `\`${name}\``).join(", ");
  const example = `standardizeBy({ ${names[0]}: { mean: [...], std: [...] } })`;
  return new InputError(
    `nothing says by which means and deviations the columns of ${list} are standardized: ` +
      `\`load\` weights that \`netc train\` wrote, or call \`${example}\``,
  );
}
