/** Image files to pixels, through sharp (libvips). */
import type { Image } from "../../data/dataset.js";
import { convertChannels } from "../../data/image.js";

/** Larger pictures would take more than 300 MB each while they are decoded. */
const MOST_PIXELS = 100_000_000;

export interface DecodedImage {
  readonly image: Image;
  /** More than 1 in an animation, of which the image is the first. */
  readonly frames: number;
}

/**
 * The picture in `bytes` as 8-bit grey or RGB. The camera's orientation is applied, transparency goes over white, CMYK and embedded
 * profiles come to sRGB, 16 bits to 8. Rejects, in words for the user, where the file is empty, truncated, damaged, too large or no image.
 */
export async function decodePicture(bytes: Uint8Array, channels: 1 | 3): Promise<DecodedImage> {
  if (bytes.length === 0) throw new Error("the file is empty");
  const { default: sharp } = await import("sharp");
  // "error" tolerates the harmless warnings (stray bytes, odd profiles) of which photo collections are full.
  const picture = sharp(bytes, { failOn: "error", limitInputPixels: false });
  const { width, height, pages = 1, pageHeight = height } = await picture.metadata();
  if (width * pageHeight > MOST_PIXELS) throw tooLarge(width, pageHeight);
  const { data, info } = await picture
    .autoOrient()
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const image = { width: info.width, height: info.height, pixels, maximum: 255 };
  return { image: convertChannels({ ...image, channels: info.channels }, channels), frames: pages };
}

/** The same without the count of frames. */
export async function decodeImage(bytes: Uint8Array, channels: 1 | 3): Promise<Image> {
  return (await decodePicture(bytes, channels)).image;
}

function tooLarge(width: number, height: number): Error {
  const megapixels = (width * height) / 1e6;
  return new Error(
    `${width}x${height} pixels are ${megapixels.toFixed(1)} megapixels, and at most ${MOST_PIXELS / 1e6} are decoded: scale it down beforehand`,
  );
}
