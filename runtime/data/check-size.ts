/** Whether images have the size that a network takes. */
import type { Image, InputShape } from "./dataset.js";
import { DataError } from "./error.js";
import type { Staging } from "./stage.js";

/** Throws DataError unless an image is what a batch takes; `name`: of what gives it. */
export function checkSize(
  name: string,
  image: Image,
  { shape, images }: Pick<Staging, "shape" | "images">,
): void {
  const { channels, height, width } = shape;
  if (image.channels !== channels) {
    throw new DataError(
      `${name} gives images of ${image.channels} channels, ` +
        `but the network's input has ${channels}`,
    );
  }
  if (image.height === height * images && image.width === width) return;
  throw new DataError(
    `${name} gives images of ${image.width}x${image.height} pixels ` +
      `(width x height) after its transforms, but the network's input is ${width}x${height}`,
    sizeHint(image, shape),
  );
}

/** Which transforms bring such an image to the network's size. */
function sizeHint(image: Image, { height, width }: InputShape): string {
  const isSquare = image.width === image.height;
  const transforms =
    height !== width
      ? `resize([${height}, ${width}])`
      : isSquare
        ? `resize(${width})`
        : `resize(${width}) -> center_crop(${width})`;
  return `add \`${transforms}\` to the split's transforms`;
}
