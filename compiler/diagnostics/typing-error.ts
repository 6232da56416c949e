import { editDistance } from "../../grammar/distance.js";

/**
 * Words of up to this many letters differ by one letter from too many others: only two swapped
 * letters count.
 */
const SHORT_WORD = 3;
/** From this many letters on, two errors may be in a word. */
const LONG_WORD = 8;

/**
 * A word in the forms in which it is compared: of those that many are compared with, prepared once.
 */
export class Spelling {
  readonly lower: string;
  private ownDigits: string | undefined;
  private ownLetters: string | undefined;

  constructor(word: string) {
    this.lower = word.toLowerCase();
  }

  get digits(): string {
    return (this.ownDigits ??= this.lower.replace(/\D/g, ""));
  }

  get letters(): string {
    return (this.ownLetters ??= [...this.lower].sort().join(""));
  }
}

/**
 * How many typing errors make one word of the other; undefined where another word is more probable.
 * Fingers swap letters, miss and double them. They rarely miss the first letter, and they do not
 * count: `nadam` is not `adam`, `fc7` not `fc6`, `sub` not `sum`.
 */
export function typingErrors(written: Spelling, known: Spelling): number | undefined {
  const [a, b] = [written.lower, known.lower];
  const longer = Math.max(a.length, b.length);
  const most = longer >= LONG_WORD ? 2 : 1;
  if (Math.abs(a.length - b.length) > most || written.digits !== known.digits) return undefined;
  const isSwapped = written.letters === known.letters;
  const isShort = Math.min(a.length, b.length) <= SHORT_WORD;
  if (!isSwapped && (a[0] !== b[0] || isShort)) return undefined;
  const errors = editDistance(a, b, most);
  return errors <= most ? errors : undefined;
}

/** Whether two words differ in one place, by whatever cause. */
export function isOneEditAway(written: Spelling, known: Spelling): boolean {
  return editDistance(written.lower, known.lower, 1) === 1;
}
