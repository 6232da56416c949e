/** Reading what the user names and writing what netc makes. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { OUT_OF_FILES, readBytes as readFile } from "../runtime/node/read-file.js";
import { makeFolders, writeError, writePartsAtomically } from "../runtime/node/write-file.js";
import { RunFailedError } from "../runtime/training/error.js";
import { wrongInput } from "./failure.js";
import { formatBytes } from "../program/format-bytes.js";

/** Specs are pages long; anything beyond this is some other file named by mistake. */
const MAX_SPEC_BYTES = 4 * 1024 * 1024;

/**
 * Reads a spec's text. Fails on a missing file, a directory, an empty file, and on what is not
 * text.
 */
export async function readSpec(path: string): Promise<string> {
  const bytes = await readBytes(path, "spec");
  if (bytes.length > MAX_SPEC_BYTES) {
    throw wrongInput(`${path} is not a spec: it has ${formatBytes(bytes.length)}`);
  }
  const text = decodeText(bytes);
  if (text === undefined) {
    throw wrongInput(
      `${path} is not a text file`,
      "a spec is UTF-8 text, usually named *.net; see specs/alexnet.net for an example",
    );
  }
  if (text.trim() === "") {
    throw wrongInput(
      `${path} is empty`,
      "a spec declares at least a model; see specs/alexnet.net for an example",
    );
  }
  return text;
}

/** UTF-8 text without control characters, or undefined where the bytes are something else. */
function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Reads a whole file. `what` names its role in messages: `spec`, `weights`. */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw describeReadError(error as NodeJS.ErrnoException, path, what);
  }
}

export function describeReadError(error: NodeJS.ErrnoException, path: string, what: string): Error {
  switch (error.code) {
    case "ENOENT":
    case "ENOTDIR":
      return wrongInput(`cannot find the ${what} file ${path}`);
    case "EISDIR":
      return wrongInput(`${path} is a directory, expected a ${what} file`);
    case "EACCES":
    case "EPERM":
      return wrongInput(`no permission to read the ${what} file ${path}`);
    case "ERR_FS_FILE_TOO_LARGE":
      return wrongInput(
        `${path} has more than 2 GiB, and netc reads a ${what} file as a whole`,
        "ONNX keeps larger weights as external data, in a separate file; " +
          "PyTorch's .pth and .pt may be larger",
      );
    case "EMFILE":
    case "ENFILE":
      return wrongInput(`cannot read the ${what} file ${path}: ${OUT_OF_FILES}`);
    default:
      return wrongInput(`cannot read the ${what} file ${path}: ${error.message}`);
  }
}

/**
 * Writes a file, or its parts in their order, whole or not at all, making the folders it needs.
 * Throws a RunFailedError that says
 * why not.
 */
export async function writeOutput(
  path: string,
  content: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  await makeFolder(dirname(path));
  const isWhole = typeof content === "string" || content instanceof Uint8Array;
  await writePartsAtomically(path, isWhole ? [content] : content);
}

/** Fails where one of the files exists; `advice` says what the user can do then. */
export function refuseExisting(paths: readonly string[], advice: string): void {
  const existing = paths.filter((path) => existsSync(path));
  if (existing.length === 0) return;
  const verb = existing.length === 1 ? "exists" : "exist";
  throw wrongInput(`${existing.join(" and ")} already ${verb}`, advice);
}

/** Makes a folder and those above it. */
export async function makeFolder(path: string): Promise<void> {
  await makeFolders(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST" || error.code === "ENOTDIR") {
      throw new RunFailedError(`cannot create the folder ${path}: a file has this name`);
    }
    throw writeError(error.path ?? path, error);
  });
}
