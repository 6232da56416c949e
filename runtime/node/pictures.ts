/** Pictures in Node: files, their bytes and Blobs, decoded and resized as by `netc predict`. */
import type { Preparation, Program } from "../../program/program.js";
import type { Image } from "../data/dataset.js";
import { viewOf } from "../copies.js";
import { describe } from "../describe.js";
import { InputError } from "../errors.js";
import { stageImages } from "../pictures/by-loops.js";
import type { Capture, PreparedPictures } from "../pictures/picture.js";
import { sourcesOf } from "../pictures/sources.js";
import {
  channelsOf,
  keyOf,
  nameOf,
  notNumbers,
  notPicture,
  preparationFor,
  requirePictures,
  transformsBefore,
} from "../pictures/eval-split.js";

export const capture: Capture = (given) => {
  const sources = sourcesOf(given).map(own);
  return {
    count: sources.length,
    prepare: ({ program }, rows) => prepare(sources, program, rows),
  };
};

/** Bytes may change after the call. */
const own = (source: unknown): unknown =>
  source instanceof Uint8Array ? viewOf(source).slice() : source;

async function prepare(
  sources: readonly unknown[],
  program: Program,
  rows: number,
): Promise<PreparedPictures> {
  requirePictures(sources.length);
  const wrong = sources.find((source) => !isPicture(source));
  if (typeof wrong === "number") throw notNumbers(program);
  if (wrong !== undefined || sources.includes(undefined)) {
    throw notPicture(program, describe(wrong), WANTED);
  }
  const preparation = preparationFor(program, rows / sources.length);
  const names = sources.map((source, index) =>
    typeof source === "string" ? source : nameOf(index, sources.length),
  );
  const images = await Promise.all(
    (sources as NodePicture[]).map((source, index) =>
      decode(source, { preparation, name: names[index]!, index }),
    ),
  );
  return stageImages(preparation, images, names);
}

type NodePicture = string | Uint8Array | Blob;

const isPicture = (source: unknown): source is NodePicture =>
  typeof source === "string" || source instanceof Uint8Array || source instanceof Blob;

const WANTED = "a picture (a path, the bytes of an image file, a Blob, or a list of them)";

interface Decoding {
  readonly preparation: Preparation;
  readonly name: string;
  readonly index: number;
}

async function decode(source: NodePicture, { preparation, name, index }: Decoding): Promise<Image> {
  const { decodeInPool } = await import("./data/decode-pool.js");
  const result = await decodeInPool({
    from: typeof source === "string" ? { path: source } : { bytes: await bytesOf(source) },
    channels: channelsOf(preparation),
    stage: { transforms: transformsBefore(preparation), key: keyOf(index) },
  });
  if ("image" in result) return result.image;
  if ("failure" in result) {
    throw new InputError(`${name} cannot be read as an image: ${result.failure}`);
  }
  const { message, hint } = result.mistake;
  throw new InputError(`${name}: ${message}${hint ? `: ${hint}` : ""}`);
}

const bytesOf = async (source: Uint8Array | Blob): Promise<Uint8Array> =>
  source instanceof Uint8Array ? source : new Uint8Array(await source.arrayBuffer());
