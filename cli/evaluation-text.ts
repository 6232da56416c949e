/** An evaluation as people read it on a terminal. */
import { isAbsolute, relative } from "node:path";
import {
  worstConfusions,
  type ClassResult,
  type ConfusionMatrix,
  type Examination,
  type Mistake,
} from "../runtime/evaluation/index.js";
import type { Evaluation } from "../runtime/training/evaluate.js";
import { visible } from "../program/visible.js";
import type { ReportedTag } from "../report/data.js";
import type { Dataset } from "../runtime/data/dataset.js";
import type { Evaluated } from "./evaluating.js";
import { formatCount, formatMetric, formatNumber, formatPercent } from "./format.js";
import { nameOfExample } from "./predictions.js";
import { renderTable, type Column } from "./table.js";

/**
 * Loss and metrics; of a classifier the classes, their predictions, and the mistakes that were
 * kept, and of masks the overlap of each class. `width` is the terminal's; `dataset` was evaluated.
 */
export function describeEvaluation(
  evaluation: Evaluated,
  fractions: readonly string[],
  width: number | undefined,
  dataset: EvaluatedData = { classes: [] },
): string {
  const calibration = "calibration" in evaluation ? evaluation.calibration : undefined;
  const parts = [describeMetrics(evaluation, fractions, calibration?.error)];
  if ("classes" in evaluation) {
    const { classes, confusion } = evaluation;
    const noun: ShownClasses["noun"] = evaluation.tokens ? "tokens" : "examples";
    const shown = { classes, width, noun };
    parts.push(classTable(shown), describeConfusion(shown, confusion));
    parts.push(mistakeTable(evaluation, dataset));
  }
  const { overlaps, tags } = evaluation;
  if (tags) parts.push(tagTable(tags, width));
  if (overlaps) parts.push(overlapTable(overlaps, dataset.classes, width));
  const { precisions } = evaluation;
  if (precisions) parts.push(precisionTable(precisions, dataset.classes, width));
  return parts.filter((part) => part !== "").join("\n\n");
}

const TAG_COLUMNS: readonly Column[] = [
  { title: "tag", align: "left", expendable: 0 },
  { title: "examples", align: "right", expendable: 1 },
  { title: "accuracy", align: "right", expendable: 0 },
  { title: "precision", align: "right", expendable: 0 },
  { title: "recall", align: "right", expendable: 0 },
];

function tagTable(tags: readonly ReportedTag[], width: number | undefined): string {
  const rows = tags.map(({ name, support, accuracy, precision, recall }) => [
    name,
    formatCount(support),
    ...[accuracy, precision, recall].map(share),
  ]);
  return renderTable(TAG_COLUMNS, rows, width);
}

const PRECISION_COLUMNS: readonly Column[] = [
  { title: "class", align: "left", expendable: 0 },
  { title: "boxes", align: "right", expendable: 1 },
  { title: "AP 0.5", align: "right", expendable: 0 },
  { title: "AP 0.5:0.95", align: "right", expendable: 0 },
];

function precisionTable(
  precisions: NonNullable<Evaluation["precisions"]>,
  names: readonly string[],
  width: number | undefined,
): string {
  const rows = precisions.map((each, label) => [
    names[label] ?? String(label),
    formatCount(each?.support ?? 0),
    each ? formatPercent(each.ap50) : "",
    each ? formatPercent(each.ap) : "",
  ]);
  return renderTable(PRECISION_COLUMNS, rows, width);
}

/** From the folder that the user is in, if the place is in it. */
function nearName(name: string): string {
  const near = relative(".", name);
  return isAbsolute(near) || near.startsWith("..") ? name : near;
}

type EvaluatedData = Pick<Dataset, "classes" | "nameAt">;

const MISTAKE_COLUMNS: readonly Column[] = [
  { title: "most confident mistakes", align: "left", expendable: 0 },
  { title: "label", align: "left", expendable: 0 },
  { title: "predicted", align: "left", expendable: 0 },
  { title: "probability", align: "right", expendable: 1 },
];

/** Often the label is wrong: the whole path is what the user wants, however wide it is. */
function mistakeTable(
  { classes, mistakes }: Pick<Examination, "classes" | "mistakes">,
  dataset: EvaluatedData,
): string {
  if (mistakes.length === 0) return "";
  const rows = mistakes.map(({ example, token, actual, predicted, probability }: Mistake) => [
    nearName(nameOfExample(dataset, example)) + (token === undefined ? "" : ` token ${token}`),
    classes[actual]!.name,
    classes[predicted]!.name,
    formatPercent(probability),
  ]);
  return renderTable(MISTAKE_COLUMNS, rows);
}

const OVERLAP_COLUMNS: readonly Column[] = [
  { title: "class", align: "left", expendable: 0 },
  { title: "IoU", align: "right", expendable: 0 },
];

function overlapTable(
  overlaps: readonly (number | null)[],
  names: readonly string[],
  width: number | undefined,
): string {
  const rows = overlaps.map((overlap, label) => [names[label] ?? String(label), share(overlap)]);
  return renderTable(OVERLAP_COLUMNS, rows, width);
}

