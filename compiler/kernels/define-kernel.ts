import { wgslOf } from "../../program/program.js";
import { HALVES, ioOf, namedBindings, type Bindings, type Io } from "./bindings.js";
import { code, type Code, type Declared, type Hole } from "./code.js";
import {
  constantCode,
  fieldsOf,
  namedConstants,
  type ConstantCode,
  type Constants,
} from "./constants.js";
import { FIRST_PLANE, type Kernel } from "./kernel.js";
import { Printer } from "./printer.js";
import { sectionsOf } from "./sections.js";

/** What code may read: bound arrays and constants, by name. */
export interface Scope<B extends Bindings, C extends Constants> {
  readonly io: Io<B>;
  readonly k: ConstantCode<C>;
}

/** A part of a kernel that varies, such as an epilogue, with its bindings and constants. */
export interface Fragment<B extends Bindings = Bindings, C extends Constants = Constants> {
  readonly bindings: B;
  readonly constants: C;
  /** What is declared before other functions, in the order in which readers meet it. */
  readonly declarations?: readonly Declared[];
}

export const scopeOf = <B extends Bindings, C extends Constants>({
  bindings,
  constants,
}: Fragment<B, C>): Scope<B, C> => ({ io: ioOf(bindings), k: constantCode(constants) });

/** The parts from which every kernel is put together. */
export interface KernelParts<B extends Bindings, C extends Constants> extends Fragment<B, C> {
  /** Words of the kernel's name behind that of its definition. */
  readonly suffix?: string;
  /** One line for the reader of the emitted module. */
  readonly summary: string;
  /** What follows the kernel's own bindings and constants. */
  readonly fragments?: readonly (Fragment | undefined)[];
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /** Statements of the entry point. */
  readonly body: (scope: Scope<B, C>) => Hole;
}

/** What a kernel is given, in order. */
export interface KernelSlots {
  readonly bindings: ReturnType<typeof namedBindings>;
  readonly constants: ReturnType<typeof namedConstants>;
}

/** A kernel whose text is printed for the bindings that have 16 bits. */
export interface TypedKernel<B extends Bindings = Bindings, C extends Constants = Constants> {
  readonly name: string;
  readonly lanes: number;
  /** With those of its fragments, in order. */
  readonly bindings: Bindings;
  readonly constants: Constants;
  /** The same as lists, which every dispatch goes through. */
  readonly slots: KernelSlots;
  /** Without fragments. */
  readonly own: Fragment<B, C>;
  /** The text; once for each set of bindings with 16 bits. */
  print(halves?: ReadonlySet<string>): Kernel;
}

/** A definition with the variants of which it has made kernels: a test makes them again. */
export interface KernelDefinition {
  readonly name: string;
  readonly made: ReadonlyMap<string, TypedKernel>;
  make(...variant: readonly unknown[]): TypedKernel;
}

export const definitions: KernelDefinition[] = [];

/** Most kernels that are kept; beyond that, earlier ones are forgotten. */
const MOST_KEPT = 1000;

/**
 * A kernel for each variant. The variant is plain data and the whole key: `make` reads nothing
 * else, and is called once for each.
 */
export function defineKernel<
  Variant extends readonly unknown[],
  const B extends Bindings,
  const C extends Constants,
>(
  name: string,
  make: (...variant: Variant) => KernelParts<B, C>,
): (...variant: Variant) => TypedKernel<B, C> {
  const made = new Map<string, TypedKernel<B, C>>();
  const makeKernel = (...variant: Variant) => kernelOf(name, make(...variant));
  definitions.push({ name, made, make: makeKernel });
  return (...variant) => {
    const key = JSON.stringify(variant);
    const known = made.get(key);
    if (known) return known;
    const kernel = makeKernel(...variant);
    if (made.size >= MOST_KEPT) made.clear();
    made.set(key, kernel);
    return kernel;
  };
}

function kernelOf<B extends Bindings, C extends Constants>(
  name: string,
  parts: KernelParts<B, C>,
): TypedKernel<B, C> {
  const fragments = [parts, ...(parts.fragments ?? [])].filter((part) => part !== undefined);
  const whole: Whole = {
    name: `${name}${parts.suffix ?? ""}`,
    summary: parts.summary,
    lanes: parts.lanes,
    bindings: joinNamed(fragments.map(({ bindings }) => bindings)),
    constants: joinNamed(fragments.map(({ constants }) => constants)),
    declarations: fragments.flatMap(({ declarations = [] }) => declarations),
    body: code`${parts.body(scopeOf(parts))}`,
  };
  const printed = new Map<string, Kernel>();
  const { lanes, bindings, constants } = whole;
  return {
    name: whole.name,
    lanes,
    bindings,
    constants,
    own: parts,
    slots: { bindings: namedBindings(bindings), constants: namedConstants(constants) },
    print: (halves = new Set()) => {
      const key = [...halves].join(" ");
      const kernel = printed.get(key) ?? printKernel(whole, halves);
      printed.set(key, kernel);
      return kernel;
    },
  };
}

/** The things of several parts by name; a name given twice is a mistake. */
export function joinNamed<Thing>(
  parts: readonly Readonly<Record<string, Thing | undefined>>[],
): Record<string, Thing> {
  const joined: Record<string, Thing> = {};
  for (const part of parts) {
    for (const name of Object.keys(part)) {
      const thing = part[name];
      if (thing === undefined) continue;
      if (name in joined) throw new Error(`\`${name}\` is given twice`);
      joined[name] = thing;
    }
  }
  return joined;
}

/** A kernel's parts with those of its fragments. */
interface Whole {
  readonly name: string;
  readonly summary: string;
  readonly lanes: number;
  readonly bindings: Bindings;
  readonly constants: Constants;
  readonly declarations: readonly Declared[];
  readonly body: Code;
}

function printKernel(whole: Whole, halves: ReadonlySet<string>): Kernel {
  const { name, lanes, bindings, constants } = whole;
  const printer = new Printer(halves);
  for (const declared of whole.declarations) declared.print(printer);
  const body = whole.body.print(printer);
  requireUse(whole, printer);
  const storage = namedBindings(bindings).map(([binding, { access, element }]) => {
    const stored = halves.has(binding) ? HALVES[element]! : element;
    return { name: binding, access, element: stored };
  });
  const sections = sectionsOf(whole, storage, { printer, body });
  return {
    name: halves.size > 0 ? `${name}_f16` : name,
    storage,
    lanes,
    sections,
    wgsl: wgslOf(sections),
    constants: [
      ...namedConstants(constants).flatMap(([constant, kind]) => fieldsOf(constant, kind)),
      ...(printer.readsPlane ? [FIRST_PLANE] : []),
    ],
    workgroupBytes: printer.workgroupBytes,
  };
}

/** What a kernel is given and never reads is a mistake, and costs something in every dispatch. */
function requireUse({ name, bindings, constants }: Whole, printer: Printer): void {
  const unused = [
    ...Object.keys(bindings).filter((binding) => !printer.uses("binding", binding)),
    ...Object.keys(constants).filter((constant) => !printer.uses("constant", constant)),
  ];
  if (unused.length > 0) throw new Error(`${name} never reads ${unused.join(", ")}`);
}
