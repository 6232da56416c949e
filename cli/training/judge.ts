/**
 * What a classifier predicts after an epoch: for the recall of each class by epoch, and for the
 * report during a run. An evaluation sums its metrics up on the device, and keeps no predictions.
 */
import { tokensOf } from "../../program/masks.js";
import type { Program } from "../../program/program.js";
import { sizeOf, tensorsOf } from "../../program/tensors.js";
import {
  examineDataset,
  examinedClasses,
  type Examination,
  type JudgedExample,
} from "../../runtime/evaluation/index.js";
import { epochRecord, type EpochRecord, type EpochReport } from "../../runtime/training/index.js";
import type { TrainingParts } from "./parts.js";

/** More curves than these are too many to look at. */
export const MAX_CURVES = 30;

/**
 * Examples that are looked at after an epoch, evenly spread: so a large eval split costs little
 * compared with its evaluation, and a small one is looked at as a whole.
 */
const MAX_EXAMPLES = 2000;

/** How many examples that is where each has a class for each token: one counts as all of these. */
export function examplesOf(most: number, program: Pick<Program, "tensors">): number {
  if (!tokensOf(program)) return most;
  const [target] = tensorsOf(program, "target");
  return Math.max(1, Math.ceil(most / sizeOf(target!.shape)));
}

/** Examples that a page shows as pictures. */
const SAMPLES = 8;

/** An example of a judged epoch. */
export interface Sample extends Pick<JudgedExample, "example" | "actual" | "predicted"> {
  /** Of the prediction; undefined with it. */
  readonly probability: number | undefined;
}

export interface Judgment {
  readonly examination: Examination;
  /** A few examples, evenly spread. */
  readonly samples: readonly Sample[];
}

/** An epoch with what the network predicts after it, where it tells classes apart. */
export interface JudgedEpoch extends EpochReport {
  readonly judgment?: Judgment | undefined;
}

/**
 * Undefined for models that tell no classes apart, for runs without evaluation, and where the
 * signal stopped it.
 */
export async function judgeEpoch(
  { network, evaluation, recipe }: TrainingParts,
  signal: AbortSignal,
): Promise<Judgment | undefined> {
  const { program } = network;
  if (!evaluation || examinedClasses(program, evaluation) === undefined) return undefined;
  const most = examplesOf(MAX_EXAMPLES, program);
  const every = Math.ceil(Math.min(most, evaluation.length) / SAMPLES);
  const samples: Sample[] = [];
  let count = 0;
  const examination = await examineDataset(network, evaluation, {
    transforms: recipe.data?.eval?.transforms ?? [],
    examples: most,
    onExample: (judged) => {
      if (count++ % every === 0) samples.push(sampleOf(judged));
    },
    signal,
  });
  return examination && { examination, samples };
}

function sampleOf({ example, actual, predicted, probabilities }: JudgedExample): Sample {
  const probability = predicted === undefined ? undefined : probabilities![predicted];
  return { example, actual, predicted, probability };
}

/** Whether an epoch's recalls are kept: of more classes, they would only fill the log. */
export const keepsRecalls = ({
  network,
  evaluation,
}: Pick<TrainingParts, "network" | "evaluation">): boolean =>
  (examinedClasses(network.program, evaluation) ?? Infinity) <= MAX_CURVES;

/** A line of metrics.jsonl, with the recall of each class that was evaluated. */
export function judgedRecord({ judgment, ...report }: JudgedEpoch): EpochRecord {
  const { classes = [] } = judgment?.examination ?? {};
  const recalls = classes.flatMap(({ name, recall }) => {
    return recall === null ? [] : [[name, Math.round(1e4 * recall) / 1e4] as const];
  });
  const isKept = recalls.length > 0 && classes.length <= MAX_CURVES;
  return { ...epochRecord(report), recall: isKept ? Object.fromEntries(recalls) : undefined };
}
