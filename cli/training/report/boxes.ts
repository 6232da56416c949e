/** What a network makes of boxes at the end of a run: precision by class, and some pictures. */
import { boxesOf } from "../../../program/boxes.js";
import type { ReportedBoxes, ReportedDetection } from "../../../report/data.js";
import type { Boxes } from "../../../runtime/data/dataset.js";
import { boxesIn, gridOf, type LabeledBox } from "../../../runtime/detection/boxes.js";
import { DETECTION_RULE } from "../../../runtime/detection/detect.js";
import { firstOf } from "../../../runtime/evaluation/index.js";
import { evaluateDataset, type Evaluation } from "../../../runtime/training/evaluate.js";
import { foregroundColor } from "../../mask-png.js";
import { prepareShown } from "../../segmentation.js";
import type { TrainingParts } from "../parts.js";
import { addressOf, placesOf } from "./example-pictures.js";

type Parts = Pick<TrainingParts, "network" | "evaluation" | "recipe">;

/** Undefined for other models, for runs without evaluation, and where the signal stopped it. */
export async function examineBoxes(
  { network, evaluation, recipe }: Parts,
  signal: AbortSignal,
): Promise<ReportedDetection | undefined> {
  if (!boxesOf(network.program) || !evaluation) return undefined;
  const transforms = recipe.data?.eval?.transforms ?? [];
  const measured = await evaluateDataset(network, evaluation, { transforms, signal });
  return measured && showBoxes({ network, evaluation, recipe }, measured, signal);
}

/** Some pictures with their boxes, with the precisions of an evaluation. */
export async function showBoxes(
  { network, evaluation, recipe }: Parts,
  measured: Pick<Evaluation, "examples" | "precisions" | "withoutBoxes">,
  signal?: AbortSignal,
): Promise<ReportedDetection | undefined> {
  const grid = gridOf(network.program);
  if (!grid || !evaluation) return undefined;
  const classes = Array.from({ length: grid.classes }, (_, label) => ({
    name: evaluation.classes[label] ?? String(label),
    color: `rgb(${foregroundColor(label).join(" ")})`,
    precision: measured.precisions?.[label] ?? undefined,
  }));
  const transforms = recipe.data?.eval?.transforms ?? [];
  const pictures: ReportedBoxes[] = [];
  for (const example of placesOf(evaluation)) {
    if (signal?.aborted) break;
    const prepared = await prepareShown(network, evaluation, example, transforms);
    if (!prepared) continue;
    const { shape, picture, found, planes } = prepared;
    const row = firstOf(network.program, await network.predict(planes));
    pictures.push({
      name: evaluation.nameAt?.(example),
      picture: await addressOf(picture, shape),
      width: shape.width,
      height: shape.height,
      truth: truthOf(found.boxes),
      predicted: boxesIn(row, grid, DETECTION_RULE),
    });
  }
  const { examples, withoutBoxes = 0 } = measured;
  return { examples, withoutBoxes, classes, threshold: DETECTION_RULE.threshold, pictures };
}

/** In shares of the picture. */
function truthOf(boxes: Boxes | undefined): readonly LabeledBox[] {
  if (!boxes) return [];
  const { width, height, items } = boxes;
  return items.map(({ label, left, top, right, bottom }) => {
    const size = { width: (right - left) / width, height: (bottom - top) / height };
    return { index: label, box: { left: left / width, top: top / height, ...size } };
  });
}
