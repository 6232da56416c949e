/**
 * Single mistakes in a spec's text: each token deleted, doubled, swapped with the next, and
 * misspelled.
 */
import { lex } from "../grammar/lexer.js";

export const MUTATION_KINDS = ["delete", "double", "swap", "misspell"] as const;
export type MutationKind = (typeof MUTATION_KINDS)[number];

export interface Mutation {
  readonly kind: MutationKind;
  readonly image: string;
  /** Where the text was changed. */
  readonly offset: number;
  readonly line: number;
  readonly text: string;
}

export function mutationsOf(text: string): readonly Mutation[] {
  const tokens = lex(text, "mutated.net").tokens.map(({ startOffset, image }) => ({
    start: startOffset,
    end: startOffset + image.length,
    image,
  }));
  return tokens.flatMap((token, index) =>
    MUTATION_KINDS.flatMap((kind) => {
      const changed = mutate(text, token, tokens[index + 1], kind);
      const line = text.slice(0, token.start).split("\n").length;
      const { image, start: offset } = token;
      return changed === undefined ? [] : [{ kind, image, offset, line, text: changed }];
    }),
  );
}

interface Token {
  readonly start: number;
  readonly end: number;
  readonly image: string;
}

function mutate(
  text: string,
  { start, end, image }: Token,
  next: Token | undefined,
  kind: MutationKind,
): string | undefined {
  const splice = (to: number, replacement: string) =>
    text.slice(0, start) + replacement + text.slice(to);
  switch (kind) {
    case "delete":
      return splice(end, "");
    case "double":
      return splice(end, `${image} ${image}`);
    case "swap":
      return next && splice(next.end, next.image + text.slice(end, next.start) + image);
    case "misspell":
      return splice(end, misspell(image));
  }
}

/**
 * Words with two letters swapped, numbers with a letter behind, signs with another sign in their
 * place.
 */
function misspell(image: string): string {
  if (/^\w{2,}$/.test(image) && !/^\d/.test(image)) return image[1]! + image[0]! + image.slice(2);
  return /^[\w"]/.test(image) ? `${image}x` : "?";
}
