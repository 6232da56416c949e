/** Two runs compared, for a terminal. */
import { formatCount, formatNumber, formatPercent } from "../format.js";
import { renderTable, type Column } from "../table.js";
import type { Comparison, Curve, Significance } from "./comparison.js";

export function describeComparison(comparison: Comparison, width: number | undefined): string {
  return [
    section("Best evaluation", metricTable(comparison, width)),
    section("Significance", describeSignificance(comparison)),
    section("Recipe", settingLines(comparison)),
    section("Spec", specLines(comparison)),
    section("Curves", curveTable(comparison, width)),
  ].join("\n\n");
}

const section = (title: string, text: string) => `${title}\n${text}`;

const left = (title: string): Column => ({ title, align: "left", expendable: 0 });
const right = (title: string): Column => ({ title, align: "right", expendable: 0 });

/** A metric, or a dash for a run that does not have it. */
export function formatValue(value: number | undefined, isShare: boolean): string {
  if (value === undefined) return "-";
  return isShare ? formatPercent(value) : formatNumber(value);
}

function metricTable({ metrics, names }: Comparison, width: number | undefined): string {
  if (metrics.length === 0) return "neither run was evaluated";
  const rows = metrics.map(({ name, values, isShare }) => [
    name,
    ...values.map((value) => formatValue(value, isShare)),
  ]);
  return renderTable([left("metric"), ...names.map(right)], rows, width);
}

/** Below this, a difference is called significant. */
const SIGNIFICANT = 0.05;

/** The result of the test in sentences, for text and page. */
export function describeSignificance({ significance, names }: Comparison): string {
  if ("untested" in significance) return `not tested: ${significance.untested}`;
  const { examples, accuracies, onlyRight, pValue } = significance;
  const [first, second] = names;
  const [one, other] = accuracies.map(formatPercent);
  return [
    `${first} is right about ${one} of ${formatCount(examples)} examples, ` +
      `${second} about ${other}: ${intervalText(significance)}`,
    `only ${first} is right about ${formatCount(onlyRight[0])}, ` +
      `only ${second} about ${formatCount(onlyRight[1])}`,
    `McNemar's exact test: p = ${formatP(pValue)}. ${conclusion(significance, names)}`,
  ].join("\n");
}

function intervalText({ accuracies: [one, other], interval }: Significance): string {
  const points = (share: number) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`;
  const [low, high] = interval;
  return `${points(other - one)} points, 95% interval ${points(low)} to ${points(high)}`;
}

const formatP = (value: number) => (value < 1e-4 ? value.toExponential(1) : value.toFixed(4));

function conclusion({ pValue, onlyRight }: Significance, names: Comparison["names"]): string {
  if (pValue >= SIGNIFICANT) {
    return "The difference may be chance; other seeds or more evaluation examples tell more";
  }
  return `${onlyRight[0] > onlyRight[1] ? names[0] : names[1]} is better on this data`;
}

/** A line for each run: optimizers are too long for a table. */
function settingLines({ settings, names }: Comparison): string {
  if (settings.length === 0) return "no differences";
  const longest = Math.max(...names.map(({ length }) => length));
  return settings
    .map(({ name, values }) => {
      const lines = values.map(
        (value, index) => `  ${names[index]!.padEnd(longest)}  ${value ?? "-"}`,
      );
      return [name, ...lines].join("\n");
    })
    .join("\n");
}

/** Lines that only one spec has, with that run's name in front. */
function specLines({ spec, names }: Comparison): string {
  if (spec.length === 0) return "no differences";
  const longest = Math.max(...names.map(({ length }) => length));
  return spec
    .map(({ side, line, text }) => {
      const name = (side === "first" ? names[0] : names[1]).padEnd(longest);
      return `${name} ${String(line).padStart(4)} ${side === "first" ? "-" : "+"} ${text}`;
    })
    .join("\n");
}

/** More rows than these are too many to read. */
const MOST_ROWS = 12;

/** Epochs evenly spread, each curve of both runs side by side. */
function curveTable({ curves, names }: Comparison, width: number | undefined): string {
  const epochs = [...new Set(curves.flatMap(({ runs }) => runs.flat().map(([epoch]) => epoch)))];
  if (epochs.length === 0) return "no epoch was completed";
  epochs.sort((a, b) => a - b);
  const step = Math.ceil(epochs.length / MOST_ROWS);
  const shown = epochs.filter((_, index) => (epochs.length - 1 - index) % step === 0);
  const columns = curves.flatMap(({ name }, index) =>
    names.map((run): Column => {
      return { title: `${name} ${run}`, align: "right", expendable: index };
    }),
  );
  const rows = shown.map((epoch) => [
    String(epoch),
    ...curves.flatMap((curve) => valuesAt(curve, epoch)),
  ]);
  return renderTable([right("epoch"), ...columns], rows, width);
}

function valuesAt({ runs, isShare }: Curve, epoch: number): readonly string[] {
  return runs.map((points) => {
    return formatValue(points.find(([at]) => at === epoch)?.[1], isShare);
  });
}
