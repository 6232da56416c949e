/** Transforms that are left to chance: `one_of` and `random_apply`. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import type { Transform } from "../../program/transforms.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import { transformBoxes } from "../../runtime/data/boxes.js";
import type { Dataset, Image } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/loader.js";
import { transformMask } from "../../runtime/data/masks.js";
import { keepInMemory } from "../../runtime/data/memory.js";

const specOf = (train: string, split = "train") => `
  model Images {
    input  image: f32[N, 1, 4, 4]
    target label: u32[N] in 0..2
    flatten -> linear(2) as logits
    loss cross_entropy(logits, label)
  }
  data Pictures for Images {
    train folder("pictures") { ${split === "train" ? train : "resize([4, 4])"} }
    eval folder("others") { ${split === "eval" ? train : "resize([4, 4])"} }
  }
  train Base of Images on Pictures {
    epochs    = 1
    batch     = 5
    optimizer = sgd(lr=0.1)
  }`;

function transformsOf(train: string): readonly Transform[] {
  const { diagnostics, programs } = compile(specOf(train), { file: "m.net" });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return programs[0]!.preparations!.train!.transforms;
}

const messagesOf = (train: string, split?: string) =>
  compile(specOf(train, split), { file: "m.net" }).diagnostics.map(
    ({ code, message }) => `${code} ${message}`,
  );

const PICTURE: Image = {
  width: 4,
  height: 4,
  channels: 1,
  maximum: 255,
  pixels: Uint8Array.from({ length: 16 }, (_, at) => at * 7),
};

/** The first pixel after each transform on an image of different pixels says which was drawn. */
const NAMES: Readonly<Record<number, string>> = {
  0: "none",
  [3 * 7]: "hflip",
  [12 * 7]: "vflip",
  [15 * 7]: "both",
};

function drawn(train: string, count: number): Readonly<Record<string, number>> {
  const transforms = transformsOf(`resize([4, 4]) -> ${train}`);
  const counts: Record<string, number> = { none: 0, hflip: 0, vflip: 0, both: 0 };
  for (let example = 0; example < count; example++) {
    const { pixels } = applyTransforms(PICTURE, transforms, { seed: 5, epoch: 1, example });
    counts[NAMES[pixels[0]!]!]!++;
  }
  return counts;
}

/** Six standard deviations of a share of this many images. */
const near = (share: number, count: number) => 6 * Math.sqrt((share * (1 - share)) / count);

test.each([
  ["one_of(hflip(1), vflip(1))", { none: 0, hflip: 0.5, vflip: 0.5, both: 0 }],
  [
    "one_of(hflip(1), vflip(1), identity, probabilities=[0.6, 0.3, 0.1])",
    { none: 0.1, hflip: 0.6, vflip: 0.3, both: 0 },
  ],
  [
    "random_apply(hflip(1), vflip(1), probability=0.3)",
    { none: 0.7, hflip: 0, vflip: 0, both: 0.3 },
  ],
  [
    "random_apply(hflip(1)) -> random_apply(vflip(1))",
    { none: 0.25, hflip: 0.25, vflip: 0.25, both: 0.25 },
  ],
  [
    "one_of(random_apply(hflip(1), vflip(1), probability=1), one_of(hflip(1), vflip(1)))",
    { none: 0, hflip: 0.25, vflip: 0.25, both: 0.5 },
  ],
  ["one_of(hflip(1), vflip(1), probabilities=[0, 1])", { none: 0, hflip: 0, vflip: 1, both: 0 }],
  ["random_apply(hflip(1), probability=0)", { none: 1, hflip: 0, vflip: 0, both: 0 }],
])("%s draws as torchvision does", (train, shares) => {
  const count = 4000;
  const counts = drawn(train, count);
  for (const [name, share] of Object.entries(shares)) {
    const error = Math.abs(counts[name]! / count - share);
    expect(error, `${name}: ${counts[name]}`).toBeLessThanOrEqual(near(share, count));
  }
});

test("masks and boxes have what their picture has", () => {
  const transforms = transformsOf(
    "resize([4, 4]) -> one_of(hflip(1), vflip(1), identity) -> random_apply(hflip(1))",
  );
  const seen = new Set<number>();
  for (let example = 0; example < 50; example++) {
    const key = { seed: 5, epoch: 1, example };
    const image = applyTransforms(PICTURE, transforms, key);
    const mask = transformMask(
      { ...PICTURE, channels: 1, pixels: PICTURE.pixels as Uint8Array, ignore: undefined },
      transforms,
      key,
    );
    expect([...mask.pixels]).toEqual([...image.pixels]);
    const corner = { label: 0, left: 0, top: 0, right: 1, bottom: 1 };
    const boxes = { width: 4, height: 4, most: 1, items: [corner] };
    const [box] = transformBoxes(boxes, transforms, key).items;
    expect(image.pixels[box!.top * 4 + box!.left]).toBe(0);
    seen.add(image.pixels[0]!);
  }
  expect(seen.size).toBeGreaterThanOrEqual(3);
});

