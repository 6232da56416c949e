/** Runs of items that come again become blocks, the one that saves most to read first. */
import { grouped } from "./group.js";
import { nameBlock } from "./block-names.js";
import { blockCost, costOf } from "./costs.js";
import {
  bodiesOf,
  isWeighted,
  withBodies,
  type Block,
  type Body,
  type Item,
  type UseItem,
} from "./items.js";
import { Keys, type Likeness } from "./keys.js";
import { merge } from "./merge.js";
import { layersOf, type References } from "./references.js";
import { withoutUnnamed } from "./sections.js";
import { cutsOf } from "./statements.js";

export interface Structure {
  readonly blocks: readonly Block[];
  readonly body: Body;
}

/** Statements that a block may take from a body; the bodies in them are as long as they are. */
const LONGEST = 14;
const MOST_BLOCKS = 12;
/** Fewer layers are not a block. */
const LEAST_LAYERS = 3;
/** Characters that a block must save, and their share of what it replaces. */
const LEAST_SAVED = 60;
const LEAST_SHARE = 0.2;

/** @param taken names that blocks cannot have */
export function withBlocks(
  body: Body,
  references: References,
  taken: ReadonlySet<string>,
): Structure {
  const keys = new Keys();
  let structure: Structure = { blocks: [], body };
  for (let count = 0; count < MOST_BLOCKS; count++) {
    const best = bestBlock(structure, { references, keys, taken });
    if (!best) break;
    structure = replaced(structure, best, { references, keys });
  }
  return structure;
}

interface Surroundings {
  readonly references: References;
  readonly keys: Keys;
}

interface Naming extends Surroundings {
  readonly taken: ReadonlySet<string>;
}

interface Window {
  readonly list: Body;
  readonly start: number;
  readonly end: number;
}

interface Candidate {
  readonly key: string;
  readonly windows: readonly Window[];
}

interface Found {
  readonly key: string;
  readonly block: Block;
  readonly saved: number;
  readonly arguments: readonly (readonly string[])[];
}

function bestBlock(structure: Structure, naming: Naming): Found | undefined {
  const bounded = candidatesIn(structure, naming)
    .map((candidate) => ({ candidate, most: mostSaved(candidate) }))
    .filter(({ most }) => most >= LEAST_SAVED)
    .toSorted((a, b) => b.most - a.most);
  let best: Found | undefined;
  for (const { candidate, most } of bounded) {
    if (best && best.saved >= most) break;
    const found = blockOf(candidate, structure, naming);
    if (found && found.saved > (best?.saved ?? 0)) best = found;
  }
  return best;
}

/** As if uses and the block's header took no place. */
function mostSaved({ windows }: Candidate): number {
  return windows.slice(1).reduce((sum, window) => sum + costOf(itemsOf(window)), 0);
}

function candidatesIn(
  { blocks, body }: Structure,
  surroundings: Surroundings,
): readonly Candidate[] {
  const windows = new Map<string, Window[]>();
  for (const list of [body, ...blocks.map((block) => block.body)].flatMap(listsIn)) {
    for (const { key, window } of windowsOf(list, surroundings)) {
      const others = windows.get(key);
      if (!others) windows.set(key, [window]);
      else if (!overlaps(others.at(-1)!, window)) others.push(window);
    }
  }
  return [...windows]
    .filter(([, found]) => found.length > 1 && !isLoop(found))
    .map(([key, found]) => ({ key, windows: found }));
}

const overlaps = (a: Window, b: Window) => a.list === b.list && a.end > b.start;

/** Plain layers, one turn after the other: a loop says that, without a block. */
function isLoop(windows: readonly Window[]): boolean {
  const isFlat = itemsOf(windows[0]!).every(({ form }) => form === "layer");
  const isRun = windows.every((window, index) => {
    const next = windows[index + 1];
    return !next || (next.list === window.list && next.start === window.end);
  });
  return isFlat && isRun;
}

const listsIn = (body: Body): readonly Body[] => [
  body,
  ...body.flatMap((item) => bodiesOf(item).flatMap(listsIn)),
];

function* windowsOf(list: Body, { keys, references }: Surroundings) {
  const cuts = cutsOf(list);
  for (let from = 0; from + 1 < cuts.length; from++) {
    for (let to = from + 1; to < cuts.length && to <= from + LONGEST; to++) {
      const window = { list, start: cuts[from]!, end: cuts[to]! };
      const items = itemsOf(window);
      if (!isWorthwhile(items) || !references.isClosed(items, { mayBeNamed: true })) continue;
      yield { key: keyOf(items, keys, to - from), window };
    }
  }
}

/**
 * A section, plain layers, or something in braces: a residual with activations and the like, or
 * branches behind at most one convolution.
 */
function isWorthwhile(items: Body): boolean {
  const [only, ...more] = items.filter(({ form }) => form !== "layer");
  if (!only) return items.length > 1;
  if (more.length > 0) return false;
  if (items.length === 1) return only.form === "section" || only.form === "branches";
  const weighted = items.filter(isWeighted);
  const most = { residual: 0, branches: 1 }[only.form as string];
  return most !== undefined && weighted.length <= most;
}

