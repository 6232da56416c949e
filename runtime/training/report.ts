/** A run's report: one HTML page without scripts or links, curves and evaluations inside. */
import { escapeXml, renderCharts } from "./curve.js";
import type { Chart, Series } from "./curve.js";
import { isEvaluation } from "./records.js";
import type { EvaluationRecord, MetricsRecord, StepRecord } from "./records.js";

export interface Report {
  /** `AlexNet, recipe Base`. */
  readonly title: string;
  /** What else the reader should know, by name: the adapter, the batch, the time it took. */
  readonly facts: Readonly<Record<string, string>>;
  readonly records: readonly MetricsRecord[];
  /** Metrics that are shares of something, shown as percentages. */
  readonly fractions: readonly string[];
}

/** The page's HTML. */
export function renderReport({ title, facts, records, fractions }: Report): string {
  const evaluations = records.filter(isEvaluation);
  const rows = Object.entries(facts).map(([name, value]) => tableRow([name], [value]));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeXml(title)}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
  table { border-collapse: collapse; margin: 1rem 0 }
  th, td { padding: 0.2rem 0.9rem 0.2rem 0; text-align: left; font-variant-numeric: tabular-nums }
  svg { max-width: 100%; height: auto }
</style>
<h1>${escapeXml(title)}</h1>
<table>
${rows.join("\n")}
</table>
${renderCurves(records, fractions)}
${evaluationTable(evaluations, fractions)}
</html>
`;
}

/** Loss, metrics and learning rate over steps, as one SVG image. */
export function renderCurves(
  records: readonly MetricsRecord[],
  fractions: readonly string[],
): string {
  const steps = records.filter((record): record is StepRecord => !isEvaluation(record));
  const evaluations = records.filter(isEvaluation);
  const end = records.at(-1)?.step ?? 0;
  return renderCharts([
    { ...lossChart(steps, evaluations), end },
    ...metricCharts(evaluations, fractions).map((chart) => ({ ...chart, end })),
    { ...learningRateChart(steps), end },
  ]);
}

/** All charts of a run share their x axis. */
type ContentOfChart = Omit<Chart, "end">;

function lossChart(
  steps: readonly StepRecord[],
  evaluations: readonly EvaluationRecord[],
): ContentOfChart {
  const points = steps.map(({ step, loss }) => [step, loss] as const);
  const training: Series[] = [
    { name: "training, smoothed", points: smooth(points) },
    ...evaluationSeries(evaluations, ["loss"]),
    { name: "training", points, faint: true },
  ];
  return { title: "Loss", series: training, format: compact };
}

/** One chart for all metrics that are fractions, and one for each other; none without evaluations. */
function metricCharts(
  evaluations: readonly EvaluationRecord[],
  fractions: readonly string[],
): ContentOfChart[] {
  const names = Object.keys(evaluations[0]?.eval ?? {}).filter((name) => name !== "loss");
  const shares = names.filter((name) => fractions.includes(name));
  const others = names.filter((name) => !fractions.includes(name));
  const percent = (value: number) => `${Math.round(value * 100)}%`;
  const accuracy = { title: "Accuracy", bounds: [0, 1], format: percent } as const;
  return [
    ...(shares.length > 0 ? [{ ...accuracy, series: evaluationSeries(evaluations, shares) }] : []),
    ...others.map((name) => {
      return { title: name, series: evaluationSeries(evaluations, [name]), format: compact };
    }),
  ];
}

function learningRateChart(steps: readonly StepRecord[]): ContentOfChart {
  const points = steps.map(({ step, lr }) => [step, lr] as const);
  return { title: "Learning rate", series: [{ name: "", points }], format: compact };
}

function evaluationSeries(
  evaluations: readonly EvaluationRecord[],
  names: readonly string[],
): Series[] {
  return names.map((name) => ({
    name: name === "loss" ? "evaluation" : name,
    points: evaluations.map((record) => [record.step, record.eval[name] ?? 0] as const),
    dots: true,
  }));
}

/** An exponential mean over about a fiftieth of the run, corrected for its start (as in Adam's moments). */
function smooth(points: readonly (readonly [number, number])[]): [number, number][] {
  const decay = 1 - 1 / Math.max(1, points.length / 50);
  let sum = 0;
  let weight = 0;
  return points.map(([x, y]) => {
    sum = decay * sum + (1 - decay) * y;
    weight = decay * weight + (1 - decay);
    return [x, sum / weight];
  });
}

function compact(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function evaluationTable(
  evaluations: readonly EvaluationRecord[],
  fractions: readonly string[],
): string {
  if (evaluations.length === 0) return "";
  const names = Object.keys(evaluations[0]!.eval);
  const rows = evaluations.map(({ epoch, step, eval: metrics }) =>
    tableRow(
      [],
      [
        String(epoch),
        String(step),
        ...names.map((name) => cell(metrics[name], fractions.includes(name))),
      ],
    ),
  );
  return [
    "<h2>Evaluations</h2>",
    "<table>",
    tableRow(["epoch", "step", ...names], []),
    ...rows,
    "</table>",
  ].join("\n");
}

function cell(value: number | undefined, isFraction: boolean): string {
  if (value === undefined) return "";
  return isFraction ? `${(value * 100).toFixed(2)}%` : value.toFixed(4);
}

function tableRow(headings: readonly string[], cells: readonly string[]): string {
  const first = headings.map((text) => `<th>${escapeXml(text)}</th>`);
  const rest = cells.map((text) => `<td>${escapeXml(text)}</td>`);
  return `<tr>${[...first, ...rest].join("")}</tr>`;
}
