/** Bodies that are alike as one: what they do not agree in goes, or becomes a parameter. */
import {
  bodiesOf,
  ownSlots,
  slotsWithin,
  unnamed,
  withBodies,
  withSlots,
  type Body,
  type Item,
  type Parameter,
  type Slot,
} from "./items.js";
import { nameParameters, variablesWithin } from "./parameter-names.js";

export interface Merged {
  readonly body: Body;
  readonly parameters: readonly Parameter[];
  /** What each of the bodies gives to the parameters. */
  readonly values: readonly (readonly string[])[];
}

/**
 * @param bodies alike, at least one
 * @param isApart whether what is around the bodies means nothing in the merged one: then all that
 * they read of it becomes parameters
 */
export function merge(bodies: readonly Body[], { isApart }: { readonly isApart: boolean }): Merged {
  const template = bodies.reduce(agreed);
  const columns = columnsOf(bodies);
  const inside = new Set(variablesWithin(template));
  const isKept = (text: string) => !isApart || wordsIn(text).every((word) => inside.has(word));
  const found = distinct(columns, isKept);
  const names = nameParameters(
    template,
    found.map(({ first }) => first),
    isApart ? new Set() : takenIn(columns),
  );
  const named = found.map((column, index) => ({ ...column, name: names[index]! }));
  const { base, texts } = expressed(named);
  const body = filled(
    template,
    columns.map(({ texts: [text], key }) => texts.get(key) ?? text!),
  );
  const parameters = base.map(({ name }) => ({ name }));
  const values = bodies.map((_, index) => base.map(({ texts }) => texts[index]!));
  return { body, parameters, values };
}

/** The numbers at one place of all bodies. */
export interface Column {
  readonly argument: string;
  readonly texts: readonly string[];
  /** The same for columns of the same numbers. */
  readonly key: string;
}

function columnsOf(bodies: readonly Body[]): readonly Column[] {
  const slots = bodies.map(slotsWithin);
  return slots[0]!.map(({ argument }, place) => {
    const texts = slots.map((each) => each[place]!.text);
    return { argument, texts, key: texts.join("|") };
  });
}

interface Distinct extends Column {
  /** Its place among all columns. */
  readonly first: number;
}

interface Named extends Distinct {
  readonly name: string;
}

/** Columns in which the bodies differ, each once. */
function distinct(
  columns: readonly Column[],
  isKept: (text: string) => boolean,
): readonly Distinct[] {
  const seen = new Set<string>();
  return columns.flatMap((column, first) => {
    const isConstant = column.texts.every((text) => text === column.texts[0]);
    if ((isConstant && isKept(column.texts[0]!)) || seen.has(column.key)) return [];
    seen.add(column.key);
    return [{ ...column, first }];
  });
}

/** Those that nothing else says, and what the others are in terms of them. */
function expressed(columns: readonly Named[]) {
  const base: Named[] = [];
  const texts = new Map<string, string>();
  for (const column of columns) {
    const text = base.map((other) => relation(column, other)).find((each) => each !== undefined);
    if (text === undefined) base.push(column);
    texts.set(column.key, text ?? column.name);
  }
  return { base, texts };
}

/** Factors that people write. */
const FACTORS = [2, 3, 4, 6, 8, 16];

function relation(column: Named, other: Named): string | undefined {
  const [own, its] = [column, other].map(({ texts }) => texts.map(Number)) as [number[], number[]];
  const holds = (rule: (size: number) => number) => its.every((size, i) => rule(size) === own[i]);
  if (column.argument === "padding" && other.argument === "kernel") {
    return holds((size) => (size - 1) / 2) ? `(${other.name} - 1) / 2` : undefined;
  }
  if (!isWidth(column) || !isWidth(other)) return undefined;
  const times = FACTORS.find((factor) => holds((size) => size * factor));
  if (times !== undefined) return `${times} * ${other.name}`;
  const part = FACTORS.find((factor) => holds((size) => size / factor));
  return part === undefined ? undefined : `${other.name} / ${part}`;
}

const isWidth = ({ argument }: Column) => argument === "out" || argument === "groups";

/** Words in these expressions, which mean something where the body is. */
function takenIn(columns: readonly Column[]): ReadonlySet<string> {
  return new Set(columns.flatMap(({ texts }) => texts.flatMap(wordsIn)));
}

const wordsIn = (text: string): readonly string[] => text.match(/[a-z_]\w*/gi) ?? [];

/**
 * Both as one: names stay where they agree, and `skip auto` is the same as no skip where shapes
 * agree.
 */
function agreed(a: Body, b: Body): Body {
  return a.map((item, index) => agreedItem(item, b[index]!));
}

function agreedItem(a: Item, b: Item): Item {
  const others = bodiesOf(b);
  const merged = withBodies(
    a,
    bodiesOf(a).map((body, index) => agreed(body, others[index]!)),
  );
  if (merged.form === "branches" && b.form === "branches") return agreedBranches(merged, b);
  if (merged.form === "section" && b.form === "section") {
    return merged.name === b.name ? merged : { ...merged, name: "" };
  }
  const alias =
    "alias" in merged && "alias" in b && merged.alias === b.alias ? merged : unnamed(merged);
  if (alias.form !== "residual" || b.form !== "residual") return alias;
  return alias.skip === "none" && b.skip === "auto" ? { ...alias, skip: "auto" } : alias;
}

type Branches = Extract<Item, { form: "branches" }>;

function agreedBranches(a: Branches, b: Branches): Branches {
  const branches = a.branches.map(({ name, body }, index) =>
    name !== undefined && name === b.branches[index]!.name ? { name, body } : { body },
  );
  const merged = { ...a, branches };
  return a.alias === b.alias ? merged : unnamed(merged);
}

function filled(body: Body, texts: readonly string[]): Body {
  const rest = texts.values();
  const fill = (each: Body): Body => each.map((item) => fillItem(item));
  const fillItem = (item: Item): Item => {
    const slots = ownSlots(item).map((slot): Slot => ({ ...slot, text: rest.next().value! }));
    const own = withSlots(item, slots);
    return withBodies(own, bodiesOf(own).map(fill));
  };
  return fill(body);
}
