/** Datasets in several files: patterns that name them. */
import { readdir } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { DataError } from "../../data/error.js";

/** Formats that come in shards, each named as its files end. */
export type ShardKind = "tar" | "parquet";

/**
 * Files that match a pattern with `*`, `?`, `[...]` and `{a,b}` or `{000..010}`, sorted. Throws a
 * DataError where there are none.
 */
export async function findShards(pattern: string, kind: ShardKind): Promise<string[]> {
  const { glob } = await import("tinyglobby");
  const base = fixedPart(pattern);
  const found = await glob(withRanges(relative(base, pattern).replaceAll("\\", "/")), {
    cwd: base,
    absolute: true,
    expandDirectories: false,
  });
  if (found.length > 0) return found.sort();
  throw new DataError(
    `no file matches ${pattern}`,
    `for instance ${kind}("data/train-{000..009}.${kind}") or ${kind}("data/train/*.${kind}")`,
  );
}

/** `{008..010}` as `{008,009,010}`: what globs know are lists. */
function withRanges(pattern: string): string {
  return pattern.replace(/\{(\d+)\.\.(\d+)\}/g, (_, first: string, last: string) => {
    const count = Math.max(0, Number(last) - Number(first) + 1);
    const numbers = Array.from({ length: count }, (_, index) =>
      String(Number(first) + index).padStart(first.length, "0"),
    );
    return numbers.length === 1 ? numbers[0]! : `{${numbers.join(",")}}`;
  });
}

/** The folder in front of the first wildcard. */
function fixedPart(pattern: string): string {
  let folder = dirname(pattern);
  while (/[*?[\]{}]/.test(folder)) folder = dirname(folder);
  return folder;
}

/** Whether a directory holds shards. */
export async function holdsShards(directory: string, kind: ShardKind): Promise<boolean> {
  return (await readdir(directory)).some((name) => name.endsWith(`.${kind}`));
}
