/** What tells the examples of a run from as many others. */
import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path";
import type { Dataset } from "../../data/dataset.js";
import type { EncodedImage } from "./encoded.js";
import type { CsvTable } from "./csv-table.js";

/** Names that are joined before they are digested. */
const AT_ONCE = 1024;

/**
 * A digest of the examples in their order: what the dataset says of their contents, otherwise their
 * labels and the names of their files, without the folders. Images are not read.
 */
export function contentsOf(
  dataset: Pick<Dataset, "contents" | "labelAt" | "length" | "nameAt">,
): string {
  if (dataset.contents !== undefined) return dataset.contents;
  const hash = createHash("sha256");
  for (let start = 0; start < dataset.length; start += AT_ONCE) {
    const count = Math.min(AT_ONCE, dataset.length - start);
    const lines = Array.from({ length: count }, (_, index) => {
      const name = dataset.nameAt?.(start + index) ?? "";
      return `${dataset.labelAt?.(start + index) ?? ""} ${basename(name)}\n`;
    });
    hash.update(lines.join(""));
  }
  return digestOf(hash);
}

/** Of the cells that are read of a table. */
export function contentsOfTable({ fields, groups = [] }: CsvTable): string {
  const hash = createHash("sha256");
  for (const { name, values, texts } of fields) {
    const { buffer, byteOffset, byteLength } = values;
    hash.update(`${name} ${texts.length} ${byteLength}\n`);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength)).update(texts.join("\n"));
  }
  return digestOf(hash.update(groups.join("\n")));
}

/** Of images by their names, and of their boxes. */
export function contentsOfBoxes(files: readonly EncodedImage[]): string {
  const hash = createHash("sha256");
  for (const { name, boxes } of files) hash.update(`${basename(name)} ${JSON.stringify(boxes)}\n`);
  return digestOf(hash);
}

const digestOf = (hash: Hash): string => hash.digest("hex").slice(0, 16);
