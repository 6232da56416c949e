/**
 * A photograph from its file to the network's size, compared with Pillow's and torchvision's
 * numbers (photograph/make.py).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Image } from "../../runtime/data/dataset.js";
import { resample } from "../../runtime/data/resample.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import { decodeImage } from "../../runtime/node/data/decode.js";

const folder = join(import.meta.dirname, "photograph");
const pillow = JSON.parse(await readFile(join(folder, "pillow.json"), "utf8")) as Record<
  string,
  number[]
>;
const photograph = await decodeImage(await readFile(join(folder, "photograph.jpg")), 3);
const KEY = { seed: 0, epoch: 0, example: 0 };

const made: Record<string, Image> = {
  decoded: photograph,
  "resize(64) -> center_crop(56)": applyTransforms(
    photograph,
    [
      { kind: "resize", size: 64 },
      { kind: "center_crop", size: 56 },
    ],
    KEY,
  ),
  "resize(160)": applyTransforms(photograph, [{ kind: "resize", size: 160 }], KEY),
  "cropped, then 48x48": resample(photograph, {
    from: { left: 31, top: 17, width: 84, height: 61 },
    to: { width: 48, height: 48 },
  }),
};

test.each(Object.keys(pillow))("%s: within 2 gray levels of Pillow", (name) => {
  const values = [...made[name]!.pixels].filter((_, index) => index % 41 === 0);
  expect(values.length).toBe(pillow[name]!.length);
  const differences = values.map((value, index) => Math.abs(value - pillow[name]![index]!));
  expect(Math.max(...differences)).toBeLessThanOrEqual(2);
  // The decoder is the same and the arithmetic is Pillow's: a difference anywhere is rare.
  expect(differences.filter((difference) => difference > 0).length).toBeLessThan(
    0.01 * values.length,
  );
});

test("a crop after a resize equals a crop of the whole image", () => {
  const whole = applyTransforms(photograph, [{ kind: "resize", size: 70 }], KEY);
  for (const kind of ["center_crop", "random_crop"] as const) {
    for (const [size, padding] of [
      [70, 0],
      [33, 0],
      [80, 10],
      [90, 12],
    ] as const) {
      const crop = { kind, size, padding };
      for (const example of [1, 2, 3]) {
        const at = { ...KEY, example };
        // The image at position 0 changes nothing: decisions are keyed by position.
        const after = applyTransforms(whole, [{ kind: "vflip", probability: 0 }, crop], at);
        const { pixels } = applyTransforms(photograph, [{ kind: "resize", size: 70 }, crop], at);
        expect(pixels).toEqual(after.pixels);
      }
    }
  }
});
