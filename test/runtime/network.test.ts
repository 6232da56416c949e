import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Program } from "../../program/program.js";
import { createNetwork, parseTensors, serializeTensors } from "../../runtime/index.js";
import { DeviceLimitError, InputError } from "../../runtime/errors.js";
import type { NetworkOptions } from "../../runtime/calls.js";
import type { Network } from "../../runtime/network.js";
import { openSeparateDevices } from "../shared-devices.js";
import { LONG, tinyProgram } from "./tiny-program.js";

openSeparateDevices();

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const networks: Network[] = [];

async function create(options: NetworkOptions = {}, program = tinyProgram): Promise<Network> {
  const network = await createNetwork([program], { adapter, batch: 4, seed: 3, ...options });
  networks.push(network);
  return network;
}

afterAll(() => networks.forEach((network) => network.destroy()));

/** Images that pick the first, second or third column of the weight. */
function unit(...columns: number[]): Float32Array {
  const images = new Float32Array(columns.length * 3);
  columns.forEach((column, image) => (images[image * 3 + column] = 1));
  return images;
}

describe("a fresh network", () => {
  let network: Network;
  beforeAll(async () => {
    network = await create();
  });

  test("is initialized from the seed, in PyTorch's layout", async () => {
    // The buffer holds seed + index as [input][output, padded to 4]; the constants add 10 to the
    // bias.
    expect([...(await network.read("fc.weight"))]).toEqual([3, 7, 0, 4, 8, 0]);
    expect([...(await network.read("fc.bias"))]).toEqual([13, 14]);
  });

  test("folds dispatches beyond 65,535 workgroups", async () => {
    const long = await network.read("long");
    expect(long.length).toBe(LONG);
    expect(long.findIndex((value, index) => value !== index - 2)).toBe(-1);
  });

  test("predicts any number of images up to the batch, without the pitch", async () => {
    expect([...(await network.predict(unit(0, 1)))]).toEqual([16, 18, 20, 22]);
    expect([...(await network.predict(unit(2)))]).toEqual([13, 14]);
    expect((await network.predict(unit(0, 1, 2, 0))).length).toBe(8);
  });

  test("evaluates over the images of the call alone", async () => {
    expect(await network.evaluate(unit(0, 1, 0, 1), [1, 1, 1, 0])).toEqual({
      loss: (18 + 22 + 18 + 20) / 4,
      top1: 0.75,
    });
    expect(await network.evaluate(unit(2), new Uint32Array([0]))).toEqual({ loss: 13, top1: 0 });
    expect(network.stepCount).toBe(0);
  });

  test("describes itself", () => {
    expect(network.parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ["fc.weight", [2, 3]],
      ["fc.bias", [2]],
      ["long", [LONG]],
    ]);
    expect(network.adapter.subgroupSizes[0]).toBeGreaterThan(0);
    expect(network.memory.state).toBe(0);
    expect(network.memory.parameter).toBe(64 + 16 + LONG * 4);
    expect(network.memory.images).toBe(48);
  });
});

