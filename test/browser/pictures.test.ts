/**
 * Pictures in Chromium: every kind that calls take, with the names and probabilities that Node
 * gives for the same files.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runNetc } from "../cli/netc.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");
const photograph = join(root, "test/data/photograph/photograph.jpg");

const SPEC = `model Animals {
  input  image: f32[N, 3, 32, 32]
  target label: u32[N] in 0..3
  conv(8, kernel=5, stride=2) -> relu -> flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)
}
data Photographs for Animals {
  train folder("photos") { resize(36) -> center_crop(32) }
  eval  folder("photos") {
    resize(36) -> center_crop(32) -> normalize(mean=[0.48, 0.46, 0.41], std=[0.23, 0.22, 0.22])
  }
}
train Base of Animals on Photographs {
  epochs    = 1
  batch     = 4
  optimizer = sgd(lr=0.1)
}`;

/** Classes of one picture, by index. */
type Probabilities = Readonly<Record<number, number>>;

interface Named {
  readonly name: string;
  readonly index: number;
  readonly probability: number;
}

const byIndex = (classes: readonly Named[]): Probabilities =>
  Object.fromEntries(classes.map(({ index, probability }) => [index, probability]));

function difference(actual: Probabilities, expected: Probabilities): number {
  return Math.max(
    ...Object.entries(expected).map(([index, value]) => Math.abs(actual[Number(index)]! - value)),
  );
}

