/** A report's data, made up: `classes` classes, some of them confused. */
import type {
  ReportData,
  ReportedDetection,
  ReportedRegression,
  ReportedTag,
} from "../../report/data.js";
import {
  classResults,
  type CurvePoint,
  type PrecisionRecallCurve,
} from "../../runtime/evaluation/index.js";
import type { MetricsRecord } from "../../runtime/training/records.js";

export function records(steps: number): MetricsRecord[] {
  return Array.from({ length: steps }, (_, index): MetricsRecord[] => {
    const step = index + 1;
    const epoch = Math.ceil(step / 10);
    const done = { step, epoch, loss: 2 / step, lr: 0.1, examplesPerSecond: 5, dataWait: 0.01 };
    if (step % 10 !== 0) return [done];
    const metrics = { loss: 1 / step, top1: 0.5, top5: 0.9 };
    const recall = { cat: 0.4, dog: step / 100 };
    return [done, { step, epoch, eval: metrics, train: metrics, recall, seconds: 2 }];
  }).flat();
}

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q" +
  "DwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Precision that falls as recall rises, earlier for later classes. */
function curve(label: number): PrecisionRecallCurve {
  const points = Array.from({ length: 20 }, (_, index): CurvePoint => {
    const recall = (index + 1) / 20;
    return [recall, 1 - (recall ** 3 * label) / 12];
  });
  return { averagePrecision: 1 - label / 40, points };
}

export function reportData(classes: number): ReportData {
  const names = Array.from({ length: classes }, (_, label) => `species ${label}`);
  const confusion = names.map((_, row) =>
    names.map((_, column) => (row === column ? 40 : (row * 7 + column * 3) % 11 === 0 ? 5 : 0)),
  );
  return {
    title: "Net <1>, recipe Base",
    status: "completed",
    steps: 50,
    facts: [["adapter", "SwiftShader </script> & co"]],
    recipe: [["epochs", "5"]],
    spec: {
      path: "net.net",
      pieces: [
        ["model", "keyword"],
        [" Net {}", "plain"],
      ],
    },
    records: records(50),
    best: { epoch: 4, step: 40, metric: "top1", file: "best.safetensors" },
    fractions: ["top1", "top5"],
    examination: {
      examples: 500,
      of: 1000,
      confusion,
      classes: classResults(confusion, names),
      mistakes: [
        {
          actual: "cat",
          predicted: "dog",
          probability: 0.99,
          probabilityOfActual: 0.005,
          picture: PIXEL,
          name: "photos/cat/0 1.jpg",
          link: "0%201.png",
        },
      ],
      trained: names.map((_, label) => 10 * (label + 1)),
      calibration: {
        error: 0.0731,
        bins: Array.from({ length: 15 }, (_, bin) =>
          bin < 5
            ? { examples: 0, confidence: null, accuracy: null }
            : { examples: bin * bin, confidence: (bin + 0.5) / 15, accuracy: (bin - 1) / 15 },
        ),
      },
      curves: classes > 30 ? undefined : names.map((_, label) => curve(label)),
    },
    filters: {
      name: "conv1.weight",
      width: 1,
      height: 1,
      channels: 3,
      count: 2,
      pixels: Buffer.from([255, 0, 0, 0, 0, 255]).toString("base64"),
    },
    timings: {
      note: "made up",
      kernels: [{ name: "conv1 forward", line: 3, milliseconds: 1.5, gflops: 12 }],
    },
  };
}

/** Of five pictures and two classes, the second without a box. */
export function detection(): ReportedDetection {
  const box = { left: 0.25, top: 0.25, width: 0.25, height: 0.5 };
  const curve = Array.from({ length: 101 }, (_, index) => (index > 60 ? 0 : 1));
  return {
    examples: 5,
    withoutBoxes: 1,
    threshold: 0.3,
    classes: [
      { name: "cat", color: "rgb(128 0 0)", precision: { ap50: 0.6, ap: 0.3, support: 7, curve } },
      { name: "<b>dog</b>", color: "rgb(0 128 0)" },
    ],
    pictures: [
      {
        name: "photos/1.jpg",
        picture: PIXEL,
        width: 40,
        height: 30,
        truth: [{ index: 0, box }],
        predicted: [{ index: 1, score: 0.81, box: { ...box, left: 0.5 } }],
      },
    ],
  };
}

/** The second of them is predicted of no example. */
export const TAGS: readonly ReportedTag[] = [
  { name: "cat", support: 1200, accuracy: 0.9, precision: 0.8, recall: 0.75 },
  { name: "<b>dog</b>", support: 0, accuracy: 1, precision: null, recall: null },
];

/** Good predictions, those of a constant, some without a finite one, and one that is not drawn. */
export function regression(): ReportedRegression {
  const rows = Array.from({ length: 100 }, (_, row) => row);
  const points = rows.map((row): [number, number] => [row, row + 20 * Math.sin(row)]);
  const constant = rows.map((): [number, number] => [7, 7]);
  return {
    examples: 1000,
    numbers: [
      { name: "price <1>", error: 12.732, notFinite: 0, points },
      { name: "rooms", error: 0, notFinite: 0, points: constant },
      { name: "lost", error: null, notFinite: 1000, points: [] },
      {
        name: "a large number in a column of a long name",
        error: 2e5,
        notFinite: 3,
        points: points.map(([x, y]) => [1e6 + 1e4 * x, 1e6 + 1e4 * y]),
      },
      { name: "seventh", error: 0.5, notFinite: 0 },
    ],
  };
}
