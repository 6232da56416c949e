/** `netc predict` for models with boxes. */
import { extname, join } from "node:path";
import { boxesOf } from "../program/boxes.js";
import { withoutUndefined } from "../program/without-undefined.js";
import { visible } from "../program/visible.js";
import { escapeXml } from "../picture/text.js";
import { detect, type Detection } from "../runtime/detection/detect.js";
import type { Network } from "../runtime/network.js";
import type { CompiledSpec } from "./compiled.js";
import { wrongInput } from "./failure.js";
import { writeOutput } from "./files.js";
import { formatPercent } from "./format.js";
import { foregroundColor } from "./mask-png.js";
import type { MaskOptions, MaskParts } from "./predict-masks.js";
import { nothingReadable } from "./pictures.js";
import { createCounter } from "./progress.js";
import { prepareShown } from "./segmentation.js";
import { print, printJson } from "./terminal.js";

/** One element of what `--json` prints. */
interface PredictedBoxes {
  readonly image: string;
  /** The most certain ones first; in shares of the network's input. */
  readonly boxes: readonly Detection[];
}

/** Whether a model predicts boxes. */
export const predictsBoxes = ({ compilation }: CompiledSpec): boolean =>
  boxesOf(compilation.programs[0]!) !== undefined;

/** Fails for flags that have no meaning for boxes. */
export function requireBoxOptions({ csv, masks }: MaskOptions): void {
  if (csv === undefined && masks === undefined) return;
  throw wrongInput(
    `${csv === undefined ? "--masks" : "--csv"} has no meaning for a model that predicts boxes`,
    "--json lists them, and --annotate DIR draws them",
  );
}

/** Finds boxes in each picture in turn, draws them where asked for, and prints them. */
export async function predictBoxes(parts: MaskParts, options: MaskOptions): Promise<void> {
  const { network, compiled, pictures, found, names } = parts;
  const transforms = compiled.recipe?.data?.eval?.transforms ?? [];
  const rule = withoutUndefined({ threshold: options.threshold, overlap: options.overlap });
  const counter = createCounter(pictures.length, "predicted");
  const predictions: PredictedBoxes[] = [];
  for (const [index, { name, copy }] of found.entries()) {
    const prepared = await prepareShown(network, pictures, index, transforms);
    if (prepared) {
      const [found] = await detect(withNames(network, names), prepared.planes, rule);
      const boxes = found!.slice(0, options.top);
      predictions.push({ image: name, boxes });
      if (options.annotate !== undefined) {
        const file = `${copy.slice(0, copy.length - extname(copy).length)}.png`;
        await writeOutput(join(options.annotate, file), await drawn(prepared, boxes));
      }
    }
    counter.update(index + 1);
  }
  counter.stop();
  if (predictions.length === 0) throw nothingReadable(pictures);
  if (options.json) printJson(predictions);
  else print(predictions.map(describe).join("\n\n"));
}

const withNames = (network: Network, classes: readonly string[]) => ({
  program: network.program,
  classes,
  predict: (images: Float32Array) => network.predict(images),
});

function describe({ image, boxes }: PredictedBoxes): string {
  const lines = boxes.map(({ name, score, box }) => {
    const { left, top, width, height } = box;
    const numbers = [left, top, width, height].map((value) => value.toFixed(3)).join(" ");
    return `  ${formatPercent(score).padStart(6)}  ${visible(name)}  ${numbers}`;
  });
  return [visible(image), ...(lines.length > 0 ? lines : ["  nothing found"])].join("\n");
}

/** Text needs some room: smaller pictures are enlarged to this width. */
const LEAST_WIDTH = 256;

interface Shown {
  readonly picture: Uint8Array;
  readonly shape: { readonly width: number; readonly height: number };
}

/** The picture with its boxes, in the colors of their classes. */
async function drawn({ picture, shape }: Shown, boxes: readonly Detection[]): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const factor = Math.max(1, Math.ceil(LEAST_WIDTH / shape.width));
  const [width, height] = [factor * shape.width, factor * shape.height];
  const shapes = boxes.map(({ index, name, score, box }) => {
    const color = `rgb(${foregroundColor(index).join(" ")})`;
    const [x, y] = [box.left * width, box.top * height];
    const size = `width="${box.width * width}" height="${box.height * height}"`;
    const label = `${escapeXml(name)} ${formatPercent(score)}`;
    const text = `x="${x + 2}" y="${Math.max(12, y - 3)}" font-family="sans-serif" font-size="12"`;
    // A white edge keeps the name legible on any picture; not all renderers know paint-order.
    return (
      `<rect x="${x}" y="${y}" ${size} fill="none" stroke="${color}" stroke-width="2"/>` +
      `<text ${text} fill="white" stroke="white" stroke-width="3">${label}</text>` +
      `<text ${text} fill="${color}">${label}</text>`
    );
  });
  const frame = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`;
  const overlay = Buffer.from(`${frame}${shapes.join("")}</svg>`);
  return sharp(picture, { raw: { ...shape, channels: 3 } })
    .resize({ width, height, kernel: factor > 2 ? "nearest" : "lanczos3" })
    .composite([{ input: overlay }])
    .png()
    .toBuffer();
}
