/**
 * The files in a tar archive, from its headers alone. Whatever holds data that netc cannot place
 * (sparse files, files in several volumes, a cut-off archive) is refused.
 */
import { type FileHandle } from "node:fs/promises";
import { basename, posix } from "node:path";
import type { Header } from "tar";
import { DataError } from "../../data/error.js";
import type { UnusedEntries } from "./unused.js";

export interface TarEntry {
  readonly name: string;
  /** Of its first byte in the archive. */
  readonly offset: number;
  readonly size: number;
}

export interface TarArchive {
  readonly path: string;
  readonly file: FileHandle;
}

const BLOCK = 512;

/** Names, link targets and extended headers are short; larger ones are damage. */
const MOST_METADATA = 2 ** 20;

/**
 * The files, in the archive's order. A hard or symbolic link is the file that it leads to. Throws a
 * DataError where the archive is damaged or truncated, or names a file twice.
 */
export async function readTarEntries(
  archive: TarArchive,
  unused: UnusedEntries,
): Promise<readonly TarEntry[]> {
  const { size: end } = await archive.file.stat();
  const start = await readBytes(archive, { offset: 0, size: Math.min(end, 2) });
  if (start[0] === 0x1f && start[1] === 0x8b) throw compressed(archive.path);
  const reader = new EntryReader(archive, end, unused);
  await reader.read();
  return resolveLinks(archive.path, reader.found, unused);
}

/** Bytes of an archive. Throws a DataError where it has become shorter. */
export async function readBytes(
  { path, file }: TarArchive,
  { offset, size }: { readonly offset: number; readonly size: number },
): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, offset);
  if (bytesRead === size) return buffer;
  throw new DataError(`${path} has become shorter while it was read`, "start again");
}

/** A file, or a link to one. */
type Found = TarEntry | { readonly name: string; readonly target: string };

/** What extended headers say of the entry that follows them. */
interface Extended {
  path?: string;
  linkpath?: string;
  size?: number;
  isSparse?: true;
}

class EntryReader {
  readonly found: Found[] = [];
  private extended: Extended | undefined;

  constructor(
    private readonly archive: TarArchive,
    private readonly end: number,
    private readonly unused: UnusedEntries,
  ) {}

  async read(): Promise<void> {
    const { Header } = await import("tar");
    let isMarked = false;
    for (let at = 0; at < this.end;) {
      const block = await readBytes(this.archive, {
        offset: at,
        size: Math.min(BLOCK, this.end - at),
      });
      // Blocks of zeros mark the end; archives that were joined have them in the middle.
      isMarked = block.every((byte) => byte === 0);
      at += block.length;
      if (isMarked) continue;
      if (block.length < BLOCK) throw truncated(this.archive.path, "a header");
      at += await this.take(parseHeader(Header, block), at);
    }
    if (!isMarked || this.extended) throw unmarked(this.archive.path);
  }

  /** Takes one entry, whose data start at `offset`. Returns how far the data reach. */
  private async take(header: Header | undefined, offset: number): Promise<number> {
    const { path } = this.archive;
    if (!header?.cksumValid) throw damaged(path, offset - BLOCK);
    const isMeta = METADATA.includes(header.type);
    const extended = isMeta ? undefined : this.extended;
    const size = extended?.size ?? header.size;
    if (size === undefined) throw damaged(path, offset - BLOCK);
    const length = WITHOUT_DATA.includes(header.type) ? 0 : size;
    const entry = { name: extended?.path ?? header.path ?? "", offset, size: length };
    if (offset + length > this.end) throw truncated(path, entry.name);
    if (isMeta) await this.takeMetadata(header.type, entry);
    else {
      this.takeEntry(header, entry);
      this.extended = undefined;
    }
    return Math.ceil(length / BLOCK) * BLOCK;
  }

  private async takeMetadata(type: string, entry: TarEntry): Promise<void> {
    if (type === "GlobalExtendedHeader") return;
    const { path } = this.archive;
    if (entry.size > MOST_METADATA) throw damaged(path, entry.offset - BLOCK);
    const bytes = await readBytes(this.archive, entry);
    const said = type.endsWith("ExtendedHeader")
      ? parseExtendedHeader(bytes)
      : { [type === "NextFileHasLongLinkpath" ? "linkpath" : "path"]: untilZero(bytes) };
    if (!said) throw damaged(path, entry.offset - BLOCK);
    this.extended = { ...this.extended, ...said };
  }

