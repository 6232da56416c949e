/**
 * From a dataset to batches: order, transforms, and the next batches prepared while the GPU works.
 */
import { isMixing, type Transform } from "../../program/transforms.js";
import type { Sampling } from "../../program/recipe.js";
import { checkSize } from "./check-size.js";
import type { Labels } from "../examples.js";
import { batchesOf } from "./dataset.js";
import type { Batch, Dataset, Example, ExampleKey, Images, InputShape } from "./dataset.js";
import { TUPLE_INPUTS, type TupleKind } from "../../program/tuples.js";
import { byInput, drawTuple, type DrawnTuple } from "./tuples.js";
import { byPart } from "./parts.js";
import { packBoxes, transformBoxes } from "./boxes.js";
import { transformMask } from "./masks.js";
import { shuffledOrder } from "./random.js";
import { sampledOrder } from "./sampling.js";
import { noteTable } from "./standardized.js";
import { prepareExample } from "./memory.js";
import {
  decideMixtures,
  floatStaging,
  type Mixture,
  type StagedBatch,
  type Staging,
} from "./stage.js";

/** Options of `loadBatches`. */
export interface LoaderOptions {
  /** Examples in a batch; the last batch of a pass holds what is left. */
  readonly batch: number;
  /** What every image must measure after the transforms. */
  readonly shape: InputShape;
  readonly transforms: readonly Transform[];
  /**
   * Where the transforms happen and what batches hold: floats, made here, unless given
   * (`chooseStaging`).
   */
  readonly staging?: Staging;
  readonly seed: number;
  /** Keys the shuffle and the random transforms. */
  readonly epoch: number;
  readonly shuffle: boolean;
  /** Whether a last batch that is not whole is left out. */
  readonly dropLast?: boolean | undefined;
  /** Draws examples with replacement; with `shuffle`, whose place it takes. */
  readonly sampling?: Sampling | undefined;
  /** Position of the first batch, to continue within an epoch. */
  readonly start?: number;
  /** Batches kept ready ahead of the consumer, 2 unless told. */
  readonly ahead?: number;
  /**
   * Which of this many parts of each batch is loaded: all of it unless given. Then batches without
   * examples are not left out.
   */
  readonly part?: { readonly rank: number; readonly size: number } | undefined;
}

/**
 * One pass over `dataset` in batches. A batch is a function of the options and its position alone,
 * so that a pass that starts at a later position yields exactly the batches that a whole pass
 * yields from there. A batch without a single readable example is left out. With `ten_crop`, a
 * batch holds ten images for each of its labels. Throws a DataError where images do not fit the
 * network.
 */
export async function* loadBatches(
  dataset: Dataset,
  options: LoaderOptions,
): AsyncGenerator<Batch, void, void> {
  const pass = new Pass(dataset, options);
  const ahead = options.ahead ?? 2;
  const queue: Promise<Batch>[] = [];
  let next = options.start ?? 0;
  const fill = () => {
    while (next < pass.batches && queue.length <= ahead) {
      const prepared = pass.prepare(next++);
      // Whoever stops early never looks at the batches ahead: their errors are not unhandled, only
      // unread.
      prepared.catch(() => {});
      queue.push(prepared);
    }
  };
  for (fill(); queue.length > 0; fill()) {
    const batch = await queue.shift()!;
    if (batch.count > 0 || options.part) yield batch;
  }
}

class Pass {
  readonly batches: number;
  private readonly order: Uint32Array;
  private readonly staging: Staging;
  /** Whether images are mixed, and partners may be in other parts of the batch. */
  private readonly mixesParts: boolean;
  /** Slots of an example. */
  private readonly pictures: number;

  constructor(
    private readonly dataset: Dataset,
    private readonly options: LoaderOptions,
  ) {
    this.staging = options.staging ?? floatStaging(options.transforms, options.shape);
    this.mixesParts = options.part !== undefined && options.transforms.some(isMixing);
    this.pictures = dataset.tuples ? TUPLE_INPUTS[dataset.tuples].length : 1;
    this.order = visitingOrder(dataset, options);
    this.batches = batchesOf(dataset.length, options);
  }

