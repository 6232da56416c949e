/** Numbers as small PNGs. */
import sharp from "sharp";
import type { PageImage } from "../../report/inside-page.js";

/** Values of an image, row-major, with its size. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

type Color = readonly [red: number, green: number, blue: number];

/** Even steps of matplotlib's color map `inferno`. */
const INFERNO: readonly Color[] = [
  [0, 0, 4],
  [40, 11, 84],
  [101, 21, 110],
  [159, 42, 99],
  [212, 72, 66],
  [245, 125, 21],
  [250, 193, 39],
  [252, 255, 164],
];

/** A channel from its smallest value to its largest; a constant one is dark. */
export async function drawChannel({ width, height, values }: Plane): Promise<PageImage> {
  const smallest = values.reduce((least, value) => Math.min(least, value), Infinity);
  const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const range = largest - smallest || 1;
  const pixels = Uint8Array.from({ length: 3 * values.length }, (_, index) => {
    const share = (values[Math.floor(index / 3)]! - smallest) / range;
    return colorAt(share)[index % 3]!;
  });
  return encode(pixels, { width, height, channels: 3 });
}

/** A map that lies over a picture: clear at 0, bright at its largest value. */
export async function drawMap({ width, height, values }: Plane): Promise<PageImage> {
  const largest = values.reduce((most, value) => Math.max(most, value), 0) || 1;
  const pixels = new Uint8Array(4 * values.length);
  values.forEach((value, index) => {
    const share = value / largest;
    pixels.set([...colorAt(share), Math.round(255 * Math.min(1, 1.5 * share))], 4 * index);
  });
  return encode(pixels, { width, height, channels: 4 });
}

/** Bytes of gray or RGB pixels as they are. */
export function encode(
  pixels: Uint8Array,
  { width, height, channels }: { width: number; height: number; channels: 1 | 3 | 4 },
): Promise<PageImage> {
  const image = sharp(pixels, { raw: { width, height, channels } });
  const png = image.png({ compressionLevel: 9, palette: false }).toBuffer();
  return png.then((bytes) => {
    return { url: `data:image/png;base64,${bytes.toString("base64")}`, width, height };
  });
}

/** Of a share from 0 to 1, between two steps of the color map. */
function colorAt(share: number): Color {
  const place = Math.min(Math.max(share, 0), 1) * (INFERNO.length - 1);
  const step = Math.min(Math.floor(place), INFERNO.length - 2);
  const [from, to] = [INFERNO[step]!, INFERNO[step + 1]!];
  const mixed = from.map((part, index) => part + (place - step) * (to[index]! - part));
  return mixed.map(Math.round) as unknown as Color;
}