const pictures = (length: number): Dataset => ({
  name: "pictures",
  classes: ["a", "b"],
  length,
  pixels: "bytes",
  get: (index) => Promise.resolve({ image: PICTURE, label: index % 2 }),
});

test("mixtures are drawn for each batch, in any parts and from any start", async () => {
  const transforms = transformsOf("resize([4, 4]) -> one_of(cutmix, random_apply(mixup(0.3)))");
  expect(transforms.at(-1)).toMatchObject({
    of: [
      { kind: "cutmix", alpha: 1, to: 0.5 },
      { kind: "mixup", alpha: 0.3, to: 0.75 },
      { kind: "identity", to: 1 },
    ],
  });
  const shape = { channels: 1, height: 4, width: 4 };
  const options = { batch: 8, shape, transforms, seed: 3, epoch: 2, shuffle: true };
  const sharesOf = async (more: object) => {
    const shares: number[][] = [];
    for await (const { targets } of loadBatches(pictures(8 * 60), { ...options, ...more }))
      shares.push([...(targets as unknown as { shares: Float32Array }).shares]);
    return shares;
  };
  const whole = await sharesOf({});
  const kinds = whole.map((shares) => {
    if (shares.every((share) => share === 1)) return "identity";
    // Parts of 16 pixels that are cut.
    return shares.every((share) => Number.isInteger(share * 16)) ? "cutmix" : "mixup";
  });
  const count = (kind: string) => kinds.filter((each) => each === kind).length;
  expect([count("cutmix"), count("mixup"), count("identity")].map((each) => each > 7)).toEqual([
    true,
    true,
    true,
  ]);
  expect(count("cutmix")).toBeGreaterThan(count("mixup"));
  expect(await sharesOf({ start: 17 })).toEqual(whole.slice(17));
  const halves = [0, 1].map((rank) => sharesOf({ part: { rank, size: 2 } }));
  const [first, second] = (await Promise.all(halves)) as [number[][], number[][]];
  expect(first.map((shares, at) => [...shares, ...second[at]!])).toEqual(whole);
});

test("what is left to chance is not kept in memory", async () => {
  const dataset = keepInMemory(pictures(4), 1000);
  const transforms = transformsOf("one_of(resize([4, 4]), random_resized_crop(4))");
  const seen = new Set<string>();
  for (let epoch = 0; epoch < 12; epoch++) {
    const stage = { transforms, key: { seed: 1, epoch, example: 0 } };
    const example = await dataset.prepare!(0, stage);
    seen.add(String(example!.image.pixels));
  }
  expect(seen.size).toBeGreaterThan(3);
});

test.each([
  ["one_of()", "NET1007 `one_of` needs transforms in its parentheses"],
  [
    "one_of(hflip)",
    "NET1007 `one_of` needs at least 2 transforms to choose from, but has only `hflip`",
  ],
  ["random_apply()", "NET1007 `random_apply` needs transforms in its parentheses"],
  [
    "one_of(hflip, vflip, probabilities=[0.5, 0.4])",
    "NET1010 `probabilities` of `one_of` must sum to 1, not to 0.9",
  ],
  [
    "one_of(hflip, vflip, probabilities=[1.5, -0.5])",
    "NET1010 `probabilities` of `one_of` must be from 0 to 1, not [1.5, -0.5]",
  ],
  [
    "one_of(hflip, vflip, probabilities=[0.5, 0.3, 0.2])",
    "NET1010 `one_of` has 2 transforms, but 3 probabilities",
  ],
  [
    "one_of(hflip, vflip, probabilities=[])",
    "NET1010 `one_of` has 2 transforms, but 0 probabilities",
  ],
  [
    "one_of(hflip, 3)",
    "NET1009 each argument of `one_of` without a name must be a transform such as `hflip`, " +
      "not the number 3",
  ],
  ["one_of(hflip, normalize(mean=0.5, std=0.5))", "NET3040 `normalize` has no place in `one_of`"],
  [
    "one_of(hflip, mixup)",
    "NET3040 `mixup` mixes whole batches, but the choice is also between `hflip`",
  ],
  ["random_apply(mixup, cutmix)", "NET3040 `random_apply` mixes a batch twice"],
  [
    "random_apply(mixup_or_cutmix)",
    "NET3040 `mixup_or_cutmix` chooses for each image, " +
      "but a choice around it is for each batch",
  ],
  [
    "one_of(center_crop(3), hflip)",
    "NET3040 `one_of` gives images of different sizes: 3x3, or 4x4",
  ],
])("%s says what is wrong", (train, message) => {
  expect(messagesOf(`resize([4, 4]) -> ${train}`)).toEqual([message]);
});

test("an eval split leaves nothing to chance", () => {
  expect(messagesOf("resize([4, 4]) -> random_apply(hflip(1))", "eval")).toContain(
    "NET3040 `random_apply` changes images at random, which makes no sense in an eval split",
  );
});
