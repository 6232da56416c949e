/**
 * Characters that end a line or a comment somewhere, steer a terminal, or turn the direction of a
 * text around: the text after them would not be what it seems to be.
 */
const HARMFUL =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/** A text on one line, with such characters as `\u001b`: as JSON and JavaScript write them, too. */
export function visible(text: string): string {
  return text.replaceAll(HARMFUL, escaped);
}

/** The same for a text of several lines, which stay; so do tabs. */
export function visibleLines(text: string): string {
  return text.replaceAll(HARMFUL, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
