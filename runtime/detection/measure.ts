/** Mean average precision of a network's predictions, batch by batch. */
import { BOX_NUMBERS, boxesOf } from "../../program/boxes.js";
import type { Program } from "../../program/program.js";
import { AveragePrecision, type MeanPrecision } from "./average-precision.js";
import { boxesIn, gridOf, type LabeledBox } from "./boxes.js";

/** Low, since the precision is taken at all recalls. */
const RULE = { threshold: 0.01, overlap: 0.5 };

export class BoxMeasure {
  private readonly precision: AveragePrecision;
  private readonly grid: NonNullable<ReturnType<typeof gridOf>>;
  private readonly most: number;
  /** Images without a box, so far. */
  empty = 0;

  /** Of a program with boxes. */
  constructor(program: Pick<Program, "tensors">) {
    this.grid = gridOf(program)!;
    this.most = boxesOf(program)!.most;
    this.precision = new AveragePrecision(this.grid.classes);
  }

  /** What the network gives for a batch, and the boxes that there are. */
  add(output: Float32Array, targets: Float32Array): void {
    const numbers = this.most * BOX_NUMBERS;
    const images = targets.length / numbers;
    const each = output.length / images;
    for (let image = 0; image < images; image++) {
      const row = output.subarray(image * each, (image + 1) * each);
      const truths = truthsOf(targets.subarray(image * numbers, (image + 1) * numbers));
      if (truths.length === 0) this.empty++;
      this.precision.add(boxesIn(row, this.grid, RULE), truths);
    }
  }

  result(): MeanPrecision {
    return this.precision.result();
  }
}

function truthsOf(numbers: Float32Array): readonly LabeledBox[] {
  const truths: LabeledBox[] = [];
  for (let start = 0; start < numbers.length; start += BOX_NUMBERS) {
    const [index, x, y, width, height] = numbers.subarray(
      start,
      start + BOX_NUMBERS,
    ) as unknown as [number, number, number, number, number];
    if (index >= 0)
      truths.push({ index, box: { left: x - width / 2, top: y - height / 2, width, height } });
  }
  return truths;
}
