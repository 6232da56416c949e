/** Mutated specs: tokens, characters and whole constructs changed, moved and repeated. */
import { lex } from "../../grammar/lexer.js";
import { hostileNames, hostileNumbers, hostileTexts } from "./hostile.js";
import { createRandom, pick, type Random } from "./random.js";

/** A spec that mutants are made from. */
export interface Seed {
  /** Its path, for imports. */
  readonly file: string;
  readonly text: string;
}

export interface Mutant extends Seed {
  /** Which mutations were applied, in order. */
  readonly kinds: readonly MutationKind[];
  /** Where the text was changed last. */
  readonly offset: number;
}

interface Context {
  readonly random: Random;
  readonly seeds: readonly Seed[];
}

interface Token {
  readonly image: string;
  readonly start: number;
  readonly end: number;
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

type Mutation = (text: string, context: Context) => Change | undefined;

/** Longer mutants than this say nothing new, and take long. */
const MOST_CHARACTERS = 40_000;

const mutations = {
  deleteToken: atToken(() => ""),
  doubleToken: atToken(({ image }) => `${image} ${image}`),
  misspell: atToken(({ image }) => misspelled(image)),
  swapTokens,
  foreignToken: atToken((_, context) => foreignToken(context)),
  insertToken: atToken(({ image }, context) => `${foreignToken(context)} ${image}`),
  hostileName: atToken((_, { random }) => pick(hostileNames, random), /^[A-Za-z_]/),
  hostileNumber: atToken((_, { random }) => pick(hostileNumbers, random), /^\d/),
  hostileText: atToken(({ image }, { random }) => hostileText(image, random)),
  character: changeCharacter,
  spliceLines,
  cutOff: (text, { random }) => ({ start: random(text.length), end: text.length, newText: "" }),
  repeatLines: (text, { random }) => repeated(lineRange(text, random), text, random, ""),
  repeatTokens: (text, { random }) => repeated(tokenRange(text, random), text, random, " "),
  nest,
  longExpression: atToken((token, { random }) => longExpression(token, random), /^[\w")\]]/),
} as const satisfies Record<string, Mutation>;

export type MutationKind = keyof typeof mutations;

export const mutationKinds = Object.keys(mutations) as MutationKind[];

/** The mutant of a number: the same one for the same seeds and numbers. */
export function mutantOf(seeds: readonly Seed[], run: number, index: number): Mutant {
  const random = createRandom(Math.imul(run, 0x9e3779b1) ^ index);
  const context = { random, seeds };
  const seed = pick(seeds.filter(pick([() => true, isShort, isShort, isShipped], random)), random);
  let mutant: Mutant = { ...seed, kinds: [], offset: 0 };
  for (let count = pick([1, 1, 2, 3], random); count > 0; count--) mutant = mutate(mutant, context);
  return mutant;
}

/** Most mutants are of short specs: there are more of them in the same time. */
const isShort = ({ text }: Seed) => text.length < 700;

/** And many of right ones, which may still be right afterwards, and are compiled then. */
const isShipped = ({ file }: Seed) => !file.includes("errors");

function mutate(mutant: Mutant, context: Context): Mutant {
  const kind = pick(mutationKinds, context.random);
  const mutation: Mutation = mutations[kind];
  const change = mutation(mutant.text, context);
  if (!change) return mutant;
  const text = applied(mutant.text, change);
  if (text.length > MOST_CHARACTERS) return mutant;
  return { ...mutant, text, kinds: [...mutant.kinds, kind], offset: change.start };
}

const applied = (text: string, { start, end, newText }: Change) =>
  text.slice(0, start) + newText + text.slice(end);

// Tokens

function tokensOf(text: string): readonly Token[] {
  return lex(text, "mutant.net").tokens.map(({ image, startOffset }) => ({
    image,
    start: startOffset,
    end: startOffset + image.length,
  }));
}

/** Replaces a token whose image fits. */
function atToken(replace: (token: Token, context: Context) => string, fitting = /(?:)/): Mutation {
  return (text, context) => {
    const tokens = tokensOf(text).filter(({ image }) => fitting.test(image));
    if (tokens.length === 0) return undefined;
    const token = pick(tokens, context.random);
    return { start: token.start, end: token.end, newText: replace(token, context) };
  };
}

function foreignToken({ seeds, random }: Context): string {
  const tokens = tokensOf(pick(seeds, random).text);
  return tokens.length > 0 ? pick(tokens, random).image : "{";
}

function misspelled(image: string): string {
  const isWord = /^[A-Za-z_]\w+$/.test(image);
  return isWord ? image[1]! + image[0]! + image.slice(2) : `${image}x`;
}

function swapTokens(text: string, { random }: Context): Change | undefined {
  const tokens = tokensOf(text);
  if (tokens.length < 2) return undefined;
  const index = random(tokens.length - 1);
  const [first, second] = [tokens[index]!, tokens[index + 1]!];
  const between = text.slice(first.end, second.start);
  return { start: first.start, end: second.end, newText: second.image + between + first.image };
}

/** Puts a hostile text into a string, or behind the token as a comment. */
function hostileText(image: string, random: Random): string {
  const text = pick(hostileTexts, random);
  return image.startsWith('"') ? `"${text}"` : `${image} ///${text}\n`;
}

// Characters

const STRANGE_CHARACTERS = [..."\"'\\\n\r\t\u0000\ufeffé🙂→"];
const signs = [..."(){}[]<>=!+-*/%.,:;#@_0a"];

function changeCharacter(text: string, { random }: Context): Change | undefined {
  const start = random(text.length + 1);
  const end = Math.min(text.length, start + random(3));
  const newText = random(3) === 0 ? "" : pick([...STRANGE_CHARACTERS, ...signs], random);
  return { start, end, newText };
}

// Lines and constructs

function lineRange(text: string, random: Random): readonly [number, number] {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const first = random(starts.length);
  const last = Math.min(starts.length, first + 1 + random(4));
  return [starts[first]!, starts[last] ?? text.length];
}

function tokenRange(text: string, random: Random): readonly [number, number] {
  const tokens = tokensOf(text);
  if (tokens.length === 0) return [0, text.length];
  const first = random(tokens.length);
  const last = Math.min(tokens.length - 1, first + random(6));
  return [tokens[first]!.start, tokens[last]!.end];
}

function spliceLines(text: string, { random, seeds }: Context): Change | undefined {
  const other = pick(seeds, random).text;
  const [from, to] = lineRange(other, random);
  const [start] = lineRange(text, random);
  return { start, end: start, newText: other.slice(from, to) };
}

/** How often a construct is repeated: often enough for what grows faster than its text to show. */
const COUNTS = [2, 2, 3, 3, 5, 10, 10, 30, 100, 1000];

function repeated(
  [start, end]: readonly [number, number],
  text: string,
  random: Random,
  separator: string,
): Change {
  const piece = text.slice(start, end) + separator;
  const count = Math.min(pick(COUNTS, random), Math.floor(10_000 / (piece.length + 1)) + 1);
  return { start, end, newText: piece.repeat(count) };
}

/** Pairs that may enclose a construct, however deep. */
const brackets = [
  ...(["()", "[]", "{}"] as const).map((pair) => [pair[0]!, pair[1]!] as const),
  ["s {\n", "\n}\n"],
  ["repeat 3 {\n", "\n}\n"],
  ["residual {\n", "\n}\n"],
  ["concat { branch {\n", "\n} }\n"],
  ["split { branch {\n", "\n} }\n"],
  ["for i in 0..5 {\n", "\n}\n"],
  ["if 1 > 0 {\n", "\n}\n"],
  ["if 1 < 0 { relu } else {\n", "\n}\n"],
  ["min(1, ", ")"],
  ["-(", ")"],
] as const;

function nest(text: string, { random }: Context): Change | undefined {
  const range = random(2) === 0 ? lineRange : tokenRange;
  const [start, end] = range(text, random);
  const [opening, closing] = pick(brackets, random);
  const depth = pick([1, 1, 1, 2, 2, 5, 60, 400], random);
  const newText = opening.repeat(depth) + text.slice(start, end) + closing.repeat(depth);
  return { start, end, newText };
}

function longExpression({ image }: Token, random: Random): string {
  const count = pick([1, 2, 10, 10, 100, 5000], random);
  const prefix = pick(["-", "1+", "2*", "1-", "0.5/", "[1,1]+", "1 == ", "a."], random);
  return prefix.repeat(count) + image;
}
