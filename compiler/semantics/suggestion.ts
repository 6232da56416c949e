import type { Span } from "../../grammar/ast.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import { isCertainName } from "../diagnostics/safe-fixes.js";
import { suggest } from "../diagnostics/suggest.js";

/** What a name can be: the name itself, and what other frameworks call it. */
export interface Named {
  readonly name: string;
  readonly aliases: readonly string[];
}

/** `; did you mean \`conv\`?`, or nothing where no name is near. */
export function didYouMean(name: string, candidates: readonly (string | Named)[]): string {
  const nearest = nearestName(name, candidates);
  return nearest ? `; did you mean \`${nearest}\`?` : "";
}

/** The fix that goes with `didYouMean`. */
export function renameFixes(
  span: Span,
  name: string,
  candidates: readonly (string | Named)[],
): readonly Fix[] {
  const nearest = nearestName(name, candidates);
  if (!nearest) return [];
  const isCertain = isCertainName(name, candidates.map(named));
  return [{ title: `write \`${nearest}\``, edits: [{ span, newText: nearest }], isCertain }];
}

export function nearestName(
  name: string,
  candidates: readonly (string | Named)[],
): string | undefined {
  return suggest(name, candidates.map(named));
}

function named(candidate: string | Named): Named {
  return typeof candidate === "string" ? { name: candidate, aliases: [] } : candidate;
}

/** `a, b and c`. */
export const listNames = (names: readonly string[]): string => joinNames(names, "and");

/** `a, b or c`. */
export const listOr = (names: readonly string[]): string => joinNames(names, "or");

function joinNames(names: readonly string[], word: string): string {
  const quoted = names.map((name) => `\`${name}\``);
  if (quoted.length < 2) return quoted.join("");
  return `${quoted.slice(0, -1).join(", ")} ${word} ${quoted.at(-1)}`;
}
