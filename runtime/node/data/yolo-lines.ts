/** YOLO's text files: a line `class x y width height` for each box, in shares of the image. */
import { DataError } from "../../data/error.js";
import { readText } from "../read-file.js";
import type { BoxLine } from "./encoded.js";

/** The boxes of a file. Throws a DataError that names the first wrong line. */
export async function readYoloFile(path: string, classes: number): Promise<readonly BoxLine[]> {
  const text = (await readText(path)).replace(/^\uFEFF/, "");
  return text.split("\n").flatMap((line, index) => {
    return line.trim() === "" ? [] : [readLine(line.trim(), `${path}:${index + 1}`, classes)];
  });
}

/** Numbers that programs write with few digits may be a little beyond the image. */
const ROUNDED = 1e-3;

function readLine(line: string, place: string, classes: number): BoxLine {
  const words = line.split(/\s+/);
  const numbers = words.map((word) => (/^[-+\d.]/.test(word) ? Number(word) : NaN));
  if (words.length !== 5 || !numbers.every(Number.isFinite) || /0x/i.test(line)) {
    throw new DataError(
      `${place}: expected five numbers, \`class x y width height\`, got \`${line.slice(0, 60)}\``,
      adviceOn(line, words, numbers),
    );
  }
  const [label, x, y, width, height] = numbers as [number, number, number, number, number];
  if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
    const known =
      classes === 1 ? "0, the one class" : `one of the ${classes} classes, 0 to ${classes - 1}`;
    throw new DataError(
      `${place}: class ${label} is not ${known}`,
      label === classes
        ? "classes are counted from 0: subtract 1, or declare one more in the model's target"
        : "the model's target says how many classes there are: `boxes[N, 20] in 0..classes`",
    );
  }
  checkPlace({ x, y, width, height }, place);
  return { label, x, y, width, height };
}

function checkPlace({ x, y, width, height }: Omit<BoxLine, "label">, place: string): void {
  const isShare = (value: number) => value >= -ROUNDED && value <= 1 + ROUNDED;
  const given = `middle ${x}, ${y} and size ${width} x ${height}`;
  if (![x, y, width, height].every((value) => isShare(value) || value < 0)) {
    throw new DataError(
      `${place}: ${given} are not shares of the image`,
      "numbers go from 0 to 1: divide pixels by the width and the height of the image",
    );
  }
  if (!isShare(x) || !isShare(y)) {
    throw new DataError(
      `${place}: the middle of the box, ${x}, ${y}, is outside of the image`,
      "x and y are the middle of the box, as shares of the image from its upper left corner",
    );
  }
  // What is too small for 32 bits has no size, either.
  if (Math.fround(width) > 0 && Math.fround(height) > 0) return;
  throw new DataError(
    `${place}: a box of size ${width} x ${height} has no area`,
    "remove the line, or give the box its width and height",
  );
}

/** What a line of another format probably is. */
function adviceOn(line: string, words: readonly string[], numbers: readonly number[]): string {
  if (/[,;]/.test(line)) return "separate the numbers by spaces";
  if (!Number.isFinite(numbers[0]) && numbers.slice(1).every(Number.isFinite)) {
    return "classes are numbers from 0; `classes=[...]` of `boxes` names them";
  }
  if (words.length === 6)
    return "a sixth number, such as the score of a prediction, is not part of it";
  const isOutline = words.length > 6 && words.length % 2 === 1;
  return isOutline
    ? "a class and the corners of an outline are a segmentation: write its middle and size"
    : "x and y are the middle of the box; all but the class are shares of the image";
}