describe.skipIf(!chromiumPath)("pictures in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache", "pictures-"));
    writeFileSync(join(folder, "animals.net"), SPEC);
    copyFileSync(photograph, join(folder, "photograph.jpg"));
    const half = { width: 48, height: 40, channels: 4, background: "#20c0a080" } as const;
    await sharp({ create: half }).png().toFile(join(folder, "half.png"));
    await sharp(photograph)
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(join(folder, "turned.jpg"));
    await sharp(photograph).withIccProfile("p3").png().toFile(join(folder, "profile.png"));
    await sharp(photograph).resize(20, 24).png().toFile(join(folder, "small.png"));
    // A crop beyond the picture, which is not resized on the device.
    writeFileSync(join(folder, "padded.net"), SPEC.replaceAll("resize(36) -> ", ""));
    // Transforms that draw, in loops and on the device.
    const drawing = "center_crop(32) -> color_jitter(brightness=0.4) -> normalize";
    const flipped = drawing.replace("center_crop", "random_resized_crop");
    writeFileSync(
      join(folder, "drawn.net"),
      SPEC.replace("resize(36) -> center_crop(32) -> normalize", flipped),
    );
    // Ten images of each picture.
    writeFileSync(
      join(folder, "ten.net"),
      SPEC.replace("center_crop(32) -> normalize", "ten_crop(32) -> normalize"),
    );
    for (const spec of ["animals", "padded", "drawn", "ten"]) {
      const file = join(folder, `${spec}.net`);
      await runNetc(["compile", file]);
      const alone = ["--standalone", "--predict-only", "-o", join(folder, "alone")];
      await runNetc(["compile", file, ...alone]);
    }
    const [arrays] = SPEC.split("data Photographs");
    writeFileSync(join(folder, "arrays.net"), arrays!);
    const alone = ["--standalone", "--predict-only", "-o", join(folder, "alone")];
    await runNetc(["compile", join(folder, "arrays.net"), ...alone]);
    server = await serve({ dist: join(root, "dist"), modules: folder });
    browser = await launchChromium();
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`${addressOf(server)}/`);
    await page.evaluate(setup);
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const setup = `(async () => {
    const { createAnimals } = await import("/modules/animals.js");
    const classes = ["ant", "bee", "cow"];
    window.net = await createAnimals({ batch: 4, seed: 3, classes });
    window.blobOf = async (name) => (await fetch("/modules/" + name)).blob();
    window.canvasOf = async (name, canvas) => {
      const bitmap = await createImageBitmap(await blobOf(name), { colorSpaceConversion: "none" });
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      return canvas;
    };
    const image = new Image();
    image.src = "/modules/photograph.jpg";
    await image.decode();
    const canvas = await canvasOf("photograph.jpg", document.createElement("canvas"));
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = canvas.captureStream(30);
    await video.play();
    window.sources = {
      blob: await blobOf("photograph.jpg"),
      image,
      canvas,
      video,
      frame: new VideoFrame(canvas, { timestamp: 0 }),
      bitmap: await createImageBitmap(image),
      offscreen: await canvasOf("photograph.jpg", new OffscreenCanvas(1, 1)),
      data: canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height),
    };
  })()`;

  const inPage = <Result>(code: string) =>
    page.evaluate<Result>(`(async () => ${code.startsWith("{") ? code : `(${code})`})()`);

  function inNode(spec: string, names: readonly string[]): readonly Probabilities[] {
    const paths = JSON.stringify(names.map((name) => join(folder, name)));
    const module = JSON.stringify(pathToFileURL(join(folder, `${spec}.js`)).href);
    const code = `import { createAnimals } from ${module};
      const net = await createAnimals({ batch: 4, seed: 3, adapter: "embedded" });
      console.log(JSON.stringify(await net.classify(${paths})));
      net.destroy();`;
    const script = join(folder, "node.mjs");
    writeFileSync(script, code);
    const output = execFileSync(process.execPath, [script], { encoding: "utf8" });
    return (JSON.parse(output) as Named[][]).map(byIndex);
  }

  test.each([
    ["pictures that JavaScript prepares give", "padded"],
    ["the mean over ten crops, and over those of a worker, are", "ten"],
  ])("%s the probabilities of Node", async (_, spec) => {
    const names = ["small.png", "half.png", "photograph.jpg"];
    const expected = inNode(spec, names);
    const [here, there] = await inPage<[Named[][], Named[][]]>(`{
      const module = await import("/modules/${spec}.js");
      const { inWorker } = await import("/dist/runtime/worker/index.js");
      const options = { batch: 4, seed: 3 };
      const nets = [await module.createAnimals(options), await inWorker(module, options)];
      const blobs = await Promise.all(${JSON.stringify(names)}.map(blobOf));
      const found = await Promise.all(nets.map((each) => each.classify(blobs)));
      for (const each of nets) each.destroy();
      return found;
    }`);
    expect(there).toEqual(here);
    expect(here).toHaveLength(3);
    here.forEach((classes, index) => {
      expect(difference(byIndex(classes), expected[index]!)).toBeLessThan(1e-3);
    });
  });

  test.each(["animals", "padded", "drawn", "ten"])(
    "%s: a standalone module that only predicts gives the same probabilities",
    async (spec) => {
      const [whole, alone] = await inPage<[Named[][], Named[][]]>(`{
        const blobs = await Promise.all(["small.png", "half.png", "turned.jpg"].map(blobOf));
        const nets = [];
        for (const folder of ["", "alone/"]) {
          const { createAnimals } = await import("/modules/" + folder + "${spec}.js");
          const own = await createAnimals({ batch: 4 });
          await own.load(await net.save());
          nets.push(own);
        }
        const found = await Promise.all(nets.map((each) => each.classify(blobs)));
        for (const each of nets) each.destroy();
        return found;
      }`);
      expect(alone).toHaveLength(3);
      expect(alone).toEqual(whole);
    },
  );

  test("a standalone module without data refuses pictures, and predicts arrays", async () => {
    const [error, length] = await inPage<[string, number]>(`{
      const { createAnimals } = await import("/modules/alone/arrays.js");
      const own = await createAnimals({ batch: 4 });
      await own.load(await net.save());
      const error = await own.classify(sources.canvas).catch(String);
      const values = await own.predict(new Float32Array(2 * 3 * 32 * 32));
      own.destroy();
      return [error, values.length];
    }`);
    expect(error).toContain("InputError: arrays.net does not say how pictures become the input");
    expect(length).toBe(6);
  });

  test("files give the probabilities of Node", async () => {
    const names = ["photograph.jpg", "half.png", "turned.jpg", "profile.png"];
    const expected = inNode("animals", names);
    const actual = await inPage<Named[][]>(
      `net.classify(await Promise.all(${JSON.stringify(names)}.map(blobOf)))`,
    );
    const differences = actual.map((classes, index) => {
      return difference(byIndex(classes), expected[index]!);
    });
    console.log("largest difference of a probability from Node's:", differences);
    for (const each of differences) expect(each).toBeLessThan(1e-3);
    expect(actual[0]!.map(({ name, index }) => name === ["ant", "bee", "cow"][index])).toEqual([
      true,
      true,
      true,
    ]);
    expect(difference(expected[0]!, expected[1]!)).toBeGreaterThan(1e-3);
  });

  test.each(["image", "canvas", "frame", "bitmap", "offscreen", "data", "video"])(
    "%s: what the file gives",
    async (kind) => {
      const [expected, actual] = await inPage<[Named[], Named[]]>(
        `Promise.all([net.classify(sources.blob), net.classify(sources.${kind})])`,
      );
      // A video's frames come through YUV 4:2:0.
      const tolerance = kind === "video" ? 0.02 : 1e-6;
      expect(difference(byIndex(actual), byIndex(expected))).toBeLessThan(tolerance);
    },
  );

  test("a call takes the picture that the canvas shows when it is made", async () => {
    const [first, second, again] = await inPage<Named[][]>(`{
      const canvas = new OffscreenCanvas(40, 40);
      const context = canvas.getContext("2d");
      const fill = (color) => { context.fillStyle = color; context.fillRect(0, 0, 40, 40); };
      fill("red");
      const first = net.classify(canvas);
      fill("blue");
      const second = net.classify(canvas);
      fill("red");
      return Promise.all([first, second, net.classify(canvas)]);
    }`);
    expect(again).toEqual(first);
    expect(difference(byIndex(first!), byIndex(second!))).toBeGreaterThan(1e-3);
  });

  test("pictures of every size train, evaluate and predict", async () => {
    const [loss, length, after] = await inPage<[number, number, number]>(`{
      const pictures = [sources.canvas, await blobOf("half.png"), sources.data];
      const { loss } = await net.step(pictures, [0, 1, 2], { learningRate: 0.01 });
      const after = await net.evaluate(pictures, [0, 1, 2]);
      return [loss, (await net.predict(pictures)).length, after.loss];
    }`);
    expect(length).toBe(9);
    expect(after).toBeLessThan(loss);
  });

  test.each([
    ["'photo.jpg'", "a browser cannot read a picture from a path"],
    ["new Blob(['no image'])", "cannot be decoded"],
    ["new Uint8Array(9)", "as a Blob"],
    ["sources.data.data", "must be a Float32Array or a picture (ImageBitmap"],
    ["document.createElement('video')", "video.requestVideoFrameCallback"],
    ["new Image()", "wait for `image.decode()`"],
    ["[]", "the list of pictures is empty"],
    ["undefined", "not a value of kind Undefined"],
    ["[...new Float32Array(3072)]", "pass a Float32Array of 3 x 32 x 32 values an example"],
    ["[[sources.canvas]]", "not a value of kind Array: lists of lists"],
  ])("refuses %s", async (code, message) => {
    const [name, said] = await inPage<[string, string]>(
      `net.classify(${code}).then(() => [], ({ name, message }) => [name, message])`,
    );
    expect(name).toBe("InputError");
    expect(said).toContain(message);
  });

  test("fit takes bitmaps, Blobs and canvases with labels, in every epoch", async () => {
    const losses = await inPage<number[]>(`{
      const { fit } = await import("netc/runtime");
      const { createAnimals, recipe } = await import("/modules/animals.js");
      const own = await createAnimals({ batch: 4, seed: 3 });
      const { blob, canvas, bitmap, image } = sources;
      const batches = [
        { images: [bitmap, await blobOf("half.png")], targets: [0, 1] },
        { images: [blob, await blobOf("half.png"), canvas], targets: [0, 1, 0] },
        { images: image, targets: [0] },
      ];
      const losses = [];
      const onEpoch = ({ training }) => void losses.push(training.loss);
      await fit(own, batches, { ...recipe, epochs: 4 }, { onEpoch });
      losses.push(own.stepCount);
      own.destroy();
      return losses;
    }`);
    expect(losses.at(-1)).toBe(12);
    expect(losses[3]!).toBeLessThan(losses[0]!);
  });

  test("a video without a frame, whatever it says of itself, gets advice that helps", async () => {
    const message = await inPage<string>(`{
      const video = document.createElement("video");
      Object.defineProperty(video, "readyState", { value: 4 });
      return net.classify(video).catch(({ message }) => message);
    }`);
    expect(message).toContain("video.requestVideoFrameCallback");
    expect(message).not.toContain("loadeddata");
  });

  test("what is not a picture, or has no pixels, says which it is and what to do", async () => {
    const found = await page.evaluate<string>(`(async () => {
      const files = new DataTransfer().files;
      const broken = new File(["no"], "b.jpg");
      const canvas = document.createElement("canvas");
      const detached = new ImageData(8, 8);
      structuredClone(detached.data.buffer, { transfer: [detached.data.buffer] });
      const context = canvas.getContext("2d");
      const wide = new OffscreenCanvas(9000, 10);
      const first = [[canvas, broken], files, new OffscreenCanvas(0, 2), null, new URL("a:b")];
      const given = [...first, wide, detached, new Response(), new ArrayBuffer(8), context];
      const said = given.map((each) => net.classify(each).catch(({ message }) => message));
      return (await Promise.all(said)).join("\\n");
    })()`);
    const lines = found.split("\n");
    expect(lines[0]).toMatch(/^picture 2 of 2: the picture cannot be decoded.*`b.jpg`/);
    expect(lines[1]).toContain("not a value of kind FileList: pass a list, `[...files]`");
    expect(lines[2]).toContain("the canvas has no pixels: set its width and height");
    expect(lines[3]).toContain("does `querySelector` find the element?");
    expect(lines[4]).toContain("a browser cannot read a picture from a path");
    expect(lines[5]).toContain("draw on it before the call, or make it smaller");
    expect(lines[6]).toContain("the picture was closed, or its buffer transferred");
    expect(lines[7]).toContain("of kind Response: pass `await response.blob()`");
    expect(lines[8]).toContain("as `new Blob([bytes])`");
    expect(lines[9]).toContain("of kind CanvasRenderingContext2D: pass its `canvas`");
  });

  test("dozens of steps and frames leave no buffer or texture behind", async () => {
    const [before, after] = await inPage<[number, number]>(`{
      const alive = new Set();
      for (const name of ["createBuffer", "createTexture"]) {
        const create = GPUDevice.prototype[name];
        GPUDevice.prototype[name] = function (descriptor) {
          const made = create.call(this, descriptor);
          alive.add(made);
          const destroy = made.destroy.bind(made);
          made.destroy = () => (alive.delete(made), destroy());
          return made;
        };
      }
      const { createAnimals } = await import("/modules/animals.js");
      const own = await createAnimals({ batch: 4, seed: 3 });
      const canvas = new OffscreenCanvas(64, 48);
      const context = canvas.getContext("2d");
      const floats = new Float32Array(4 * 3 * 32 * 32).fill(0.5);
      const work = async (times) => {
        for (let time = 0; time < times; time++) {
          context.fillStyle = "hsl(" + time + " 70% 50%)";
          context.fillRect(0, 0, 64, 48);
          await own.step(floats, [0, 1, 2, 0]);
          await own.evaluate(floats, [0, 1, 2, 0]);
          await own.classify(canvas);
        }
      };
      await work(5);
      const before = alive.size;
      await work(50);
      return [before, alive.size];
    }`);
    expect(before).toBeGreaterThan(10);
    expect(after).toBe(before);
  });

  test("nothing else went wrong, and memory stays as it is", async () => {
    const [first, before, after] = await inPage<[number, number, number]>(`{
      const { createAnimals } = await import("/modules/animals.js");
      const other = await createAnimals({ batch: 4 });
      const first = other.memory.total;
      const picture = new ImageData(500, 400);
      await other.classify(picture);
      const before = other.memory.total;
      for (let index = 0; index < 20; index++) await other.classify(picture);
      const after = other.memory.total;
      other.destroy();
      return [first, before, after];
    }`);
    // The texture of the picture is counted.
    expect(before - first).toBeGreaterThan(4 * 500 * 400);
    expect(after).toBe(before);
    expect(problems).toEqual([]);
  });
});
