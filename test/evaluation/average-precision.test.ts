/** Mean average precision by hand, and what is left of a grid of cells. */
import { describe, expect, test } from "vitest";
import { AveragePrecision } from "../../runtime/detection/average-precision.js";
import type { Program } from "../../program/program.js";
import { detect } from "../../runtime/detection/detect.js";
import { boxesIn, intersectionOverUnion, type Box } from "../../runtime/detection/boxes.js";

const box = (left: number, top: number, width = 0.2, height = 0.2): Box => {
  return { left, top, width, height };
};
const found = (score: number, place: Box, index = 0) => ({ index, score, box: place });
const truth = (place: Box, index = 0) => ({ index, box: place });

test("intersection over union", () => {
  expect(intersectionOverUnion(box(0, 0), box(0, 0))).toBeCloseTo(1);
  expect(intersectionOverUnion(box(0, 0), box(0.1, 0))).toBeCloseTo(1 / 3);
  expect(intersectionOverUnion(box(0, 0), box(0.5, 0))).toBe(0);
  expect(intersectionOverUnion(box(0, 0, 0, 0), box(0, 0, 0, 0))).toBe(0);
});

describe("average precision", () => {
  test("is sampled at 101 recalls, each with the best precision at it or a higher one", () => {
    const precision = new AveragePrecision(1);
    // Right, wrong, right: precisions 1, 1/2, 2/3 at recalls 1/2, 1/2, 1.
    precision.add(
      [found(0.9, box(0, 0)), found(0.8, box(0.4, 0.4)), found(0.7, box(0.7, 0.7))],
      [truth(box(0, 0)), truth(box(0.7, 0.7))],
    );
    const expected = (51 + 50 * (2 / 3)) / 101;
    const { map50, map, classes } = precision.result();
    expect([map50, map]).toEqual([expect.closeTo(expected, 10), expect.closeTo(expected, 10)]);
    expect(classes).toEqual([expect.objectContaining({ support: 2 })]);
    const { curve } = classes[0]!;
    expect([0, 0.5, 0.51, 1].map((recall) => curve[Math.round(100 * recall)])).toEqual([
      ...[1, 1, 2 / 3, 2 / 3],
    ]);
  });

  test("counts a box once, the surer detection first, over all images", () => {
    const precision = new AveragePrecision(2);
    precision.add([found(0.6, box(0, 0)), found(0.9, box(0.01, 0))], [truth(box(0, 0))]);
    precision.add([found(0.95, box(0.5, 0.5))], []);
    // Wrong, right, wrong: precision 1/2 at all recalls; the second class has no box.
    const { map50, classes } = precision.result();
    expect(map50).toBeCloseTo(0.5);
    expect(classes[1]).toBeNull();
  });

  test("at higher overlaps a shifted box is wrong", () => {
    const precision = new AveragePrecision(1);
    // An overlap of 0.18 / 0.22 = 0.818: right at 0.5 to 0.8, seven of ten thresholds.
    precision.add([found(0.9, box(0.02, 0))], [truth(box(0, 0))]);
    const { map50, map } = precision.result();
    expect([map50, map]).toEqual([1, expect.closeTo(0.7, 10)]);
  });

  test("a hundred detections of each class count, whatever the other classes have", () => {
    const precision = new AveragePrecision(2);
    const many = Array.from({ length: 100 }, () => found(0.9, box(0.4, 0.4), 1));
    precision.add([...many, found(0.5, box(0, 0))], [truth(box(0, 0))]);
    expect(precision.result().classes[0]!.ap50).toBe(1);
    const late = new AveragePrecision(1);
    const wrong = many.map((each) => ({ ...each, index: 0 }));
    late.add([...wrong, found(0.5, box(0, 0))], [truth(box(0, 0))]);
    expect(late.result().map50).toBe(0);
  });

  test("another class is wrong, and a missed box costs recall", () => {
    const precision = new AveragePrecision(2);
    precision.add([found(0.9, box(0, 0), 1)], [truth(box(0, 0), 0), truth(box(0.5, 0), 1)]);
    expect(precision.result().map50).toBe(0);
  });
});

test("cells become boxes, and of those that cover each other one of a class stays", () => {
  const grid = { classes: 2, height: 1, width: 2 };
  // Channels x, y, width, height, object and two classes, of two cells.
  const row = Float32Array.from([
    ...[4, -4],
    ...[0, 0],
    ...[0, 0],
    ...[0, 0],
    ...[3, 2],
    ...[5, 5],
    ...[-5, -5],
  ]);
  const all = boxesIn(row, grid, { threshold: 0.1, overlap: 1 });
  expect(all.map(({ index }) => index)).toEqual([0, 0]);
  expect(all[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-3)) / (1 + Math.exp(-10)), 6);
  // The middle of the first: (0 + sigmoid(4)) / 2.
  expect(all[0]!.box.left + 0.25).toBeCloseTo(1 / (1 + Math.exp(-4)) / 2, 6);
  expect(all[0]!.box.width).toBeCloseTo(0.5, 6);
  expect(boxesIn(row, grid, { threshold: 0.1, overlap: 0.5 })).toEqual([all[0]]);
  expect(boxesIn(row, grid, { threshold: 0.9, overlap: 1 })).toEqual([all[0]]);
  // Another class does not suppress.
  row.set([-5, 5], 10);
  row.set([5, -5], 12);
  expect(boxesIn(row, grid, { threshold: 0.1, overlap: 0.5 })).toHaveLength(2);
});

test("found boxes end with the image, as those of the data do", () => {
  // One cell of one class: the middle at the left edge, half as wide as the image.
  const row = Float32Array.from([-20, 0, 0, 20, 5, 0]);
  const grid = { classes: 1, width: 1, height: 1 };
  const [only] = boxesIn(row, grid, { threshold: 0.1, overlap: 1 });
  const { left, top, width, height } = only!.box;
  expect(left).toBe(0);
  expect(top).toBeCloseTo(0, 6);
  expect(width).toBeCloseTo(0.25, 6);
  expect(height).toBeCloseTo(1, 6);
});

test("wrong options of `detect` are refused", async () => {
  const tensors = [
    { name: "image", role: "input", dtype: "f32", shape: [3, 8, 8] },
    { name: "boxes", role: "target", dtype: "f32", shape: [1, 5], boxClasses: 1 },
    { name: "head", role: "prediction", dtype: "f32", shape: [6, 1, 1] },
  ];
  const network = {
    program: { model: "Net", tensors } as unknown as Program,
    classes: undefined,
    predict: () => Promise.resolve(new Float32Array(6)),
  };
  const image = new Float32Array(192);
  const refused = (options: object) => expect(detect(network, image, options)).rejects;
  await refused({ treshold: 0.5 }).toThrow("`detect` has no option `treshold`");
  await refused({ threshold: NaN }).toThrow("`threshold` of `detect` must be a number");
  await refused({ overlap: 50 }).toThrow("`overlap` of `detect` must be a number");
  const [boxes] = await detect(network, image, { threshold: 0.4 });
  expect(boxes).toEqual([expect.objectContaining({ name: "class 0", score: 0.5 })]);
});
