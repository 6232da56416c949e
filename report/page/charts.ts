/**
 * Curves over a shared axis of steps, with uPlot: the cursor moves through all of them, and legends
 * read it out.
 */
import uPlot from "uplot";
import {
  isEvaluation,
  isStep,
  type EpochRecord,
  type MetricsRecord,
  type StepRecord,
} from "../../runtime/training/records.js";
import { smooth } from "./smooth.js";
import { color, compact, h, percent } from "./elements.js";

interface Line {
  readonly label: string;
  readonly color: string;
  /** Values by step; undefined where there are none. */
  readonly values: (number | undefined)[];
  readonly style: "line" | "faint" | "points";
}

interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** Bounds of y; from the data unless given. */
  readonly range?: readonly [number, number];
}

const HEIGHT = 230;
const sync = uPlot.sync("steps");

/**
 * The charts of a run, drawn into `host`. Draw again when the data, the width or the colors change.
 */
export function drawCharts(
  host: HTMLElement,
  records: readonly MetricsRecord[],
  fractions: readonly string[],
): void {
  const steps = [...new Set(records.map(({ step }) => step))].sort((a, b) => a - b);
  const charts = chartsOf(records, fractions, valuesBy(steps));
  const width = Math.max(280, host.clientWidth);
  host.replaceChildren(
    ...charts.map((chart) => {
      const figure = h("figure", h("figcaption", chart.title));
      new uPlot(
        optionsOf(chart, width),
        [steps, ...chart.lines.map(({ values }) => values)] as uPlot.AlignedData,
        figure,
      );
      return figure;
    }),
  );
}

type Align = <Item extends MetricsRecord>(
  records: readonly Item[],
  value: (record: Item) => number | undefined,
) => (number | undefined)[];

/** Puts values at the places of their steps. */
function valuesBy(steps: readonly number[]): Align {
  const places = new Map(steps.map((step, index) => [step, index]));
  return (records, value) => {
    const values = new Array<number | undefined>(steps.length).fill(undefined);
    for (const record of records) values[places.get(record.step)!] = value(record);
    return values;
  };
}

function chartsOf(
  records: readonly MetricsRecord[],
  fractions: readonly string[],
  align: Align,
): Chart[] {
  const steps = records.filter(isStep);
  const evaluations = records.filter(isEvaluation).map((record) => record.eval);
  const losses = lossNames(steps);
  const known = ["loss", ...losses];
  const names = Object.keys(evaluations.at(-1) ?? {}).filter((name) => !known.includes(name));
  const shares = names.filter((name) => fractions.includes(name));
  const others = names.filter((name) => !fractions.includes(name));
  const metric = (name: string, index: number) => metricLines(name, index, records, align);
  const accuracy: Chart = {
    title: "Accuracy",
    lines: shares.flatMap(metric).filter(({ values }) => values.some((each) => each !== undefined)),
    format: (value) => percent(value),
    range: accuracyRange(evaluations, shares),
  };
  return [
    ...lossCharts(losses, records, align),
    ...(shares.length > 0 ? [accuracy] : []),
    ...others.map((name) => ({ title: name, lines: metric(name, 0), format: compact })),
    ...recallChart(records, align),
    { title: rateTitle(losses), lines: [rateLine(steps, align)], format: compact },
  ];
}

/** More lines than these cannot be told apart by their colors. */
const MOST_LINES = 8;

/** The recall of each class by epoch; of many classes, those that are recognized worst. */
function recallChart(records: readonly MetricsRecord[], align: Align): Chart[] {
  const epochs = records.filter((record): record is EpochRecord => !isStep(record));
  const last = epochs.filter(({ recall }) => recall !== undefined).at(-1)?.recall ?? {};
  const worst = Object.entries(last).sort(([, one], [, other]) => one - other);
  if (worst.length === 0) return [];
  const shown = worst.slice(0, MOST_LINES).map(([name]) => name);
  const which = shown.length < worst.length ? `, the lowest ${MOST_LINES} of ${worst.length}` : "";
  // Names in their order keep their colors while the worst change places.
  const lines = shown.sort().map((name, index): Line => ({
    label: name,
    color: color(`line${index + 1}`),
    values: align(epochs, ({ recall }) => recall?.[name]),
    style: "points",
  }));
  const title = `Recall by class${which}`;
  return [{ title, lines, format: (value) => percent(value), range: [0, 1] }];
}

/** The losses of a recipe's steps; none where a recipe has no steps. */
export const lossNames = (steps: readonly StepRecord[]): readonly string[] =>
  Object.keys(steps.at(-1)?.losses ?? {});

