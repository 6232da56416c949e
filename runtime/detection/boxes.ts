/** From a grid of cells to boxes: what a network with boxes predicts. */
import { boxesOf } from "../../program/boxes.js";
import type { Program } from "../../program/program.js";
import { tensorsOf } from "../../program/tensors.js";

/** A rectangle in shares of the image, from its upper left corner. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A box of a class, by the class's place among the outputs. */
export interface LabeledBox {
  readonly index: number;
  readonly box: Box;
}

export interface DetectedBox extends LabeledBox {
  /** The probability that there is a box, times that of its class. */
  readonly score: number;
}

/** What is left of what the cells say. */
export interface DetectionRule {
  /** The least score of a box. */
  readonly threshold: number;
  /**
   * Of two boxes of one class whose intersection over union is larger, the one with the lower score
   * goes (non-maximum suppression).
   */
  readonly overlap: number;
}

/** Cells of a grid, and the classes that they tell apart. */
interface Grid {
  readonly classes: number;
  readonly height: number;
  readonly width: number;
}

/** The grid of a program with boxes; undefined for others. */
export function gridOf(program: Pick<Program, "tensors">): Grid | undefined {
  const boxes = boxesOf(program);
  const [head] = tensorsOf(program, "prediction");
  if (!boxes || head?.shape.length !== 3) return undefined;
  const [, height, width] = head.shape as readonly [number, number, number];
  return { classes: boxes.classes, height, width };
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** Boxes of one image, those with the highest score first. `row`: [5 + classes, height, width]. */
export function boxesIn(
  row: Float32Array,
  grid: Grid,
  { threshold, overlap }: DetectionRule,
): readonly DetectedBox[] {
  const found: DetectedBox[] = [];
  for (let cell = 0; cell < grid.height * grid.width; cell++) {
    const box = boxOfCell(row, grid, cell);
    if (box.score >= threshold) found.push(box);
  }
  return suppressed(
    found.sort((a, b) => b.score - a.score),
    overlap,
  );
}

function boxOfCell(row: Float32Array, { classes, height, width }: Grid, cell: number): DetectedBox {
  const cells = height * width;
  const at = (channel: number) => row[channel * cells + cell]!;
  const logits = Array.from({ length: classes }, (_, label) => at(5 + label));
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const index = logits.indexOf(most);
  const score = sigmoid(at(4)) / powers.reduce((sum, power) => sum + power, 0);
  const [x, y] = [(cell % width) + sigmoid(at(0)), Math.floor(cell / width) + sigmoid(at(1))];
  const [wide, high] = [sigmoid(at(2)), sigmoid(at(3))];
  const [across, down] = [side(x / width, wide), side(y / height, high)];
  const box = { left: across.start, top: down.start, width: across.length, height: down.length };
  return { index, score, box };
}

/** The part of a box's side that is in the image, as boxes of the data are. */
function side(middle: number, length: number) {
  const start = Math.max(0, middle - length / 2);
  return { start, length: Math.min(1, middle + length / 2) - start };
}

function suppressed(sorted: readonly DetectedBox[], overlap: number): readonly DetectedBox[] {
  const kept: DetectedBox[] = [];
  for (const each of sorted) {
    const isCovered = kept.some(
      ({ index, box }) => index === each.index && intersectionOverUnion(box, each.box) > overlap,
    );
    if (!isCovered) kept.push(each);
  }
  return kept;
}

/** 0 where boxes do not meet, 1 where they are one. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const shared = (
    one: readonly [start: number, length: number],
    other: readonly [start: number, length: number],
  ) => Math.max(0, Math.min(one[0] + one[1], other[0] + other[1]) - Math.max(one[0], other[0]));
  const both =
    shared([a.left, a.width], [b.left, b.width]) * shared([a.top, a.height], [b.top, b.height]);
  const either = a.width * a.height + b.width * b.height - both;
  return either > 0 ? both / either : 0;
}
