/** The formats that netc reads: whole files of each, and what reading one gives. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../../../runtime/data/dataset.js";
import { DataError } from "../../../runtime/data/error.js";
import { openCifar10 } from "../../../runtime/node/data/cifar10.js";
import { openCsv } from "../../../runtime/node/data/csv.js";
import { decodePicture } from "../../../runtime/node/data/decode.js";
import { openIdx } from "../../../runtime/node/data/idx.js";
import { openParquet } from "../../../runtime/node/data/parquet.js";
import { openTar } from "../../../runtime/node/data/tar.js";
import { openPyTorch, sourceOf } from "../../../interchange/pytorch/index.js";
import { parseTensors, readShapes } from "../../../runtime/safetensors.js";
import * as samples from "./samples.js";

/** What a file was read as: equal texts for equal contents. */
export type Reading = readonly string[];

export interface Place {
  /** An empty folder for the file, and only for it. */
  readonly folder: string;
  /** Receives the reasons of images that are left out. */
  readonly onSkip: (reason: string) => void;
}

export interface DataFormat {
  samples(): Promise<readonly Uint8Array[]>;
  /** Makes lengths and sums agree again, so that a mutation is not found by those alone. */
  repair?(bytes: Uint8Array): Uint8Array;
  /**
   * Whether the format says how long a file is: then a truncated file reads whole, or not.
   */
  readonly saysLength: boolean;
  /** Whether errors name the file. */
  readonly namesFile: boolean;
  /** Throws what users would see. */
  read(bytes: Uint8Array, place: Place): Promise<Reading>;
}

const SHAPE = { channels: 1, height: 3, width: 3 } as const;

/** A file alone in the folder, opened by its path. */
async function readFileAs(
  name: string,
  bytes: Uint8Array,
  { folder }: Place,
  open: (path: string) => Promise<Dataset>,
): Promise<Reading> {
  const path = join(folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(path, bytes);
  try {
    return await readExamples(await open(path));
  } finally {
    await rm(path);
  }
}

/** All examples. Throws an Error, which no user should see, where one is not as its type says. */
async function readExamples(dataset: Dataset): Promise<Reading> {
  const read: string[] = [];
  for (let index = 0; index < dataset.length; index++) {
    const example = await dataset.get(index);
    if (!example) continue;
    const { image, label } = example;
    const { width, height, channels, pixels } = image;
    if (width * height * channels !== pixels.length) throw new Error("pixels do not fit the size");
    if (dataset.classes[label] === undefined) throw new Error(`label ${label} is not a class`);
    if (!pixels.every(Number.isFinite)) throw new Error("a pixel is not finite");
    read.push(
      `${dataset.classes[label]} ${width}x${height} ${Buffer.from(pixels).toString("hex")}`,
    );
  }
  return read;
}

const skipper = ({ onSkip }: Place) => ({
  onSkip: ({ reason }: { readonly reason: string }) => onSkip(reason),
});

export const formats = {
  weights: {
    samples: samples.weights,
    repair: samples.withHeaderLength,
    saysLength: true,
    namesFile: false,
    read(bytes) {
      const { tensors } = parseTensors(bytes);
      const shapes = readShapes(
        (start, length) => bytes.slice(start, start + length),
        bytes.length,
      );
      return Promise.resolve(
        [...tensors].map(([name, { shape, values }]) => {
          const size = shape.reduce((product, extent) => product * extent, 1);
          if (values.length !== size) throw new Error(`${name} has ${values.length} of ${size}`);
          if (String(shapes.get(name)) !== String(shape)) throw new Error("shapes disagree");
          return `${name} ${String(shape)} ${Buffer.from(values.buffer).toString("hex")}`;
        }),
      );
    },
  },
  pytorch: {
    samples: samples.pytorches,
    repair: samples.withRecordSums,
    saysLength: true,
    namesFile: false,
    read(bytes) {
      const file = openPyTorch(sourceOf(bytes));
      const read = file.tensors.filter(({ type }) => !/^(complex|q)/.test(type));
      const values = file.read(read.map(({ name }) => name));
      return Promise.resolve(
        read.map(({ name, shape }) => {
          const numbers = values.get(name)!;
          const size = shape.reduce((product, extent) => product * extent, 1);
          if (numbers.length !== size) throw new Error(`${name} has ${numbers.length} of ${size}`);
          return `${name} ${String(shape)} ${Buffer.from(numbers.slice().buffer).toString("hex")}`;
        }),
      );
    },
  },
  tar: {
    samples: samples.tars,
    repair: samples.withHeaderSums,
    saysLength: true,
    namesFile: true,
    read: (bytes, place) =>
      readFileAs("shard.tar", bytes, place, (path) =>
        openTar(path, { channels: 3, maximumSkips: 100, ...skipper(place) }),
      ),
  },
  parquet: {
    samples: samples.parquets,
    saysLength: true,
    namesFile: true,
    read: (bytes, place) =>
      readFileAs("rows.parquet", bytes, place, (path) =>
        openParquet(
          { path, image: "image", label: "label" },
          { channels: 3, maximumSkips: 100, ...skipper(place) },
        ),
      ),
  },
  csv: {
    samples: samples.csvs,
    saysLength: false,
    namesFile: true,
    read: (bytes, place) =>
      readFileAs("rows.csv", bytes, place, (path) =>
        openCsv({ kind: "csv", path, label: "last", maximum: 255 }, SHAPE),
      ),
  },
  idx: {
    samples: samples.idxs,
    saysLength: true,
    namesFile: true,
    async read(bytes, place) {
      const labels = join(place.folder, "train-labels-idx1-ubyte");
      await mkdir(place.folder, { recursive: true });
      await writeFile(labels, samples.idxLabels());
      return readFileAs("train-images-idx3-ubyte", bytes, place, () =>
        openIdx(place.folder, { split: "train", channels: 1 }),
      );
    },
  },
  cifar10: {
    samples: samples.cifar10s,
    // Records have no header: at the end of one, a cut is not to be seen. That is said instead.
    saysLength: false,
    namesFile: true,
    read: (bytes, place) =>
      readFileAs("test_batch.bin", bytes, place, () =>
        openCifar10(place.folder, { split: "eval", channels: 3 }),
      ),
  },
  images: {
    samples: samples.images,
    saysLength: false,
    namesFile: false,
    async read(bytes) {
      const { image } = await decodePicture(bytes, 3).catch((error: Error) => {
        // Its message is the reason for which a source leaves the image out.
        throw new DataError(error.message);
      });
      const { width, height, pixels } = image;
      if (pixels.length !== width * height * 3) throw new Error("pixels do not fit the size");
      return [`${width}x${height}`];
    },
  },
} as const satisfies Record<string, DataFormat>;

export type FormatName = keyof typeof formats;
