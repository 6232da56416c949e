/**
 * What a network's input needs of each example, and where it is written: as floats, or as bytes and
 * draws for the device.
 */
import { imageOf, tensorsOf } from "../../program/tensors.js";
import type { Preparation, PreparationName, Program, SplitName } from "../../program/program.js";
import {
  imagesOf,
  isMixing,
  type MixingKind,
  type Transform,
  type TransformOf,
} from "../../program/transforms.js";
import { TUPLE_INPUTS } from "../../program/tuples.js";
import { DrawsByChance } from "./chance.js";
import type { Dataset, ExampleKey, Image, Images, InputShape } from "./dataset.js";
import type { Decisions, Size } from "./decide.js";
import { decideMixing } from "./decide-mixing.js";
import { writePlanes } from "./image.js";
import { mixPlanes } from "./mix.js";
import { rowShape } from "./parts.js";
import { randomFor } from "./random.js";

/**
 * How a batch takes shape. A slot holds what one example gives, or one picture of an example of
 * several.
 */
export interface Staging {
  /** What happens to an example before it is written. */
  readonly transforms: readonly Transform[];
  /** What images must measure then. */
  readonly shape: InputShape;
  /** Images that an example gives: more than one with `ten_crop`. */
  readonly images: number;
  /** Whether labels go to the network as numbers. */
  readonly numbers?: boolean;
  /** A batch of this many slots. */
  start(slots: number): StagedBatch;
}

export interface StagedBatch {
  write(slot: number, image: Image, key: ExampleKey): void;
  /** Moves what a slot holds to an earlier one. */
  move(from: number, to: number): void;
  /** The images of the first slots. Mixed images take what follows from `mixtures`, one a slot. */
  finish(slots: number, mixtures: readonly Mixture[] | undefined): Images;
}

/** What an image is mixed of: its own share and place, and the slot of the other. */
export interface Mixture {
  readonly kind: MixingKind;
  readonly partner: number;
  readonly decisions: Decisions<MixingKind>;
}

/** Floats, made here by all of the transforms. */
export function floatStaging(transforms: readonly Transform[], shape: InputShape): Staging {
  const images = imagesOf(transforms);
  const size = shape.channels * shape.height * shape.width;
  const slotSize = images * size;
  return {
    transforms,
    shape,
    images,
    start(slots) {
      const values = new Float32Array(slots * slotSize);
      return {
        write(slot, image) {
          const each = image.pixels.length / images;
          for (let part = 0; part < images; part++) {
            const pixels = image.pixels.subarray(part * each, (part + 1) * each);
            const one = { ...image, height: image.height / images, pixels };
            writePlanes(one, values, slot * slotSize + part * size);
          }
        },
        move: (from, to) =>
          values.copyWithin(to * slotSize, from * slotSize, (from + 1) * slotSize),
        finish(kept, mixtures) {
          // A partner may be in a slot behind the first.
          return mixtures
            ? mixPlanes(values, shape, mixtures)
            : values.subarray(0, kept * slotSize);
        },
      };
    },
  };
}

/** Bytes and draws, from which the device makes the images by `preparation`. */
export function deviceStaging(split: PreparationName, preparation: Preparation): Staging {
  const { transforms, first, staged } = preparation;
  const before = transforms.slice(0, first);
  const images = imagesOf(before);
  return {
    transforms: before,
    shape: staged,
    images,
    start: (slots) => new DeviceBatch(split, preparation, { slots, images }),
  };
}

class DeviceBatch implements StagedBatch {
  private readonly words: number;
  private readonly viewBytes: number;
  /** Of one view each; views of other images are added at the end. */
  private readonly bytes: Uint8Array;
  private readonly drawn: DrawsByChance;

  constructor(
    private readonly split: PreparationName,
    private readonly preparation: Preparation,
    private readonly size: { readonly slots: number; readonly images: number },
  ) {
    const { staged, draws } = preparation;
    this.words = draws.words;
    this.viewBytes = staged.channels * staged.height * staged.width;
    const images = size.slots * size.images;
    this.bytes = new Uint8Array(images * this.pitch);
    this.drawn = new DrawsByChance(preparation, images);
  }

  private get draws(): Uint32Array {
    return this.drawn.values;
  }