  async prepare(position: number): Promise<Batch> {
    const { staging, options } = this;
    const { batch: examples } = options;
    const whole = this.order.subarray(position * examples, (position + 1) * examples);
    const indices = [...partOf(whole, options.part)];
    const firstPlace = position * examples + startOf(whole, options.part);
    // One slot more for the example that the first of a part is mixed with.
    const staged = staging.start((indices.length + Number(this.mixesParts)) * this.pictures);
    const keys = indices.map((_, slot) => this.keyOf(firstPlace + slot));
    // Each example goes to its slot as soon as it is decoded, so that few decoded images are in
    // memory at once.
    const same: number[] = [];
    const labels = await Promise.all(
      indices.map(async (index, slot) => {
        const key = keys[slot]!;
        if (isOfTuples(this.dataset)) {
          const tuple = drawTuple(this.dataset, index, key);
          same[slot] = Number(tuple.isSame);
          return this.stageTuple(tuple, staged, slot);
        }
        const example = await this.example(index, key);
        if (example) staged.write(slot, example.image, key);
        return example && this.labelsOf(example, key);
      }),
    );
    const kept = indices.map((_, slot) => slot).filter((slot) => labels[slot] !== undefined);
    // Closes the gaps that unreadable examples left.
    kept.forEach((slot, place) => slot === place || this.moveExample(staged, slot, place));
    const keptKeys = kept.map((slot) => keys[slot]!);
    const before = await this.stageBefore({ whole, position }, staged, kept.length);
    const mixtures = decideMixtures(options.transforms, keptKeys, options.shape, {
      position,
      before: before && kept.length,
    });
    const own = kept.map((slot) => labels[slot]!);
    const { tuples } = this.dataset;
    const compared = tuples === "siamese" ? kept.map((slot) => same[slot]!) : own;
    const parts = { compared, mixtures, before: before?.label, numbers: staging.numbers };
    return {
      position,
      count: own.length,
      images: this.inputsOf(staged.finish(kept.length * this.pictures, mixtures), kept.length),
      ...this.targetsOf(labelsOf(own, parts), own.length),
    };
  }

  /** The label of an example of several pictures; undefined where one cannot be decoded. */
  private async stageTuple(
    { pictures, label }: DrawnTuple,
    staged: StagedBatch,
    slot: number,
  ): Promise<number | undefined> {
    const read = await Promise.all(
      pictures.map(async ({ index, key }, place) => {
        const example = await this.example(index, key);
        if (example) staged.write(slot * this.pictures + place, example.image, key);
        return example;
      }),
    );
    if (read.every((example) => example !== undefined)) return label;
    if (read[0]) this.dataset.noteIncomplete?.(pictures[0]!.index);
    return undefined;
  }

  private moveExample(staged: StagedBatch, from: number, to: number): void {
    for (let place = 0; place < this.pictures; place++) {
      staged.move(from * this.pictures + place, to * this.pictures + place);
    }
  }

  private inputsOf(images: Images, count: number): Images {
    const { tuples, parts, table } = this.dataset;
    if (!(images instanceof Float32Array)) return images;
    // Calls take them by name; the type is for the batches of all other datasets.
    if (tuples) return byInput(images, tuples, count) as unknown as Images;
    const inputs = parts?.inputs ?? [];
    const own = inputs.length > 1 ? byPart(images, inputs, count) : images;
    return (table?.scale ? noteTable(own, table) : own) as Images;
  }

  /** Of several targets, the numbers by name. */
  private targetsOf(
    batch: Pick<Batch, "labels" | "targets">,
    count: number,
  ): Pick<Batch, "labels" | "targets"> {
    const parts = this.dataset.parts?.targets ?? [];
    if (parts.length < 2) return batch;
    const numbers = batch.targets as unknown as Float32Array;
    return { ...batch, targets: byPart(numbers, parts, count) as unknown as Labels };
  }

  /**
   * The label, those of the pixels, boxes, or numbers. Masks go through all transforms here: what
   * labels weigh is known before the step.
   */
  private labelsOf({ label, mask, boxes, numbers }: Example, key: ExampleKey): ExampleLabels {
    const { transforms } = this.options;
    const first = this.staging.transforms.length;
    if (boxes) return packBoxes(transformBoxes(boxes, transforms.slice(first), key, first));
    if (!mask) return numbers ?? label;
    return transformMask(mask, transforms.slice(first), key, first).pixels;
  }

