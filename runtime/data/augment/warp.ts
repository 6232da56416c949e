/** Images whose pixels come from other places: in between pixels, or the nearest one. */
import type { Image, Mask } from "../dataset.js";
import type { Size } from "../decide.js";
import { inWholeNumbers, type Row } from "../decide-drawn.js";
import { affineImage, roundHalfToEven, type AffinePlaces } from "../image.js";

/**
 * From a pixel of the result to the place in the image that its color comes from, in pixels from
 * the middle of the first.
 */
export type Origin = (column: number, row: number) => readonly [x: number, y: number];

/** torchvision's inverse matrix: from a place of the result to that in the image, both centered. */
export type Matrix = readonly [Row, Row];

export function originBy([first, second]: Matrix, { width, height }: Size): Origin {
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  return (column, row) => {
    const [x, y] = [column - middleX, row - middleY];
    return [
      first[0] * x + first[1] * y + first[2] + middleX,
      second[0] * x + second[1] * y + second[2] + middleY,
    ];
  };
}

/** The nearest pixels by a matrix, in whole numbers, and `outside` where there are none. */
export function nearestBy<Kind extends Image>(image: Kind, matrix: Matrix, outside = 0): Kind {
  return { ...image, ...affineImage(image, placesOf(matrix, image), outside) };
}

function placesOf([first, second]: Matrix, size: Size): AffinePlaces {
  const doubled = [
    [first[0], first[1], 2 * first[2] + size.width],
    [second[0], second[1], 2 * second[2] + size.height],
  ] as const;
  return inWholeNumbers(doubled, size);
}

/** A mask's labels by the nearest pixel, and `outside` where there are none. */
export function nearestLabels(mask: Mask, origin: Origin, outside: number): Mask {
  const { width, height } = mask;
  const pixels = mask.pixels.map((_, index) => {
    const [x, y] = origin(index % width, Math.floor(index / width));
    const [column, row] = [Math.round(x), Math.round(y)];
    const isInside = column >= 0 && row >= 0 && column < width && row < height;
    return isInside ? mask.pixels[row * width + column]! : outside;
  });
  return { ...mask, pixels };
}

/**
 * Bilinear, as torchvision's of tensors: zeros around the image. With `fades`, what lies partly
 * outside is darkened once more, as where torchvision is given a value to fill with.
 */
export function bilinearBy(image: Image, origin: Origin, { fades }: { fades: boolean }): Image {
  const { width, height, channels } = image;
  const pixels = image.pixels.slice();
  const isBytes = pixels instanceof Uint8Array;
  for (let at = 0; at < width * height; at++) {
    const corners = cornersOf(origin(at % width, Math.floor(at / width)), image);
    const inside = corners.reduce((sum, { weight }) => sum + weight, 0);
    for (let channel = 0; channel < channels; channel++) {
      let value = 0;
      for (const { pixel, weight } of corners)
        value += weight * image.pixels[pixel * channels + channel]!;
      if (fades) value *= inside;
      pixels[at * channels + channel] = isBytes ? roundHalfToEven(value) : value;
    }
  }
  return { ...image, pixels };
}

/** The pixels around a place, as far as they are in the image, and what each counts. */
function cornersOf([x, y]: readonly [number, number], { width, height }: Size) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [x - left, y - top];
  const corners = [
    { column: left, row: top, weight: (1 - right) * (1 - bottom) },
    { column: left + 1, row: top, weight: right * (1 - bottom) },
    { column: left, row: top + 1, weight: (1 - right) * bottom },
    { column: left + 1, row: top + 1, weight: right * bottom },
  ];
  return corners
    .filter(({ column, row }) => column >= 0 && row >= 0 && column < width && row < height)
    .map(({ column, row, weight }) => ({ pixel: row * width + column, weight }));
}
