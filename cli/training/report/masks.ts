/** What a network makes of masks at the end of a run: overlap by class, and some pictures. */
import { maskOf } from "../../../program/masks.js";
import type { ReportedMask, ReportedSegmentation } from "../../../report/data.js";
import { evaluateDataset, type Evaluation } from "../../../runtime/training/evaluate.js";
import { colorOf, indexedPng, type IndexedPicture } from "../../mask-png.js";
import { segment, type Segmented } from "../../segmentation.js";
import type { TrainingParts } from "../parts.js";
import { addressOf, dataAddress, placesOf } from "./example-pictures.js";

/** Undefined for other models, for runs without evaluation, and where the signal stopped it. */
export async function examineMasks(
  { network, evaluation, recipe }: TrainingParts,
  signal: AbortSignal,
): Promise<ReportedSegmentation | undefined> {
  if (!maskOf(network.program) || !evaluation) return undefined;
  const transforms = recipe.data?.eval?.transforms ?? [];
  const measured = await evaluateDataset(network, evaluation, { transforms, signal });
  if (!measured) return undefined;
  return showMasks({ network, evaluation, recipe }, measured, signal);
}

/** Some pictures with their masks, with the overlaps of an evaluation. */
export async function showMasks(
  { network, evaluation, recipe }: Pick<TrainingParts, "network" | "evaluation" | "recipe">,
  measured: Pick<Evaluation, "overlaps">,
  signal?: AbortSignal,
): Promise<ReportedSegmentation | undefined> {
  const mask = maskOf(network.program);
  if (!mask || !evaluation) return undefined;
  const transforms = recipe.data?.eval?.transforms ?? [];
  const classes = Array.from({ length: mask.count }, (_, label) => ({
    name: evaluation.classes[label] ?? String(label),
    color: `rgb(${colorOf(label).join(" ")})`,
    overlap: measured.overlaps?.[label] ?? null,
  }));
  const examples: ReportedMask[] = [];
  for (const example of placesOf(evaluation)) {
    if (signal?.aborted) break;
    const segmented = await segment(network, evaluation, example, transforms);
    const name = evaluation.nameAt?.(example);
    if (segmented) examples.push({ name, ...(await picturesOf(segmented)) });
  }
  return { classes, examples };
}

async function picturesOf({ picture, predicted, truth }: Segmented) {
  return {
    picture: await addressOf(picture, predicted),
    truth: truth && maskAddress(truth),
    predicted: maskAddress(predicted),
  };
}

const maskAddress = (mask: IndexedPicture): string => dataAddress("png", indexedPng(mask));
