/** Statements that come again at once become `repeat` and `for`. */
import { costOf } from "./costs.js";
import {
  changeBodies,
  isWeighted,
  unnamed,
  type Body,
  type ForItem,
  type Item,
  type RepeatItem,
} from "./items.js";
import { Keys, type Likeness } from "./keys.js";
import { merge } from "./merge.js";
import type { References } from "./references.js";
import { withoutUnnamed } from "./sections.js";
import { cutsOf } from "./statements.js";

/** Statements of a turn. */
const LONGEST = 14;
/** Statements that a `for` must save: it has two lines itself. */
const LEAST_LINES = 3;
/** Characters that a `for` must save, as a share of what it replaces. */
const LEAST_SHARE = 0.2;
/** With more numbers per iteration, a loop is not easier to read. */
const MOST_VARIABLES = 4;

export function withLoops(body: Body, references: References): Body {
  const keys = new Keys();
  const pass = (likeness: Likeness) => (list: Body) =>
    looped(list, { ...ANY, likeness, keys, references });
  return changeBodies(changeBodies(body, pass("equal")), pass("strict"));
}

/** Loops over plain layers that no block would say better: the stages of VGG. */
export function withPlainLoops(body: Body, references: References): Body {
  const keys = new Keys();
  const looping = { ...PLAIN, likeness: "strict", keys, references } as const;
  return changeBodies(body, (list) => looped(list, looping));
}

/** Which turns may be a loop. */
interface Allowed {
  readonly mostVariables: number;
  readonly allows: (turn: Body) => boolean;
}

const ANY: Allowed = { mostVariables: MOST_VARIABLES, allows: () => true };
const PLAIN: Allowed = {
  mostVariables: 2,
  allows: (turn) => {
    const weighted = turn.filter(isWeighted);
    return weighted.length > 1 && isPlainTurn(turn);
  },
};

interface Looping extends Allowed {
  readonly likeness: Likeness;
  readonly keys: Keys;
  readonly references: References;
}

interface Run {
  readonly start: number;
  /** Items of a turn, and turns. */
  readonly turns: readonly Body[];
  readonly end: number;
}

function looped(list: Body, looping: Looping): Body {
  const cuts = cutsOf(list);
  const items: Item[] = [];
  for (let at = 0; at + 1 < cuts.length;) {
    const here = bestLoop(list, cuts, at, looping);
    const next = here && bestLoop(list, cuts, at + 1, looping);
    const loop = here && (next?.saved ?? 0) > here.saved ? undefined : here;
    items.push(...(loop ? [loop.item] : list.slice(cuts[at], cuts[at + 1])));
    at = loop ? loop.next : at + 1;
  }
  return items;
}

function bestLoop(list: Body, cuts: readonly number[], at: number, looping: Looping) {
  let best: { readonly item: Item; readonly next: number; readonly saved: number } | undefined;
  for (let period = 1; period <= LONGEST && at + 2 * period < cuts.length; period++) {
    const run = runFrom(list, cuts, { at, period }, looping);
    const item = run && loopOf(run, list, looping);
    if (!run || !item) continue;
    const before = costOf(list.slice(run.start, run.end));
    const saved = before - costOf([item]);
    const isWorthwhile =
      item.form === "repeat"
        ? run.turns.length > 2 || period > 1 || !isPlainTurn(run.turns[0]!)
        : period * run.turns.length >= period + LEAST_LINES && saved >= LEAST_SHARE * before;
    if (isWorthwhile && saved > (best?.saved ?? 0)) {
      best = { item, next: at + period * run.turns.length, saved };
    }
  }
  return best;
}

const isPlainTurn = (turn: Body): boolean => turn.every(({ form }) => form === "layer");

/** As many turns as are alike and do not name each other's values. */
function runFrom(
  list: Body,
  cuts: readonly number[],
  { at, period }: { readonly at: number; readonly period: number },
  { likeness, keys, references, allows }: Looping,
): Run | undefined {
  const turns: Body[] = [];
  let key: string | undefined;
  for (let from = at; from + period < cuts.length; from += period) {
    const turn = list.slice(cuts[from], cuts[from + period]);
    const own = keys.ofAll(turn, likeness);
    if (own !== (key ?? own) || !references.isClosed(turn, { mayBeNamed: false })) break;
    key = own;
    turns.push(turn);
  }
  if (turns.length < 2 || !allows(turns[0]!)) return undefined;
  return { start: cuts[at]!, turns, end: cuts[at + period * turns.length]! };
}

function loopOf(
  { turns, start }: Run,
  list: Body,
  { likeness, mostVariables }: Looping,
): Item | undefined {
  if (turns.some(hasNames)) return undefined;
  const named = turnNames(turns, list, start);
  if (!named) return undefined;
  const { body, parameters, values } = merge(turns, { isApart: false });
  const plain = withoutUnnamed(body.map((item, index) => inLoop(item, named[index])));
  const range = { first: turns[0]![0]!.first, last: turns[0]!.at(-1)!.last };
  const whole = { ...range, last: turns.at(-1)!.at(-1)!.last };
  if (likeness === "equal" || parameters.length === 0) {
    const count = { argument: "n", text: String(turns.length) };
    return { form: "repeat", count, body: plain, ...whole } satisfies RepeatItem;
  }
  if (parameters.length > mostVariables) return undefined;
  const variables = parameters.map(({ name }) => name);
  return { form: "for", variables, rows: values, body: plain, ...whole } satisfies ForItem;
}

/** Whether the file gives its layers names, which they would lose. */
const hasNames = (turn: Body): boolean =>
  turn.some((item) => item.form === "layer" && item.alias !== undefined);

/** A name in a loop would be one with a number: those of the file go. */
function inLoop(item: Item, section: string | undefined): Item {
  if (item.form === "section") return { ...item, name: section ?? item.name };
  if (item.form === "residual") {
    return unnamed({ ...item, body: item.body.map((each) => inLoop(each, undefined)) });
  }
  return unnamed(item);
}

/**
 * Of each item of a turn, the name that its section has without its number; undefined if names say
 * more than a number, or not the numbers that a loop gives.
 */
function turnNames(
  turns: readonly Body[],
  list: Body,
  start: number,
): readonly (string | undefined)[] | undefined {
  const names = turns[0]!.map((_, place) => turns.map((turn) => nameOf(turn[place]!)));
  const isNumbered = names.every((each) =>
    each.every((name) => name === undefined || NUMBER.test(name)),
  );
  if (!isNumbered) return undefined;
  const bases = turns[0]!.map(baseOf);
  const end = start + turns.length * turns[0]!.length;
  const others = [...list.slice(0, start), ...list.slice(end)].flatMap(
    (item) => nameOf(item) ?? [],
  );
  const holds = bases.every((base, place) => {
    if (names[place]![0] === undefined) return true;
    const isCounted = names[place]!.every((name, turn) => name === `${base}${turn + 1}`);
    const isAlone = !others.some((name) => name.replace(NUMBER, "") === base);
    return base !== "" && isCounted && isAlone;
  });
  return holds ? bases : undefined;
}

/** What a loop numbers. */
function baseOf(item: Item): string | undefined {
  if (item.form === "section") return item.name.replace(NUMBER, "");
  return item.form === "use" ? item.block.name : undefined;
}

const NUMBER = /\d+$/;

const nameOf = (item: Item): string | undefined =>
  item.form === "section" ? item.name : item.form === "use" ? item.alias : undefined;
