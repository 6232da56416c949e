/** A report's data, made up: `classes` classes, some of them confused. */
import type { ReportData } from "../../report/data.js";
import { classResults } from "../../runtime/evaluation/index.js";
import type { MetricsRecord } from "../../runtime/training/records.js";

export function records(steps: number): MetricsRecord[] {
  return Array.from({ length: steps }, (_, index): MetricsRecord[] => {
    const step = index + 1;
    const epoch = Math.ceil(step / 10);
    const done = { step, epoch, loss: 2 / step, lr: 0.1, examplesPerSecond: 5, dataWait: 0.01 };
    if (step % 10 !== 0) return [done];
    const metrics = { loss: 1 / step, top1: 0.5, top5: 0.9 };
    return [done, { step, epoch, eval: metrics, train: metrics, seconds: 2 }];
  }).flat();
}

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q" +
  "DwADhgGAWjR9awAAAABJRU5ErkJggg==";

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
        },
      ],
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
