/** Image files to pixels, through sharp (libvips), whose thread pool decodes several at once. */
import type { Image } from "../../data/dataset.js";
import { convertChannels } from "../../data/image.js";

/**
 * The picture in `bytes` as 8-bit grey or RGB. The camera's orientation is applied, transparency goes over white, CMYK and embedded
 * profiles come to sRGB, 16 bits to 8. Rejects where the file is truncated, damaged, or no image.
 */
export async function decodeImage(bytes: Uint8Array, channels: 1 | 3): Promise<Image> {
  const { default: sharp } = await import("sharp");
  // "error" tolerates the harmless warnings (stray bytes, odd profiles) of which photo collections are full.
  const { data, info } = await sharp(bytes, { failOn: "error" })
    .autoOrient()
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const image = { width: info.width, height: info.height, pixels, maximum: 255 };
  return convertChannels({ ...image, channels: info.channels }, channels);
}