  private takeEntry({ type, linkpath }: Header, entry: TarEntry): void {
    const { name } = entry;
    const target = this.extended?.linkpath ?? linkpath ?? "";
    if (type === "SparseFile" || this.extended?.isSparse) throw sparse(this.archive.path, name);
    if (FILES.includes(type)) this.found.push(entry);
    else if (type === "Link") this.found.push({ name, target });
    else if (type === "SymbolicLink") {
      this.found.push({ name, target: posix.join(posix.dirname(name), target) });
    } else if (type === "ContinuationFile") throw severalVolumes(this.archive.path, name);
    else if (!FOLDERS_AND_NOTES.includes(type)) this.unused.add("of a special type", name);
  }
}

const FILES: readonly string[] = ["File", "OldFile", "ContiguousFile"];

/** Whatever size their headers give, no data follow. */
const WITHOUT_DATA: readonly string[] = [
  ...["Link", "SymbolicLink", "Directory", "CharacterDevice", "BlockDevice", "FIFO"],
];

/** They speak of the entry that follows them. */
const METADATA: readonly string[] = [
  ...["ExtendedHeader", "OldExtendedHeader", "GlobalExtendedHeader"],
  ...["NextFileHasLongPath", "OldGnuLongPath", "NextFileHasLongLinkpath"],
];

const FOLDERS_AND_NOTES: readonly string[] = [
  ...["Directory", "GNUDumpDir", "SolarisACL", "Inode", "TapeVolumeHeader"],
];

/** Undefined where its numbers cannot be read: the library throws before it checks the sum. */
function parseHeader(kind: new (block: Buffer) => Header, block: Buffer): Header | undefined {
  try {
    return new kind(block);
  } catch {
    return undefined;
  }
}

/**
 * Records `LENGTH KEY=VALUE\n` of POSIX's extended header; undefined where they are damaged. (That
 * of `tar` leaves such records out without a word.)
 */
function parseExtendedHeader(bytes: Buffer): Extended | undefined {
  const said: Extended = {};
  for (let at = 0; at < bytes.length;) {
    const length = /^\d{1,9}(?= )/.exec(bytes.toString("latin1", at, at + 10))?.[0];
    const end = at + Number(length ?? 0);
    if (length === undefined || end > bytes.length || bytes[end - 1] !== 10) return undefined;
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(
      bytes.toString("utf8", at + length.length + 1, end - 1),
    ) ?? [undefined, undefined, undefined];
    if (key === undefined || value === undefined) return undefined;
    if (key === "path" || key === "linkpath") said[key] = value;
    if (key === "size") said.size = Number(value);
    if (key.startsWith("GNU.sparse.")) said.isSparse = true;
    at = end;
  }
  return said.size === undefined || Number.isSafeInteger(said.size) ? said : undefined;
}

const untilZero = (bytes: Buffer) => bytes.toString("utf8").replace(/\0.*$/s, "");

/** Each link as the file it leads to, over other links where need be. */
function resolveLinks(
  path: string,
  found: readonly Found[],
  unused: UnusedEntries,
): readonly TarEntry[] {
  const byName = new Map<string, Found>();
  for (const each of found) {
    const name = posix.normalize(each.name);
    if (byName.has(name)) throw twice(path, each.name);
    byName.set(name, each);
  }
  return found.flatMap((each) => {
    let at: Found | undefined = each;
    for (let hops = 0; at && "target" in at && hops < MOST_HOPS; hops++) {
      at = byName.get(posix.normalize(at.target));
    }
    if (at && "offset" in at) return [{ ...at, name: each.name }];
    unused.add("linked to no file of the archive", each.name);
    return [];
  });
}

/** Longer chains of links are circles. */
const MOST_HOPS = 40;

function compressed(path: string): DataError {
  return new DataError(
    `${path} is compressed, so that its images cannot be read in any order`,
    `decompress it: gunzip ${basename(path)}`,
  );
}

function damaged(path: string, offset: number): DataError {
  return new DataError(
    `${path} is not a tar file, or is damaged: there is no valid header at byte ${offset}`,
    "make or download it again",
  );
}

function truncated(path: string, what: string): DataError {
  return new DataError(`${path} ends in the middle of ${what}`, "download it again");
}

function unmarked(path: string): DataError {
  return new DataError(
    `${path} has no mark at its end, so that files may be missing`,
    "download it again; a tar file ends in blocks of zeros",
  );
}

function sparse(path: string, name: string): DataError {
  return new DataError(
    `${path} holds ${name} as a sparse file, which is not supported`,
    "pack the archive again without `--sparse`",
  );
}

function severalVolumes(path: string, name: string): DataError {
  return new DataError(
    `${path} is a part of an archive in several volumes: ${name} starts in another one`,
    "pack the archive again as whole files",
  );
}

function twice(path: string, name: string): DataError {
  return new DataError(
    `${path} holds ${name} twice`,
    "pack the archive again, with one file of each name",
  );
}
