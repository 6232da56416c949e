/** Pictures as calls take them in Node, and the kernels that resize them on devices. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { globals } from "webgpu";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import type { Program } from "../../program/program.js";
import type { Image } from "../../runtime/data/dataset.js";
import { convertChannels } from "../../runtime/data/image.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import {
  createNetwork,
  decodeImage,
  evaluateDataset,
  fit,
  InputError,
  WeightsError,
  type EpochReport,
  type Network,
} from "../../runtime/index.js";
import { evalPreparation, keyOf, transformsBefore } from "../../runtime/pictures/eval-split.js";
import { Resizer } from "../../runtime/pictures/resizer.js";
import { readBuffer } from "../../runtime/readback.js";
import { SIAMESE } from "../ports/siamese.js";

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const photograph = join(import.meta.dirname, "../data/photograph/photograph.jpg");
const networks: Network[] = [];
afterAll(() => networks.forEach((network) => network.destroy()));

interface Variant {
  readonly channels?: 1 | 3;
  readonly transforms?: string;
}

const specOf = ({ channels = 3, transforms = EVAL }: Variant) => `model Small {
  input  image: f32[N, ${channels}, 12, 12]
  target label: u32[N] in 0..3
  conv(4, kernel=3) as features -> relu -> flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
data Photographs for Small {
  train folder("photos") { resize(14) -> center_crop(12) }
  eval  folder("photos") { ${transforms} }
}
train Base of Small on Photographs {
  epochs    = 1
  batch     = 4
  optimizer = sgd(lr=0.1)
}`;

const EVAL =
  "resize(14) -> center_crop(12) -> normalize(mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.4])";
const CROPPED = "resize(14) -> center_crop(12)";

function programsOf(variant: Variant, classNames?: readonly string[]): readonly Program[] {
  const { programs, diagnostics } = compile(specOf(variant), { file: "small.net", classNames });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return programs;
}

async function open(variant: Variant = {}, options: object = {}): Promise<Network> {
  const network = await createNetwork(programsOf(variant), { adapter, batch: 4, ...options });
  networks.push(network);
  return network;
}

/** The input that the transforms in plain loops make of a picture. */
function floatsOf(image: Image, { program }: Network): Float32Array {
  const { transforms } = evalPreparation(program);
  const { pixels, channels, width, height, maximum } = applyTransforms(image, transforms, keyOf(0));
  const plane = width * height;
  return Float32Array.from({ length: plane * channels }, (_, at) => {
    return pixels[(at % plane) * channels + Math.floor(at / plane)]! / maximum;
  });
}

