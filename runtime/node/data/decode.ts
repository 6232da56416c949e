/** Image files to pixels, through sharp (libvips) where it reads them. */
import type { Image } from "../../data/dataset.js";
import { convertChannels } from "../../data/image.js";
import { decodePlain } from "./plain-formats.js";
import { importPackage } from "../import-package.js";

/** Larger pictures would take more than 300 MB each while they are decoded. */
const MOST_PIXELS = 100_000_000;

export interface DecodedImage {
  readonly image: Image;
  /** More than 1 in an animation, of which the image is the first. */
  readonly frames: number;
}

/** Endings of the files that are read as images. */
export const IMAGE_ENDINGS = [
  ...["jpg", "jpeg", "png", "webp", "avif", "gif", "tif", "tiff"],
  ...["bmp", "ppm", "pgm"],
];

/**
 * The picture in `bytes` as 8-bit gray or RGB. The camera's orientation is applied, transparency
 * goes over white, 16 bits come to 8 and CMYK to sRGB. Numbers of RGB and gray images are taken as
 * they are, whatever profile is embedded, as Pillow and so torchvision take them: weights are
 * trained on these. Rejects, in words for the user, where the file is empty, truncated, damaged,
 * too large or no image.
 */
export async function decodePicture(bytes: Uint8Array, channels: 1 | 3): Promise<DecodedImage> {
  if (bytes.length === 0) throw new Error("the file is empty");
  try {
    const plain = await decodePlain(bytes, refuseTooLarge);
    if (!plain) return await decodeWithSharp(bytes, channels);
    return { image: convertChannels({ ...plain, maximum: 255 }, channels), frames: 1 };
  } catch (error) {
    throw new Error(describeFailure((error as Error).message), { cause: error });
  }
}

async function decodeWithSharp(bytes: Uint8Array, channels: 1 | 3): Promise<DecodedImage> {
  const { default: sharp } = (await importPackage("sharp")) as typeof import("sharp");
  // "error" tolerates the harmless warnings (stray bytes, odd profiles) of which photo collections
  // are full.
  const options = { failOn: "error", limitInputPixels: false } as const;
  const about = await sharp(bytes, options).metadata();
  const { width, height, pages: frames = 1, pageHeight = height, space, orientation = 1 } = about;
  refuseTooLarge(width, pageHeight);
  // What CMYK looks like, only a profile says.
  let picture = sharp(bytes, { ...options, ignoreIcc: space !== "cmyk" });
  if (orientation !== 1) picture = picture.autoOrient();
  if (about.hasAlpha) picture = picture.flatten({ background: "#ffffff" });
  const { data, info } = await picture
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const image = { width: info.width, height: info.height, pixels, maximum: 255 };
  return { image: convertChannels({ ...image, channels: info.channels }, channels), frames };
}

/** What libraries say, after what it means. */
export function describeFailure(message: string): string {
  const said = message.trim().split("\n")[0]!;
  const [, meaning] = MEANINGS.find(([pattern]) => pattern.test(said)) ?? [];
  const isEmpty = /^(unknown error)?$/i.test(said);
  return (meaning ?? "it is damaged or truncated") + (isEmpty ? "" : ` (${said})`);
}

const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/unsupported image format/, "it is not an image, or its format is not supported"],
  [/unsupported|not supported/i, "its format is not supported"],
  [/premature end/, "it is truncated"],
  [/pixels are/, "it is too large"],
];

/** The same without the count of frames. */
export async function decodeImage(bytes: Uint8Array, channels: 1 | 3): Promise<Image> {
  return (await decodePicture(bytes, channels)).image;
}

/** Throws where a picture has more pixels than are decoded. */
export function refuseTooLarge(width: number, height: number): void {
  if (width * height <= MOST_PIXELS) return;
  const megapixels = (width * height) / 1e6;
  throw new Error(
    `${width}x${height} pixels are ${megapixels.toFixed(1)} megapixels, ` +
      `and at most ${MOST_PIXELS / 1e6} are decoded: scale it down first`,
  );
}
