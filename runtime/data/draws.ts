/** What the transforms on the device decide for each image, as words that its kernels read. */
import type { Preparation } from "../../program/program.js";
import {
  DECISIONS,
  isMixing,
  isPrepared,
  placeWords,
  sidesOf,
  SCALE_WORD,
  type MixingKind,
  type WordsPlace,
} from "../../program/transforms.js";
import type { ExampleKey } from "./dataset.js";
import { decide, type Decisions, type Size } from "./decide.js";
import { randomFor } from "./random.js";

/** The words of the views of images: what the transforms on the device decide for each. */
export class Draws {
  readonly values: Uint32Array<ArrayBuffer>;
  protected readonly places: readonly WordsPlace[];

  constructor(
    protected readonly preparation: Preparation,
    views: number,
  ) {
    const { transforms, first, draws } = preparation;
    this.places = placeWords(transforms.slice(first).filter(isPrepared)).places;
    this.values = new Uint32Array(views * draws.words);
  }

  /** The words of one view; what mixing decides is written when the batch is complete. */
  write(view: number, scale: number, key: ExampleKey): void {
    const { transforms, first, staged, draws } = this.preparation;
    const start = view * draws.words;
    this.writeWord(start + SCALE_WORD, "f32", scale);
    let size: Size = staged;
    this.places.forEach(({ transform, first: word }, position) => {
      if (isMixing(transform)) return;
      const random = randomFor(key, first + position);
      this.writeDecisions(start + word, transform, decide(transform, size, random));
      if ("size" in transform) size = sidesOf(transform.size);
    });
    if (this.places.length !== transforms.length - first) {
      throw new Error("the program prepares transforms that this runtime does not know");
    }
  }

  /** What mixing decides for a view. */
  writeMixture(view: number, decisions: Decisions<MixingKind>): void {
    const mixing = this.places.find(({ transform }) => isMixing(transform))!;
    const start = view * this.preparation.draws.words;
    this.writeDecisions(start + mixing.first, mixing.transform, decisions);
  }

  protected writeDecisions(
    start: number,
    { kind }: WordsPlace["transform"],
    decisions: Decisions,
  ): void {
    Object.entries(DECISIONS[kind]).forEach(([name, type], index) => {
      this.writeWord(start + index, type, (decisions as Record<string, number>)[name]!);
    });
  }

  private writeWord(index: number, type: "i32" | "u32" | "f32", value: number): void {
    if (type === "f32") new Float32Array(this.values.buffer)[index] = value;
    else this.values[index] = value;
  }
}
