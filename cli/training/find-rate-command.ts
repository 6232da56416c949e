/** `netc train --find-lr`: the test, its curve on the terminal and in a file, a suggestion. */
import { extname } from "node:path";
import { argumentsOf } from "../compiled.js";
import { drawLineChart } from "../line-chart.js";
import { wrongUsage } from "../failure.js";
import { writeOutput } from "../files.js";
import { formatNumber, plural } from "../format.js";
import { listenForInterrupt } from "../interrupt.js";
import { createCounter } from "../progress.js";
import { print, say } from "../terminal.js";
import { warnOfUnreadable } from "../data.js";
import {
  HIGHEST_RATE,
  LOWEST_RATE,
  rangeTest,
  smoothed,
  suggestRate,
  type RatePoint,
} from "./find-rate.js";
import type { TrainingParts } from "./parts.js";

/** Enough to see where the loss falls and where it rises. */
const STEPS = 100;

const FORMATS: readonly string[] = [".svg", ".png"];

/** Fails where the curve's file is of no format that is drawn. */
export function checkCurveFile(file: string | true): void {
  if (file === true || FORMATS.includes(extname(file).toLowerCase())) return;
  throw wrongUsage(`${file} ends in neither .svg nor .png, the two formats of curves`);
}

type Tested = Pick<TrainingParts, "compiled" | "recipe" | "dataset" | "network" | "initialize">;

/** Leaves weights, runs and checkpoints as they are; writes nothing but `file`. */
export async function findRate(
  { compiled, recipe, dataset, network, initialize }: Tested,
  { file, steps = STEPS }: { readonly file: string | true; readonly steps?: number | undefined },
): Promise<void> {
  await initialize();
  const interrupt = listenForInterrupt("stopping after this step");
  const counter = createCounter(steps, "tested");
  say(`testing learning rates from ${LOWEST_RATE} to ${HIGHEST_RATE}: ${plural(steps, "step")}`);
  try {
    const points = await rangeTest(network, dataset, recipe, {
      steps,
      signal: interrupt.signal,
      onStep: (done) => counter.update(done),
    });
    counter.stop();
    warnOfUnreadable(dataset);
    const { learningRate } = recipe.optimizer;
    print(describeTest(points, { learningRate, steps, spec: argumentsOf(compiled) }));
    if (file !== true && points.length > 1) await writeCurve(file, points);
  } finally {
    counter.stop();
    interrupt.dispose();
  }
}

interface Described {
  /** The recipe's. */
  readonly learningRate: number;
  readonly steps: number;
  readonly spec: string;
}

/** The curve and what follows from it. */
export function describeTest(
  points: readonly RatePoint[],
  { learningRate, steps, spec }: Described,
): string {
  if (points.length < 2) {
    return "no suggestion: the loss is not finite from the start; docs/guides/nan.md has reasons";
  }
  const last = points.at(-1)!.rate;
  const ended = points.length < steps ? `: ended at ${shortRate(last)}, where the loss rose` : "";
  return [
    `${plural(points.length, "step")} of ${steps}${ended}`,
    "",
    plotText(points),
    "",
    ...describeSuggestion(points, { learningRate, steps, spec }),
    "weights and runs are as they were",
  ].join("\n");
}

function describeSuggestion(
  points: readonly RatePoint[],
  { learningRate, spec }: Described,
): readonly string[] {
  const suggestion = suggestRate(points);
  if (!suggestion) {
    return [
      "no suggestion: the loss did not fall at any learning rate",
      "check labels and normalization; a larger --batch or more --steps make the curve smoother",
    ];
  }
  const { rate, highest } = suggestion;
  const isLast = highest === points.at(-1)!.rate;
  const lowest = isLast
    ? `the loss still falls at ${shortRate(highest)}, the highest rate of the test`
    : `the loss is lowest at ${shortRate(highest)} and rises above`;
  return [
    `suggestion: ${shortRate(rate)}; ${lowest} (the recipe has ${formatNumber(learningRate)})`,
    `try it: netc train ${spec} --lr ${shortRate(rate)}`,
  ];
}

/** Two digits: the curve is no more exact. */
const shortRate = (rate: number): string => String(Number(rate.toPrecision(2)));

/** Of the curve's first loss: what is above is drawn at the top. */
const CEILING = 1.25;

const COLUMNS = 64;
const ROWS = 12;

/** The smoothed loss over the logarithm of the rate, in characters. */
export function plotText(points: readonly RatePoint[]): string {
  const means = smoothed(points);
  // What rises at the end would press the rest into a line.
  const shown = means.map((mean) => Math.min(mean, CEILING * means[0]!));
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const rows = Array.from({ length: ROWS }, () => new Array<string>(COLUMNS).fill(" "));
  const rateOf = (index: number) => Math.log(points[index]!.rate);
  const [first, last] = [rateOf(0), rateOf(points.length - 1)];
  shown.forEach((value, index) => {
    const column = Math.round(((rateOf(index) - first) / (last - first)) * (COLUMNS - 1));
    const row = high > low ? Math.round(((high - value) / (high - low)) * (ROWS - 1)) : 0;
    rows[row]![column] = "*";
  });
  const labels = rows.map((_, row) => {
    if (row === 0) return formatNumber(high);
    return row === ROWS - 1 ? formatNumber(low) : "";
  });
  const width = Math.max("loss".length, ...labels.map(({ length }) => length));
  const lines = rows.map((row, index) => {
    return `${labels[index]!.padStart(width)} |${row.join("").trimEnd()}`;
  });
  const [from, to] = [shortRate(points[0]!.rate), shortRate(points.at(-1)!.rate)];
  const axis = `${from}${to.padStart(COLUMNS - from.length)}`;
  return [
    "loss".padStart(width),
    ...lines,
    `${" ".repeat(width)} +${"-".repeat(COLUMNS)}`,
    `${" ".repeat(width + 2)}${axis}  learning rate`,
  ].join("\n");
}

async function writeCurve(file: string, points: readonly RatePoint[]): Promise<void> {
  const svg = curveSvg(points);
  const isPng = extname(file).toLowerCase() === ".png";
  await writeOutput(file, isPng ? await toPng(svg) : svg);
  say(`wrote ${file}`);
}

/** The image library takes a while to load; SVG does without. */
async function toPng(svg: string): Promise<Buffer> {
  const { svgToPng } = await import("../png.js");
  return svgToPng(svg);
}

export function curveSvg(points: readonly RatePoint[]): string {
  const means = smoothed(points);
  const top = CEILING * means[0]!;
  const at = (values: readonly number[]) =>
    points.map(({ rate }, index) => [rate, Math.min(top, values[index]!)] as const);
  const suggestion = suggestRate(points);
  return drawLineChart({
    lines: [
      { color: "#3f7fe0", isFaint: true, points: at(points.map(({ loss }) => loss)) },
      { color: "#3f7fe0", points: at(means) },
    ],
    formatX: (rate) => `lr ${shortRate(rate)}`,
    formatY: formatNumber,
    isLogarithmic: true,
    mark: suggestion && { x: suggestion.rate, label: `suggestion ${shortRate(suggestion.rate)}` },
  });
}