/** `error` is the expected calibration error, of a classifier. */
function describeMetrics(
  evaluation: Evaluation & Partial<Pick<Examination, "tokens">>,
  fractions: readonly string[],
  error: number | undefined,
): string {
  const { examples, metrics, notFinite, withoutBoxes, tokens } = evaluation;
  const { loss, ...others } = metrics;
  const rows = [
    ["examples", formatCount(examples)],
    ...(tokens ? [["tokens", formatCount(tokens.counted)]] : []),
    ...(tokens?.ignored ? [["ignored", `${formatCount(tokens.ignored)} tokens`]] : []),
    ...(withoutBoxes ? [["without a box", formatCount(withoutBoxes)]] : []),
    ...(loss === undefined ? [] : [["loss", formatNumber(loss)]]),
    ...Object.entries(others).map(([name, value]) => [name, formatMetric(name, value, fractions)]),
    ...(error === undefined ? [] : [["ECE", formatPercent(error)]]),
  ];
  const width = Math.max(8, ...rows.map(([name]) => name!.length));
  const lines = rows.map(([name, value]) => `${name!.padEnd(width)}  ${value}`);
  return [...lines, ...(notFinite ? ["", describeNotFinite(evaluation, fractions)] : [])].join(
    "\n",
  );
}

/** Examples that shares such as an accuracy count as wrong whatever they are. */
export function describeNotFinite(
  { notFinite = 0, examples }: Pick<Evaluation, "notFinite" | "examples">,
  fractions: readonly string[],
): string {
  const share = `${formatCount(notFinite)} of ${formatCount(examples)} examples`;
  const consequence = fractions.length > 0 ? ", and count as wrong" : "";
  return `${share} give numbers that are not finite${consequence}`;
}

interface ShownClasses {
  readonly classes: readonly ClassResult[];
  readonly width: number | undefined;
  /** What a class is of. */
  readonly noun: "examples" | "tokens";
}

const classColumns = (noun: ShownClasses["noun"]): readonly Column[] => [
  { title: "class", align: "left", expendable: 0 },
  { title: noun, align: "right", expendable: 1 },
  { title: "precision", align: "right", expendable: 0 },
  { title: "recall", align: "right", expendable: 0 },
];

/** More classes than this, and only those recognized worst are shown. */
const MAX_ROWS = 40;
const WORST_ROWS = 20;

function classTable({ classes, width, noun }: ShownClasses): string {
  const columns = classColumns(noun);
  const present = classes.filter(({ support }) => support > 0);
  if (present.length <= MAX_ROWS) return renderTable(columns, present.map(classRow), width);
  const worst = present.toSorted((a, b) => a.recall! - b.recall!).slice(0, WORST_ROWS);
  return [
    `the ${WORST_ROWS} of ${formatCount(present.length)} classes ` +
      "that are recognized worst (--json has all)",
    renderTable(columns, worst.map(classRow), width),
  ].join("\n");
}

function classRow({ name, support, precision, recall }: ClassResult): string[] {
  return [name, formatCount(support), share(precision), share(recall)];
}

function share(value: number | null): string {
  return value === null ? "-" : formatPercent(value);
}

/** The matrix where it fits, else the worst of it. */
function describeConfusion(shown: ShownClasses, matrix: ConfusionMatrix): string {
  const { classes, width = DEFAULT_WIDTH } = shown;
  // A column takes three characters, and two between it and the next.
  if (5 * classes.length > width) return worstTable(shown, matrix);
  const table = confusionTable(classes, matrix);
  const fits = Math.max(...table.split("\n").map((line) => line.length)) <= width;
  return fits ? table : worstTable(shown, matrix);
}

/** The width that a file or a pipe has. */
const DEFAULT_WIDTH = 120;

function confusionTable(classes: readonly ClassResult[], matrix: ConfusionMatrix): string {
  const longest = Math.max(...matrix.flat().map((count) => String(count).length));
  // Column titles are cut as short as still tells the classes apart.
  const names = abbreviations(
    classes.map(({ name }) => visible(name)),
    longest,
  );
  const columns: Column[] = [
    { title: "predicted", align: "left", expendable: 0 },
    ...names.map((title) => ({ title, align: "right", expendable: 0 }) as const),
  ];
  const rows = matrix.map((row, label) => [
    classes[label]!.name,
    ...row.map((count) => (count === 0 ? "·" : String(count))),
  ]);
  return renderTable(columns, rows);
}

/**
 * The shortest beginnings, of at least `length` characters, of which no two are the same; the names
 * if there are none.
 */
function abbreviations(names: readonly string[], length: number): readonly string[] {
  const longest = Math.max(...names.map((name) => name.length));
  for (let size = Math.max(3, length); size < longest; size++) {
    const short = names.map((name) => name.slice(0, size));
    if (new Set(short).size === names.length) return short;
  }
  return names;
}

const WORST_CONFUSIONS = 15;

function worstTable({ classes, width, noun }: ShownClasses, matrix: ConfusionMatrix): string {
  const columns: Column[] = [
    { title: "most often mistaken", align: "left", expendable: 0 },
    { title: "for", align: "left", expendable: 0 },
    { title: noun, align: "right", expendable: 0 },
    { title: "of its class", align: "right", expendable: 1 },
  ];
  const worst = worstConfusions(matrix).slice(0, WORST_CONFUSIONS);
  if (worst.length === 0) return "";
  const rows = worst.map(({ actual, predicted, count }) => [
    classes[actual]!.name,
    classes[predicted]!.name,
    formatCount(count),
    formatPercent(count / classes[actual]!.support),
  ]);
  return renderTable(columns, rows, width);
}
