/** Parts of the page that look at probabilities: the reliability curve and those of classes. */
import type { CurvePoint } from "../../runtime/evaluation/index.js";
import type { ReportedExamination } from "../data.js";
import { grouped, h, percent, section, table } from "./elements.js";
import { diagonal, squareAxes, svg, xOf, yOf, type UnitSquare } from "./svg.js";

const RELIABILITY: UnitSquare = { size: 240, left: 44, top: 22 };

type Calibration = NonNullable<ReportedExamination["calibration"]>;

export function calibrationSection(calibration: Calibration): HTMLElement {
  const { error, bins } = calibration;
  const rows = bins.flatMap(({ examples, confidence, accuracy }, index) => {
    if (confidence === null || accuracy === null) return [];
    const range = `${percent(index / bins.length, 0)} to ${percent((index + 1) / bins.length, 0)}`;
    return [[range, grouped(examples), percent(confidence), percent(accuracy)]];
  });
  return section(
    "Calibration",
    `Expected calibration error ${percent(error, 1)}. Examples by the probability of their ` +
      "prediction: on the diagonal, predictions of 80% are right in 80% of cases. Bars below it: " +
      "the network is too confident.",
    h(
      "div.split.even",
      h("div.plot", reliabilityChart(calibration)),
      table(["probability", "examples", "mean", "right"], rows, ".numbers"),
    ),
  );
}

function reliabilityChart({ bins }: Calibration): SVGElement {
  const square = RELIABILITY;
  const width = square.size / bins.length;
  const most = Math.max(...bins.map(({ examples }) => examples));
  const bars = bins.flatMap(({ examples, accuracy }, index) => {
    if (accuracy === null) return [];
    return svg("rect.reliability", {
      x: xOf(square, index / bins.length) + 0.5,
      y: yOf(square, accuracy),
      width: width - 1,
      height: square.size * accuracy,
      // Bins of a few examples say little.
      opacity: 0.25 + 0.75 * Math.sqrt(examples / most),
    });
  });
  return svg(
    "svg",
    {
      viewBox: "0 0 300 300",
      role: "img",
      "aria-label": "reliability curve; the table has its numbers",
    },
    ...squareAxes(square, ["probability of the prediction", "share that is right"]),
    ...bars,
    diagonal(square),
  );
}

const SMALL: UnitSquare = { size: 120, left: 34, top: 28 };

/** Precision over recall of a class. */
export function curveFigure(
  name: string,
  averagePrecision: number,
  points: readonly CurvePoint[],
): HTMLElement {
  const line = points.map(([x, y]) => `${xOf(SMALL, x)},${yOf(SMALL, y)}`).join(" ");
  const chart = svg(
    "svg",
    {
      viewBox: "0 0 174 190",
      role: "img",
      "aria-label": `${name}: average precision ${percent(averagePrecision)}`,
    },
    ...squareAxes(SMALL, ["recall", "precision"]),
    svg("polyline.curve", { points: line }),
  );
  const caption = h("figcaption", h("b", name), ` ${percent(averagePrecision)}`);
  return h("figure.small", caption, chart);
}

/** Precision over recall of each class, the worst first. */
export function curvesSection({ classes, curves = [] }: ReportedExamination): HTMLElement[] {
  const shown = curves
    .map((curve, label) => ({ ...curve, name: classes[label]!.name }))
    .filter(({ averagePrecision }) => averagePrecision !== null)
    .sort((a, b) => a.averagePrecision! - b.averagePrecision!);
  if (shown.length === 0) return [];
  const charts = shown.map(({ name, averagePrecision, points }) =>
    curveFigure(name, averagePrecision!, points),
  );
  return [
    section(
      "Precision and recall by class",
      "At every threshold of the class's probability; the percentage is the average precision, " +
        "the area under the curve. The lowest come first.",
      h("div.curves", ...charts),
    ),
  ];
}