describe("pictures in Node", () => {
  let network: Network;
  let bytes: Uint8Array;
  let expected: Float32Array;
  beforeAll(async () => {
    network = await open();
    bytes = await readFile(photograph);
    expected = await network.predict(floatsOf(await decodeImage(bytes, 3), network));
  });

  test("a path, bytes and a Blob give what floats of the same transforms give", async () => {
    for (const picture of [photograph, bytes, new Uint8Array(bytes), new Blob([bytes as never])]) {
      const logits = await network.predict(picture);
      expect(logits.length).toBe(3);
      logits.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 5));
    }
  });

  test("lists train and evaluate like floats", async () => {
    const floats = floatsOf(await decodeImage(bytes, 3), network);
    const both = Float32Array.from([...floats, ...floats]);
    const labels = [1, 2];
    const wanted = await network.evaluate(both, labels);
    const scores = await network.evaluate([photograph, bytes], labels);
    expect(scores["loss"]).toBeCloseTo(wanted["loss"]!, 5);
    const other = await open();
    await network.step([photograph, bytes], labels);
    await other.step(both, labels);
    const [one, two] = [await network.read("logits.weight"), await other.read("logits.weight")];
    one.forEach((value, index) => expect(value).toBeCloseTo(two[index]!, 5));
  });

  test("fit and evaluateDataset take batches of pictures, and give what floats give", async () => {
    const floats = floatsOf(await decodeImage(bytes, 3), network);
    const both = Float32Array.from([...floats, ...floats]);
    const { recipe } = compile(specOf({}), { file: "small.net" });
    const [pictures, arrays] = [await open(), await open()];
    const targets = [1, 2];
    const blob = new Blob([bytes as never]);
    const given = [
      { images: [photograph, blob], targets },
      { images: bytes, targets: [0] },
      { images: photograph, targets: [2] },
    ];
    const same = [
      { images: both, targets },
      { images: floats, targets: [0] },
      { images: floats, targets: [2] },
    ];
    const means: number[] = [];
    // Over examples: a batch of two counts twice.
    const onEpoch = ({ training }: EpochReport) => void means.push(training["loss"]!);
    const twice = { ...recipe!, epochs: 2 };
    await fit(pictures, given, twice, { onEpoch });
    await fit(arrays, same, twice, { onEpoch });
    const [one, two] = [await pictures.read("logits.weight"), await arrays.read("logits.weight")];
    one.forEach((value, index) => expect(value).toBeCloseTo(two[index]!, 5));
    expect(pictures.stepCount).toBe(6);
    expect(means).toHaveLength(4);
    expect(means[1]!).toBeCloseTo(means[3]!, 5);
    const [scores, wanted] = [
      await evaluateDataset(pictures, given),
      await evaluateDataset(arrays, same),
    ];
    expect(scores!.examples).toBe(4);
    expect(scores!.metrics["loss"]).toBeCloseTo(wanted!.metrics["loss"]!, 5);
    const wrong = (images: never) => fit(pictures, [{ images, targets: [1] }], recipe!);
    await expect(wrong({ other: 1 } as never)).rejects.toThrow("a Float32Array or pictures");
    await expect(wrong([[1, 2]] as never)).rejects.toThrow("a Float32Array or pictures");
    await expect(wrong(undefined as never)).rejects.toThrow("a Float32Array or pictures");
  });

  test("several inputs, and fit by ten_crop, say what to pass instead", async () => {
    const { programs } = compile(SIAMESE, { file: "siamese.net" });
    const siamese = await createNetwork(programs, { adapter, batch: 2 });
    networks.push(siamese);
    await expect(siamese.predict(photograph)).rejects.toThrow("expected { left, right }");
    const named = { left: bytes, right: bytes } as never;
    await expect(siamese.predict(named)).rejects.toThrow(
      /`left` must be a Float32Array, not .*: several inputs take no pictures/,
    );
    const floats = new Float32Array(siamese.program.tensors[0]!.shape.reduce((a, b) => a * b));
    await expect(siamese.predict({ left: floats, right: bytes } as never)).rejects.toThrow(
      /`right` must be a Float32Array, not .*: several inputs take no pictures/,
    );
    const ten = await open({ transforms: "resize(14) -> ten_crop(12)" });
    const { recipe } = compile(specOf({}), { file: "small.net" });
    const fitting = fit(ten, [{ images: [photograph], targets: [1] }], recipe!);
    await expect(fitting).rejects.toThrow(/use `center_crop` instead/);
  });

  test("calls keep their order and their arguments", async () => {
    const ordered = await open();
    const floats = floatsOf(await decodeImage(bytes, 3), ordered);
    const changing = new Uint8Array(bytes);
    const labels = [1];
    const before = await ordered.predict(bytes);
    const wanted = await ordered.evaluate(bytes, [1]);
    const step = ordered.step(changing, labels);
    changing.fill(0);
    labels[0] = 2;
    const predicted = await ordered.predict(floats);
    expect((await step)["loss"]).toBeCloseTo(wanted["loss"]!, 5);
    const after = await ordered.predict(bytes);
    predicted.forEach((value, index) => expect(value).toBeCloseTo(after[index]!, 5));
    expect(Math.abs(after[1]! - before[1]!)).toBeGreaterThan(0.01);
  });

  test("more pictures than a slice of the batch holds", async () => {
    const sliced = await open({}, { accumulate: 4 });
    expect(sliced.slice).toBe(1);
    const all = await sliced.predict([bytes, photograph, bytes]);
    const one = await sliced.predict(photograph);
    expect([...all]).toEqual([...one, ...one, ...one]);
  });

  test("classify gives names and probabilities, the most probable first", async () => {
    const named = await open({}, { classes: ["ant", "bee", "cow"] });
    const logits = await named.predict(photograph);
    const sum = logits.reduce((total, value) => total + Math.exp(value), 0);
    const classes = await named.classify(photograph);
    expect(classes.map(({ probability }) => probability)).toEqual(
      classes.map(({ probability }) => probability).sort((a, b) => b - a),
    );
    for (const { name, index, probability } of classes) {
      expect(name).toBe(["ant", "bee", "cow"][index]);
      expect(probability).toBeCloseTo(Math.exp(logits[index]!) / sum, 5);
    }
    expect(await named.classify([photograph, bytes], { top: 1 })).toEqual([
      [classes[0]],
      [classes[0]],
    ]);
    expect(await named.classify(new Float32Array(432), { top: 2 })).toHaveLength(2);
    await expect(named.classify(new Float32Array(864))).rejects.toThrow("takes one image");
    const misspelled = named.classify(photograph, { tops: 2 } as object);
    await expect(misspelled).rejects.toThrow("`classify` has no option `tops`");
    await expect(named.classify(photograph, { top: 0 })).rejects.toThrow("`top` must be");
  });

  test("probabilities of a model that ends in softmax are as they are", async () => {
    const text = `model Ending {
      input image: f32[N, 1, 2, 2]
      flatten -> linear(3) -> softmax
    }`;
    const { programs } = compile(text, { file: "ending.net" });
    const ending = await createNetwork(programs, { adapter });
    networks.push(ending);
    const image = Float32Array.of(0.1, 0.7, 0.3, 0.9);
    const [first] = await ending.classify(image);
    expect(first!.probability).toBe((await ending.predict(image))[first!.index]);
    expect(first!.name).toBe(`class ${first!.index}`);
  });

  test("names come from the weights file, and go into it", async () => {
    const named = await open({}, { classes: ["ant", "bee", "cow"] });
    const file = await named.save();
    const plain = await open();
    expect(plain.classes).toBeUndefined();
    await plain.load(file);
    expect(plain.classes).toEqual(["ant", "bee", "cow"]);
    const other = await open({}, { classes: ["ant", "cow", "bee"] });
    await expect(other.load(file)).rejects.toThrow(WeightsError);
    await expect(other.load(file)).rejects.toThrow(
      "names the classes ant, bee, cow, and the network has ant, cow, bee",
    );
    // Weights that keep other classes: their names are not the file's.
    await other.load(file, { except: ["logits.weight", "logits.bias"] });
    expect(other.classes).toEqual(["ant", "cow", "bee"]);
    // A run that was resumed knows the names by `load`, and saves the bytes of one that was not.
    const metadata = { run: "1", classes: '["ant","bee","cow"]' };
    const begun = await open();
    expect(await named.save({ metadata })).toEqual(await begun.save({ metadata }));
    const two = await named.save({ metadata: { classes: '["ant", "bee"]' } });
    await expect(plain.load(two)).rejects.toThrow(
      "names the classes ant, bee, and the network has ant, bee, cow",
    );
  });

  test.each([
    ["no list", undefined, "must be a Float32Array or a picture (a path"],
    ["numbers", new Float64Array(432), "not Float64Array"],
    ["an empty list", [], "the list of pictures is empty"],
    ["a missing file", "missing.jpg", "missing.jpg cannot be read as an image"],
    ["bytes of no image", new Uint8Array(432), "the picture cannot be read as an image"],
    ["a list of numbers", [0.1, 0.2, 0.3, 0.4, 0.5], "pass a Float32Array of 3 x 12 x 12 values"],
    ["too many", Array<string>(5).fill(photograph), "holds 5 examples"],
  ])("refuses %s", async (_, given, message) => {
    await expect(network.predict(given as never)).rejects.toThrow(InputError);
    await expect(network.predict(given as never)).rejects.toThrow(message);
    expect((await network.predict(photograph)).length).toBe(3);
  });

  test("calls of other modules, and options, are named as the user knows them", async () => {
    const { activations, attribution } = network as unknown as Record<string, () => Promise<never>>;
    for (const call of [activations!, attribution!]) {
      await expect(call.call(network)).rejects.toThrow(InputError);
      await expect(call.call(network)).rejects.toThrow("run `netc compile small.net --inspect`");
    }
    await expect(open({}, { batches: 2 })).rejects.toThrow("`createSmall` has no option `batches`");
  });

  test("refuses pictures where the spec does not say how to prepare them", async () => {
    const text = specOf({}).replace(/data [\s\S]*/, "");
    const { programs } = compile(text, { file: "small.net" });
    const bare = await createNetwork(programs, { adapter });
    networks.push(bare);
    await expect(bare.classify(photograph)).rejects.toThrow("small.net does not say how pictures");
  });

  test("refuses pictures that do not have the input's size after the transforms", async () => {
    const uncropped = await open({ transforms: "resize(12)" });
    await expect(uncropped.predict(photograph)).rejects.toThrow(/-> center_crop\(12\)/);
  });
});

