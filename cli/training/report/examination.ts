/** What a network still gets wrong at the end of a run, with the pictures of it. */
import { classesOf } from "../../../program/tensors.js";
import type { ReportedExamination, ReportedMistake } from "../../../report/data.js";
import { examineDataset, type Mistake } from "../../../runtime/evaluation/index.js";
import type { Dataset, Image } from "../../../runtime/data/dataset.js";
import type { TrainingParts } from "../parts.js";

const MISTAKES = 24;
/**
 * This many examples show enough, and cost little compared with the run's
 * evaluations.
 */
const MAX_EXAMPLES = 10_000;

/**
 * Undefined for models that tell no classes apart, for runs without evaluation, and where the
 * signal stopped it.
 */
export async function examine(
  { network, evaluation, recipe }: TrainingParts,
  signal: AbortSignal,
): Promise<ReportedExamination | undefined> {
  if (evaluation === undefined || classesOf(network.program) === undefined) return undefined;
  const examination = await examineDataset(network, evaluation, {
    transforms: recipe.data?.eval?.transforms ?? [],
    // Features have no picture.
    mistakes: isOfFeatures(recipe) ? 0 : MISTAKES,
    examples: MAX_EXAMPLES,
    signal,
  });
  if (examination === undefined) return undefined;
  const { examples, classes, confusion } = examination;
  const name = (label: number) => classes[label]!.name;
  const mistakes = await Promise.all(
    examination.mistakes.map((mistake) => withPicture(mistake, evaluation, name)),
  );
  return { examples, of: evaluation.length, classes, confusion, mistakes };
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
