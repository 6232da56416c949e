import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readTextSync } from "../../runtime/node/read-file.js";
import type { SpecHost } from "../host.js";

/** Folders that are not searched for specs. */
const SKIPPED = ["node_modules", ".git"];
/** More specs than these in a folder are an archive. */
const MOST_LISTED = 2000;

/** Specs as files. */
export const fileHost: SpecHost = { read, listSpecs };

function read(uri: string): string | undefined {
  const path = pathOf(uri);
  if (path === undefined) return undefined;
  try {
    return readTextSync(path);
  } catch {
    return undefined;
  }
}

function listSpecs(folder: string): readonly string[] {
  const found: string[] = [];
  const folders = [pathOf(folder)];
  for (const path of folders) {
    for (const entry of path === undefined ? [] : entriesOf(path)) {
      const inner = join(path!, entry.name);
      if (entry.isDirectory() && !SKIPPED.includes(entry.name)) folders.push(inner);
      if (entry.isFile() && entry.name.endsWith(".net")) found.push(pathToFileURL(inner).href);
    }
    if (found.length > MOST_LISTED) return found;
  }
  return found;
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function pathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}