describe("arrays that are not what the network reads", () => {
  const warningsOf = async (values: Float32Array, variant: Variant = {}) => {
    const warnings: string[] = [];
    const network = await open(variant, { onWarning: (message: string) => warnings.push(message) });
    await network.predict(new Float32Array(values.length));
    for (let call = 0; call < 3; call++) await network.predict(values);
    await import("../../runtime/misuse.js");
    await new Promise((resolve) => setTimeout(resolve, 0));
    return warnings;
  };
  const filled = (valueAt: (index: number) => number, length = 432) =>
    Float32Array.from({ length }, (_, index) => valueAt(index));

  test("bytes are named once", async () => {
    const warnings = await warningsOf(filled((index) => (index * 7) % 256));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("`image` holds whole numbers up to 255, like bytes of pixels");
  });

  test("RGBA pixels are named once", async () => {
    const rgba = filled((index) => (index % 4 === 3 ? 1 : (index % 9) / 9), 576);
    const warnings = await warningsOf(rgba, { channels: 1, transforms: CROPPED });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("every fourth value of `image` is 1");
    expect(warnings[0]).toContain("expected 1 x 12 x 12 values an image");
  });

  test("values after the transforms are not", async () => {
    expect(await warningsOf(filled((index) => (index % 17) / 16))).toEqual([]);
    expect(await warningsOf(filled((index) => index % 2))).toEqual([]);
    // Pixels of 0 to 255 are what this normalization gives.
    const transforms = `${CROPPED} -> normalize(mean=[0, 0, 0], std=[0.004, 0.004, 0.004])`;
    const bytes = filled((index) => (index * 7) % 256);
    expect(await warningsOf(bytes, { transforms })).toEqual([]);
  });
});

