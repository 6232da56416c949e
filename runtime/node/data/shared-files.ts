/** Files with the same bytes in both splits: the evaluation sees what was trained on. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Dataset } from "../../data/dataset.js";
import { readBytes } from "../read-file.js";

export interface SharedFile {
  readonly trained: string;
  readonly evaluated: string;
}

/** Looking at more files would hold up a run; `netc init` looks at all. */
const MOST_FILES = 20_000;

/**
 * Compares files of one size by their SHA-256. Empty where examples are not separate files, and
 * where there are more than 20,000 of them.
 */
export async function findSharedFiles(
  train: Dataset,
  evaluation: Dataset,
): Promise<readonly SharedFile[]> {
  if (train.length + evaluation.length > MOST_FILES) return [];
  const [trained, evaluated] = [await sizesOf(train), await sizesOf(evaluation)];
  const common = (files: readonly SizedFile[], others: readonly SizedFile[]) => {
    const sizes = new Set(others.map(({ size }) => size));
    return files.filter(({ size }) => sizes.has(size));
  };
  const known = new Map<string, string>();
  for (const { path } of common(trained, evaluated)) {
    const digest = await digestOf(path);
    if (digest !== undefined) known.set(digest, path);
  }
  const shared: SharedFile[] = [];
  for (const { path } of common(evaluated, trained)) {
    const digest = await digestOf(path);
    const other = digest === undefined ? undefined : known.get(digest);
    if (other !== undefined) shared.push({ trained: other, evaluated: path });
  }
  return shared;
}

interface SizedFile {
  readonly path: string;
  readonly size: number;
}

/** Files without those that are empty or missing: reading them says so. */
async function sizesOf(dataset: Dataset): Promise<readonly SizedFile[]> {
  if (!dataset.nameAt || dataset.length === 0) return [];
  if ((await sizeOf(dataset.nameAt(0))) === undefined) return [];
  const files: SizedFile[] = [];
  for (let index = 0; index < dataset.length; index++) {
    const path = dataset.nameAt(index);
    const size = await sizeOf(path);
    if (size) files.push({ path, size });
  }
  return files;
}

async function sizeOf(path: string): Promise<number | undefined> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() ? status.size : undefined;
}

async function digestOf(path: string): Promise<string | undefined> {
  const bytes = await readBytes(path).catch(() => undefined);
  return bytes && createHash("sha256").update(bytes).digest("hex");
}

const NAMED = 3;

/** What to say of shared files; nothing where there are none. */
export function describeShared(shared: readonly SharedFile[]): readonly string[] {
  if (shared.length === 0) return [];
  const pairs = shared.slice(0, NAMED).map(({ trained, evaluated }) => `${evaluated} = ${trained}`);
  const rest = shared.length > NAMED ? `, and ${shared.length - NAMED} more` : "";
  const which = shared.length === 1 ? "1 file is" : `${shared.length} files are`;
  return [
    `${which} in both splits, so that the evaluation sees what was trained on: ` +
      `${pairs.join(", ")}${rest}`,
  ];
}