describe("training", () => {
  test("hands every kernel the frame: step, settings, training", async () => {
    const network = await create();
    // velocity 0.5 * 0 + 1 + 0.25, then 0.5 * 1.25 + 1.25 = 1.875; learning rate 0.5, then 2.
    expect(await network.step(unit(0, 1), [0, 1])).toEqual({ loss: 19, top1: 0.5 });
    expect([...(await network.read("fc.bias"))]).toEqual([13 - 0.625, 14 - 0.625]);
    await network.step(unit(0), [0], { learningRate: 2 });
    expect((await network.read("fc.bias"))[0]).toBe(13 - 0.625 + 100 - 3.75);
    expect([...(await network.read("fc.bias", { of: "velocity" }))]).toEqual([1.875, 1.875]);
    expect(network.stepCount).toBe(2);
    network.setStep(7);
    await network.step(unit(0), [0], { learningRate: 0, momentum: 0, weightDecay: 0 });
    expect((await network.read("fc.bias"))[0]).toBe(13 - 0.625 + 100 - 3.75 + 700);
    expect((await network.read("fc.bias", { of: "velocity" }))[0]).toBe(1);
  });

  test("settings of the network replace the spec's", async () => {
    const network = await create({ learningRate: 1, momentum: 0, weightDecay: 1 });
    await network.step(unit(0), [0]);
    expect((await network.read("fc.bias"))[0]).toBe(11);
  });

  test("runs overlapping calls in order, also more than the ring has slots", async () => {
    const network = await create({ learningRate: 1, momentum: 0, weightDecay: 0 });
    const steps = Array.from({ length: 11 }, () => network.step(unit(2), [0]));
    const reading = network.read("fc.bias");
    const losses = (await Promise.all(steps)).map(({ loss }) => loss);
    // Each step adds 100 * step - 1 to the bias of 13.
    const expected = losses.map((_, step) => 13 + (100 * (step * (step - 1))) / 2 - step);
    expect(losses).toEqual(expected);
    expect((await reading)[0]).toBe(13 + 5500 - 11);
  });

  test("allocates nothing after the first step", async () => {
    const network = await create();
    await network.step(unit(0), [0]);
    const { memory } = network;
    expect(memory.state).toBe(16);
    for (let step = 0; step < 6; step++) await network.step(unit(0, 1, 2, 0), [0, 1, 0, 1]);
    expect(network.memory).toEqual(memory);
    expect(memory.total).toBe(
      Object.entries(memory).reduce((sum, [key, bytes]) => sum + (key === "total" ? 0 : bytes), 0),
    );
  });

  test("a failed call does not stop the next", async () => {
    const network = await create();
    const bad = network.step(unit(0), [9]);
    const good = network.step(unit(0), [0]);
    await expect(bad).rejects.toThrow(InputError);
    expect(await good).toEqual({ loss: 16, top1: 0 });
  });
});

describe("arguments", () => {
  test("may change as soon as a call returns", async () => {
    const network = await create();
    const images = unit(0, 1);
    const labels = Uint32Array.of(0, 1);
    const bias = Float32Array.of(1, 2);
    const expected = [
      await network.predict(images),
      await network.evaluate(images, labels),
      await network.step(images, labels),
    ];
    const other = await create();
    const calls = [
      other.predict(images),
      other.evaluate(images, labels),
      other.step(images, labels),
      other.write("fc.bias", bias),
    ];
    images.fill(9);
    labels.fill(1);
    bias.fill(9);
    expect((await Promise.all(calls)).slice(0, 3)).toEqual(expected);
    expect([...(await other.read("fc.bias"))]).toEqual([1, 2]);
    // The memory of copies is used again, for calls of other sizes, too.
    expect(await other.predict(unit(2))).toEqual((await other.predict(unit(2, 1))).slice(0, 2));
  });

  test("may lie in shared memory", async () => {
    const network = await create();
    const images = new Float32Array(new SharedArrayBuffer(24));
    images.set(unit(0, 1));
    const labels = new Uint32Array(new SharedArrayBuffer(8));
    labels.set([0, 1]);
    expect(await network.predict(images)).toEqual(await network.predict(unit(0, 1)));
    const shared = await network.evaluate(images, labels);
    expect(shared).toEqual(await network.evaluate(unit(0, 1), [0, 1]));
  });
});

test("a call rejects with what `onCompile` throws, and the next call compiles", async () => {
  let fails = false;
  const network = await create({
    onCompile: () => {
      if (fails) throw new TypeError("mine");
    },
  });
  fails = true;
  await expect(network.predict(unit(0))).rejects.toThrow(new TypeError("mine"));
  fails = false;
  expect(await network.predict(unit(0))).toHaveLength(2);
  const creating = create({ onCompile: () => Promise.reject(new TypeError("mine")) });
  await expect(creating).rejects.toThrow(new TypeError("mine"));
});

