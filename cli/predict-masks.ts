/** `netc predict` for models with a class for each pixel. */
import { extname, join } from "node:path";
import { maskOf } from "../program/masks.js";
import { imageOf } from "../program/tensors.js";
import { visible } from "../program/visible.js";
import type { Network } from "../runtime/network.js";
import type { CompiledSpec } from "./compiled.js";
import { wrongInput } from "./failure.js";
import { writeOutput } from "./files.js";
import { formatPercent } from "./format.js";
import { indexedPng } from "./mask-png.js";
import { nothingReadable, notFiniteOutput, type Picture, type Pictures } from "./pictures.js";
import { createCounter } from "./progress.js";
import { overlayOf, segment, type Segmented } from "./segmentation.js";
import { print, printJson } from "./terminal.js";

export interface MaskOptions {
  /** Classes, or boxes, to show. */
  readonly top?: number;
  /** A folder for the masks. */
  readonly masks?: string;
  /** A folder for the pictures with the masks over them. */
  readonly annotate?: string;
  readonly csv?: string;
  readonly json?: boolean;
  /** Of boxes: the least score, and the overlap above which only the more certain one stays. */
  readonly threshold?: number;
  readonly overlap?: number;
}

/** Classes of an image that are shown unless told. */
export const TOP = 5;

/** One element of what `--json` prints. */
interface PredictedMask {
  readonly image: string;
  readonly mask: string | undefined;
  /** Those that cover most pixels first. */
  readonly classes: readonly {
    readonly index: number;
    readonly name: string;
    readonly share: number;
  }[];
}

/** Whether a model predicts a class for each pixel. */
export const predictsMasks = ({ compilation }: CompiledSpec): boolean =>
  maskOf(compilation.programs[0]!) !== undefined;

/** Fails for flags that have no meaning for masks. */
export function requireMaskOptions({ csv }: MaskOptions): void {
  if (csv === undefined) return;
  throw wrongInput(
    "--csv lists a class for each image, and this model predicts one for each pixel",
    "--masks DIR writes them as PNG files",
  );
}

export interface MaskParts {
  readonly network: Network;
  readonly compiled: CompiledSpec;
  readonly pictures: Pictures;
  readonly found: readonly Picture[];
  readonly names: readonly string[];
}

/** Predicts each picture in turn, writes what is asked for, and prints what covers it. */
export async function predictMasks(parts: MaskParts, options: MaskOptions): Promise<void> {
  const { network, compiled, pictures, found } = parts;
  const transforms = compiled.recipe?.data?.eval?.transforms ?? [];
  const counter = createCounter(pictures.length, "predicted");
  const predictions: PredictedMask[] = [];
  for (const [index, picture] of found.entries()) {
    const segmented = await segment(network, pictures, index, transforms);
    if (segmented) predictions.push(await predicted(picture, segmented, parts, options));
    counter.update(index + 1);
  }
  counter.stop();
  if (predictions.length === 0) throw nothingReadable(pictures);
  if (options.json) printJson(predictions);
  else print(predictions.map(describe).join("\n\n"));
}

async function predicted(
  { name, copy }: Picture,
  segmented: Segmented,
  { names, network }: MaskParts,
  { masks, annotate, top = TOP }: MaskOptions,
): Promise<PredictedMask> {
  if (!segmented.isFinite) throw notFiniteOutput(name);
  const file = `${copy.slice(0, copy.length - extname(copy).length)}.png`;
  const mask = masks === undefined ? undefined : join(masks, file);
  if (mask !== undefined) await writeOutput(mask, indexedPng(segmented.predicted));
  if (annotate !== undefined) {
    await writeOutput(join(annotate, file), await rgbPng(overlayOf(segmented), network));
  }
  return { image: name, mask, classes: sharesOf(segmented, names).slice(0, top) };
}

async function rgbPng(pixels: Uint8Array, { program }: Network): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const { width, height } = imageOf(program);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** What part of the pixels each class covers. */
function sharesOf(
  { predicted: { pixels } }: Segmented,
  names: readonly string[],
): PredictedMask["classes"] {
  const counts = new Map<number, number>();
  for (const label of pixels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([index, count]) => {
      return { index, name: names[index] ?? `class ${index}`, share: count / pixels.length };
    });
}

function describe({ image, classes }: PredictedMask): string {
  const lines = classes.map(
    ({ name, share }) => `  ${formatPercent(share).padStart(6)}  ${visible(name)}`,
  );
  return [visible(image), ...lines].join("\n");
}
