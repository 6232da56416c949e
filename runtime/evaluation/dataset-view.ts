import type { Dataset, Example, Stage } from "../data/dataset.js";
import { prepareExample } from "../data/memory.js";

/** Examples evenly spread over a dataset, and which of them could be read. */
export class DatasetView implements Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly length: number;
  readonly pixels: Dataset["pixels"];
  readonly parts: Dataset["parts"];
  readonly table: Dataset["table"];
  private readonly missing = new Set<number>();

  constructor(
    private readonly dataset: Dataset,
    limit = dataset.length,
  ) {
    this.name = dataset.name;
    this.classes = dataset.classes;
    this.length = Math.min(limit, dataset.length);
    this.pixels = dataset.pixels;
    this.parts = dataset.parts;
    this.table = dataset.table;
  }

  get(index: number): Promise<Example | undefined> {
    return this.note(index, this.dataset.get(this.original(index)));
  }

  prepare(index: number, stage: Stage): Promise<Example | undefined> {
    return this.note(index, prepareExample(this.dataset, this.original(index), stage));
  }

  private async note(
    index: number,
    wanted: Promise<Example | undefined>,
  ): Promise<Example | undefined> {
    const example = await wanted;
    if (example === undefined) this.missing.add(index);
    return example;
  }

  /**
   * Indices into the whole dataset of those from `start` to before `end` that could be read, in
   * order.
   */
  readable(start: number, end: number): number[] {
    const indices = Array.from({ length: end - start }, (_, offset) => start + offset);
    return indices.filter((index) => !this.missing.has(index)).map((index) => this.original(index));
  }

  private original(index: number): number {
    return Math.floor((index * this.dataset.length) / this.length);
  }
}
