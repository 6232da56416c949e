/** The kernels of a network's first convolution as pictures. */
import type { Filters } from "../../../report/data.js";
import type { Network } from "../../../runtime/network.js";

/** More filters than anyone looks at. */
const MAX_FILTERS = 256;

/**
 * Undefined for a network whose first convolution does not read gray or RGB images, or has kernels
 * of 1x1.
 */
export async function readFilters(
  network: Pick<Network, "parameters" | "read">,
): Promise<Filters | undefined> {
  const first = network.parameters.find(({ shape }) => shape.length === 4);
  if (first === undefined) return undefined;
  const [outputs, channels, height, width] = first.shape as [number, number, number, number];
  if ((channels !== 1 && channels !== 3) || height * width === 1) return undefined;
  const values = await network.read(first.name);
  const count = Math.min(outputs, MAX_FILTERS);
  const size = channels * height * width;
  const pixels = new Uint8Array(count * size);
  for (let filter = 0; filter < count; filter++) {
    const own = values.subarray(filter * size, (filter + 1) * size);
    pixels.set(toPixels(own, channels), filter * size);
  }
  const { name } = first;
  return { name, width, height, channels, count, pixels: Buffer.from(pixels).toString("base64") };
}

/**
 * Planes of weights to interleaved bytes: zero becomes gray, the largest magnitude black or white.
 */
function toPixels(planes: Float32Array, channels: number): Uint8Array {
  const largest = planes.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  const area = planes.length / channels;
  return Uint8Array.from(planes, (_, index) => {
    const value = planes[(index % channels) * area + Math.floor(index / channels)]!;
    return Math.round(127.5 + (127.5 * value) / largest);
  });
}
