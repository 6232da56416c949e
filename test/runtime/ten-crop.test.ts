/** Pictures of a network whose eval split has `ten_crop`: the mean over ten crops of each. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import type { Transform } from "../../program/transforms.js";
import { cropImage, flipImage } from "../../runtime/data/image.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import { createNetwork, decodeImage, fit, InputError, type Network } from "../../runtime/index.js";
import { createNetwork as createPredictor } from "../../runtime/predict-node.js";
import { overViews } from "../../runtime/training/views.js";

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const photograph = join(import.meta.dirname, "../data/photograph/photograph.jpg");
const open: { destroy(): void }[] = [];
afterAll(() => open.forEach((network) => network.destroy()));

const [MEAN, STD] = [
  [0.4, 0.5, 0.6],
  [0.2, 0.3, 0.4],
] as const;
const NORMALIZE = " -> normalize(mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.4])";

interface Variant {
  readonly ending?: string;
  readonly crop?: string;
}

const specOf = ({ ending = ENDING, crop = "ten_crop(12)" }: Variant) => `model Small {
  input  image: f32[N, 3, 12, 12]
  ${ending}
}
data Photographs for Small {
  train folder("photos") { resize(14) -> center_crop(12) }
  eval  folder("photos") { resize(14) -> ${crop}${NORMALIZE} }
}
train Base of Small on Photographs {
  epochs    = 1
  batch     = 4
  optimizer = sgd(lr=0.1)
}`;

const ENDING = `target label: u32[N] in 0..3
  conv(4, kernel=3) -> relu -> flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)`;
const SEVERAL = `target label: u32[N] in 0..3
  conv(4, kernel=3) -> relu -> flatten -> linear(5) as hidden -> relu -> linear(3) as logits
  from hidden -> linear(3) as early
  output logits, hidden, early
  loss   cross_entropy(logits, label) + 0.3 * cross_entropy(early, label)`;
/** Without a target, the output is the last value. */
const SOFTMAX = `conv(4, kernel=3) -> relu -> flatten -> linear(3) as logits -> softmax
  loss   mean(logits^2)`;
const VALUES = SOFTMAX.replace(" -> softmax", "");

function compiled(variant: Variant, predictOnly = false) {
  const result = compile(specOf(variant), { file: "small.net", predictOnly });
  expect(result.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return result;
}

async function create(options: object = {}, variant: Variant = {}): Promise<Network> {
  const { programs } = compiled(variant);
  const network = await createNetwork(programs, { adapter, batch: 4, seed: 3, ...options });
  open.push(network);
  return network;
}

/** The ten inputs of a picture, cut one by one; the middle of the image itself is the fifth. */
async function cropsOf(bytes: Uint8Array): Promise<Float32Array[]> {
  const decoded = await decodeImage(bytes, 3);
  const resize = { kind: "resize", size: 14 } as unknown as Transform;
  const image = applyTransforms(decoded, [resize], { seed: 0, epoch: 0, example: 0 });
  const [right, bottom] = [image.width - 12, image.height - 12];
  const middle = [right / 2, bottom / 2] as const;
  // No middle between two pixels, which would have to be rounded as torchvision does it.
  expect(middle.every(Number.isInteger)).toBe(true);
  const corners = [0, right].flatMap((left) => [0, bottom].map((top) => [left, top] as const));
  return [image, flipImage(image, "horizontal")].flatMap((each) =>
    [...corners, middle].map(([left, top]) => {
      const { pixels } = cropImage(each, { left, top, width: 12, height: 12 });
      return Float32Array.from({ length: 432 }, (_, at) => {
        const channel = Math.floor(at / 144);
        return (pixels[(at % 144) * 3 + channel]! / 255 - MEAN[channel]!) / STD[channel]!;
      });
    }),
  );
}

/** The mean of the crops' probabilities, each of a separate call. */
async function meanOver(
  network: { predict(image: Float32Array): Promise<Float32Array> },
  crops: readonly Float32Array[],
): Promise<number[]> {
  const mean = [0, 0, 0];
  for (const crop of crops) {
    const exponentials = [...(await network.predict(crop))].map(Math.exp);
    const sum = exponentials.reduce((a, b) => a + b);
    exponentials.forEach((value, index) => (mean[index]! += value / sum / crops.length));
  }
  return mean;
}

/** Different pictures, as calls take them, and the ten inputs of each. */
const pictures: (string | Uint8Array | Blob)[] = [photograph];
const crops: Float32Array[][] = [];
beforeAll(async () => {
  const turned = await sharp(photograph).rotate(90).png().toBuffer();
  const dark = await sharp(photograph).resize(60, 30).linear(0.4, 5).png().toBuffer();
  pictures.push(turned, new Blob([new Uint8Array(dark)]));
  for (const bytes of [await readFile(photograph), turned, dark]) crops.push(await cropsOf(bytes));
});

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => expect(actual[index]!).toBeCloseTo(value, 5));
}

test.each([
  ["a batch of four", {}],
  ["a batch of one", { batch: 1 }],
  ["a batch that ten does not divide", { batch: 7 }],
  ["slices of one", { accumulate: 4 }],
])("classify gives the mean over ten crops: %s", async (_, options) => {
  const network = await create(options);
  const wanted = await meanOver(network, crops[0]!);
  const classes = await network.classify(photograph);
  for (const { index, probability } of classes) expect(probability).toBeCloseTo(wanted[index]!, 5);
  const [one] = await meanOver(network, [crops[0]![4]!]);
  // The crops differ: the middle one alone is another answer.
  expect(Math.abs(one! - wanted[0]!)).toBeGreaterThan(1e-3);
});

