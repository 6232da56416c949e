// node bench/browser-photographs.mjs FOLDER: prepares and classifies every picture of a folder in
// Node and in Chromium, and prints how far they are apart. Exits with 1 beyond the documented
// bounds: 2 gray levels after the transforms, 1e-3 in probability.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { compile } from "../dist/compiler/index.js";
import { openPage, root } from "./browser.mjs";

const MOST_LEVELS = 2;
const MOST_PROBABILITY = 1e-3;

/** Gives the input as it is: 0 to 1 for each channel of each pixel. */
const PIXELS = `model Pixels {
  input  image: f32[N, 3, 224, 224]
  target label: u32[N] in 0..150528
  relu -> flatten as pixels
  loss   cross_entropy(pixels, label)
}
data Photographs for Pixels {
  train folder("photographs") { resize(256) -> center_crop(224) }
  eval  folder("photographs") { resize(256) -> center_crop(224) }
}
train Base of Pixels on Photographs {
  epochs    = 1
  batch     = 1
  optimizer = sgd(lr=0.1)
}`;

const EXTENSIONS = /\.(jpe?g|png|webp|gif|bmp|avif)$/i;

async function picturesIn(folder) {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => EXTENSIONS.test(name)).sort();
}

/** A module in a folder inside the checkout, where it finds netc. */
async function emit(folder, name, spec, train) {
  const { module, diagnostics } = compile(spec, { file: `${name}.net`, train });
  if (module === "") throw new Error(diagnostics[0].message);
  await writeFile(join(folder, `${name}.js`), module);
  return import(join(folder, `${name}.js`));
}

const teachable = (text) => text.replace("on Cifar10 {", "on Pictures {");

/** The largest and the mean difference. */
class Differences {
  largest = 0;
  sum = 0;
  count = 0;

  add({ largest, sum, count }) {
    this.largest = Math.max(this.largest, largest);
    this.sum += sum;
    this.count += count;
  }

  toString() {
    const { largest, sum, count } = this;
    return `largest ${largest.toPrecision(3)}, mean ${(sum / count).toPrecision(3)} of ${count}`;
  }
}

const [given] = process.argv.slice(2);
if (!given) {
  console.error("usage: node bench/browser-photographs.mjs FOLDER");
  process.exit(2);
}
const photographs = resolve(given);
const names = await picturesIn(photographs);
const work = await mkdtemp(join(root, ".cache", "photographs-"));
try {
  const example = join(root, "examples", "teachable");
  const spec = teachable(await readFile(join(example, "teachable.net"), "utf8"));
  const weights = join(example, "public", "features.safetensors");
  const pixels = await (await emit(work, "pixels", PIXELS)).createPixels({ batch: 1 });
  const module = await emit(work, "teachable", spec, "Pretrain");
  const classifier = await module.createTeachable({ batch: 1, seed: 1 });
  await classifier.load(await readFile(weights));

  /** Floats of Node: the pixels, or the probabilities. */
  const made = async (path) => {
    const [what, index] = path.split("/");
    const file = join(photographs, names[index]);
    if (what === "pixels") return Buffer.from((await pixels.predict(file)).buffer);
    const classes = await classifier.classify(file, { top: 10 });
    const probabilities = new Float32Array(10);
    for (const { index: at, probability } of classes) probabilities[at] = probability;
    return Buffer.from(probabilities.buffer);
  };
  const folders = { work, photographs, weights: join(example, "public") };
  const { page, close } = await openPage({ folders, made });
  await page.evaluate(`(async () => {
    const { createPixels } = await import("/work/pixels.js");
    const { createTeachable } = await import("/work/teachable.js");
    window.pixels = await createPixels({ batch: 1 });
    window.classifier = await createTeachable({ batch: 1, seed: 1 });
    await classifier.load("/weights/features.safetensors");
    const node = async (what, index) =>
      new Float32Array(await (await fetch("/made/" + what + "/" + index)).arrayBuffer());
    const compare = (one, other, scale) => {
      let [largest, sum] = [0, 0];
      one.forEach((value, index) => {
        const difference = scale * Math.abs(value - other[index]);
        largest = Math.max(largest, difference);
        sum += difference;
      });
      return { largest, sum, count: one.length };
    };
    window.check = async (name, index) => {
      const blob = await (await fetch("/photographs/" + name)).blob();
      const here = await pixels.predict(blob);
      const probabilities = new Float32Array(10);
      for (const { index, probability } of await classifier.classify(blob, { top: 10 }))
        probabilities[index] = probability;
      return {
        levels: compare(here, await node("pixels", index), 255),
        probability: compare(probabilities, await node("classes", index), 1),
        most: Math.max(...probabilities),
      };
    };
  })()`);
  const [levels, probability] = [new Differences(), new Differences()];
  let confident = 0;
  for (const [index, name] of names.entries()) {
    const found = await page.evaluate(`check(${JSON.stringify(encodeURI(name))}, ${index})`);
    levels.add(found.levels);
    probability.add(found.probability);
    if (found.most > 0.5) confident++;
    if (found.levels.largest > MOST_LEVELS) console.log(name, found.levels.largest);
  }
  await close();
  const adapters = `${pixels.adapter.name} in Node, Chromium's own adapter in the page`;
  console.log(`${names.length} pictures of ${relative(process.cwd(), photographs)}; ${adapters}`);
  console.log(`gray levels after resize and crop: ${levels}`);
  console.log(`probabilities of 10 classes: ${probability}`);
  console.log(`pictures with a probability over 0.5: ${confident}`);
  if (levels.largest > MOST_LEVELS || probability.largest > MOST_PROBABILITY) process.exitCode = 1;
  pixels.destroy();
  classifier.destroy();
} finally {
  await rm(work, { recursive: true });
}