  /**
   * If images are mixed and this is a part of a batch: writes the last readable example before the
   * part to a slot, as the partner of the part's first. Undefined if there is none.
   */
  private async stageBefore(
    { whole, position }: { readonly whole: Uint32Array; readonly position: number },
    staged: StagedBatch,
    slot: number,
  ): Promise<Example | undefined> {
    const { part } = this.options;
    if (!part || slot === 0 || !this.mixesParts) return undefined;
    const { length } = partOf(whole, part);
    const first = startOf(whole, part);
    for (let back = 1; back <= whole.length - length; back++) {
      const place = (first - back + whole.length) % whole.length;
      const key = this.keyOf(position * this.options.batch + place);
      const example = await this.example(whole[place]!, key);
      if (!example) continue;
      staged.write(slot, example.image, key);
      return example;
    }
    return undefined;
  }

  /**
   * What decides about the example in a place of the epoch: the example, or the place itself where
   * an epoch may have one several times.
   */
  private keyOf(place: number): ExampleKey {
    const { seed, epoch, sampling } = this.options;
    return { seed, epoch, example: sampling ? place : this.order[place]! };
  }

  /** The example as it is staged; undefined where it cannot be decoded. */
  private async example(index: number, key: ExampleKey): Promise<Example | undefined> {
    const { dataset, staging } = this;
    const stage = { transforms: staging.transforms, key };
    const example = await prepareExample(dataset, index, stage);
    if (example) checkSize(dataset.name, example.image, staging);
    return example;
  }
}

const isOfTuples = (dataset: Dataset): dataset is Dataset & { readonly tuples: TupleKind } =>
  dataset.tuples !== undefined;

/** A part of a batch, as even as slices of it are. */
function partOf(indices: Uint32Array, part: LoaderOptions["part"]): Uint32Array {
  if (!part) return indices;
  const each = Math.ceil(indices.length / part.size);
  return indices.subarray(part.rank * each, (part.rank + 1) * each);
}

/** The place in a batch of a part's first example. */
const startOf = ({ length }: Uint32Array, part: LoaderOptions["part"]): number =>
  part ? part.rank * Math.ceil(length / part.size) : 0;

function visitingOrder(dataset: Dataset, options: LoaderOptions): Uint32Array {
  const { length } = dataset;
  const { sampling } = options;
  if (options.shuffle && sampling) return sampledOrder(dataset, { ...options, sampling });
  if (options.shuffle) return shuffledOrder(length, options);
  return Uint32Array.from({ length }, (_, index) => index);
}

/** A class, the classes of pixels or tokens, or numbers. */
type ExampleLabels = number | Uint8Array | Uint32Array | Float32Array;

/** Labels of images, or of their pixels, or boxes, one after the other. */
function joined(own: readonly ExampleLabels[]): Uint32Array | Float32Array {
  const length = own.reduce<number>((sum, each) => sum + lengthOf(each), 0);
  const labels =
    own[0] instanceof Float32Array ? new Float32Array(length) : new Uint32Array(length);
  let at = 0;
  for (const each of own) {
    if (typeof each === "number") labels[at] = each;
    else labels.set(each, at);
    at += lengthOf(each);
  }
  return labels;
}

const lengthOf = (labels: ExampleLabels) => (typeof labels === "number" ? 1 : labels.length);

interface Compared {
  /** What the network is compared with, where that is not the labels. */
  readonly compared: readonly ExampleLabels[];
  readonly mixtures: readonly Mixture[] | undefined;
  /** The label in the slot behind the own ones. */
  readonly before: number | undefined;
  readonly numbers: boolean | undefined;
}

function labelsOf(
  own: readonly ExampleLabels[],
  { compared, mixtures, before, numbers }: Compared,
): Pick<Batch, "labels" | "targets"> {
  const labels = joined(own);
  if (labels instanceof Float32Array) {
    return { labels: new Uint32Array(0), targets: labels as unknown as Labels };
  }
  const targets = compared === own ? labels : joined(compared);
  if (numbers) return { labels, targets: Float32Array.from(targets) as unknown as Labels };
  if (!mixtures) return { labels, targets: targets as Uint32Array };
  const partners = Uint32Array.from(mixtures, ({ partner }) => labels[partner] ?? before!);
  const shares = Float32Array.from(mixtures, ({ decisions }) => decisions.share);
  return { labels, targets: { labels, partners, shares } };
}