describe("resizing on the device", () => {
  let network: Network;
  beforeAll(async () => {
    // Browsers have them.
    const { GPUBufferUsage, GPUTextureUsage } = globals as unknown as Record<string, object>;
    Object.assign(globalThis, { GPUBufferUsage, GPUTextureUsage });
    network = await open();
  });

  /** Noise with alpha where `isOpaque` is false. */
  function rgbaOf(width: number, height: number, isOpaque: boolean): Uint8Array<ArrayBuffer> {
    let state = width * 7919 + height;
    return Uint8Array.from({ length: 4 * width * height }, (_, at) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return isOpaque && at % 4 === 3 ? 255 : state >>> 24;
    });
  }

  /** What Node decodes of such a file: over white, as libvips does it. */
  function decoded(rgba: Uint8Array, width: number, height: number, channels: 1 | 3): Image {
    const pixels = new Uint8Array(3 * width * height).map((_, at) => {
      const pixel = Math.floor(at / 3);
      const alpha = rgba[4 * pixel + 3]!;
      return Math.floor((rgba[4 * pixel + (at % 3)]! * alpha + 255 * (255 - alpha)) / 255);
    });
    return convertChannels({ width, height, channels: 3, pixels, maximum: 255 }, channels);
  }

  async function resized(
    program: Program,
    pictures: readonly { rgba: Uint8Array<ArrayBuffer>; width: number; height: number }[],
  ): Promise<Uint8Array | undefined> {
    const preparation = evalPreparation(program);
    return network.inspect("predict", { images: new Float32Array(432) }, async (parts) => {
      const { gpu } = parts;
      const resizer = new Resizer({ gpu, program, memory: parts.memory }, preparation);
      if (!pictures.every((picture) => resizer.canResize(picture))) return undefined;
      const bytes = await resizer.resize(
        pictures.map(({ rgba, width, height }) => {
          const layout = { bytesPerRow: 4 * width };
          const fill = (texture: GPUTexture) =>
            gpu.queue.writeTexture({ texture }, rgba, layout, [width, height]);
          return { width, height, fill };
        }),
      );
      const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const target = gpu.createBuffer({ size: bytes.length, usage });
      bytes.copyTo(target);
      const values = await readBuffer(gpu, target);
      target.destroy();
      return new Uint8Array(values.buffer);
    });
  }

  test.each([1, 3] as const)("%d channels: the bytes of the loops in Node", async (channels) => {
    const variants = [CROPPED, "center_crop(12)", "resize(12)", "resize([12, 12])"].map(
      (transforms) => programsOf({ channels, transforms })[0]!,
    );
    const sizes = fc.record({
      width: fc.integer({ min: 9, max: 80 }),
      height: fc.integer({ min: 9, max: 80 }),
    });
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        sizes,
        sizes,
        fc.nat(variants.length - 1),
        fc.boolean(),
        async (one, two, variant, isOpaque) => {
          const program = variants[variant]!;
          const pictures = [one, two].map((size) => {
            return { ...size, rgba: rgbaOf(size.width, size.height, isOpaque) };
          });
          const bytes = await resized(program, pictures);
          if (!bytes) return;
          compared++;
          const preparation = evalPreparation(program);
          const { slot } = preparation.staged;
          pictures.forEach(({ rgba, width, height }, index) => {
            const image = decoded(rgba, width, height, channels);
            const { pixels } = applyTransforms(image, transformsBefore(preparation), keyOf(0));
            const own = bytes.subarray(index * slot, index * slot + pixels.length);
            expect([...own]).toEqual([...pixels]);
          });
        },
      ),
      { numRuns: 40 },
    );
    expect(compared).toBeGreaterThan(10);
  });
});
