/** Transforms give torchvision's images, for sizes of all kinds (torchvision/make.py). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Transform } from "../../program/transforms.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import { patternImage } from "./pattern.js";

type Case = Transform & {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Bytes in hexadecimal. */
  readonly bytes?: string;
  /** Every fifth value. */
  readonly floats?: readonly number[];
};

const cases = JSON.parse(
  readFileSync(new URL("torchvision/expected.json", import.meta.url), "utf8"),
) as readonly Case[];

const kinds = [...new Set(cases.map(({ kind }) => kind))];

test("there are cases of each kind", () => {
  const expected = [
    ...["center_crop", "ten_crop", "resize", "random_resized_crop", "hflip", "vflip"],
    ...["normalize", "color_jitter", "affine"],
  ];
  expect(kinds).toEqual(expected);
});

test.each(kinds)("%s", (kind) => {
  for (const each of cases.filter((one) => one.kind === kind)) {
    const { width, height, channels, bytes, floats, ...transform } = each;
    const image = patternImage(width, height, channels);
    const { pixels, maximum } = applyTransforms(image, [transform], {
      seed: 1,
      epoch: 0,
      example: 0,
    });
    const what = JSON.stringify({ ...transform, width, height });
    if (bytes !== undefined) expect(Buffer.from(pixels).toString("hex"), what).toBe(bytes);
    floats?.forEach((value, index) =>
      expect(pixels[5 * index]! / maximum, what).toBeCloseTo(value, 4),
    );
  }
});
