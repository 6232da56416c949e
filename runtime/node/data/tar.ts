/**
 * WebDataset shards (https://github.com/webdataset/webdataset): tar files in which consecutive files with one name up to the first dot
 * are an example: KEY.jpg and KEY.cls. Headers are read once; images are then read from their places, in any order.
 */
import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { DataError } from "../../data/error.js";
import type { Dataset } from "../../data/dataset.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type EncodedOptions } from "./encoded.js";
import { describeReadError } from "./files.js";
import { labelNumbers } from "./labels.js";
import { findShards } from "./shards.js";

export interface TarOptions extends EncodedOptions {
  /** Labels follow these classes, those of training; without them, the shards' own. */
  readonly classes?: readonly string[] | undefined;
}

/** An example's files, by their endings. */
interface Sample {
  readonly key: string;
  readonly shard: string;
  readonly parts: Map<string, Entry>;
}

interface Entry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** The examples of all shards that match. Throws a DataError where a shard is damaged or an example has no label. */
export async function openTar(pattern: string, options: TarOptions): Promise<Dataset> {
  const shards = await findShards(pattern, "tar");
  const found: LabelledSample[] = [];
  for (const shard of shards) found.push(...(await readShard(shard)));
  if (found.length === 0) {
    throw new DataError(
      `${shards.length === 1 ? shards[0]! : `the ${shards.length} files that match ${pattern}`} holds no images`,
      "an example is an image, for instance KEY.jpg, with its label in KEY.cls or KEY.json",
    );
  }
  const { classes, labelOf } = labelNumbers(
    found.map(({ label }) => label),
    { name: pattern, classes: options.classes },
  );
  const images = found.map(({ shard, image, label }) => ({
    name: `${shard}: ${image.name}`,
    label: labelOf(label),
    from: { path: shard, offset: image.offset, length: image.size },
  }));
  return encodedDataset({ name: pattern, classes }, images, options);
}

interface LabelledSample {
  readonly shard: string;
  readonly image: Entry;
  readonly label: string;
}

async function readShard(path: string): Promise<LabelledSample[]> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(describeReadError(path, error));
  });
  try {
    const labelled: LabelledSample[] = [];
    for (const { parts, shard, key } of groupSamples(path, await readEntries(path, file))) {
      const image = IMAGE_ENDINGS.map((ending) => parts.get(ending)).find((entry) => entry);
      if (!image) continue;
      labelled.push({ shard, image, label: await readLabel(file, { parts, shard, key }) });
    }
    return labelled;
  } finally {
    await file.close();
  }
}

function groupSamples(shard: string, entries: readonly Entry[]): Sample[] {
  const samples: Sample[] = [];
  for (const entry of entries) {
    const name = basename(entry.name);
    const dot = name.indexOf(".");
    if (dot < 1) continue;
    const key = entry.name.slice(0, entry.name.length - name.length + dot);
    if (samples.at(-1)?.key !== key) samples.push({ key, shard, parts: new Map() });
    samples.at(-1)!.parts.set(name.slice(dot + 1).toLowerCase(), entry);
  }
  return samples;
}

async function readLabel(file: FileHandle, { parts, shard, key }: Sample): Promise<string> {
  const text = async (entry: Entry) => (await readPart(file, entry)).toString("utf8").trim();
  const [cls, json] = [parts.get("cls"), parts.get("json")];
  if (cls) return text(cls);
  const label = json && labelInJson(await text(json));
  if (label !== undefined) return label;
  throw new DataError(
    `${shard} has no label for ${key}`,
    "put its class into KEY.cls, or as `label` into KEY.json",
  );
}

function labelInJson(text: string): string | undefined {
  try {
    const { label, cls } = JSON.parse(text) as Record<string, unknown>;
    const value = label ?? cls;
    return typeof value === "number" || typeof value === "string" ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

async function readPart(file: FileHandle, { offset, size }: Entry): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, offset);
  return buffer.subarray(0, bytesRead);
}

const BLOCK = 512;

/** The files in a tar, by reading its headers alone. Long names come in headers of their own. */
async function readEntries(path: string, file: FileHandle): Promise<Entry[]> {
  const { Header, Pax } = await import("tar");
  const { size: end } = await file.stat();
  const start = await readPart(file, { name: "", offset: 0, size: Math.min(end, 2) });
  if (start[0] === 0x1f && start[1] === 0x8b) throw compressed(path);
  const entries: Entry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= end;) {
    const block = await readPart(file, { name: "", offset: at, size: BLOCK });
    const header = parseHeader(Header, block);
    at += BLOCK;
    // Two blocks of zeros end the file.
    if (header?.nullBlock) continue;
    if (!header?.cksumValid) {
      throw new DataError(`${path} is no tar file, or damaged`, "make or download it again");
    }
    const { type, size = 0, path: name = "" } = header;
    if (at + size > end) throw truncated(path, name);
    const content = async () => {
      const bytes = await readPart(file, { name: "", offset: at, size });
      return bytes.toString("utf8");
    };
    if (type === "ExtendedHeader") longName = Pax.parse(await content()).path ?? longName;
    else if (type === "NextFileHasLongPath") longName = (await content()).replace(/\0.*$/s, "");
    else {
      if (FILES.includes(type)) entries.push({ name: longName ?? name, offset: at, size });
      longName = undefined;
    }
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}

/** Undefined where numbers of it are none, of which the library makes errors before it looks at the sum. */
function parseHeader<Header>(
  kind: new (block: Buffer) => Header,
  block: Buffer,
): Header | undefined {
  try {
    return new kind(block);
  } catch {
    return undefined;
  }
}

const FILES: readonly string[] = ["File", "OldFile", "ContiguousFile"];

function compressed(path: string): DataError {
  return new DataError(
    `${path} is compressed, so that its images cannot be read in any order`,
    `decompress it: gunzip ${basename(path)}`,
  );
}

function truncated(path: string, name: string): DataError {
  return new DataError(`${path} ends in the middle of ${name}`, "download it again");
}
