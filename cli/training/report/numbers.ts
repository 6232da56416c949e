/** How near the numbers that a network predicts come to those of the data. */
import { isFormula, isOfTags, sameValue, targetOf } from "../../../compiler/network/facts.js";
import type { ResolvedScore } from "../../../compiler/network/resolved.js";
import type { ReportedNumber, ReportedRegression } from "../../../report/data.js";
import type { Dataset, TableFacts } from "../../../runtime/data/dataset.js";
import { numbersOf, rowOf } from "../../../runtime/evaluation/index.js";
import type { CompiledSpec } from "../../compiled.js";
import { comparedBatches, type Comparing } from "../../compared-batches.js";
import type { TrainingParts } from "../parts.js";

/** Numbers that are drawn, and points of each. */
const DRAWN = 6;
const MOST_POINTS = 500;

/** Of an output. */
export interface Regression {
  readonly output: string;
  readonly target: string;
  /** Of its numbers: the columns of a table, or `y 0`, `y 1`. */
  readonly names: readonly string[];
}

type Parts = Pick<TrainingParts, "compiled" | "evaluation" | "network" | "recipe">;

/** Undefined for other models, for runs without evaluation, and where the signal stopped it. */
export async function examineNumbers(
  { network, compiled, evaluation, recipe }: Parts,
  signal: AbortSignal,
): Promise<ReportedRegression | undefined> {
  if (!evaluation || signal.aborted) return undefined;
  const transforms = recipe.data?.eval?.transforms ?? [];
  const regressions = regressionsOf(compiled, evaluation.table);
  return compareNumbers({ network, dataset: evaluation, transforms }, regressions, signal);
}

/** The outputs that a score compares with numbers as they are: not with tags, nor in a formula. */
export function regressionsOf(
  { model: { network } }: Pick<CompiledSpec, "model">,
  table: TableFacts | undefined,
): readonly Regression[] {
  const { losses = [], metrics = [], outputs = [], targets = [] } = network ?? {};
  const scores = [...losses.map(({ score }) => score), ...metrics];
  return outputs.flatMap(({ name, value }) => {
    const own = scores.filter(({ prediction }) => sameValue(prediction, value));
    const found = own.some(isOfTags) ? undefined : own.find(isOfNumbers);
    const target = targetOf({ targets }, found);
    const sizes = target?.type.shape.slice(1).map(Number) ?? [];
    if (!target || sizes.length > 1) return [];
    const names = namesOf(target.name, sizes[0], table?.columns?.[target.name]);
    return [{ output: name, target: target.name, names }];
  });
}

function isOfNumbers({ definition, target, ...score }: ResolvedScore): boolean {
  const { against, applies, isFraction } = definition;
  const isPlain = against === "values" && !applies && !isFraction;
  return isPlain && !isFormula({ ...score, definition }) && target?.from === "target";
}

function namesOf(
  target: string,
  count = 1,
  columns: readonly string[] | undefined,
): readonly string[] {
  if (columns?.length === count) return columns;
  if (count === 1) return [target];
  return Array.from({ length: count }, (_, index) => `${target} ${index}`);
}

/** A pass over all examples. Undefined without something to compare, and after the signal. */
export async function compareNumbers(
  comparing: Comparing,
  regressions: readonly Regression[],
  signal?: AbortSignal,
): Promise<ReportedRegression | undefined> {
  if (regressions.length === 0) return undefined;
  const all = sumsOf(regressions);
  const every = everyOf(comparing.dataset);
  let examples = 0;
  for await (const { count, outputs, targets } of comparedBatches(comparing)) {
    if (signal?.aborted) return undefined;
    for (const sums of all) {
      const { output, target, column } = sums;
      const [predicted, truth] = [numbersOf(outputs, output), numbersOf(targets, target)];
      for (let index = 0; index < count; index++) {
        const isDrawn = (examples + index) % every === 0;
        const [from, to] = [rowOf(truth, count, index), rowOf(predicted, count, index)];
        addPair(sums, from[column]!, to[column]!, isDrawn);
      }
    }
    examples += count;
  }
  return { examples, numbers: all.map((sums) => resultOf(sums, examples)) };
}

/** The first of this many examples is drawn. */
const everyOf = ({ length }: Pick<Dataset, "length">): number =>
  Math.max(1, Math.ceil(length / MOST_POINTS));

interface Sums extends Omit<Regression, "names"> {
  readonly name: string;
  readonly column: number;
  /** Undefined of those that are not drawn. */
  readonly points: (readonly [number, number])[] | undefined;
  /** Of absolute errors. */
  error: number;
  finite: number;
}

const sumsOf = (regressions: readonly Regression[]): readonly Sums[] =>
  regressions
    .flatMap(({ names, ...own }) => names.map((name, column) => ({ ...own, name, column })))
    .map((each, place) => ({
      ...each,
      points: place < DRAWN ? [] : undefined,
      error: 0,
      finite: 0,
    }));

function addPair(sums: Sums, truth: number, predicted: number, isDrawn: boolean): void {
  if (!Number.isFinite(predicted)) return;
  sums.error += Math.abs(predicted - truth);
  sums.finite++;
  if (isDrawn) sums.points?.push([short(truth), short(predicted)]);
}

/** As many digits as a f32 has. */
const short = (value: number): number => Number(value.toPrecision(7));

const resultOf = ({ name, error, finite, points }: Sums, examples: number): ReportedNumber => ({
  name,
  error: finite > 0 ? error / finite : null,
  notFinite: examples - finite,
  points,
});