/** A single statement may differ in what its convolution sees; of several, each has its part. */
function keyOf(items: Body, keys: Keys, statements: number): string {
  const isFlat = items.every(({ form }) => form === "layer");
  const likeness: Likeness = statements === 1 && isFlat ? "alike" : "strict";
  return `${likeness} ${keys.ofAll(items, likeness)}`;
}

const itemsOf = ({ list, start, end }: Window): Body => list.slice(start, end);

function blockOf(candidate: Candidate, structure: Structure, naming: Naming): Found | undefined {
  const bodies = candidate.windows.map((window) => insideOf(itemsOf(window)));
  const { body: merged, parameters, values } = merge(bodies, { isApart: true });
  const body = withoutUnnamed(merged);
  if (layersOf(body).length + usesIn(body) < LEAST_LAYERS) return undefined;
  const { order, defaults } = ordered(
    parameters.map(({ name }) => name),
    values,
  );
  const own = order.map((place) => {
    const { name } = parameters[place]!;
    const otherwise = defaults[place];
    return otherwise === undefined ? { name } : { name, otherwise };
  });
  const used = new Set([...naming.taken, ...structure.blocks.map(({ name }) => name)]);
  const name = nameBlock(body, sectionsOf(candidate.windows), used);
  const block = { name, parameters: own, body };
  const given = values.map((row) => order.map((place) => row[place]!));
  const before = candidate.windows.reduce((sum, window) => sum + costOf(itemsOf(window)), 0);
  const after = candidate.windows.map((window, use) => useOf(itemsOf(window), block, given[use]!));
  const saved = before - costOf(after) - blockCost(block);
  if (saved < LEAST_SAVED || saved < LEAST_SHARE * before) return undefined;
  return { key: candidate.key, block, saved, arguments: given };
}

const usesIn = (body: Body): number =>
  body.reduce(
    (sum, item) => sum + (item.form === "use" ? 1 : 0) + bodiesOf(item).map(usesIn).reduce(add, 0),
    0,
  );

const add = (a: number, b: number) => a + b;

/** A section becomes a use by its own name: its layers keep their names. */
function insideOf(items: Body): Body {
  const [only, ...others] = items;
  return only?.form === "section" && others.length === 0 ? only.body : items;
}

function sectionsOf(windows: readonly Window[]): readonly string[] {
  return windows.flatMap((window) => {
    const [only, ...others] = itemsOf(window);
    return only?.form === "section" && others.length === 0 ? [only.name] : [];
  });
}

function useOf(items: Body, block: Block, texts: readonly string[]): UseItem {
  const slots = texts.map((text, index) => ({ argument: block.parameters[index]!.name, text }));
  const [only] = items;
  const alias = only?.form === "section" && items.length === 1 ? { alias: only.name } : {};
  const range = { first: items[0]!.first, last: items.at(-1)!.last };
  return { form: "use", block, slots, ...range, ...alias };
}

/** Widths first, then what has no usual value, then the rest. */
function ordered(names: readonly string[], values: readonly (readonly string[])[]) {
  const defaults = names.map((name, place) =>
    isWidth(name) ? undefined : usual(values.map((row) => row[place]!)),
  );
  const rank = (place: number) =>
    defaults[place] !== undefined ? 2 : isWidth(names[place]!) ? 0 : 1;
  const order = names.map((_, place) => place).toSorted((a, b) => rank(a) - rank(b));
  return { order, defaults };
}

const isWidth = (name: string) => /^(width|out|channels|squeezed)\d*$/.test(name);

/** The number that at least half of the uses give; expressions do not count. */
function usual(texts: readonly string[]): string | undefined {
  const groups = [...grouped(texts, (text) => text)];
  const [text, uses] = groups.toSorted(([, a], [, b]) => b.length - a.length)[0]!;
  return /^\d+$/.test(text) && 2 * uses.length >= texts.length ? text : undefined;
}

function replaced(
  { blocks, body }: Structure,
  { key, block, arguments: given }: Found,
  surroundings: Surroundings,
): Structure {
  const rows = given.values();
  // The same order of lists as in `candidatesIn`, in which the arguments are.
  const inside = (each: Body): Body =>
    withUses(each, { key, block, rows }, surroundings).map((item) =>
      withBodies(item, bodiesOf(item).map(inside)),
    );
  const changed = inside(body);
  const others = blocks.map((each) => ({ ...each, body: inside(each.body) }));
  return { body: changed, blocks: [...others, block] };
}

interface Uses {
  readonly key: string;
  readonly block: Block;
  readonly rows: Iterator<readonly string[]>;
}

function withUses(list: Body, { key, block, rows }: Uses, surroundings: Surroundings): Body {
  const found = [...windowsOf(list, surroundings)].filter((each) => each.key === key);
  const items: Item[] = [];
  let at = 0;
  for (const { window } of found) {
    if (window.start < at) continue;
    items.push(...list.slice(at, window.start));
    items.push(useOf(itemsOf(window), block, rows.next().value as readonly string[]));
    at = window.end;
  }
  return [...items, ...list.slice(at)];
}
