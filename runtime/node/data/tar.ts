/**
 * WebDataset shards (https://github.com/webdataset/webdataset): tar files in which consecutive
 * files with one name up to the first dot are an example: KEY.jpg and KEY.cls. Headers are read
 * once; images are then read from their places, in any order.
 */
import { basename } from "node:path";
import { DataError } from "../../data/error.js";
import type { Dataset } from "../../data/dataset.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type EncodedOptions } from "./encoded.js";
import { describeReadError, openFile } from "../read-file.js";
import { numberLabels, type LabelRules } from "./labels.js";
import { findShards } from "./shards.js";
import { readBytes, readTarEntries, type TarArchive, type TarEntry } from "./tar-entries.js";
import { UnusedEntries } from "./unused.js";

/** Labels follow the rules. */
export type TarOptions = EncodedOptions & LabelRules;

/** An example's files, by their endings. */
interface Sample {
  readonly key: string;
  readonly parts: Map<string, TarEntry>;
}

interface LabeledImage {
  readonly shard: string;
  readonly image: TarEntry;
  readonly label: string;
}

/**
 * The examples of all shards that match. Throws a DataError where a shard is damaged or an example
 * has no label.
 */
export async function openTar(pattern: string, options: TarOptions): Promise<Dataset> {
  const shards = await findShards(pattern, "tar");
  const unused = new UnusedEntries();
  const found: LabeledImage[] = [];
  for (const shard of shards) found.push(...(await readShard(shard, unused)));
  if (found.length === 0) throw noImages(pattern, shards);
  unused.say(pattern, options.onNotice);
  const texts = found.map(({ label }) => label);
  const placeOf = (index: number) => `${found[index]!.shard}: ${found[index]!.image.name}`;
  const { classes, numbers } = numberLabels({ name: pattern, texts, placeOf }, options);
  const images = found.map(({ shard, image }, index) => ({
    name: placeOf(index),
    label: numbers[index]!,
    from: { path: shard, offset: image.offset, length: image.size },
  }));
  return encodedDataset({ name: pattern, classes }, images, options);
}

function noImages(pattern: string, shards: readonly string[]): DataError {
  const which =
    shards.length === 1 ? shards[0]! : `the ${shards.length} files that match ${pattern}`;
  return new DataError(
    `${which} ${shards.length === 1 ? "holds" : "hold"} no images`,
    "an example is an image, for instance KEY.jpg, with its label in KEY.cls or KEY.json",
  );
}

async function readShard(path: string, unused: UnusedEntries): Promise<LabeledImage[]> {
  const file = await openFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(describeReadError(path, error));
  });
  try {
    const archive = { path, file };
    const labeled: LabeledImage[] = [];
    for (const sample of groupSamples(await readTarEntries(archive, unused), unused)) {
      const image = takeImage(sample, unused);
      if (!image) continue;
      labeled.push({ shard: path, image, label: await takeLabel(archive, sample) });
      for (const { name } of sample.parts.values()) unused.add(NEITHER, name);
    }
    return labeled;
  } finally {
    await file.close();
  }
}

const NEITHER = "neither the image nor the label of an example";

function groupSamples(entries: readonly TarEntry[], unused: UnusedEntries): Sample[] {
  const samples: Sample[] = [];
  for (const entry of entries) {
    const name = basename(entry.name);
    const dot = name.indexOf(".");
    if (dot < 1) {
      unused.add(dot === 0 ? "hidden" : "without an ending", entry.name);
      continue;
    }
    const key = entry.name.slice(0, entry.name.length - name.length + dot);
    if (samples.at(-1)?.key !== key) samples.push({ key, parts: new Map() });
    const { parts } = samples.at(-1)!;
    const ending = name.slice(dot + 1).toLowerCase();
    if (parts.has(ending)) unused.add("with the ending of another file of the example", entry.name);
    else parts.set(ending, entry);
  }
  return samples;
}

/** Takes the image out of an example's files; undefined, and all of them unused, where none is. */
function takeImage({ parts }: Sample, unused: UnusedEntries): TarEntry | undefined {
  const ending = IMAGE_ENDINGS.find((each) => parts.has(each));
  if (ending === undefined) {
    for (const { name } of parts.values()) unused.add("without an image of its name", name);
    return undefined;
  }
  const image = parts.get(ending);
  parts.delete(ending);
  return image;
}

async function takeLabel(archive: TarArchive, { key, parts }: Sample): Promise<string> {
  const [cls, json] = [parts.get("cls"), parts.get("json")];
  if (cls) {
    parts.delete("cls");
    return (await readText(archive, cls)).trim();
  }
  const label = json && labelInJson(await readText(archive, json));
  if (label !== undefined) {
    parts.delete("json");
    return label.trim();
  }
  throw new DataError(
    `${archive.path} has no label for ${key}`,
    "put its class into KEY.cls, or as `label` into KEY.json; files of one KEY follow each other",
  );
}

/** Files of labels are small: a larger one is something else. */
const MOST_TEXT = 16 * 2 ** 20;

async function readText(archive: TarArchive, entry: TarEntry): Promise<string> {
  const refuse = (reason: string) =>
    new DataError(`${archive.path}: ${entry.name} ${reason}`, "a label is a short text in UTF-8");
  if (entry.size > MOST_TEXT) throw refuse(`is too large for a label: ${entry.size} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readBytes(archive, entry));
  } catch (error) {
    throw error instanceof DataError ? error : refuse("is not text");
  }
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
