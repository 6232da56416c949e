import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Dataset, Image } from "../../runtime/data/dataset.js";

/** A picture by formula, so that other programs can make it too. */
export function patternImage(width: number, height: number, channels: 1 | 3 = 3): Image {
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0, index = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        pixels[index++] = (x * 37 + y * 91 + channel * 53 + ((x * y * 7) % 101)) % 256;
      }
    }
  }
  return { width, height, channels, pixels, maximum: 255 };
}

/**
 * A dataset whose example `i` is a gray image of the given side filled with `i`; those in `missing`
 * do not decode.
 */
export function countingDataset(
  length: number,
  side = 2,
  missing: readonly number[] = [],
): Dataset {
  const get = (index: number) => {
    if (missing.includes(index)) return Promise.resolve(undefined);
    const pixels = new Uint8Array(side * side).fill(index);
    const image = { width: side, height: side, channels: 1, pixels, maximum: 1 };
    return Promise.resolve({ image, label: index % 3 });
  };
  return { name: "counting", classes: ["a", "b", "c"], length, get };
}

/** A folder that is removed when the test file is done. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "netc-test-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
