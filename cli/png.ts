/** SVG pictures as PNG, through sharp (librsvg). */
import sharp from "sharp";
import { RunFailedError } from "../runtime/training/error.js";

/** Dots per inch at which a unit of the SVG is a pixel. */
const ONE_PIXEL = 72;
/** Four pixels for each unit. */
const DENSITY = 2 * ONE_PIXEL;
/** Pixels of a side that librsvg draws. */
const LONGEST_SIDE = 32_767;

/**
 * The picture of an SVG, with two pixels for each unit of its sides; fewer where the longer one
 * would be more than librsvg draws. Throws a RunFailedError where the machine has no font to write
 * with.
 */
export async function svgToPng(svg: string): Promise<Buffer> {
  if (!(await hasFont())) {
    throw new RunFailedError(
      "no font was found for the text of a PNG: install one (Debian: fonts-dejavu-core), " +
        "or write SVG, which brings no font",
    );
  }
  return sharp(Buffer.from(svg), { density: densityFor(svg), unlimited: true })
    .png()
    .toBuffer();
}

function densityFor(svg: string): number {
  const [, width, height] = /^<svg [^>]*?width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const longer = Math.max(Number(width ?? 0), Number(height ?? 0), 1);
  // Rounded down, since a rounded side could be one pixel too long.
  return Math.min(DENSITY, Math.floor((100 * ONE_PIXEL * LONGEST_SIDE) / longer) / 100);
}

/** Whether a letter leaves ink: without fonts, librsvg draws nothing and reports nothing. */
async function hasFont(): Promise<boolean> {
  const letter =
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">' +
    '<text x="4" y="16" font-family="sans-serif" font-size="16">M</text></svg>';
  const { channels } = await sharp(Buffer.from(letter)).stats();
  return channels.at(-1)!.max > 0;
}
