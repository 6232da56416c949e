/** The files that a page of the documentation shows. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPage } from "./pages.js";

const FILE = /<!-- file: (\S+) -->\n\n```\w+\n([^]*?)```/g;

/** Writes the blocks of a page that name their file. */
export function writePageFiles(page: string, folder: string): void {
  for (const [, name, text] of readPage(page).matchAll(FILE))
    writeFileSync(join(folder, name!), text!);
}
