/**
 * Arrays whose numbers are standardized: batches of a table that is read so, and what a network
 * made of numbers as they are in one. Networks that standardize (standardizing.ts) leave both.
 */
import type { TableFacts } from "./dataset.js";

/** The same in all copies of the runtime: a standalone module has another than its page. */
const TABLE = Symbol.for("netc.table");

/** The same inputs, an array or several by name, with how the table was read that they are of. */
export function noteTable<Inputs extends object>(inputs: Inputs, table: TableFacts): Inputs {
  const arrays = ArrayBuffer.isView(inputs) ? [inputs] : (Object.values(inputs) as object[]);
  for (const each of arrays) Object.defineProperty(each, TABLE, { value: table, writable: true });
  return inputs;
}

/** What was noted with an array; undefined where its numbers are as they came. */
export const tableOf = (array: object): TableFacts | undefined =>
  (array as { readonly [TABLE]?: TableFacts })[TABLE];
