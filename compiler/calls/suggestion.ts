import type { CallExpression, Identifier, Span } from "../../grammar/ast.js";
import { aliasName } from "../diagnostics/alias.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import { type Candidate, plainName, suggest, type Suggestion } from "../diagnostics/suggest.js";
import type { Signature } from "./signature.js";
import { translateCall } from "./translate-call.js";

/** What a name can be: the name itself, and what other frameworks call it. */
export type Named = Candidate;

/**
 * Names of the field that netc does not have, in plain letters, each with a sentence on what to do
 * instead.
 */
export type AbsentNames = Readonly<Record<string, string>>;

/** What a message says about a name that does not exist. */
export interface Advice {
  /** `; did you mean \`conv\`?`, or nothing. */
  readonly question: string;
  readonly notes: readonly string[];
  readonly fixes: readonly Fix[];
}

/** What may be named at a place. */
interface Vocabulary<Known extends string | Named = string | Named> {
  readonly known: readonly Known[];
  readonly absent?: AbsentNames;
  /** The notes for a name of which nothing is known: usually the list of what exists. */
  readonly otherwise: readonly string[];
}

/** What to say about a name that a call uses. A fix that renames it translates its arguments. */
export function adviseCall(
  call: CallExpression,
  vocabulary: Vocabulary<Named & Partial<Signature>>,
): Advice {
  const { callee } = call;
  const given = call.arguments.flatMap(({ name }) => (name ? [name.name] : []));
  const found = lookUp(callee.name, vocabulary, given);
  if (typeof found === "string") return { question: "", notes: [found], fixes: [] };
  if (!found) return { question: "", notes: vocabulary.otherwise, fixes: [] };
  const definition = vocabulary.known.find(({ name }) => name === found.name)!;
  const { edits, text, untranslated } = translateCall(call, found, definition);
  const note = untranslated ?? found.alias?.differs;
  const isCertain = found.isCertain && untranslated === undefined;
  const title = note === undefined ? `write \`${text}\`` : `write \`${text}\`, which differs`;
  return {
    question: ask(found),
    notes: note === undefined ? [] : [note],
    fixes: [{ title, edits, isCertain, isRename: isCertain || found.alias !== undefined }],
  };
}

/** What to say about a name that is not a call. */
export function adviseName({ name, span }: Identifier, vocabulary: Vocabulary): Advice {
  const found = lookUp(name, vocabulary, []);
  if (typeof found === "string") return { question: "", notes: [found], fixes: [] };
  if (!found) return { question: "", notes: vocabulary.otherwise, fixes: [] };
  const differs = found.alias?.differs;
  const notes = differs === undefined ? vocabulary.otherwise : [differs];
  return { question: ask(found), notes, fixes: [renaming(span, found)] };
}

/** A suggestion, or the sentence on a name that netc is known not to have. */
function lookUp(
  written: string,
  { known, absent = {} }: Vocabulary,
  given: readonly string[],
): Suggestion | string | undefined {
  const plain = plainName(written);
  const candidates = candidatesOf(known);
  const isKnown = candidates.some(({ name, aliases }) =>
    [name, ...aliases.map(aliasName)].some((each) => plainName(each) === plain),
  );
  if (!isKnown && Object.hasOwn(absent, plain)) return absent[plain];
  return suggest(written, candidates, given);
}

const ask = ({ name }: Suggestion): string => `; did you mean \`${name}\`?`;

function renaming(span: Span, { name, alias, isCertain }: Suggestion): Fix {
  const title = alias?.differs ? `write \`${name}\`, which differs` : `write \`${name}\``;
  const isRename = isCertain || alias !== undefined;
  return { title, edits: [{ span, newText: name }], isCertain, isRename };
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
  const found = suggest(name, candidatesOf(candidates));
  return found ? [renaming(span, found)] : [];
}

export function nearestName(
  name: string,
  candidates: readonly (string | Named)[],
): string | undefined {
  return suggest(name, candidatesOf(candidates))?.name;
}

/** The same list for the same names: what was found in it is kept there. */
function candidatesOf(known: readonly (string | Named)[]): readonly Named[] {
  const made = listsOf.get(known) ?? known.map(named);
  listsOf.set(known, made);
  return made;
}

const listsOf = new WeakMap<readonly (string | Named)[], readonly Named[]>();

function named(candidate: string | Named): Named {
  return typeof candidate === "string" ? { name: candidate, aliases: [] } : candidate;
}

/** No one reads a longer list of names. */
const MOST_LISTED = 100;

/** `a, b and c`; of very many, the first. */
export const listNames = (names: readonly string[]): string => joinNames(names, "and");

/** `a, b or c`. */
export const listOr = (names: readonly string[]): string => joinNames(names, "or");

function joinNames(names: readonly string[], word: string): string {
  const listed = names.slice(0, MOST_LISTED);
  const quoted = listed.map((name) => `\`${name}\``);
  const more = names.length - listed.length;
  if (more > 0) return `${quoted.join(", ")} ${word} ${more} more`;
  if (quoted.length < 2) return quoted.join("");
  return `${quoted.slice(0, -1).join(", ")} ${word} ${quoted.at(-1)}`;
}
