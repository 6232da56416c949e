/** A browser's pictures by the loops that Node uses, from a canvas. */
import type { Preparation } from "../../program/program.js";
import type { Image } from "../data/dataset.js";
import { convertChannels } from "../data/image.js";
import { stageImages, transformBefore } from "./by-loops.js";
import { channelsOf, nameOf } from "./eval-split.js";
import type { PreparedPictures } from "./picture.js";

/** Pictures that the device cannot resize, in their order. */
export function stageBitmaps(
  preparation: Preparation,
  bitmaps: readonly ImageBitmap[],
): PreparedPictures {
  const names = bitmaps.map((_, index) => nameOf(index, bitmaps.length));
  const images = bitmaps.map((bitmap, index) =>
    transformBefore(preparation, readPixels(bitmap, channelsOf(preparation)), index),
  );
  return stageImages(preparation, images, names);
}

/** The pixels of a bitmap over white, through a canvas. */
function readPixels(bitmap: ImageBitmap, channels: 1 | 3): Image {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", {
    alpha: false,
    willReadFrequently: true,
  })!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    pixels[to] = data[from]!;
    pixels[to + 1] = data[from + 1]!;
    pixels[to + 2] = data[from + 2]!;
  }
  return convertChannels({ width, height, channels: 3, pixels, maximum: 255 }, channels);
}
