// results/: a JSON file for each case on each adapter, and what is made of them.
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";

const FOLDER = new URL("results/", import.meta.url);

export async function saveText(name, text) {
  const target = new URL(name, FOLDER);
  const temporary = new URL(`${name}.tmp`, FOLDER);
  await mkdir(FOLDER, { recursive: true });
  await writeFile(temporary, text);
  await rename(temporary, target);
}

export const saveResult = (name, result) =>
  saveText(`${name}.json`, JSON.stringify(result, null, 2) + "\n");

/** What was saved under a name; undefined if there is none. */
export async function readResult(name) {
  try {
    return JSON.parse(await readFile(new URL(`${name}.json`, FOLDER), "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** The names under which there are results. */
export async function resultNames() {
  const files = await readdir(FOLDER).catch(() => []);
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5));
}
