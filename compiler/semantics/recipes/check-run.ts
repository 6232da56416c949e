/** Mistakes in a recipe that show only with its data, before the first step. */
import type { Setting, Span, TrainDeclaration } from "../../../grammar/ast.js";
import type { StochasticAverage } from "../../../program/recipe.js";
import { createDiagnostic, type DiagnosticDetails } from "../../diagnostics/create.js";
import type { DiagnosticCode } from "../../diagnostics/catalogue/index.js";
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import type { Analysis } from "../analysis.js";
import { batchStatistics, singleExampleProblem } from "./slice-statistics.js";

/** What is known when a run is about to start. */
export interface RunFacts {
  /** Steps of the whole run. */
  readonly steps: number;
  /** Examples of a step, and slices that they are trained in. */
  readonly batch: number;
  readonly slices: number;
  /** Classes that the training data have. */
  readonly classes: number;
  /** The largest pixel in the files of a `csv` of images, before it is divided by `maximum`. */
  readonly largestPixel?: number;
}

/** The warnings about a run of the selected recipe, which has no errors. */
export function checkRun(analysis: Analysis, facts: RunFacts): readonly Diagnostic[] {
  const { selected, syntax } = analysis;
  const train = syntax.declarations
    .filter((declaration) => declaration.kind === "train")
    .find(({ name }) => name.name === selected?.recipe?.name);
  if (!train) return [];
  const run = { analysis, facts, train };
  return [averageProblem, classesProblem, pixelProblem, sliceProblem].flatMap((find) => {
    const found = find(run);
    return found ? [createDiagnostic(...found)] : [];
  });
}

interface Run {
  readonly analysis: Analysis;
  readonly facts: RunFacts;
  readonly train: TrainDeclaration;
}

type Problem = readonly [DiagnosticCode, DiagnosticDetails] | undefined;

const settingOf = ({ train }: Run, wanted: string): Setting | undefined =>
  train.settings.find(({ name }) => name.name === wanted);

const percent = (share: number) => `${Number((100 * share).toPrecision(3))}%`;

/**
 * An average whose initial weights count for more than this at the end shows little of what was
 * learned.
 */
const MOST_INITIAL = 0.1;
/** What a proposed average keeps of the initial weights. */
const KEPT_INITIAL = 0.01;

function averageProblem(run: Run): Problem {
  const { steps } = run.facts;
  const average = run.analysis.selected!.recipe!.average;
  const setting = settingOf(run, "average");
  if (average?.kind === "swa") return lateProblem(average, setting!, steps);
  const times = average && Math.floor(steps / (average.every ?? 1));
  const left = average && average.decay ** times!;
  if (!setting || left === undefined || left <= MOST_INITIAL) return undefined;
  const { decay, every = 1 } = average!;
  const fitting = Number((KEPT_INITIAL ** (1 / times!)).toPrecision(2));
  const interval = every > 1 ? `, every=${every}` : "";
  return [
    "NET3066",
    {
      message:
        `after ${steps} steps, ${percent(left)} ` +
        "of the averaged weights are still the initial ones",
      span: setting.value.span,
      label: `${decay}^${times} = ${Number(left.toPrecision(3))}`,
      notes: [
        "evaluations and the saved weights use the average",
        ...(fitting > 0 && fitting < 1
          ? [`\`ema(${fitting}${interval})\` keeps about 1% in ${steps} steps`]
          : []),
      ],
    },
  ];
}

/** A mean of no weights is the weights themselves. */
function lateProblem(
  { start, every }: StochasticAverage,
  { value: { span } }: Setting,
  steps: number,
): Problem {
  if (start + every <= steps) return undefined;
  const end = `the first interval ends after step ${start + every}`;
  return [
    "NET3066",
    {
      message: `\`swa\` averages nothing: ${end}, but the run has ${steps} steps`,
      span,
      notes: ["evaluations and the saved weights use the weights as they are"],
    },
  ];
}

function classesProblem(run: Run): Problem {
  const { classes: present } = run.facts;
  const { classes, name } = run.analysis.selected!.model;
  if (classes === undefined || classes <= present) return undefined;
  const span = trainSource(run);
  if (!span) return undefined;
  const missing = classes - present;
  return [
    "NET3067",
    {
      message: `model \`${name}\` has ${classes} classes, but the training data have ${present}`,
      span,
      label: present === 1 ? "1 class" : `${present} classes`,
      notes: [
        missing === 1
          ? "so 1 output of the network is never right"
          : `so ${missing} outputs of the network are never right`,
      ],
    },
  ];
}

/** Pixels that come to less than this share of their maximum are nearly 0 for the network. */
const SMALLEST_SHARE = 1 / 8;

function pixelProblem(run: Run): Problem {
  const source = run.analysis.selected!.recipe!.data?.train?.source;
  const { largestPixel: largest } = run.facts;
  if (source?.kind !== "csv" || source.holds === "features" || largest === undefined)
    return undefined;
  const { maximum } = source;
  const span = trainSource(run);
  if (!span || largest <= 0 || largest / maximum >= SMALLEST_SHARE) return undefined;
  const quotient = Number((largest / maximum).toPrecision(2));
  return [
    "NET3068",
    {
      message: `the largest pixel of \`csv\` is ${largest}, but \`maximum\` is ${maximum}`,
      span,
      label: `pixels come to 0..${quotient}, not 0..1`,
      notes: [
        `since ${largest} / ${maximum} = ${quotient}; ` +
          `\`maximum=${Math.max(1, Math.ceil(largest))}\` gives 0..1`,
      ],
    },
  ];
}

/** Slices may have become smaller than the recipe's: by flags, or by a memory limit. */
function sliceProblem(run: Run): Problem {
  const { batch, slices } = run.facts;
  const { recipe, model } = run.analysis.selected!;
  const isAsWritten = batch === recipe!.batch && slices === (recipe!.accumulate ?? 1);
  if (isAsWritten) return undefined;
  const span = settingOf(run, "batch")?.value.span ?? run.train.name.span;
  const problem = singleExampleProblem(
    { batch, slices },
    batchStatistics(model.graph, recipe!),
    span,
  );
  return problem && ["NET3065", problem];
}

/** Where the spec names the training data. */
function trainSource({ train, analysis }: Run): Span | undefined {
  return analysis.syntax.declarations
    .filter((declaration) => declaration.kind === "data")
    .find(({ name }) => name.name === train.data?.name)
    ?.splits.find(({ name }) => name.name === "train")?.source.span;
}
