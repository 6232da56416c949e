/** Reading files that a user named, with errors that say what was wrong with which. */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { DataError } from "../../data/error.js";
import { describeReadError, readBytes } from "../read-file.js";

const decompress = promisify(gunzip);

export async function isDirectory(path: string): Promise<boolean> {
  return (await statOrUndefined(path))?.isDirectory() ?? false;
}

export async function isFile(path: string): Promise<boolean> {
  return (await statOrUndefined(path))?.isFile() ?? false;
}

async function statOrUndefined(path: string) {
  return stat(path).catch(() => undefined);
}

/** Throws a DataError unless `path` is a directory. */
export async function requireDirectory(path: string): Promise<void> {
  const status = await statOrUndefined(path);
  if (status?.isDirectory()) return;
  const hint = "put the data there, or name another directory with --data DIR";
  throw new DataError(
    status === undefined ? `there is no directory ${path}` : `${path} is not a directory`,
    hint,
  );
}

export type FolderEntry = Pick<Dirent, "name" | "isDirectory" | "isSymbolicLink">;

/** The entries of a folder. Throws a DataError where it cannot be read. */
export async function listFolder(path: string): Promise<FolderEntry[]> {
  return readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(describeReadError(path, error));
  });
}

/** A file's bytes, decompressed where its first bytes say gzip. */
export async function readMaybeGzipped(path: string): Promise<Buffer> {
  const bytes = await readBytes(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(describeReadError(path, error));
  });
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return decompress(bytes).catch((error: Error) => {
    throw new DataError(
      `${path} is damaged: it does not decompress (${error.message})`,
      "download it again",
    );
  });
}
