/** What a network still gets wrong at the end of a run, with the pictures of it. */
import type {
  ReportData,
  ReportedExamination,
  ReportedMistake,
  ReportedSample,
} from "../../../report/data.js";
import {
  classNames,
  examineDataset,
  examinedClasses,
  PrecisionRecallCounts,
  type JudgedExample,
  type Mistake,
} from "../../../runtime/evaluation/index.js";
import type { Dataset, Image } from "../../../runtime/data/dataset.js";
import { csvLine, formatProbability, nameOfExample } from "../../predictions.js";
import type { TrainingParts } from "../parts.js";
import { countLabels } from "../count-labels.js";
import { examplesOf, MAX_CURVES, type Judgment, type Sample } from "../judge.js";
import { linkTo } from "./link.js";

const MISTAKES = 24;
/**
 * This many examples show enough, and cost little compared with the run's
 * evaluations.
 */
const MAX_EXAMPLES = 10_000;

export interface ExaminedRun {
  readonly reported: ReportedExamination;
  /** The prediction of each example, as csv; of tokens, `netc eval --csv` lists them. */
  readonly predictions: string | undefined;
}

/**
 * Undefined for models that tell no classes apart, for runs without evaluation, and where the
 * signal stopped it.
 */
export async function examine(
  { network, dataset, evaluation, recipe, folder }: TrainingParts,
  signal: AbortSignal,
): Promise<ExaminedRun | undefined> {
  const { program } = network;
  if (evaluation === undefined || examinedClasses(program, evaluation) === undefined)
    return undefined;
  const names = classNames(network, evaluation);
  const ranking = names.length <= MAX_CURVES ? new PrecisionRecallCounts(names.length) : undefined;
  const lines = [csvLine(PREDICTION_COLUMNS)];
  const examination = await examineDataset(network, evaluation, {
    transforms: recipe.data?.eval?.transforms ?? [],
    // Features have no picture.
    mistakes: isOfFeatures(recipe) ? 0 : MISTAKES,
    examples: examplesOf(MAX_EXAMPLES, program),
    onExample: (judged) => {
      if (judged.probabilities) ranking?.add(judged.actual, judged.probabilities);
      if (judged.token === undefined) lines.push(predictionLine(judged, evaluation, names));
    },
    signal,
  });
  if (examination === undefined) return undefined;
  const { examples, tokens, classes, confusion, calibration } = examination;
  const mistakes = await Promise.all(
    examination.mistakes.map(async (mistake) => ({
      ...(await withPicture(mistake, evaluation, (label) => classes[label]!.name)),
      ...placeOf(mistake, evaluation, folder),
    })),
  );
  const reported = {
    examples,
    of: evaluation.length,
    tokens,
    classes,
    trained: countLabels(dataset, classes.length),
    confusion,
    mistakes,
    calibration,
    curves: ranking?.curves(),
  };
  return { reported, predictions: tokens ? undefined : lines.join("") };
}

/** The same of an epoch, without mistakes, and a few examples with their predictions. */
export async function examineEpoch(
  { dataset, evaluation, recipe }: TrainingParts,
  { examination, samples }: Judgment,
): Promise<Pick<ReportData, "examination" | "samples">> {
  const { examples, tokens, classes, confusion } = examination;
  const reported = {
    examples,
    of: evaluation!.length,
    tokens,
    classes,
    trained: countLabels(dataset, classes.length),
    confusion,
    mistakes: [],
  };
  const nameOf = (label: number) => classes[label]!.name;
  const shown = isOfFeatures(recipe) ? [] : samples;
  const pictures = shown.map((sample) => reportSample(sample, evaluation!, nameOf));
  return { examination: reported, samples: await Promise.all(pictures) };
}

async function reportSample(
  { example, actual, predicted, probability }: Sample,
  dataset: Dataset,
  nameOf: (label: number) => string,
): Promise<ReportedSample> {
  const { image } = (await dataset.get(example))!;
  return {
    actual: nameOf(actual),
    predicted: predicted === undefined ? undefined : nameOf(predicted),
    probability,
    picture: await pictureOf(image),
    name: dataset.nameAt?.(example),
  };
}

/** Columns of predictions.csv. */
export const PREDICTION_COLUMNS = ["file", "label", "prediction", "probability"] as const;

function predictionLine(
  { example, actual, predicted, probabilities }: JudgedExample,
  dataset: Dataset,
  names: readonly string[],
): string {
  const name = nameOfExample(dataset, example);
  if (predicted === undefined) return csvLine([name, names[actual], undefined, undefined]);
  const probability = formatProbability(probabilities![predicted]!);
  return csvLine([name, names[actual], names[predicted], probability]);
}

function placeOf({ example }: Mistake, dataset: Dataset, folder: string) {
  const name = dataset.nameAt?.(example);
  return { name, link: name === undefined ? undefined : linkTo(name, folder) };
}

function isOfFeatures({ data }: TrainingParts["recipe"]): boolean {
  const source = data?.eval?.source;
  return source?.kind === "csv" && source.holds === "features";
}

async function withPicture(
  { example, actual, predicted, probability, probabilityOfActual }: Mistake,
  dataset: Dataset,
  name: (label: number) => string,
): Promise<ReportedMistake> {
  const { image } = (await dataset.get(example))!;
  const names = { actual: name(actual), predicted: name(predicted) };
  return { ...names, probability, probabilityOfActual, picture: await pictureOf(image) };
}

const THUMBNAIL = 160;

/** A small picture as a `data:` address: PNG where JPEG would blur the few pixels there are. */
async function pictureOf({ width, height, channels, pixels, maximum }: Image): Promise<string> {
  const { default: sharp } = await import("sharp");
  const bytes = Uint8Array.from(pixels, (value) => Math.round((255 * value) / maximum));
  const raw = sharp(bytes, { raw: { width, height, channels: channels as 1 | 3 } });
  const isTiny = Math.max(width, height) <= 64;
  const encoded = isTiny
    ? raw.png()
    : raw.resize(THUMBNAIL, THUMBNAIL, { fit: "inside" }).jpeg({ quality: 80 });
  const base64 = (await encoded.toBuffer()).toString("base64");
  return `data:image/${isTiny ? "png" : "jpeg"};base64,${base64}`;
}
