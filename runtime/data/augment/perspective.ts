/** Images seen from another side: torchvision's RandomPerspective. */
import type { TransformOf } from "../../../program/transforms.js";
import type { Image, Mask } from "../dataset.js";
import type { Size } from "../decide.js";
import type { ExampleRandom } from "../random.js";
import { bilinearBy, nearestLabels, type Origin } from "./warp.js";

type Point = readonly [x: number, y: number];
type Perspective = TransformOf<"perspective">;

/** Where the corners of an image go; undefined where it stays as it is. */
export function cornersOf(
  { distortion, probability }: Perspective,
  { width, height }: Size,
  random: ExampleRandom,
): readonly Point[] | undefined {
  if (random.unit() >= probability) return undefined;
  const reach = (length: number) => Math.floor(distortion * Math.floor(length / 2));
  const near = (length: number) => random.below(reach(length) + 1);
  const far = (length: number) => length - 1 - near(length);
  return [
    [near(width), near(height)],
    [far(width), near(height)],
    [far(width), far(height)],
    [near(width), far(height)],
  ];
}

/** From a place of the result to that of the image, for corners that went to `ends`. */
export function originOf(ends: readonly Point[], { width, height }: Size): Origin {
  const starts: readonly Point[] = [
    [0, 0],
    [width - 1, 0],
    [width - 1, height - 1],
    [0, height - 1],
  ];
  const rows = ends.flatMap(([x, y], corner) => {
    const [u, v] = starts[corner]!;
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  const [a, b, c, d, e, f, g, h] = solve(rows) as [...Point, ...Point, ...Point, ...Point];
  return (column, row) => {
    // Places of pixels are those of their middles.
    const [x, y] = [column + 0.5, row + 0.5];
    const depth = g * x + h * y + 1;
    return [(a * x + b * y + c) / depth - 0.5, (d * x + e * y + f) / depth - 0.5];
  };
}

/** Gauss's elimination with pivots; the last column is the right side. */
function solve(rows: number[][]): readonly number[] {
  const count = rows.length;
  for (let column = 0; column < count; column++) {
    const best = rows
      .slice(column)
      .reduce((one, other) => (Math.abs(other[column]!) > Math.abs(one[column]!) ? other : one));
    rows.splice(rows.indexOf(best), 1);
    rows.splice(column, 0, best);
    for (const row of rows) {
      if (row === best) continue;
      const factor = row[column]! / best[column]!;
      for (let place = column; place <= count; place++) row[place]! -= factor * best[place]!;
    }
  }
  return rows.map((row, index) => row[count]! / row[index]!);
}

export function turnImage(image: Image, perspective: Perspective, random: ExampleRandom): Image {
  const ends = cornersOf(perspective, image, random);
  return ends ? bilinearBy(image, originOf(ends, image), { fades: true }) : image;
}

export function turnMask(
  mask: Mask,
  perspective: Perspective,
  random: ExampleRandom,
  outside: number,
): Mask {
  const ends = cornersOf(perspective, mask, random);
  return ends ? nearestLabels(mask, originOf(ends, mask), outside) : mask;
}
