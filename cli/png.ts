/** SVG pictures as PNG, through sharp (librsvg). */
import sharp from "sharp";
import { RunFailedError } from "../runtime/training/error.js";

/** Dots per inch; 72 would give a pixel for each unit of the SVG, this gives four. */
const DENSITY = 144;

/** The picture of an SVG. Throws a RunFailedError where the machine has no font to write with. */
export async function svgToPng(svg: string): Promise<Buffer> {
  if (!(await hasFont())) {
    throw new RunFailedError(
      "no font was found for the text of a PNG: install one (Debian: fonts-dejavu-core), " +
        "or write SVG, which brings no font",
    );
  }
  return sharp(Buffer.from(svg), { density: DENSITY, unlimited: true }).png().toBuffer();
}

/** Whether a letter leaves ink: without fonts, librsvg draws nothing and reports nothing. */
async function hasFont(): Promise<boolean> {
  const letter =
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">' +
    '<text x="4" y="16" font-family="sans-serif" font-size="16">M</text></svg>';
  const { channels } = await sharp(Buffer.from(letter)).stats();
  return channels.at(-1)!.max > 0;
}
