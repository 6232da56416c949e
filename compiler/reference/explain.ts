import { type Alias, aliasName, aliasNames } from "../diagnostics/alias.js";
import { catalogue, diagnosticCodes } from "../diagnostics/catalogue/index.js";
import { explain as explainCode, explainAll as listCodes } from "../diagnostics/explain.js";
import { plainName, suggest } from "../diagnostics/suggest.js";
import { argumentNamed } from "../calls/signature.js";
import { absentSettings } from "../semantics/recipes/settings.js";
import { type BuiltIn, type BuiltIns, builtIns } from "./built-ins.js";
import { meaningOf } from "./describe.js";
import { type Topic, topics } from "./topics.js";

const kinds: readonly BuiltIns[] = Object.values(builtIns);

/** What a word means: markdown. Undefined where nothing is known of it. */
export function explainWord(word: string): string | undefined {
  return explainName(word) ?? explainName(withoutCode(word)) ?? searchResults(word);
}

/** `Conv2d` of `torch.nn.Conv2d(3, 8)`, `padding` of `padding=1`. */
const withoutCode = (word: string) =>
  word
    .replace(/[(={].*$/s, "")
    .replace(/^.*\./s, "")
    .trim();

function explainName(word: string): string | undefined {
  const code = explainCode(codeOf(word));
  if (code !== undefined) return code;
  const pages = pagesOf(word);
  if (pages.length > 0) return pages.join("\n\n---\n\n");
  return explainAbsent(word);
}

/**
 * The pages of a word as it is written; without any, those of words with the same letters:
 * `ClipNorm`, `learning-rate`.
 */
function pagesOf(word: string): readonly string[] {
  const exact = pagesWhere(word, (name) => name === word);
  if (exact.length > 0) return exact;
  const letters = lettersOf(word);
  return pagesWhere(word, (name) => lettersOf(name) === letters);
}

const lettersOf = (word: string) => plainName(word.replaceAll(" ", ""));

type Match = (name: string) => boolean;

/** netc's own words come first: what they are elsewhere matters only to others. */
function pagesWhere(word: string, matches: Match): readonly string[] {
  const own = [
    ...topics.filter((topic) => isOwnName(topic, matches)).map(topicPage),
    ...argumentPages(matches),
  ];
  return own.length > 0 ? own : pagesOfAlias(word, matches);
}

/** `NET2002` for `net2002` and `2002`. */
function codeOf(word: string): string {
  return word.toUpperCase().replace(/^(?=\d)/, "NET");
}

/** The names that a mistyped word is nearest to: a sentence, or nothing. */
export function nearestWord(word: string): string | undefined {
  return suggest(word, topics)?.name;
}

// Topics

/** The other words for a term are netc's as well, those of the rest are other frameworks'. */
function isOwnName({ name, noun, aliases }: Topic, matches: Match): boolean {
  return matches(name) || (noun === "term" && aliasNames(aliases).some(matches));
}

function topicPage(topic: Topic): string {
  const { name, noun, summary, text, aliases } = topic;
  const elsewhere = noun === "term" ? [] : aliasNames(aliases);
  const names = elsewhere.map((each) => `\`${each}\``).join(", ");
  const parts = [
    `# ${name}: ${noun}`,
    `${sentence(summary)}${elsewhere.length > 0 ? ` Elsewhere: ${names}.` : ""}`,
    text(),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function sentence(text: string): string {
  const capital = `${text[0]!.toUpperCase()}${text.slice(1)}`;
  return capital.endsWith(".") ? capital : `${capital}.`;
}

/** Pages of what has the word as another name, each with what differs. */
function pagesOfAlias(word: string, matches: Match): readonly string[] {
  return topics.flatMap((topic) => {
    const alias = topic.aliases.find((each) => matches(aliasName(each)));
    return alias === undefined ? [] : [`${aliasLine(word, alias, topic)}\n\n${topicPage(topic)}`];
  });
}

function aliasLine(word: string, alias: Alias, { name }: Topic): string {
  const differs = typeof alias === "string" ? undefined : alias.differs;
  const note = differs === undefined ? "" : ` (${differs})`;
  return `\`${word}\` is \`${name}\` in netc${note}.`;
}

// Arguments

/** For each matching name of an argument, what takes it and what it means there. */
function argumentPages(matches: Match): readonly string[] {
  const takers = kinds.flatMap(({ definitions }) => definitions);
  const names = new Set(takers.flatMap((taker) => Object.keys(taker.arguments)).filter(matches));
  return [...names].map((name) => `# ${name}: argument\n\n${argumentLines(name, takers)}`);
}

/** Those that mean the same by it are named together. */
function argumentLines(name: string, takers: readonly BuiltIn[]): string {
  const byMeaning = new Map<string, readonly string[]>();
  for (const taker of takers) {
    const argument = argumentNamed(taker, name);
    if (!argument) continue;
    const meaning = meaningOf(argument);
    const known = byMeaning.get(meaning) ?? [];
    byMeaning.set(meaning, [...known, `the ${taker.noun} \`${taker.name}\``]);
  }
  return [...byMeaning].map(([meaning, of]) => `- of ${of.join(", ")}: ${meaning}`).join("\n");
}

// What netc does not have

function explainAbsent(word: string): string | undefined {
  const tables = [...kinds.map(({ absent }) => absent), absentSettings];
  const plain = plainName(word);
  const notes = tables.flatMap((table) => (Object.hasOwn(table, plain) ? [table[plain]!] : []));
  if (notes.length === 0) return undefined;
  return `netc has no \`${word}\`: ${[...new Set(notes)].join("; ")}.`;
}

// Lists

/** All topics and codes with their summaries. */
export function listEverything(): string {
  const nouns = [...new Set(topics.map(({ noun }) => noun))];
  const lists = nouns.map((noun) =>
    listTopics(
      noun,
      topics.filter((each) => each.noun === noun),
    ),
  );
  return [...lists, listCodes()].join("\n\n");
}

function listTopics(title: string, listed: readonly Topic[]): string {
  const width = Math.max(...listed.map(({ name }) => name.length));
  const lines = listed.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [`${title}:`, ...lines].join("\n");
}

/** Topics and codes in which all of the words occur; undefined where there are none. */
function searchResults(query: string): string | undefined {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((each) => each !== "");
  if (words.length === 0) return undefined;
  const holds = (text: string) => words.every((each) => text.toLowerCase().includes(each));
  const found = topics.filter(({ name, aliases, summary }) =>
    holds([name, ...aliasNames(aliases), summary].join(" ")),
  );
  const codes = diagnosticCodes.filter((code) => holds(catalogue[code].title));
  if (found.length + codes.length === 0) return undefined;
  const lines = [
    ...found.map(({ name, noun, summary }) => `  ${name} (${noun}): ${summary}`),
    ...codes.map((code) => `  ${code}: ${catalogue[code].title}`),
  ];
  return [`Nothing is named \`${query}\`; these mention it:`, ...lines].join("\n");
}
