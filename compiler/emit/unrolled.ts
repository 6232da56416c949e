/**
 * Unrolled lines of kernels, alike but for numbers that follow their index, written as what they
 * are: `rows(16, (i) => ...)` in place of 16 lines. The module's kernels are the same texts.
 */
import { templateText } from "./text.js";

/** What modules need where they have such lines. */
export const ROWS =
  "const rows = (count, line) => Array.from({ length: " +
  `count }, (_, i) => line(i)).join("\\n");`;

/** Fewer lines are shorter as they are. */
const FEWEST_LINES = 8;

/**
 * A text cut into runs of lines that begin alike. Joined by line breaks they are the text again.
 */
export function unrolledBlocks(text: string): string[] {
  const blocks: string[][] = [];
  let previous: string | undefined;
  for (const line of text.split("\n")) {
    const beginning = patternOf(line).slice(0, 24);
    if (beginning === previous) blocks.at(-1)!.push(line);
    else blocks.push([line]);
    previous = beginning;
  }
  return blocks.map((lines) => lines.join("\n"));
}

/** Whether a block is long enough to be shared or written as rows. */
export const isUnrolled = (block: string): boolean => block.split("\n").length >= FEWEST_LINES;

const patternOf = (line: string) => line.replaceAll(/\d+/g, "0");

/** The expression of JavaScript that gives a block's text; undefined where there is no rule. */
export function rowsOf(block: string): string | undefined {
  const lines = block.split("\n");
  const [first, ...others] = lines;
  const pattern = patternOf(first!);
  if (!isUnrolled(block) || others.some((line) => patternOf(line) !== pattern)) return undefined;
  const numbers = lines.map((line) => line.match(/\d+/g) ?? []);
  const rules = numbers[0]!.map((_, place) => ruleOf(numbers.map((own) => own[place]!)));
  if (!rules.every((rule) => rule !== undefined)) return undefined;
  const parts = first!.split(/\d+/).map(templateText);
  const line = parts.map((part, index) => part + (rules[index] ?? "")).join("");
  return `rows(${lines.length}, (i) => \`${line}\`)`;
}

/**
 * How a number follows the index of its line, as part of a template; undefined where it does not.
 */
function ruleOf(numbers: readonly string[]): string | undefined {
  const start = Number(numbers[0]);
  const step = placeWhere(numbers, (number) => number !== numbers[0]);
  const period = placeWhere(numbers, (number, index) => index > step && number === numbers[0]);
  const values = Math.ceil(period / step);
  const follows = numbers.every(
    (number, index) => number === String(start + (Math.floor(index / step) % values)),
  );
  if (!follows) return undefined;
  if (step === numbers.length) return numbers[0];
  const slow = step === 1 ? "i" : `Math.floor(i / ${step})`;
  const cycle = period < numbers.length ? `${slow} % ${values}` : slow;
  return `\${${start > 0 ? `${cycle} + ${start}` : cycle}}`;
}

/** The first index for which `test` holds, the length where there is none. */
function placeWhere(
  numbers: readonly string[],
  test: (number: string, index: number) => boolean,
): number {
  const place = numbers.findIndex(test);
  return place < 0 ? numbers.length : place;
}
