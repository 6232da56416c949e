/** Apart from words.ts, which a page loads first: few runs ask for the place of a word. */
import type { WordTable } from "./words.js";

/** Where a word is in its table, counted from 0. */
export const wordIndex = <Table extends WordTable>(table: Table, word: keyof Table): number =>
  Object.keys(table).indexOf(word as string);
