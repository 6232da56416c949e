import { editDistance, isClose } from "../../grammar/distance.js";

/** Something with a name, and the other names that people know it by. */
export interface Candidate {
  readonly name: string;
  readonly aliases: readonly string[];
}

/** Fewer letters than these say too little to complete them. */
const shortestPrefix = 3;

/**
 * The name that was most likely meant, or undefined if none is near: another framework's name for the same thing comes
 * first, then the nearest spelling, then the only name that starts with what was written.
 */
export function suggest(written: string, candidates: readonly Candidate[]): string | undefined {
  return (
    byAlias(written, candidates) ?? bySpelling(written, candidates) ?? byPrefix(written, candidates)
  );
}

function byAlias(written: string, candidates: readonly Candidate[]): string | undefined {
  const key = plainName(written);
  return candidates.find(({ name, aliases }) =>
    [name, ...aliases].some((known) => plainName(known) === key),
  )?.name;
}

/** `MaxPool_2D` and `maxpool2d` are the same word. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, "");
}

function bySpelling(written: string, candidates: readonly Candidate[]): string | undefined {
  const key = written.toLowerCase();
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const { name, aliases } of candidates) {
    for (const known of [name, ...aliases].map((each) => each.toLowerCase())) {
      const distance = editDistance(key, known);
      if (isClose(key, known) && distance < (nearest?.distance ?? Infinity))
        nearest = { name, distance };
    }
  }
  return nearest?.name;
}

function byPrefix(written: string, candidates: readonly Candidate[]): string | undefined {
  if (written.length < shortestPrefix) return undefined;
  const matches = candidates.filter(({ name }) => name.startsWith(written.toLowerCase()));
  return matches.length === 1 ? matches[0]?.name : undefined;
}
