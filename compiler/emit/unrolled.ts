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
const FEWEST_LINES = 5;

/** Characters by which lines begin alike; a number counts as one. */
const BEGINNING = 24;

/**
 * A text cut into runs of lines that begin alike. Joined by line breaks they are the text again.
 */
export function unrolledBlocks(text: string): string[] {
  const blocks: string[][] = [];
  let previous: string | undefined;
  for (const line of text.split("\n")) {
    if (previous !== undefined && beginAlike(line, previous)) blocks.at(-1)!.push(line);
    else blocks.push([line]);
    previous = line;
  }
  return blocks.flatMap(firstApart).map((lines) => lines.join("\n"));
}

/** The first of many lines by itself where it has another form: `row` before `row + 1u`. */
function firstApart(lines: readonly string[]): readonly (readonly string[])[] {
  if (lines.length <= FEWEST_LINES) return [lines];
  const [first, second, third] = lines.slice(0, 3).map(patternOf);
  return first === second || second !== third ? [lines] : [[lines[0]!], lines.slice(1)];
}

/** Whether lines are the same at their beginning, but for their numbers. */
function beginAlike(one: string, other: string): boolean {
  let [at, otherAt] = [0, 0];
  for (let count = 0; count < BEGINNING; count++) {
    if (at === one.length || otherAt === other.length) {
      return at === one.length && otherAt === other.length;
    }
    const [end, otherEnd] = [endOfNumber(one, at), endOfNumber(other, otherAt)];
    const areNumbers = end > at && otherEnd > otherAt;
    if (!areNumbers && one[at] !== other[otherAt]) return false;
    [at, otherAt] = areNumbers ? [end, otherEnd] : [at + 1, otherAt + 1];
  }
  return true;
}

/** Where the number at a place ends; the place itself where there is none. */
function endOfNumber(line: string, at: number): number {
  let end = at;
  while (end < line.length && line[end]! >= "0" && line[end]! <= "9") end++;
  return end;
}

/** Whether a block is long enough to be shared or written as rows. */
export const isUnrolled = (block: string): boolean => block.split("\n").length >= FEWEST_LINES;

const patternOf = (line: string) => line.replaceAll(/\d+/g, "0");

/** The expression of JavaScript that gives a block's text; undefined where there is no rule. */
export function rowsOf(block: string): string | undefined {
  if (!isUnrolled(block)) return undefined;
  const lines = block.split("\n");
  const [first, ...others] = lines;
  const pattern = patternOf(first!);
  if (others.some((line) => patternOf(line) !== pattern)) return undefined;
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
