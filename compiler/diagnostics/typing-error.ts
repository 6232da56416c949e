import { editDistance } from "../../grammar/distance.js";

/** Words of up to this many letters differ by one letter from too many others: only two swapped letters count. */
const SHORT_WORD = 3;
/** From this many letters on, two errors may be in a word. */
const LONG_WORD = 8;

/**
 * How many typing errors make one word of the other; undefined where another word is more probable. Fingers swap letters, miss and
 * double them. They rarely miss the first letter, and they do not count: `nadam` is not `adam`, `fc7` not `fc6`, `sub` not `sum`.
 */
export function typingErrors(written: string, known: string): number | undefined {
  const [a, b] = [written.toLowerCase(), known.toLowerCase()];
  const longer = Math.max(a.length, b.length);
  const most = longer >= LONG_WORD ? 2 : 1;
  if (Math.abs(a.length - b.length) > most || digitsOf(a) !== digitsOf(b)) return undefined;
  const isSwapped = lettersOf(a) === lettersOf(b);
  const isShort = Math.min(a.length, b.length) <= SHORT_WORD;
  if (!isSwapped && (a[0] !== b[0] || isShort)) return undefined;
  const errors = editDistance(a, b);
  return errors <= most ? errors : undefined;
}

/** Whether two words differ in one place, by whatever cause. */
export function isOneEditAway(written: string, known: string): boolean {
  if (Math.abs(written.length - known.length) > 1) return false;
  return editDistance(written.toLowerCase(), known.toLowerCase()) === 1;
}

const digitsOf = (word: string): string => word.replace(/\D/g, "");
const lettersOf = (word: string): string => [...word].sort().join("");
