import { type Alias, aliasName, type ForeignAlias } from "./alias.js";
import { isOneEditAway, typingErrors } from "./typing-error.js";

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
 * What was most likely meant, or undefined where nothing probable is known: another framework's name for the same thing comes
 * first, then a typing error, then the only name that starts with what was written.
 *
 * @param given names of the arguments in the call, which tell frameworks apart
 */
export function suggest(
  written: string,
  candidates: readonly Candidate[],
  given: readonly string[] = [],
): Suggestion | undefined {
  return (
    byAlias(written, candidates, given) ??
    bySpelling(written, candidates) ??
    byPrefix(written, candidates)
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
}

function byAlias(
  written: string,
  candidates: readonly Candidate[],
  given: readonly string[],
): Suggestion | undefined {
  const key = plainName(written);
  const matches = wordsOf(candidates).filter(
    ({ alias }) => plainName(aliasName(alias)) === key && holds(alias, given),
  );
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

/** Where nobody spells it so, all who nearly do have to agree. */
function byOneWord(matches: readonly Match[]): Suggestion | undefined {
  const [first] = matches;
  if (!first) return undefined;
  const isCertain = matches.every(({ name, alias }) => name === first.name && !isForeign(alias));
  const alias = matches.map((match) => match.alias).find((each) => isForeign(each) && each.differs);
  return { name: first.name, ...(alias && { alias: alias as ForeignAlias }), isCertain };
}

const isForeign = (alias: Alias): alias is ForeignAlias => typeof alias === "object";

function holds(alias: Alias, given: readonly string[]): boolean {
  if (typeof alias === "string" || !alias.given) return true;
  return alias.given.some((argument) => given.includes(argument));
}

function wordsOf(candidates: readonly Candidate[]): readonly Match[] {
  return candidates.flatMap(({ name, aliases }) =>
    [name, ...aliases].map((alias) => ({ name, alias })),
  );
}

// Typing errors

interface Near extends Match {
  readonly errors: number;
}

function bySpelling(written: string, candidates: readonly Candidate[]): Suggestion | undefined {
  const words = wordsOf(candidates);
  const near = words.flatMap((match): Near[] => {
    const errors = typingErrors(written, aliasName(match.alias));
    return errors === undefined ? [] : [{ ...match, errors }];
  });
  const nearest = near.toSorted((a, b) => a.errors - b.errors)[0];
  if (!nearest) return undefined;
  const { name, errors, alias } = nearest;
  if (isForeign(alias)) return { name, alias, isCertain: false };
  const isRival = (word: Match) =>
    word.name !== name && isOneEditAway(written, aliasName(word.alias));
  // The capital of `Upsampel(2)` says that PyTorch's name may be meant, whose 2 is a size.
  const mayBeForeign = near.some(
    (each) => isForeign(each.alias) && each.alias.name[0] === written[0],
  );
  return { name, isCertain: errors === 1 && !mayBeForeign && !words.some(isRival) };
}

// Beginnings

function byPrefix(written: string, candidates: readonly Candidate[]): Suggestion | undefined {
  if (written.length < SHORTEST_PREFIX) return undefined;
  const matches = candidates.filter(({ name }) => name.startsWith(written.toLowerCase()));
  return matches.length === 1 ? { name: matches[0]!.name, isCertain: false } : undefined;
}
