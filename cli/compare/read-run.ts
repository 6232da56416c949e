/** A finished or stopped run as its folder tells of it. */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { readLines } from "../../runtime/node/data/csv-lines.js";
import {
  isEvaluation,
  isStep,
  parseRecord,
  type EpochRecord,
  type MetricsRecord,
} from "../../runtime/training/records.js";
import { wrongInput } from "../failure.js";
import { readBytes } from "../files.js";
import { PREDICTIONS, RUN_FILE, RUN_FORMAT, type RunDescription } from "../training/run-file.js";

/** What a run's best weights take an example for. */
export interface RunPrediction {
  readonly file: string;
  readonly label: string;
  readonly prediction: string;
}

export interface ReadRun {
  readonly folder: string;
  readonly description: RunDescription;
  readonly records: readonly MetricsRecord[];
  /** Undefined for runs that tell no classes apart, and for those that were stopped. */
  readonly predictions?: readonly RunPrediction[];
}

/** Reads a run's folder. Fails where it is not one, or is of another version of netc. */
export async function readRun(folder: string): Promise<ReadRun> {
  const description = await readDescription(folder);
  const lines = (await readBytes(join(folder, "metrics.jsonl"), "metrics")).toString();
  const predictions = join(folder, PREDICTIONS);
  return {
    folder,
    description,
    records: parseRecords(lines),
    predictions: existsSync(predictions) ? await readPredictions(predictions) : undefined,
  };
}

async function readDescription(folder: string): Promise<RunDescription> {
  const path = join(folder, RUN_FILE);
  if (!existsSync(path)) throw notARun(folder);
  const text = new TextDecoder().decode(await readBytes(path, "run"));
  const description = parseJson(text) as Partial<RunDescription> | undefined;
  if (description?.format === RUN_FORMAT) return description as RunDescription;
  throw wrongInput(
    `${path} is damaged, or of a later version of netc`,
    "`netc train` writes it at the end of a run",
  );
}

function notARun(folder: string) {
  if (!existsSync(folder)) return wrongInput(`there is no folder ${folder}`);
  const isRun = existsSync(join(folder, "metrics.jsonl"));
  return wrongInput(
    `${folder} has no ${RUN_FILE}`,
    isRun
      ? "the run has not ended, or is of an earlier version of netc"
      : "name the folder of a run, such as runs/digits: `netc train` makes it",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The last line may be truncated, if the process was killed. */
function parseRecords(text: string): readonly MetricsRecord[] {
  return text
    .split("\n")
    .map(parseRecord)
    .filter((record) => record !== undefined);
}

async function readPredictions(path: string): Promise<readonly RunPrediction[]> {
  const bytes = Buffer.from(await readBytes(path, "predictions"));
  const [, ...rows] = [...readLines(bytes, { path })];
  return rows.map(({ cells: [file = "", label = "", prediction = ""] }) => {
    return { file, label, prediction };
  });
}

/** The evaluation that a run is judged by: its best one, or else its last. */
export function judgedEvaluation({ description, records }: ReadRun) {
  const evaluations = records.filter(isEvaluation);
  const { best } = description;
  return evaluations.find(({ step }) => step === best?.step) ?? evaluations.at(-1);
}

export const epochsOf = ({ records }: ReadRun): readonly EpochRecord[] =>
  records.filter((record): record is EpochRecord => !isStep(record));

/** Short names that tell two runs apart. */
export function namesOf(runs: readonly [ReadRun, ReadRun]): readonly [string, string] {
  const [first, second] = runs.map(({ folder }) => basename(resolve(folder)));
  return first === second ? [runs[0].folder, runs[1].folder] : [first!, second!];
}
