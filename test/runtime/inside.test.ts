/** The values of layers, and Grad-CAM, against PyTorch's forward hooks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, type Compilation } from "../../compiler/index.js";
import {
  createNetwork,
  type Activation,
  type Inspectable,
  type Network,
  type NetworkOptions,
} from "../../runtime/index.js";
import { inspectable } from "../../runtime/inside/inspectable.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "../parity/harness.js";

const TOLERANCE = 2e-5;
const photograph = join(import.meta.dirname, "../data/photograph/photograph.jpg");

const SPEC = `
model Seen {
  input  image: f32[N, 3, 16, 16]
  target label: u32[N] in 0..5
  stem {
    conv(8, kernel=3, padding=1, bias=false) as conv1 -> batchnorm as bn1
    relu as relu1 -> maxpool(2) as pool1
  }
  body {
    residual { conv(8, kernel=3, padding=1) as conv2 -> relu as relu2 }
  }
  head {
    conv(10, kernel=3) as conv3 -> relu as relu3 -> flatten as flat -> dropout(0.5) as drop
    linear(5) as logits
  }
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
data Photographs for Seen {
  train folder("photos") { resize(18) -> center_crop(16) }
  eval  folder("photos") { resize(18) -> center_crop(16) }
}
`;

const recipe = (settings: string) => `
train Base of Seen on Photographs {
  epochs = 2
  batch = 4
  optimizer = sgd(lr=0.1)
  ${settings}
}`;

type Seen = Network & Inspectable;

interface Expected {
  readonly activations: Readonly<Record<string, Summary>>;
  readonly maps: Readonly<Record<string, Readonly<Record<string, readonly Summary[]>>>>;
  readonly top: readonly number[];
}

const opened: Network[] = [];
afterAll(() => opened.forEach((network) => network.destroy()));

function compiled(spec: string, file: string): Compilation {
  const compilation = compile(spec, { file, inspect: true });
  const { diagnostics } = compilation;
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return compilation;
}

async function open(
  { programs, inside }: Compilation,
  options: NetworkOptions = {},
  prefix?: string,
): Promise<Seen> {
  const network = await createNetwork(programs, { batch: 4, ...options });
  opened.push(network);
  for (const { name, shape } of prefix ? network.parameters : []) {
    await network.write(name, parameterValues(`${prefix}/${name}`, shape));
  }
  return inspectable(network, () => Promise.resolve({ inside }));
}

const images = uniformValues("inside/images", 2 * 3 * 16 * 16, 1);
const imagesOf = (count: number) => images.slice(0, count * 3 * 16 * 16);

async function worst(
  network: Seen,
  expected: Expected,
  names: Readonly<Record<string, string>>,
  given: Float32Array,
): Promise<readonly [name: string, error: number]> {
  const errors: [string, number][] = [];
  const values = await network.activations(given, Object.values(names));
  for (const [name, summary] of Object.entries(expected.activations)) {
    const { shape, values: actual } = values[names[name]!]!;
    expect(shape).toEqual(summary.shape);
    errors.push([name, relativeError(actual, summary)]);
  }
  const each = given.length / expected.top.length;
  for (const [chosen, layers] of Object.entries(expected.maps)) {
    for (const [name, maps] of Object.entries(layers)) {
      for (const [index, summary] of maps.entries()) {
        const image = given.slice(index * each, (index + 1) * each);
        const options = chosen === "None" ? {} : { class: Number(chosen) };
        const map = await network.attribution(image, { ...options, layer: names[name]! });
        expect([map.height, map.width]).toEqual(summary.shape);
        expect(map.index).toBe(chosen === "None" ? expected.top[index] : Number(chosen));
        const size = Math.hypot(...map.values);
        errors.push([
          `${name} for ${chosen}`,
          summary.norm === 0 ? size : relativeError(map.values, summary),
        ]);
      }
    }
  }
  return errors.reduce((a, b) => (b[1] > a[1] ? b : a));
}

describe("a small network with batch normalization and a skip", () => {
  const expected = readExpected<Expected>("inside");
  const names = Object.fromEntries(Object.keys(expected.activations).map((name) => [name, name]));
  let compilation: Compilation;
  let network: Seen;
  beforeAll(async () => {
    compilation = compiled(SPEC, "seen.net");
    network = await open(compilation, {}, "inside");
  });

  test("its memory is the network's, and goes with it; calls continue after `reopen`", async () => {
    const own = await open(compilation, {}, "inside");
    await own.predict(imagesOf(1));
    const before = own.memory;
    const first = await own.activations(imagesOf(1), ["head.relu3"]);
    const during = own.memory;
    expect(during.runtime).toBeGreaterThan(before.runtime);
    expect(during).toEqual({
      ...before,
      runtime: during.runtime,
      total: before.total + during.runtime - before.runtime,
    });
    const map = await own.attribution(imagesOf(1), { class: 2 });
    const whole = own.memory.total;
    await own.attribution(imagesOf(1), { class: 2 });
    expect(own.memory.total).toBe(whole);
    const weights = await own.save();
    await own.reopen();
    expect(own.memory.total).toBeLessThan(whole);
    await own.load(weights);
    expect(await own.activations(imagesOf(1), ["head.relu3"])).toEqual(first);
    expect(await own.attribution(imagesOf(1), { class: 2 })).toEqual(map);
    own.destroy();
  });

  test("values and maps are PyTorch's", async () => {
    const [name, error] = await worst(network, expected, names, images);
    console.log(`worst of values and maps: ${name} ${error.toExponential(1)}`);
    expect(error).toBeLessThan(TOLERANCE);
  });

  test("slices, averages and phases of training have the same values", async () => {
    const layers = ["stem.bn1", "head.logits"] as const;
    const wanted = await network.activations(images, layers);
    const settings = [
      "average = ema(0.9)",
      "freeze = [stem]\n  unfreeze = after(1 epochs, [stem])",
      "precision = f16",
    ];
    const variants = settings.map((text) => compiled(SPEC + recipe(text), "seen.net"));
    for (const variant of [compilation, ...variants]) {
      const other = await open(variant, { accumulate: 4 }, "inside");
      if (other.program.phases?.length) await other.enterPhase(1);
      const values = await other.activations(images, layers);
      for (const name of layers) expectClose(values[name], wanted[name]);
      // The averages are where the weights were.
      if (other.program.steps.average.length === 0) continue;
      await other.step(images, [1, 2], { learningRate: 10 });
      const averaged = await other.activations(images, layers);
      const logits = await other.predict(images);
      expectClose(averaged["head.logits"], { shape: [2, 5], values: logits });
    }
  });

  test("they follow training, and leave it as it is", async () => {
    const [one, two] = [
      await open(compilation, {}, "inside"),
      await open(compilation, {}, "inside"),
    ];
    const before = await one.activations(images, ["head.logits"]);
    for (const each of [one, two]) await each.step(images, [1, 2], { learningRate: 0.1 });
    const after = await one.activations(images, ["head.logits"]);
    await one.attribution(imagesOf(1));
    const logits = await one.predict(images);
    expectClose(after["head.logits"], { shape: [2, 5], values: logits });
    expect(after["head.logits"].values).not.toEqual(before["head.logits"].values);
    for (const each of [one, two]) await each.step(images, [1, 2], { learningRate: 0.1 });
    const name = "stem.conv1.weight";
    expect(await one.read(name)).toEqual(await two.read(name));
  });

  test("pictures, and lists of them, are taken as `predict` takes them", async () => {
    const withData = await open(compiled(SPEC + recipe(""), "seen.net"), {}, "inside");
    const logits = await withData.predict([photograph, photograph]);
    const { "head.logits": seen, ...others } = await withData.activations([photograph, photograph]);
    expectClose(seen, { shape: [2, 5], values: logits });
    expect(Object.keys(others)).toContain("stem.relu1");
    const maps = await withData.attribution([photograph, photograph]);
    const single = await withData.attribution(photograph, { class: maps[0]!.index });
    expect(maps).toHaveLength(2);
    expect(single).toEqual(maps[1]);
    expect(single.layer).toBe("head.conv3");
    expect(single.values).toHaveLength(single.height * single.width);
  });

  test("classes go by name", async () => {
    const named = await open(compilation, { classes: ["a", "b", "cat", "d", "e"] }, "inside");
    const byName = await named.attribution(imagesOf(1), { class: "cat" });
    expect(byName).toEqual(await named.attribution(imagesOf(1), { class: 2 }));
    expect(byName.name).toBe("cat");
    await expect(named.attribution(imagesOf(1), { class: "cta" })).rejects.toThrow(
      "there is no class `cta`; similar ones are `a`",
    );
  });

  test.each([
    [{ layer: "head.conv4" }, "there is no layer `head.conv4`; similar ones are `head.conv3`"],
    [{ layer: "head.logits" }, "`head.logits` gives numbers without rows and columns"],
    [{ layer: "head.flat" }, "the last convolution is `head.conv3`"],
    [{ class: 5 }, "a class is an index from 0 to 4 or a name, not 5"],
    [{ class: "cat" }, "nothing names the classes"],
    [{ lyer: "head.conv3" }, "`attribution` has no option `lyer`; it takes layer, class"],
  ])("%o is refused", async (options, message) => {
    const call = network.attribution(imagesOf(1), options as object);
    await expect(call).rejects.toThrow(message);
    await expect(call).rejects.toHaveProperty("name", "InputError");
  });

  test("unknown names, and several images without a list, are refused", async () => {
    await expect(network.activations(images, ["stem.relu9"])).rejects.toThrow(
      "there is no layer `stem.relu9`; similar ones are `stem.relu1`",
    );
    await expect(network.activations(images, "stem" as never)).rejects.toThrow("are a list");
    await expect(network.attribution(images)).rejects.toThrow("takes one image as an array");
    const other = compiled(SPEC.replace("conv(10", "conv(12"), "seen.net");
    const mixed = await open({ ...compilation, inside: other.inside });
    await expect(mixed.activations(images)).rejects.toThrow("come from different compilations");
  });

  test("a network that was destroyed says so", async () => {
    const gone = await open(compilation);
    await gone.activations(images);
    gone.destroy();
    await expect(gone.activations(images)).rejects.toThrow("destroyed");
  });
});

test("a softmax at the end, and several inputs and outputs", async () => {
  const spec = `model Pair {
    input left: f32[N, 3, 8, 8]
    input right: f32[N, 3, 8, 8]
    from left  -> pad(1) as edge -> conv(4, kernel=3) as a -> relu -> global_avgpool as x
    from right -> conv(4, kernel=3) as b -> relu -> global_avgpool as y
    add(x) -> flatten -> linear(3) -> softmax as probabilities
  }`;
  const compilation = compiled(spec, "pair.net");
  const network = (await open(compilation)) as unknown as Network<
    string,
    string,
    void,
    { left: Float32Array; right: Float32Array }
  > &
    Inspectable<string, string, string, { left: Float32Array; right: Float32Array }>;
  const left = uniformValues("left", 192, 1);
  const given = { left, right: uniformValues("right", 192, 1) };
  const { a, b, probabilities } = await network.activations(given);
  expect(a!.shape).toEqual([1, 4, 8, 8]);
  expect(b!.values).not.toEqual(a!.values);
  expectClose(probabilities, { shape: [1, 3], values: await network.predict(given) });
  const map = await network.attribution(given, { layer: "b", class: 0 });
  expect(map.values).toHaveLength(36);
  const edge = network.attribution(given, { layer: "edge" });
  await expect(edge).rejects.toThrow("`edge` does not lead to the scores");
});

test.runIf(process.env["NETC_TEST_FULL"])("ResNet-18 of torchvision", async () => {
  const text = readFileSync(join(import.meta.dirname, "../../specs/resnet18.net"), "utf8");
  const compilation = compiled(text, "resnet18.net");
  const network = await open(compilation, { batch: 1 });
  for (const [index, { name, shape }] of network.parameters.entries()) {
    const suffix = name.split(".").at(-1)!;
    await network.write(name, parameterValues(`resnet18/${index}.${suffix}`, shape));
  }
  const names = {
    "layer2.0.conv1": "stage2.basic1.conv1",
    "layer4.1.conv2": "stage4.basic2.conv2",
    "layer4.1": "stage4.basic2.relu2",
    avgpool: "adaptive_avgpool1",
  };
  const given = uniformValues("resnet18/images", 3 * 224 * 224, 1);
  const [name, error] = await worst(
    network,
    readExpected<Expected>("inside-resnet18"),
    names,
    given,
  );
  console.log(`worst of values and maps: ${name} ${error.toExponential(1)}`);
  expect(error).toBeLessThan(TOLERANCE);
});

function expectClose(actual: Activation | undefined, expected: Activation | undefined): void {
  expect(actual!.shape).toEqual(expected!.shape);
  actual!.values.forEach((value, index) =>
    expect(Math.abs(value - expected!.values[index]!)).toBeLessThan(1e-4),
  );
}
