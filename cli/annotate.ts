/** Copies of pictures with their predicted classes below them. */
import { extname, join } from "node:path";
import type { Picture } from "./pictures.js";
import { escapeXml } from "../picture/text.js";
import { writeOutput } from "./files.js";
import { formatPercent } from "./format.js";

/** One element of what `predict --json` prints. */
export interface Prediction {
  readonly image: string;
  /** The likeliest first. */
  readonly classes: readonly {
    readonly index: number;
    readonly name: string;
    readonly probability: number;
  }[];
}

/** Text needs some room: smaller pictures are enlarged to this width. */
const LEAST_WIDTH = 256;

type Class = Prediction["classes"][number];

/** Whether a class is predicted, by its place in the list. */
type IsMarked = (shown: Class, index: number) => boolean;

/**
 * Writes a copy of each picture into `folder`, in the picture's own format where that is JPEG, PNG
 * or WebP. What is predicted has a bright bar: the first class unless told otherwise.
 */
export async function annotate(
  pictures: readonly Picture[],
  predictions: readonly Prediction[],
  folder: string,
  isMarked: IsMarked = (_, index) => index === 0,
): Promise<void> {
  for (const [index, picture] of pictures.entries()) {
    const { classes } = predictions[index]!;
    const marked = classes.map((each, place) => ({ ...each, isMarked: isMarked(each, place) }));
    const bytes = await annotated(await picture.read(), marked, formatOf(picture));
    await writeOutput(join(folder, picture.copy), bytes);
  }
}

type Format = "jpeg" | "png" | "webp";

function formatOf({ copy }: Picture): Format {
  const extension = extname(copy).slice(1).toLowerCase();
  return extension === "jpg" || extension === "jpeg"
    ? "jpeg"
    : extension === "webp"
      ? "webp"
      : "png";
}

async function annotated(
  bytes: Uint8Array,
  classes: readonly Marked[],
  format: Format,
): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const upright = await sharp(bytes).autoOrient().flatten({ background: "#ffffff" }).toBuffer();
  const { width: original = LEAST_WIDTH } = await sharp(upright).metadata();
  const factor = Math.max(1, Math.ceil(LEAST_WIDTH / original));
  const width = original * factor;
  const { data, info } = await sharp(upright)
    .resize({ width, kernel: factor > 2 ? "nearest" : "lanczos3" })
    .toColourspace("srgb")
    .toBuffer({ resolveWithObject: true });
  const panel = panelSvg(classes, width);
  return sharp(data)
    .extend({ bottom: panel.height, background: BACKGROUND })
    .composite([{ input: Buffer.from(panel.svg), top: info.height, left: 0 }])
    .toFormat(format, { quality: 92 })
    .toBuffer();
}

interface Marked extends Class {
  readonly isMarked: boolean;
}

const BACKGROUND = "#16181d";

/** A line for each class: its name, its probability, and a bar as long as that. */
function panelSvg(
  classes: readonly Marked[],
  width: number,
): { readonly svg: string; readonly height: number } {
  const line = Math.max(20, Math.round(width / 22));
  const size = Math.round(line * 0.62);
  const gap = Math.round(line / 2);
  const rows = classes.map(({ name, probability, isMarked }, index) => {
    const top = gap / 2 + index * line;
    const baseline = top + line * 0.72;
    const bar = Math.max(1, probability * width);
    const color = isMarked ? "#2f6fd0" : "#34465f";
    return (
      `<rect x="0" y="${top}" width="${bar}" height="${line - 2}" fill="${color}"/>` +
      `<text x="${gap}" y="${baseline}">${escapeXml(name)}</text>` +
      `<text x="${width - gap}" y="${baseline}" ` +
      `text-anchor="end">${formatPercent(probability)}</text>`
    );
  });
  const height = classes.length * line + gap;
  const fonts = "DejaVu Sans, Helvetica, Arial, sans-serif";
  const style = `font-family="${fonts}" font-size="${size}" fill="#fff"`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="${BACKGROUND}"/><g ${style}>${rows.join("")}</g></svg>`;
  return { svg, height };
}
