/** What two runs differ in, as plain data. */
import { resolve } from "node:path";
import { wrongInput } from "../failure.js";
import { lineDifferences, type DifferentLine } from "./line-differences.js";
import { mcnemar } from "./mcnemar.js";
import {
  epochsOf,
  judgedEvaluation,
  namesOf,
  type ReadRun,
  type RunPrediction,
} from "./read-run.js";

type Pair<Value> = readonly [first: Value, second: Value];

/** A setting, undefined in a run that does not have it. */
export interface DifferentSetting {
  readonly name: string;
  readonly values: Pair<string | undefined>;
}

export interface ComparedMetric {
  readonly name: string;
  readonly isShare: boolean;
  readonly values: Pair<number | undefined>;
}

/** Whether the runs differ in accuracy, on the examples that both judged. */
export interface Significance {
  readonly examples: number;
  /** Shares that are right. */
  readonly accuracies: Pair<number>;
  /** Examples that only this run is right about. */
  readonly onlyRight: Pair<number>;
  /** Of McNemar's exact test, two-sided. */
  readonly pValue: number;
  /** Bounds of the difference in accuracy, second minus first, with a confidence of 95%. */
  readonly interval: Pair<number>;
}

export interface Comparison {
  readonly names: Pair<string>;
  readonly settings: readonly DifferentSetting[];
  readonly spec: readonly DifferentLine[];
  readonly metrics: readonly ComparedMetric[];
  /** Undefined with the reason why it was not tested. */
  readonly significance: Significance | { readonly untested: string };
  /** Values of an evaluation or of training by epoch. */
  readonly curves: readonly Curve[];
}

export interface Curve {
  readonly name: string;
  readonly isShare: boolean;
  /** Points of [epoch, value]. */
  readonly runs: Pair<readonly (readonly [epoch: number, value: number])[]>;
}

/** Compares two runs. Fails where they were evaluated on different examples. */
export function compareRuns(runs: Pair<ReadRun>): Comparison {
  const [first, second] = runs;
  return {
    names: namesOf(runs),
    settings: differentSettings(runs),
    spec: lineDifferences(first.description.spec.text, second.description.spec.text),
    metrics: compareMetrics(runs),
    significance: testSignificance(runs),
    curves: curvesOf(runs),
  };
}

function differentSettings(runs: Pair<ReadRun>): readonly DifferentSetting[] {
  const [first, second] = runs.map(({ description }) => new Map(description.recipe));
  const names = [...new Set([...first!.keys(), ...second!.keys()])];
  return names
    .map((name) => ({ name, values: [first!.get(name), second!.get(name)] as const }))
    .filter(({ values: [one, other] }) => one !== other);
}

const isShare = (runs: Pair<ReadRun>, name: string) =>
  runs.some(({ description }) => description.fractions.includes(name));

function compareMetrics(runs: Pair<ReadRun>): readonly ComparedMetric[] {
  const [first, second] = [judgedEvaluation(runs[0])?.eval, judgedEvaluation(runs[1])?.eval];
  const names = [...new Set([...Object.keys(first ?? {}), ...Object.keys(second ?? {})])];
  return names.map((name) => ({
    name,
    isShare: isShare(runs, name),
    values: [first?.[name], second?.[name]],
  }));
}

function testSignificance(runs: Pair<ReadRun>): Comparison["significance"] {
  const without = runs.find(({ predictions }) => predictions === undefined);
  if (without) {
    const { folder, description } = without;
    const why =
      description.status === "stopped"
        ? "it was stopped; --resume completes it"
        : "its model gives no single class to an image, or it has nothing to evaluate on";
    return { untested: `${folder} has no predictions: ${why}` };
  }
  const [first, second] = [runs[0].predictions!, runs[1].predictions!];
  requireSameExamples(runs, [first, second]);
  const right = ({ label, prediction }: RunPrediction) => label === prediction;
  const examples = first.length;
  const count = (of: (index: number) => boolean) =>
    first.reduce((sum, _, index) => sum + Number(of(index)), 0);
  const onlyRight = [
    count((index) => right(first[index]!) && !right(second[index]!)),
    count((index) => right(second[index]!) && !right(first[index]!)),
  ] as const;
  return {
    examples,
    accuracies: [
      count((index) => right(first[index]!)) / examples,
      count((index) => right(second[index]!)) / examples,
    ],
    onlyRight,
    pValue: mcnemar({ first: onlyRight[0], second: onlyRight[1] }),
    interval: intervalOf(onlyRight, examples),
  };
}

/** Of a normal distribution: 95% lie within this many standard deviations. */
const Z = 1.96;

/** Wald's interval of a difference of paired shares. */
function intervalOf([first, second]: Pair<number>, examples: number): Pair<number> {
  const difference = (second - first) / examples;
  const variance = first + second - (second - first) ** 2 / examples;
  const margin = (Z * Math.sqrt(variance)) / examples;
  return [difference - margin, difference + margin];
}

/** Accuracies on different examples cannot be compared. */
function requireSameExamples(
  runs: Pair<ReadRun>,
  [first, second]: Pair<readonly RunPrediction[]>,
): void {
  const [one, other] = runs.map(({ folder }) => folder);
  const refuse = (reason: string) =>
    wrongInput(
      `${one} and ${other} were evaluated on different examples: ${reason}`,
      "train both with the same eval split; `netc eval --data DIR` measures weights on any data",
    );
  if (first.length !== second.length) {
    throw refuse(`${first.length} in ${one}, ${second.length} in ${other}`);
  }
  if (first.length === 0) throw refuse("neither has one");
  const differs = first.findIndex(({ file }, index) => !isSameFile(file, second[index]!.file));
  if (differs >= 0) {
    const [a, b] = [first[differs]!.file, second[differs]!.file];
    throw refuse(`example ${differs + 1} is ${a} in ${one}, and ${b} in ${other}`);
  }
  const relabeled = first.findIndex(({ label }, index) => label !== second[index]!.label);
  if (relabeled < 0) return;
  const { file, label } = first[relabeled]!;
  throw refuse(`${file} is ${label} in ${one}, and ${second[relabeled]!.label} in ${other}`);
}

const isSameFile = (one: string, other: string) => one === other || resolve(one) === resolve(other);

function curvesOf(runs: Pair<ReadRun>): readonly Curve[] {
  const names = new Set(
    runs.flatMap((run) => epochsOf(run).flatMap((record) => Object.keys(record.eval ?? {}))),
  );
  const splits = [
    { split: "train", of: ["loss"] },
    { split: "eval", of: [...names] },
  ] as const;
  const curves = splits.flatMap(({ split, of }) =>
    of.map((name): Curve => {
      const points = (run: ReadRun) =>
        epochsOf(run).flatMap((record) => {
          const value = record[split]?.[name];
          return value === undefined ? [] : [[record.epoch, value] as const];
        });
      return {
        name: `${split} ${name}`,
        isShare: isShare(runs, name),
        runs: [points(runs[0]), points(runs[1])],
      };
    }),
  );
  return curves.filter(({ runs: [one, other] }) => one.length + other.length > 0);
}