  /** Bytes from one image to the next while there is one view of each. */
  private get pitch(): number {
    const { staged, pictures, views } = this.preparation;
    return pictures ? staged.slot / pictures : views === 1 ? staged.slot : this.viewBytes;
  }

  write(slot: number, image: Image, key: ExampleKey): void {
    const { images } = this.size;
    for (let part = 0; part < images; part++) {
      const index = slot * images + part;
      const pixels = image.pixels.subarray(part * this.viewBytes, (part + 1) * this.viewBytes);
      this.bytes.set(pixels, index * this.pitch);
      this.drawn.write(index, 1 / image.maximum, key);
    }
  }

  move(from: number, to: number): void {
    const { images } = this.size;
    const bytes = images * this.pitch;
    const words = images * this.words;
    this.bytes.copyWithin(to * bytes, from * bytes, (from + 1) * bytes);
    this.draws.copyWithin(to * words, from * words, (from + 1) * words);
  }

  finish(slots: number, mixtures: readonly Mixture[] | undefined): Images {
    const { split } = this;
    if (mixtures) return this.joinViews(slots, mixtures);
    const count = slots * this.size.images;
    const staged = this.bytes.subarray(0, count * this.pitch);
    return { split, staged, draws: this.draws.subarray(0, count * this.words) };
  }

  /** Each image followed by the one that it is mixed with. */
  private joinViews(count: number, mixtures: readonly Mixture[]): Images {
    const { slot } = this.preparation.staged;
    const { words, viewBytes } = this;
    mixtures.forEach(({ decisions }, index) => this.drawn.writeMixture(index, decisions));
    const staged = new Uint8Array(count * slot);
    const draws = new Uint32Array(count * 2 * words);
    for (let index = 0; index < count; index++) {
      [index, mixtures[index]!.partner].forEach((from, view) => {
        const bytes = this.bytes.subarray(from * viewBytes, (from + 1) * viewBytes);
        staged.set(bytes, index * slot + view * viewBytes);
        const decided = this.draws.subarray(from * words, (from + 1) * words);
        draws.set(decided, (index * 2 + view) * words);
      });
    }
    return { split: this.split, staged, draws };
  }
}

/**
 * What each kept example of a batch is mixed with: the one before it, which shuffling has chosen.
 * The first is mixed with the example in the slot `before`: the last one unless given.
 */
export function decideMixtures(
  transforms: readonly Transform[],
  keys: readonly ExampleKey[],
  size: Size,
  { position: batch, before = keys.length - 1 }: BatchPlace,
): readonly Mixture[] | undefined {
  const position = transforms.findIndex(isMixing);
  if (position < 0) return undefined;
  const transform = transforms[position] as TransformOf<MixingKind>;
  return keys.map((key, slot) => ({
    kind: transform.kind,
    partner: slot === 0 ? before : slot - 1,
    decisions: decideMixing(transform, size, randomFor(key, position), {
      ...key,
      example: batch,
    }),
  }));
}

interface BatchPlace {
  /** In the epoch. */
  readonly position: number;
  readonly before?: number | undefined;
}

/**
 * The device's preparation of a split where there is one and it does exactly what the recipe asks
 * for, else floats.
 */
export function chooseStaging(
  program: Pick<Program, "preparations" | "tensors">,
  split: SplitName,
  { dataset, transforms }: { readonly dataset: Dataset; readonly transforms: readonly Transform[] },
): Staging {
  const name = dataset.tuples && split === "eval" ? "evalTuples" : split;
  const preparation = program.preparations?.[name];
  const isSame =
    preparation &&
    preparation.pictures === picturesOf(dataset) &&
    JSON.stringify(preparation.transforms) === JSON.stringify(transforms);
  const staging =
    isSame && dataset.pixels === "bytes"
      ? deviceStaging(name, preparation)
      : floatStaging(transforms, shapeFor(program, dataset));
  return { ...staging, numbers: tensorsOf(program, "target")[0]?.dtype === "f32" };
}

/** What an example of the data is loaded as: the input, or a row with all of several. */
function shapeFor(program: Pick<Program, "tensors">, { parts }: Dataset): InputShape {
  return parts && parts.inputs.length > 1 ? rowShape(parts.inputs) : imageOf(program);
}

const picturesOf = ({ tuples }: Dataset) => tuples && TUPLE_INPUTS[tuples].length;
