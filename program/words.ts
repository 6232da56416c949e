/** Tables of 32-bit words that the runtime writes and kernels read. */

/** The words of a table, in their order, and how each is to be read. */
export type WordTable = Readonly<Record<string, "u32" | "f32">>;

/** A number for each word. */
export type ValuesOf<Table extends WordTable> = { readonly [Word in keyof Table]: number };

export const wordCount = (table: WordTable): number => Object.keys(table).length;

/** The words of a table as they are in memory; a buffer of `words` words has zeros behind them. */
export function packWords<Table extends WordTable>(
  table: Table,
  values: ValuesOf<Table>,
  words = wordCount(table),
): ArrayBuffer {
  const bytes = new ArrayBuffer(4 * words);
  const view = new DataView(bytes);
  Object.entries(table).forEach(([word, type], index) => {
    const value = values[word]!;
    if (type === "u32") view.setUint32(4 * index, value, true);
    else view.setFloat32(4 * index, value, true);
  });
  return bytes;
}