test("lists have a row for each picture, in their order, and count pictures", async () => {
  const network = await create({ batch: 3 });
  const rows = await network.predict(pictures);
  expect(rows.length).toBe(9);
  const listed = await network.classify(pictures);
  for (const [place, own] of crops.entries()) {
    const wanted = await meanOver(network, own);
    expectClose(rows.subarray(3 * place, 3 * place + 3).map(Math.exp), wanted);
    for (const { index, probability } of listed[place]!) {
      expect(probability).toBeCloseTo(wanted[index]!, 5);
    }
  }
  expect(await network.classify([photograph])).toHaveLength(1);
  await expect(network.predict([...pictures, photograph])).rejects.toThrow("holds 4 examples");
  await expect(network.predict([])).rejects.toThrow("the list of pictures is empty");
});

test("predict gives what `netc predict` gives of the same crops", async () => {
  const network = await create({ batch: 10 });
  const judge = overViews(network, [{ kind: "ten_crop", size: 12 }]);
  const all = crops[0]!.flatMap((crop) => [...crop]);
  const wanted = (await judge.predict(Float32Array.from(all))) as Float32Array;
  expectClose(await network.predict(photograph), [...wanted]);
});

test("of several outputs, each has its mean, and classify reads the first", async () => {
  const network = await create({ batch: 10 }, { ending: SEVERAL });
  const predict = async (image: unknown) =>
    (await network.predict(image as Float32Array)) as unknown as Record<string, Float32Array>;
  const own = await Promise.all(crops[0]!.map(predict));
  const { logits, hidden, early } = await predict(photograph);
  const meanOf = (name: string) =>
    Array.from(own[0]![name]!, (_, at) => own.reduce((sum, row) => sum + row[name]![at]! / 10, 0));
  expectClose(hidden!, meanOf("hidden"));
  for (const [name, rows] of Object.entries({ logits: logits!, early: early! })) {
    const predictor = { predict: async (image: Float32Array) => (await predict(image))[name]! };
    expectClose(rows.map(Math.exp), await meanOver(predictor, crops[0]!));
  }
  for (const { index, probability } of await network.classify(photograph)) {
    expect(probability).toBeCloseTo(Math.exp(logits![index]!), 5);
  }
});

test("a model that ends in softmax, and one that only predicts", async () => {
  const ending = await create({}, { ending: SOFTMAX });
  const plain = await create();
  const wanted = await meanOver(plain, crops[1]!);
  expectClose(await ending.predict(pictures[1]!), wanted);
  const predictor = await createPredictor(compiled({}, true).programs, { adapter, batch: 2 });
  open.push(predictor);
  await predictor.load(await plain.save());
  expectClose((await predictor.predict(pictures[1]!)).map(Math.exp), wanted);
  const [first, second] = await predictor.classify([photograph, pictures[1]!]);
  expect(first).toHaveLength(3);
  for (const { index, probability } of second!) expect(probability).toBeCloseTo(wanted[index]!, 5);
  await expect(predictor.predict(pictures)).rejects.toThrow("holds 3 examples");
});

test("arrays are single images, and calls keep their order", async () => {
  const network = await create();
  const wanted = await meanOver(network, crops[0]!);
  const [picture, , after] = [
    network.predict(photograph),
    network.step(crops[1]![0]!, [1]),
    network.predict(photograph),
  ];
  expectClose((await picture).map(Math.exp), wanted);
  expectClose((await after).map(Math.exp), await meanOver(network, crops[0]!));
  expect((await network.predict(crops[0]![0]!)).length).toBe(3);
});

test("other calls take one image of each picture, and say so", async () => {
  const network = await create();
  const { recipe } = compiled({});
  const calls = [
    () => network.evaluate(photograph, [1]),
    () => network.step([photograph, photograph], [1, 2]),
    () => fit(network, [{ images: [photograph], targets: [1] }], recipe!),
    () => network.inspectCall("predict", { images: photograph }, () => Promise.resolve()),
  ];
  for (const call of calls) {
    await expect(call()).rejects.toThrow(InputError);
    await expect(call()).rejects.toThrow(
      /only `predict` and `classify` average them, so use `center_crop`/,
    );
  }
});

test("numbers have no mean over crops", async () => {
  const network = await create({}, { ending: VALUES });
  await expect(network.predict(photograph)).rejects.toThrow(InputError);
  await expect(network.predict(photograph)).rejects.toThrow(
    "expected an output with scores of classes",
  );
});

test("a module that an earlier netc compiled is to be compiled again", async () => {
  const programs = compiled({}).programs.map(({ preparations, ...program }) => {
    const evaluation = { ...preparations!.eval! };
    Reflect.deleteProperty(evaluation, "crops");
    return { ...program, preparations: { ...preparations, eval: evaluation } };
  });
  const network = await createNetwork(programs, { adapter });
  open.push(network);
  await expect(network.classify(photograph)).rejects.toThrow(/compile small\.net again/);
});

test("only programs with `ten_crop` say how many crops there are", () => {
  const crops = (variant: Variant) => compiled(variant).programs[0]!.preparations!.eval!.crops;
  expect(crops({})).toBe(10);
  expect(crops({ crop: "center_crop(12)" })).toBeUndefined();
  expect(compiled({ crop: "center_crop(12)" }).module).not.toContain("crops");
});
