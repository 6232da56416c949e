import { type Alias, aliasName, type ForeignAlias } from "./alias.js";
import { effort } from "../../grammar/distance.js";
import { isOneEditAway, Spelling, typingErrors } from "./typing-error.js";

/** Something with a name, and the other names that people know it by. */
export interface Candidate {
  readonly name: string;
  readonly aliases: readonly Alias[];
}

/** What an unknown name most likely means. */
export interface Suggestion {
  readonly name: string;
  /** Another framework's name, whose calls mean something else or are written in another way. */
  readonly alias?: ForeignAlias;
  /** Whether the name can have no other meaning: see safe-fixes.ts. */
  readonly isCertain: boolean;
}

/** Fewer letters than these say too little to complete them. */
const SHORTEST_PREFIX = 3;

/**
 * Candidates, and cells of distance tables, that one suggestion may cost: well under a millisecond.
 */
const MOST_CANDIDATES = 500;
export const MOST_CELLS = 20_000;

/**
 * Suggestions that are kept for a list of candidates: fixes are tried, and editors ask again and
 * again.
 */
const MOST_KEPT = 1000;

const kept = new WeakMap<readonly Candidate[], Map<string, Suggestion | undefined>>();

/**
 * What was most likely meant, or undefined where nothing probable is known: another framework's
 * name for the same thing comes first, then a typing error, then the only name that starts with
 * what was written.
 *
 * @param candidates of very many, the first are compared; the list is not changed afterwards
 * @param given names of the arguments in the call, which tell frameworks apart
 */
export function suggest(
  written: string,
  candidates: readonly Candidate[],
  given: readonly string[] = [],
): Suggestion | undefined {
  const known = kept.get(candidates) ?? new Map<string, Suggestion | undefined>();
  kept.set(candidates, known);
  const key = [written, ...given].join(" ");
  if (!known.has(key)) {
    if (known.size === MOST_KEPT) known.clear();
    known.set(key, find(written, candidates.slice(0, MOST_CANDIDATES), given));
  }
  return known.get(key);
}

function find(
  written: string,
  candidates: readonly Candidate[],
  given: readonly string[],
): Suggestion | undefined {
  const words = candidates.flatMap(wordsOf);
  return (
    byAlias(written, words, given) ?? bySpelling(written, words) ?? byPrefix(written, candidates)
  );
}

/** `MaxPool_2D` and `maxpool2d` are the same word. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, "");
}

// Other names

interface Match {
  readonly name: string;
  readonly alias: Alias;
  readonly plain: string;
  readonly spelling: Spelling;
}

function byAlias(
  written: string,
  words: readonly Match[],
  given: readonly string[],
): Suggestion | undefined {
  const key = plainName(written);
  const matches = words.filter(({ plain, alias }) => plain === key && holds(alias, given));
  const exact = matches.filter(({ alias }) => aliasName(alias) === written);
  return exact.length > 0 ? bySpelledAlias(exact) : byOneWord(matches);
}

/** Where one framework spells it so, its meaning counts. */
function bySpelledAlias(matches: readonly Match[]): Suggestion {
  // Of one spelling in several frameworks, the one whose arguments are given is meant.
  const told = matches.find(({ alias }) => isForeign(alias) && alias.given);
  const { name, alias } = told ?? matches[0]!;
  const isCertain = matches.every((match) => match.name === name);
  if (!isForeign(alias)) return { name, isCertain };
  return { name, alias, isCertain: isCertain && alias.differs === undefined };
}

/** If no framework has this exact name, all with a similar name must agree. */
function byOneWord(matches: readonly Match[]): Suggestion | undefined {
  const [first] = matches;
  if (!first) return undefined;
  const isCertain = matches.every(({ name, alias }) => name === first.name && !isForeign(alias));
  const alias = matches.map((match) => match.alias).find((each) => isForeign(each) && each.differs);
  return { name: first.name, alias: alias as ForeignAlias | undefined, isCertain };
}

const isForeign = (alias: Alias): alias is ForeignAlias => typeof alias === "object";

function holds(alias: Alias, given: readonly string[]): boolean {
  if (typeof alias === "string" || !alias.given) return true;
  return alias.given.some((argument) => given.includes(argument));
}

/** The words of candidates that stay: layers and all else that netc has. */
const prepared = new WeakMap<Candidate, readonly Match[]>();

function wordsOf(candidate: Candidate): readonly Match[] {
  const { name, aliases } = candidate;
  const words = prepared.get(candidate) ?? [name, ...aliases].map((alias) => wordOf(name, alias));
  prepared.set(candidate, words);
  return words;
}

function wordOf(name: string, alias: Alias): Match {
  const word = aliasName(alias);
  return { name, alias, plain: plainName(word), spelling: new Spelling(word) };
}

// Typing errors

interface Near extends Match {
  readonly errors: number;
}

function bySpelling(written: string, words: readonly Match[]): Suggestion | undefined {
  const spelling = new Spelling(written);
  const enough = effort.cells + MOST_CELLS;
  const near = words.flatMap((match): Near[] => {
    const errors = effort.cells < enough ? typingErrors(spelling, match.spelling) : undefined;
    return errors === undefined ? [] : [{ ...match, errors }];
  });
  const nearest = near.toSorted((a, b) => a.errors - b.errors)[0];
  if (!nearest) return undefined;
  const { name, errors, alias } = nearest;
  if (isForeign(alias)) return { name, alias, isCertain: false };
  const isRival = (word: Match) => word.name !== name && isOneEditAway(spelling, word.spelling);
  // The capital of `Upsampel(2)` says that PyTorch's name may be meant, whose 2 is a size.
  const mayBeForeign = near.some(
    (each) => isForeign(each.alias) && each.alias.name[0] === written[0],
  );
  const isAlone = effort.cells < enough && !words.some(isRival);
  return { name, isCertain: errors === 1 && !mayBeForeign && isAlone };
}

// Beginnings

function byPrefix(written: string, candidates: readonly Candidate[]): Suggestion | undefined {
  if (written.length < SHORTEST_PREFIX) return undefined;
  const matches = candidates.filter(({ name }) => name.startsWith(written.toLowerCase()));
  return matches.length === 1 ? { name: matches[0]!.name, isCertain: false } : undefined;
}