describe("weights", () => {
  test("written and read back, they are what predictions use", async () => {
    const network = await create();
    await network.write("fc.weight", new Float32Array([1, 2, 3, 4, 5, 6]));
    await network.write("fc.bias", new Float32Array([0, 0]));
    expect([...(await network.read("fc.weight"))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await network.predict(unit(0, 1, 2)))]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test("saved with the optimizer and loaded elsewhere, training gives the same bits", async () => {
    const first = await create();
    await first.step(unit(0), [0]);
    const bytes = await first.save({ optimizer: true, metadata: { epoch: "4" } });
    const second = await create({ seed: 99 });
    const metadata = await second.load(bytes);
    expect(metadata).toMatchObject({ step: "1", seed: "3", epoch: "4", spec: "0123abcd" });
    for (const network of [first, second]) await network.step(unit(1), [1]);
    expect(await second.save({ optimizer: true })).toEqual(await first.save({ optimizer: true }));
    expect([second.stepCount, second.seed]).toEqual([2, 3]);
  });

  test("saved without the optimizer, they are weights alone", async () => {
    const network = await create();
    await network.step(unit(0), [0]);
    const { tensors, metadata } = parseTensors(await network.save());
    expect([...tensors.keys()]).toEqual(["fc.weight", "fc.bias", "long"]);
    expect(metadata).toEqual({
      checksum: expect.any(String),
      format: "pt",
      model: "Tiny",
      spec: "0123abcd",
    });
  });

  test("of another network: a message with both shapes and the line; no change", async () => {
    const network = await create();
    const before = await network.save();
    const foreign = serializeTensors([
      { name: "fc.weight", shape: [3, 2], values: new Float32Array(6) },
      { name: "fc.bias", shape: [2], values: new Float32Array(2) },
      { name: "fc9.bias", shape: [1], values: new Float32Array(1) },
    ]);
    await expect(network.load(foreign)).rejects.toThrow(
      "these weights do not belong to model `Tiny`:\n" +
        "  `fc.weight` is [3, 2] in the file, but the model wants [2, 3] (tiny.net:7:3)\n" +
        `  \`long\` is not in the file, but the model wants [${LONG}] (tiny.net:7:3)\n` +
        "  `fc9.bias` is not in model `Tiny`\n" +
        "  the file has `fc.weight`, `fc.bias`, `fc9.bias`",
    );
    expect(await network.save()).toEqual(before);
  });

  test.each(["module.", "_orig_mod.", "module._orig_mod."])(
    "under names that begin with %s, as PyTorch's wrappers write them, they load with a word",
    async (prefix) => {
      const warnings: string[] = [];
      const network = await create({ onWarning: (message) => warnings.push(message) });
      const saved = await network.save();
      const { tensors } = parseTensors(saved);
      const wrapped = [...tensors.values()].map((tensor) => ({
        ...tensor,
        name: prefix + tensor.name,
      }));
      await network.write("fc.bias", Float32Array.of(5, 6));
      await network.load(serializeTensors(wrapped));
      expect(await network.save()).toEqual(saved);
      expect(warnings).toEqual([expect.stringContaining(`begin with \`${prefix}\``)]);
    },
  );

  test("under other names: a message with the file's names and common parts", async () => {
    const network = await create();
    const { tensors } = parseTensors(await network.save());
    const renamed = [...tensors.values()].map((tensor) => ({
      ...tensor,
      name: `backbone.net.${tensor.name}`,
    }));
    await expect(network.load(serializeTensors(renamed))).rejects.toThrow(
      "the file has `backbone.net.fc.weight`, `backbone.net.fc.bias`, `backbone.net.long`; " +
        "all begin with `backbone.net.`, which the model's names do not: remove it from them",
    );
  });

  test("load from an ArrayBuffer, as `fetch` gives it, and from shared memory", async () => {
    const network = await create();
    const saved = await network.save();
    const shared = new Uint8Array(new SharedArrayBuffer(saved.length));
    shared.set(saved);
    for (const file of [saved.buffer, shared]) {
      await network.write("fc.bias", Float32Array.of(5, 6));
      await network.load(file);
      expect(await network.save()).toEqual(saved);
    }
  });

  test("`except` keeps weights, and then tensors that the model lacks are ignored", async () => {
    const network = await create();
    const bias = await network.read("fc.bias");
    const long = await network.read("long");
    const file = serializeTensors([
      { name: "fc.weight", shape: [2, 3], values: new Float32Array([1, 2, 3, 4, 5, 6]) },
      { name: "fc.bias", shape: [7], values: new Float32Array(7) },
      { name: "fc9.bias", shape: [1], values: new Float32Array(1) },
    ]);
    await expect(network.load(file, { except: ["fc.bias"] })).rejects.toThrow(
      "`long` is not in the file",
    );
    await network.load(file, { except: ["fc.bias", "long"] });
    expect([...(await network.read("fc.weight"))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await network.read("fc.bias")).toEqual(bias);
    expect(await network.read("long")).toEqual(long);
  });
});

const mixed = { labels: [0], partners: [1], shares: Float32Array.of(0.5) };

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("wrong input", () => {
  let network: Network;
  beforeAll(async () => {
    network = await create();
  });

  test.each<[string, (network: Network) => Promise<unknown>, string]>([
    ["part of an image", (n) => n.predict(new Float32Array(4)), "not a whole number of examples"],
    ["no image", (n) => n.predict(new Float32Array()), "has 0 values"],
    ["too many images", (n) => n.predict(new Float32Array(15)), "holds 5 examples"],
    [
      "an array",
      (n) => n.predict([1, 2, 3] as never),
      "cannot be a list of numbers: pass a Float32Array",
    ],
    ["NaN", (n) => n.predict(new Float32Array([0, NaN, 0])), "`image` is NaN at index 1"],
    ["infinity", (n) => n.step(new Float32Array([0, 0, -Infinity]), [0]), "-Infinity at index 2"],
    ["a missing label", (n) => n.step(unit(0, 1), [0]), "expected 2 labels for 2 examples, got 1"],
    [
      "a label that is not a class",
      (n) => n.step(unit(0), [2]),
      "label 0 is 2: labels are integers",
    ],
    ["a negative label", (n) => n.evaluate(unit(0, 1), [0, -1]), "label 1 is -1"],
    ["a fraction", (n) => n.evaluate(unit(0), [0.5]), "label 0 is 0.5"],
    ["no labels", (n) => n.step(unit(0), undefined as never), "not undefined"],
    ["mixed labels", (n) => n.step(unit(0), mixed), "compiled for one label an image"],
    ["mixed labels to evaluate", (n) => n.evaluate(unit(0), mixed), "are for training"],
    ["a learning rate of NaN", (n) => n.step(unit(0), [0], { learningRate: NaN }), "learningRate"],
    ["an unknown name", (n) => n.read("fc.wieght"), "the model has fc.weight, fc.bias, long"],
    ["no gradient kept", (n) => n.read("fc.bias", { of: "gradient" }), "without a gradient"],
    ["a wrong length", (n) => n.write("fc.bias", new Float32Array(3)), "has 2 values ([2])"],
    ["NaN as weight", (n) => n.write("fc.bias", new Float32Array([1, NaN])), "NaN at index 1"],
    ["a misspelled option", (n) => n.step(unit(0), [0], { lr: 1 } as never), "no option `lr`"],
    ["a number for options", (n) => n.step(unit(0), [0], 0.1 as never), "not a number"],
    ["a large rate", (n) => n.step(unit(0), [0], { learningRate: 1e39 }), "not 1e+39"],
    ["no images", (n) => n.predict(undefined as never), "a list of them), not undefined"],
    ["a list as weight", (n) => n.write("fc.bias", [1, 2] as never), "Float32Array, not Array"],
    ["nothing as weights", (n) => n.load(undefined as never), "not undefined"],
    ["a path as weights", (n) => n.load("fc"), "is not an address"],
    [
      "a misspelled exception",
      async (n) => n.load(await n.save(), { except: ["fd.bias"] }),
      "`fd.bias` is not one; the model has fc.weight",
    ],
    ["a page as weights", (n) => n.load(bytesOf("<!DOCTYPE html><p>404")), "this is a web page"],
    ["a pointer as weights", (n) => n.load(bytesOf("version https://git-lfs...")), "Git LFS"],
    ["a pickle as weights", (n) => n.load(bytesOf("PK\x03\x04 and more")), "a PyTorch file"],
    ["garbage for weights", (n) => n.load(new Uint8Array(99)), "not a valid safetensors file"],
  ])("%s is refused clearly", async (_what, call, message) => {
    await expect(call(network)).rejects.toThrow(message);
  });

  test.each<[NetworkOptions, string]>([
    [{ batch: 0 }, "`batch` must be an integer from 1"],
    [{ batch: 1.5 }, "`batch` must be an integer"],
    [{ accumulate: 0 }, "`accumulate` must be an integer from 1"],
    [{ seed: -1 }, "`seed` must be an integer from 0"],
    [{ learningRate: Infinity }, "`learningRate` must be a number of at least 0"],
    [{ learningRate: -1 }, "not -1"],
    [{ learningRate: 1e39 }, "at most 3.4028234663852886e+38, not 1e+39"],
    [{ learningRate: "0.1" as never }, "`learningRate` must be a number"],
    [{ momentum: 2 }, "`momentum` must be a number of at least 0 and less than 1, not 2"],
    [{ weightDecay: -1 }, "`weightDecay` must be a number of at least 0"],
    [{ batch: "4" as never }, 'not "4"'],
    [{ classes: ["a"] }, "`classes` must be a list of 2 names, one for each class, not 1 names"],
    [{ classes: "abc" as never }, "not String"],
    [{ device: {} as never }, "`device` must be a GPUDevice, not Object"],
    [{ onCompile: 3 as never }, "`onCompile` must be a function, not Number"],
    [{ learnRate: 1 } as never, "`createTiny` has no option `learnRate`; it takes learningRate"],
  ])("options %o are refused", async (options, message) => {
    await expect(create(options)).rejects.toThrow(message);
  });

  test("a module of another format is refused", async () => {
    const future = { ...tinyProgram, format: 99 } as unknown as Program;
    await expect(create({}, future)).rejects.toThrow("compile it again");
  });
});

describe("limits", () => {
  test("a batch too large for the device is split into slices that it can bind", async () => {
    const network = await create({ batch: 1_000_000_000 });
    expect(network.batch).toBe(1_000_000_000);
    expect(network.slice).toBeGreaterThan(1000);
    expect(network.slice).toBeLessThan(1_000_000_000);
  });

  test("what is too large for a single image is refused before anything is allocated", async () => {
    const buffers = tinyProgram.buffers.map((buffer) =>
      buffer.purpose === "prediction"
        ? { ...buffer, bytes: { fixed: 2 ** 40, perImage: 16 } }
        : buffer,
    );
    const network = await create({ batch: 4 }, { ...tinyProgram, buffers });
    const { total } = network.memory;
    await expect(network.predict(unit(0))).rejects.toThrow(DeviceLimitError);
    await expect(network.predict(unit(0))).rejects.toThrow("`prediction` needs 1.0 TiB");
    expect(network.memory.total).toBe(total);
  });

  test("calls of more images than a slice answer for all of them", async () => {
    const [whole, sliced] = [await create({ batch: 5 }), await create({ batch: 5, accumulate: 3 })];
    expect([whole.slice, sliced.slice]).toEqual([5, 2]);
    const images = Float32Array.from({ length: 15 }, (_, index) => index / 7);
    expect(await sliced.predict(images)).toEqual(await whole.predict(images));
    await expect(sliced.step(images, [0, 1, 0, 1, 0], { accumulate: 0 })).rejects.toThrow(
      "`accumulate` must be an integer from 1",
    );
  });

  test("a kernel that does not compile is named", async () => {
    const [fill, ...kernels] = tinyProgram.kernels;
    const broken = { ...tinyProgram, kernels: [{ ...fill!, wgsl: "nonsense" }, ...kernels] };
    await expect(create({}, broken)).rejects.toThrow(DeviceLimitError);
    await expect(create({}, broken)).rejects.toThrow("kernel `fill` does not compile");
  });
});

describe("a faulty program", () => {
  /** The bias is bound twice, read and written, which WebGPU forbids. */
  const aliased: Program = {
    ...tinyProgram,
    steps: {
      ...tinyProgram.steps,
      train: tinyProgram.steps.train.map((step) =>
        step.kernel === 3 ? { ...step, buffers: [1, 1] } : step,
      ),
    },
  };

  test("is reported by the first call that runs into it, and by all after", async () => {
    const network = await create({}, aliased);
    await expect(network.step(unit(0), [0])).rejects.toThrow("the GPU reported an error");
    await expect(network.predict(unit(0))).rejects.toThrow("the GPU reported an error");
  });
});

describe("the end", () => {
  test("destroying twice is harmless, and calls after it say so", async () => {
    const network = await create();
    const underWay = network.step(unit(0), [0]);
    network.destroy();
    network.destroy();
    await expect(underWay).rejects.toThrow("the network was destroyed");
    await expect(network.predict(unit(0))).rejects.toThrow("the network was destroyed");
    await expect(network.save()).rejects.toThrow("the network was destroyed");
  });

  test("a user's own device is not destroyed; once it is lost, the next call says so", async () => {
    const owner = await create();
    const { gpu } = (owner as unknown as { device: { gpu: GPUDevice } }).device;
    const guest = await create({ device: gpu });
    const other = await create({ device: gpu });
    guest.destroy();
    expect((await other.predict(unit(2)))[0]).toBe(13);
    gpu.destroy();
    await gpu.lost;
    await expect(other.predict(unit(2))).rejects.toThrow("the GPU device was lost");
  });
});
