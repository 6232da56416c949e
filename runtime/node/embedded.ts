/**
 * The embedded adapter: SwiftShader, a GPU in software, and the Vulkan loader that it needs, both
 * from the npm package `@sparticuz/chromium`. Unpacked once to the user's cache folder; needs
 * neither root nor a system Vulkan loader.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { NoAdapterError } from "../errors.js";
import { homeFolder, VULKAN_LOADER } from "./drivers.js";

const DRIVER = "vk_swiftshader_icd.json";
const LIBRARY = "libvk_swiftshader.so";
const NEEDED_FILES = [VULKAN_LOADER, DRIVER, LIBRARY] as const;

/** The unpacked files. */
export interface EmbeddedAdapter {
  /** The Vulkan loader. */
  readonly loader: string;
  /** The JSON file that tells a Vulkan loader of SwiftShader. */
  readonly driver: string;
  /** SwiftShader itself. */
  readonly library: string;
}

let unpacked: EmbeddedAdapter | undefined;

/**
 * Unpacks the embedded adapter unless its files are there, and as they were unpacked: a process
 * that loads a damaged library dies. Throws NoAdapterError where there is none for the platform.
 */
export function unpackEmbeddedAdapter(): EmbeddedAdapter {
  return (unpacked ??= unpack());
}

function unpack(): EmbeddedAdapter {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new NoAdapterError(
      "the embedded adapter runs on Linux x64 only, " +
        `and this is ${process.platform} ${process.arch}`,
    );
  }
  const archive = readFileSync(findArchive());
  const version = createHash("sha256").update(archive).digest("hex").slice(0, 12);
  const folder = unpackOnce(archive, `swiftshader-${version}`);
  return {
    loader: join(folder, VULKAN_LOADER),
    driver: join(folder, DRIVER),
    library: join(folder, LIBRARY),
  };
}

function findArchive(): string {
  const require = createRequire(import.meta.url);
  try {
    // The package's entry is build/cjs/index.cjs; it exports no other path.
    const root = dirname(dirname(dirname(require.resolve("@sparticuz/chromium"))));
    return join(root, "bin", "swiftshader.tar.br");
  } catch {
    throw new NoAdapterError(
      "the package `@sparticuz/chromium`, which carries the embedded adapter, " +
        "is not installed: run `npm install`",
    );
  }
}

function unpackOnce(archive: Buffer, name: string): string {
  const failures: string[] = [];
  for (const cache of cacheFolders()) {
    const folder = join(cache, name);
    try {
      mkdirSync(cache, { recursive: true, mode: 0o700 });
      assertOwnFolder(cache);
      if (!isWhole(folder)) unpackInto(archive, folder);
      return folder;
    } catch (error) {
      failures.push(`${folder}: ${(error as Error).message}`);
    }
  }
  throw new NoAdapterError(
    "the embedded adapter could not be unpacked (set XDG_CACHE_HOME " +
      `to a folder that can be written): ${failures.join("; ")}`,
  );
}

/** Where to keep the unpacked files, best first. */
function cacheFolders(): string[] {
  const cache = process.env["XDG_CACHE_HOME"] || join(homeFolder(), ".cache");
  return [join(cache, "netc"), join(tmpdir(), `netc-${process.getuid?.()}`)];
}

/** Code is loaded from here, so no other user may own the folder. */
function assertOwnFolder(folder: string): void {
  const { uid, mode } = lstatSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${folder} can be written by other users`);
  }
}

/** Sums of the files as they were unpacked; written last. */
const SUMS = "sha256.json";

const sumOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Whether all files in a folder are what was unpacked there. */
function isWhole(folder: string): boolean {
  try {
    const sums = JSON.parse(readFileSync(join(folder, SUMS), "utf8")) as Record<string, string>;
    return NEEDED_FILES.every((name) => sumOf(readFileSync(join(folder, name))) === sums[name]);
  } catch {
    return false;
  }
}

/**
 * Writes each file under another name and renames it, so that processes that start together never
 * see a part of one: all of them write the same. Libraries in use stay what they are for their
 * users.
 */
function unpackInto(archive: Buffer, folder: string): void {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) rmSync(folder, { force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sums: Record<string, string> = {};
  for (const [path, bytes] of readTar(brotliDecompressSync(archive))) {
    const name = NEEDED_FILES.find((candidate) => candidate === basename(path));
    if (name === undefined) continue;
    replaceFile(join(folder, name), bytes);
    sums[name] = sumOf(bytes);
  }
  replaceFile(join(folder, SUMS), JSON.stringify(sums));
  if (!isWhole(folder)) throw new Error("its files are not what was written");
}

function replaceFile(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    writeFileSync(temporary, content, { mode: 0o755 });
    // A folder by that name is in the way of a rename.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      rmSync(path, { recursive: true, force: true });
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

const TAR_BLOCK = 512;

/**
 * The files of a tar archive: blocks of 512 bytes, a header (name, size in octal at byte 124)
 * before each file.
 */
function* readTar(bytes: Buffer): Generator<[name: string, content: Buffer]> {
  for (let offset = 0; offset + TAR_BLOCK <= bytes.length;) {
    const name = bytes.toString("utf8", offset, offset + 100).replace(/\0.*$/s, "");
    if (name === "") return;
    const size = parseInt(bytes.toString("latin1", offset + 124, offset + 136), 8);
    const start = offset + TAR_BLOCK;
    yield [name, bytes.subarray(start, start + size)];
    offset = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
}
