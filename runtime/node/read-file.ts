/**
 * Files that users name, opened in one place: regular files alone. Pipes and terminals may keep a
 * reader waiting for ever, and devices may never end.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

// Turbopack takes a path that is known at run time alone for all files of the project: the comments
// in the calls below stop that.

/** With this, opening a pipe returns at once. Windows has no such flag, and no such pipes. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What `code` says of a file that is not a regular one; of a folder it is EISDIR. */
const NOT_A_FILE = "ENOTAFILE";

/** Opens a regular file. Rejects with the system's error, or with one that says what else it is. */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await openPatiently(path);
  try {
    assertFile(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The bytes of a regular file. Rejects as `openFile` does. */
export async function readBytes(path: string): Promise<Buffer> {
  const file = await openFile(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** `readBytes`, as text. */
export async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString("utf8");
}

/** `openFile` for code that cannot wait: a file descriptor, which the caller closes. */
export function openFileSync(path: string): number {
  const file = openSync(/* turbopackIgnore: true */ path, READ);
  try {
    assertFile(fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** `readText` for code that cannot wait. */
export function readTextSync(path: string): string {
  const file = openFileSync(path);
  try {
    return readFileSync(/* turbopackIgnore: true */ file, "utf8");
  } finally {
    closeSync(file);
  }
}

const WAITS = 200;
const WAIT_MILLISECONDS = 25;

/**
 * Many images are read at a time: where the process may not open more files, others are about to be
 * closed.
 */
async function openPatiently(path: string): Promise<FileHandle> {
  for (let waits = 0; ; waits++) {
    try {
      return await open(/* turbopackIgnore: true */ path, READ);
    } catch (error) {
      if (!isOutOfFiles(error) || waits === WAITS) throw error;
      await sleep(WAIT_MILLISECONDS);
    }
  }
}

/** Whether the process, or the system, has as many files open as it may. */
export function isOutOfFiles(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EMFILE" || code === "ENFILE";
}

function assertFile(status: Stats): void {
  if (status.isFile()) return;
  const code = status.isDirectory() ? "EISDIR" : NOT_A_FILE;
  throw Object.assign(new Error(`it is ${kindOf(status)}, not a file`), { code });
}

/** `a directory`, of what is not a regular file. */
export function kindOf(status: Stats): string {
  if (status.isDirectory()) return "a directory";
  if (status.isFIFO()) return "a named pipe";
  if (status.isSocket()) return "a socket";
  return "a device";
}

/** Why a file could not be read, in words. */
export function describeReadError(path: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return `there is no file ${path}`;
    case "EISDIR":
      return `${path} is a directory, not a file`;
    case NOT_A_FILE:
      return `${path} cannot be read: ${error.message}`;
    case "EACCES":
      return `${path} may not be read: permission denied`;
    case "EMFILE":
    case "ENFILE":
      return `${path} cannot be read: ${OUT_OF_FILES}`;
    default:
      return `${path} cannot be read: ${error.message}`;
  }
}

export const OUT_OF_FILES =
  "too many files are open: raise the limit, for instance with `ulimit -n 1024`";
