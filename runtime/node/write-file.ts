/** Files that are either complete or absent. */
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { RunFailedError } from "../training/error.js";
import { kindOf, OUT_OF_FILES } from "./read-file.js";

/**
 * Writes a file under a temporary name, brings it to the disk and renames it. Where that fails,
 * whatever had the name before is untouched, nothing half-written stays behind, and a
 * RunFailedError says why.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
): Promise<void> {
  await writePartsAtomically(path, [content]);
}

/** The same for a file in parts, one after the other. */
export async function writePartsAtomically(
  path: string,
  parts: readonly (Uint8Array | string)[],
): Promise<void> {
  const file = await AtomicFile.create(path);
  // Each part goes behind the one before.
  for (const part of parts) await file.write(part);
  await file.commit();
}

/**
 * A file that is written bit by bit and gets its name at the end. All methods throw a
 * RunFailedError that says why not, after which nothing half-written is left.
 */
export class AtomicFile {
  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
  ) {}

  static async create(path: string): Promise<AtomicFile> {
    await refuseOthers(path);
    const temporary = `${path}.${process.pid}.partial`;
    const file = await open(temporary, "w").catch((error: NodeJS.ErrnoException) => {
      throw writeError(path, error);
    });
    return new AtomicFile(path, temporary, file);
  }

  /** Adds a part behind those before it. */
  write(part: Uint8Array | string): Promise<void> {
    return this.orDiscard(() => this.file.writeFile(part));
  }

  /** Brings the file to the disk and gives it its name. */
  commit(): Promise<void> {
    return this.orDiscard(async () => {
      await this.file.sync();
      await this.file.close();
      await rename(this.temporary, this.path);
      await syncFolder(dirname(this.path));
    });
  }

  /** Removes what was written; does nothing after a commit. */
  async discard(): Promise<void> {
    await this.file.close().catch(() => {});
    await rm(this.temporary, { force: true }).catch(() => {});
  }

  private async orDiscard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      await this.discard();
      throw writeError(this.path, error as NodeJS.ErrnoException);
    }
  }
}

/** A device or a pipe by that name would be replaced by a file. */
async function refuseOthers(path: string): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined || status.isFile()) return;
  throw new RunFailedError(`${path} could not be written: it is ${kindOf(status)}, not a file`);
}

/**
 * Makes a folder and those above it. Node's own `recursive` never ends where the system refuses a
 * folder as if its parent were missing, as below /proc.
 */
export async function makeFolders(path: string): Promise<void> {
  const failure = await tryMakeFolder(path);
  const parent = dirname(path);
  if (failure === undefined) return;
  if (failure.code !== "ENOENT" || parent === path) throw failure;
  await makeFolders(parent);
  const second = await tryMakeFolder(path);
  if (second) throw second;
}

/** Why a folder could not be made; undefined where it is there. */
async function tryMakeFolder(path: string): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path);
    return undefined;
  } catch (error) {
    const isThere = (await stat(path).catch(() => undefined))?.isDirectory();
    return isThere ? undefined : (error as NodeJS.ErrnoException);
  }
}

/**
 * Brings names to the disk: a rename is one of the folder. Where the system has no such thing
 * (Windows), nothing happens.
 */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** The error of a failed write, in words. */
export function writeError(path: string, error: NodeJS.ErrnoException): RunFailedError {
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return new RunFailedError(
        `${path} could not be written: the disk is full`,
        "free some space, or choose another directory; what was saved before is untouched",
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new RunFailedError(`${path} may not be written: ${describe(error)}`);
    case "ENOENT":
      return new RunFailedError(`${path} cannot be written: ${whyMissing(dirname(path))}`);
    case "EMFILE":
    case "ENFILE":
      return new RunFailedError(`${path} could not be written: ${OUT_OF_FILES}`);
    default:
      return new RunFailedError(`${path} could not be written: ${error.message}`);
  }
}

function whyMissing(folder: string): string {
  return existsSync(folder)
    ? `the system makes no files in ${folder}`
    : `there is no directory ${folder}`;
}

function describe(error: NodeJS.ErrnoException): string {
  return error.code === "EROFS" ? "the file system is read-only" : "permission denied";
}
