import type { Affine, BatchRange } from "../../program/program.js";
import type { Origin } from "../ir/origin.js";
import { HALVES, type Bindings } from "../kernels/bindings.js";
import { wordsOf, type Constants, type ValueOf } from "../kernels/constants.js";
import {
  joinNamed,
  type Fragment,
  type KernelSlots,
  type TypedKernel,
} from "../kernels/define-kernel.js";
import type { Storage } from "../plan/storage.js";
import type { StepDraft } from "./step-draft.js";

/** Names that each variant of a kernel has, and those that only some have. */
type Always<All> = { [Name in keyof All]: undefined extends All[Name] ? never : Name }[keyof All];
type Sometimes<All> = Exclude<keyof All, Always<All>>;

/** Memory for each of a kernel's bindings. */
export type BuffersOf<B extends Bindings> = { readonly [Name in Always<B>]: Storage } & {
  readonly [Name in Sometimes<B>]?: Storage | undefined;
};

/** A value for each of a kernel's constants. */
export type ValuesOf<C extends Constants> = { readonly [Name in Always<C>]: ValueOf<C[Name]> } & {
  readonly [Name in Sometimes<C>]?: ValueOf<Exclude<C[Name], undefined>> | undefined;
};

/** What a fragment is given. */
export interface Bound<B extends Bindings = Bindings, C extends Constants = Constants> {
  readonly buffers: BuffersOf<B>;
  readonly constants: ValuesOf<C>;
}

/** A fragment's memory and numbers, made where its types are known. */
export const bind = <B extends Bindings, C extends Constants>(
  _fragment: Fragment<B, C>,
  bound: Bound<B, C>,
): Bound => bound;

/** A dispatch of a kernel: memory and numbers by the names that the kernel has for them. */
export type Dispatch<B extends Bindings, C extends Constants> = Bound<B, C> &
  Invocations & {
    /** What the kernel's fragments are given. */
    readonly fragments?: readonly (Bound | undefined)[];
    readonly label: string;
    readonly origin: Origin;
    /** Multiply-adds per image; 0 if left out. */
    readonly macs?: number;
    /** The batches for which it is part of its list; all if absent. */
    readonly batches?: BatchRange | undefined;
  };

/** How many threads there are, from which workgroups follow, or the workgroups. */
type Invocations =
  | { readonly threads: Affine; readonly workgroups?: undefined }
  | { readonly workgroups: StepDraft["workgroups"]; readonly threads?: undefined };

/**
 * A dispatch before its memory is planned; an error if a name is missing, given twice or left over.
 */
export function dispatch<const B extends Bindings, const C extends Constants>(
  kernel: TypedKernel<B, C>,
  given: Dispatch<B, C>,
): StepDraft {
  const { label, origin, macs = 0, batches, fragments = [] } = given;
  const bound = [given as unknown as Bound, ...fragments.filter((each) => each !== undefined)];
  const buffers = joinNamed(bound.map((each) => each.buffers));
  const values = joinNamed(bound.map(({ constants }) => constants as Record<string, Value>));
  const { bindings, constants } = kernel.slots;
  requireSame(kernel.name, bindings, buffers);
  requireSame(kernel.name, constants, values);
  return {
    kernel: kernel.print(halvesOf(bindings, buffers)),
    storage: bindings.map(([name]) => buffers[name]!),
    constants: constants.flatMap(([name, kind]) => wordsOf(kind, values[name]!)),
    workgroups: given.workgroups ?? { x: { ...given.threads, tile: kernel.lanes }, z: 1 },
    label,
    origin,
    macs,
    batches,
  };
}

type Value = ValueOf<"u32"> | ValueOf<"place"> | readonly number[];

type Declared = readonly (readonly [name: string, ...what: unknown[]])[];

function requireSame(kernel: string, declared: Declared, given: Readonly<Record<string, unknown>>) {
  const names = Object.keys(given);
  const isGiven = declared.every(([name]) => name in given);
  if (isGiven && names.length === declared.length) return;
  const missing = declared.flatMap(([name]) => (name in given ? [] : [name]));
  const left = names.filter((name) => !declared.some(([known]) => known === name));
  if (missing.length > 0) throw new Error(`${kernel} is not given ${missing.join(", ")}`);
  throw new Error(`${kernel} has no ${left.join(", ")}`);
}

const NO_HALVES: ReadonlySet<string> = new Set();

/** Bindings of floats whose memory has 16 bits. */
function halvesOf(
  bindings: KernelSlots["bindings"],
  buffers: Readonly<Record<string, Storage>>,
): ReadonlySet<string> {
  const isHalf = ([name, { element }]: (typeof bindings)[number]) =>
    HALVES[element] !== undefined && buffers[name]!.element === "f16";
  const halves = bindings.filter(isHalf);
  return halves.length === 0 ? NO_HALVES : new Set(halves.map(([name]) => name));
}