/** The rates of later steps follow that of the first. */
const rateTitle = ([first]: readonly string[]): string =>
  first === undefined ? "Learning rate" : `Learning rate of step ${first}`;

/** One chart, in which losses of several steps can be compared: their sum says nothing. */
function lossCharts(
  names: readonly string[],
  records: readonly MetricsRecord[],
  align: Align,
): readonly Chart[] {
  if (names.length === 0) {
    const of = { train: "train", eval: "eval", colors: ["train", "eval"] } as const;
    return [{ title: "Loss", lines: lossLines(records, align, of), format: compact }];
  }
  const lines = names.flatMap((name, index) =>
    lossLines(records, align, {
      train: name,
      eval: `${name} eval`,
      colors: [`line${1 + (index % 4)}`, `line${5 + (index % 4)}`],
      of: name,
    }),
  );
  return [{ title: `Loss of steps ${names.join(", ")}`, lines, format: compact }];
}

interface LossOptions {
  /** Labels of the lines. */
  readonly train: string;
  readonly eval: string;
  /** Of these lines. */
  readonly colors: readonly [train: string, evaluation: string];
  /** The loss, where there are several. */
  readonly of?: string;
}

function lossLines(
  records: readonly MetricsRecord[],
  align: Align,
  { train, eval: evaluated, colors, of }: LossOptions,
): Line[] {
  const lossOf = ({ loss, losses }: StepRecord) =>
    of === undefined ? loss : (losses?.[of] ?? NaN);
  const steps = records.filter(isStep);
  const evaluations = records.filter(isEvaluation);
  const smoothed = smooth(steps.map(lossOf));
  const bySteps = new Map(steps.map((record, index) => [record, smoothed[index]]));
  const stroke = color(colors[0]);
  const evaluation = align(evaluations, (record) => record.eval[of ?? "loss"]);
  return [
    {
      label: `${train}, each step`,
      color: stroke,
      values: align(steps, lossOf),
      style: "faint",
    },
    {
      label: `${train}, smoothed`,
      color: stroke,
      values: align(steps, (record) => bySteps.get(record)),
      style: "line",
    },
    ...(evaluations.length > 0
      ? [
          {
            label: evaluated,
            color: color(colors[1]),
            values: evaluation,
            style: "points",
          } as const,
        ]
      : []),
  ];
}

/**
 * Means over an epoch's steps next to those of its evaluation; the first metric in strong colors.
 */
function metricLines(
  name: string,
  index: number,
  records: readonly MetricsRecord[],
  align: Align,
): Line[] {
  const epochs = records.filter((record): record is EpochRecord => !isStep(record));
  const suffix = index === 0 ? "" : "2";
  const line = (split: "train" | "eval"): Line => ({
    label: `${name} ${split}`,
    color: color(`${split}${suffix}`),
    values: align(epochs, (record) => record[split]?.[name]),
    style: "points",
  });
  return [line("train"), line("eval")];
}

function rateLine(steps: readonly StepRecord[], align: Align): Line {
  const values = align(steps, ({ lr }) => lr);
  return { label: "learning rate", color: color("rate"), values, style: "line" };
}

/** Up to 100%, and down far enough for the worst. */
function accuracyRange(
  evaluations: readonly Readonly<Record<string, number>>[],
  shares: readonly string[],
): readonly [number, number] {
  const lowest = Math.min(
    1,
    ...evaluations.flatMap((metrics) => shares.map((name) => metrics[name] ?? 1)),
  );
  return [lowest > 0.5 ? 0.5 : 0, 1];
}

function optionsOf({ lines, format, range }: Chart, width: number): uPlot.Options {
  const axis = {
    stroke: color("muted"),
    grid: { stroke: color("line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui",
  };
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: sync.key }, points: { size: 7 } },
    scales: { x: { time: false }, y: range ? { range: () => [range[0], range[1]] } : {} },
    axes: [
      { ...axis, grid: { show: false } },
      { ...axis, size: 64, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      { label: "step" },
      ...lines.map(({ label, color: stroke, style }): uPlot.Series => ({
        label,
        stroke: style === "faint" ? `${stroke}55` : stroke,
        width: style === "faint" ? 1 : 2,
        spanGaps: true,
        points: { show: style === "points", size: 5, fill: stroke },
        value: (_, value: number | null) =>
          value === null || value === undefined ? "–" : format(value),
      })),
    ],
  };
}
