/** The files of a model, for importers, which have no file system. */
import { realpath, type FileHandle } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { ImportError } from "../interchange/error.js";
import type { ByteRange, ImportFile, ImportSource } from "../interchange/importer.js";
import { describeReadError, openFile } from "../runtime/node/read-file.js";
import { readBytes } from "./files.js";

export async function openImport(path: string, weights?: string): Promise<ImportSource> {
  return {
    file: await readWhole(path, "model"),
    weights: weights !== undefined ? await readWhole(weights, "weights") : undefined,
    sibling: (name, range) => readSibling(dirname(path), name, range),
  };
}

async function readWhole(path: string, what: string): Promise<ImportFile> {
  return { path, bytes: await readBytes(path, what) };
}

/** A file that a model names: it must lie in the model's folder, also behind links. */
async function readSibling(folder: string, name: string, range?: ByteRange): Promise<Uint8Array> {
  const path = join(folder, name);
  const refusal = `the model names the file ${name}, which is not in its folder`;
  if (isAbsolute(name) || leaves(folder, path) || name.includes("\0")) {
    throw new ImportError(refusal, ["a model may name files in its own folder only"]);
  }
  try {
    if (leaves(await realpath(folder), await realpath(path))) throw new ImportError(refusal);
    return await readRange(path, range);
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(
      `${describeReadError(path, error as NodeJS.ErrnoException)}, and the model has data in it`,
    );
  }
}

function leaves(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
}

/** Systems read at most 2 GiB at a time, and may read less. */
const MOST_AT_ONCE = 1 << 30;

async function fill(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = Math.min(MOST_AT_ONCE, bytes.length - done);
    const { bytesRead } = await file.read(bytes, done, count, offset + done);
    if (bytesRead === 0) throw new ImportError("the file became shorter while it was read");
    done += bytesRead;
  }
}

async function readRange(path: string, range?: ByteRange): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const { offset = 0, length = size - offset } = range ?? {};
    if (offset < 0 || length < 0 || offset + length > size) {
      throw new ImportError(
        `${basename(path)} has ${size} bytes, and the model reads ${length} from byte ${offset}`,
      );
    }
    const bytes = new Uint8Array(length);
    await fill(file, bytes, offset);
    return bytes;
  } finally {
    await file.close();
  }
}
