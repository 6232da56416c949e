/** Examples of the eval split that a report shows as pictures. */
import type { Dataset } from "../../../runtime/data/dataset.js";

/** Pictures that are shown, spread evenly over the split. */
const EXAMPLES = 8;

/** Their places in the split. */
export function placesOf({ length }: Pick<Dataset, "length">): readonly number[] {
  const count = Math.min(EXAMPLES, length);
  return Array.from({ length: count }, (_, index) => Math.floor((index * length) / count));
}

/** RGB bytes as a `data:` address: PNG where JPEG would blur the few pixels there are. */
export async function addressOf(
  picture: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<string> {
  const { default: sharp } = await import("sharp");
  const raw = sharp(picture, { raw: { width, height, channels: 3 } });
  const isSmall = Math.max(width, height) <= 128;
  const encoded = await (isSmall ? raw.png() : raw.jpeg({ quality: 80 })).toBuffer();
  return dataAddress(isSmall ? "png" : "jpeg", encoded);
}

export const dataAddress = (format: string, bytes: Buffer): string =>
  `data:image/${format};base64,${bytes.toString("base64")}`;
