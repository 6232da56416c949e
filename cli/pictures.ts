/**
 * The pictures that a command is to look at: named one by one, by folder, by pattern, or given on
 * standard input.
 */
import { imageOf } from "../program/tensors.js";
import { stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { buffer } from "node:stream/consumers";
import { glob, isDynamicPattern } from "tinyglobby";
import type { Dataset, Example, Stage } from "../runtime/data/dataset.js";
import { DataError } from "../runtime/data/error.js";
import { IMAGE_ENDINGS } from "../runtime/node/data/decode.js";
import type { CompiledSpec } from "./compiled.js";
import { warn } from "./terminal.js";
import { ExitCode, Failure, wrongInput } from "./failure.js";
import { readBytes } from "./files.js";

export interface Picture {
  /** As results are to name it: its path, or `-`. */
  readonly name: string;
  /** Where a copy goes below a folder of copies. */
  readonly copy: string;
  /** Whether the user named this very file, so that it must be readable. */
  readonly isNamed: boolean;
  read(): Promise<Uint8Array>;
}

const STANDARD_INPUT = "-";
const IMAGES = `**/*.{${IMAGE_ENDINGS.join(",")}}`;

/** The pictures that arguments name, each once. Fails where an argument names none. */
export async function findPictures(names: readonly string[]): Promise<Picture[]> {
  const found = (await Promise.all(names.map(find))).flat();
  return [...new Map(found.map((picture) => [picture.name, picture])).values()];
}

async function find(name: string): Promise<Picture[]> {
  if (name === STANDARD_INPUT) return [standardInput()];
  const kind = await stat(name).catch(() => undefined);
  if (kind?.isDirectory()) return inFolder(name);
  if (kind === undefined && isDynamicPattern(name)) return byPattern(name);
  return [pictureFile(name, { copy: placeBelow(name), isNamed: true })];
}

function standardInput(): Picture {
  let bytes: Promise<Uint8Array> | undefined;
  const read = () => (bytes ??= buffer(process.stdin));
  return { name: STANDARD_INPUT, copy: "stdin.png", isNamed: true, read };
}

function pictureFile(name: string, options: Pick<Picture, "copy" | "isNamed">): Picture {
  return { name, ...options, read: () => readBytes(name, "image") };
}

async function inFolder(folder: string): Promise<Picture[]> {
  const paths = await glob(IMAGES, { cwd: folder, caseSensitiveMatch: false });
  if (paths.length === 0)
    throw wrongInput(
      `${folder} holds no images: ` +
        `files that end in ${IMAGE_ENDINGS.map((ending) => `.${ending}`).join(", ")}`,
    );
  return paths
    .sort()
    .map((path) => pictureFile(join(folder, path), { copy: path, isNamed: false }));
}

async function byPattern(pattern: string): Promise<Picture[]> {
  const paths = await glob(pattern);
  if (paths.length === 0) throw wrongInput(`no file matches ${pattern}`);
  return paths.sort().map((path) => pictureFile(path, { copy: placeBelow(path), isNamed: false }));
}

/**
 * Where the copy of a file goes below another folder: always inside it, and no two files'
 * in one place.
 */
function placeBelow(path: string): string {
  const parts = relative(".", path).split(sep);
  return join(...parts.filter((part) => part !== ".."));
}

/**
 * Pictures as a dataset. One that was named and does not decode ends the command; one that was
 * found is left out, and the user told.
 */
export class Pictures implements Dataset {
  readonly classes = [];
  readonly pixels = "bytes";
  readonly name: string;
  readonly length: number;
  private readonly channels: 1 | 3;
  private readonly unreadablePictures = new Set<Picture>();

  constructor(
    private readonly pictures: readonly Picture[],
    { compilation, model }: CompiledSpec,
  ) {
    const { channels } = imageOf(compilation.programs[0]!);
    if (channels !== 1 && channels !== 3) {
      throw wrongInput(
        `the input of model ${model.name} has ${channels} channels, ` +
          "but images have 1 (gray) or 3 (RGB)",
      );
    }
    this.channels = channels;
    this.name = pictures.length === 1 ? pictures[0]!.name : "the images";
    this.length = pictures.length;
  }

  get(index: number): Promise<Example | undefined> {
    return this.decode(index, undefined);
  }

  prepare(index: number, stage: Stage): Promise<Example | undefined> {
    return this.decode(index, stage);
  }

  private async decode(index: number, stage: Stage | undefined): Promise<Example | undefined> {
    const { decodeInPool } = await import("../runtime/node/data/decode-pool.js");
    const picture = this.pictures[index]!;
    const from = { bytes: await picture.read() };
    const result = await decodeInPool({ from, channels: this.channels, stage });
    if ("mistake" in result) {
      throw new DataError(`${picture.name}: ${result.mistake.message}`, result.mistake.hint);
    }
    if ("image" in result) {
      if (result.frames > 1) warn(`${picture.name} is animated: its first frame is used`);
      return { image: result.image, label: 0 };
    }
    const message = `${picture.name} cannot be read as an image: ${result.failure}`;
    if (picture.isNamed) throw wrongInput(message);
    warn(message);
    this.unreadablePictures.add(picture);
    return undefined;
  }

  /** Those that could be read, once all have been. */
  readable(): Picture[] {
    return this.pictures.filter((picture) => !this.unreadablePictures.has(picture));
  }
}

/** The error where all pictures were left out. */
export const nothingReadable = ({ name }: Pick<Dataset, "name">): Failure =>
  wrongInput(`${name}: none of the images can be read`);

/** The error of a picture of which a network makes NaN or infinity. */
export const notFiniteOutput = (picture: string): Failure =>
  new Failure(ExitCode.runFailed, `${picture}: the network's output is not finite`, [
    "the weights may have diverged; " +
      "or the examples are not normalized as those that they were trained on",
  ]);
