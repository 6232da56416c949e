// How fast photographs become batches: `node bench/data.mjs DIR`, where DIR holds CLASS/IMAGE as a
// validation set does. Each is decoded, resized to 256 and cropped to 224, by netc's own path and
// by plain loops over the image library, and what the parts cost is told. "A core" is the processor
// time of all threads together, which other work on the machine disturbs little. Contenders take
// turns, and the median round of each is told.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { compile } from "../dist/compiler/index.js";
import { chooseStaging, loadBatches } from "../dist/runtime/data/index.js";
import { applyTransforms } from "../dist/runtime/data/transforms.js";
import { decodeImage } from "../dist/runtime/node/data/decode.js";
import { openFolder } from "../dist/runtime/node/data/folder.js";

const root = process.argv[2];
if (root === undefined) {
  console.error("usage: node bench/data.mjs DIR, which holds CLASS/IMAGE.jpg");
  process.exit(2);
}

const spec = await readFile(join(import.meta.dirname, "../specs/alexnet.net"), "utf8");
const { program } = compile(spec, { file: "alexnet.net" });
const { transforms } = program.preparations.eval;
const crop = transforms.slice(0, 2);
const KEY = { seed: 0, epoch: 0, example: 0 };
const files = await imageFiles(root);

/** The paths that the folder source reads, in its order. */
async function imageFiles(directory) {
  const { glob } = await import("tinyglobby");
  const found = await glob("*/*.{jpg,jpeg,JPEG,png}", { cwd: directory, absolute: true });
  return found.sort();
}

const ROUNDS = 5;

/**
 * Lets all contenders take turns, and says what an image took each of them: the first round warms
 * up.
 */
async function measure(contenders) {
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const times = [];
    for (const [, work] of contenders) times.push(await time(work));
    if (round > 0) rounds.push(times);
  }
  contenders.forEach(([name], index) => {
    const median = (key) =>
      rounds.map((times) => times[index][key]).sort((one, other) => one - other)[ROUNDS >> 1];
    const [wall, core] = [median("wall"), median("core")];
    const rate = (1000 / wall).toFixed(0).padStart(5);
    console.log(`${name.padEnd(44)} ${rate} images/s  ${core.toFixed(2)} ms of a core each`);
  });
}

/** Milliseconds for each image that `work` took, by the clock and of all cores together. */
async function time(work) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wall = (performance.now() - start) / files.length;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, core: (user + system) / 1000 / files.length };
}

/** The usual few lines: the library resizes with its own filter, and applies profiles. */
async function plain(file) {
  const { data, info } = await sharp(file)
    .resize(256, 256, { fit: "outside" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const [left, top] = [info.width - 224, info.height - 224].map((free) => Math.floor(free / 2));
  const pixels = new Uint8Array(224 * 224 * info.channels);
  for (let y = 0; y < 224; y++) {
    const row = ((top + y) * info.width + left) * info.channels;
    pixels.set(data.subarray(row, row + 224 * info.channels), y * 224 * info.channels);
  }
  return pixels;
}

async function batches() {
  const dataset = await openFolder(root, { channels: 3 });
  const staging = chooseStaging(program, "eval", { dataset, transforms });
  const [channels, height, width] = program.tensors.find(({ role }) => role === "input").shape;
  const shape = { channels, height, width };
  const options = { batch: 32, shape, transforms, staging, seed: 0, epoch: 0, shuffle: true };
  let count = 0;
  for await (const batch of loadBatches(dataset, options)) count += batch.count;
  return count;
}

const cores = availableParallelism();
console.log(`${files.length} images, ${cores} cores, Node ${process.version}`);
const bytes = await Promise.all(files.map((file) => readFile(file)));

async function plainLoops(count) {
  const left = [...files];
  const loop = async () => {
    for (let file = left.pop(); file; file = left.pop()) await plain(file);
  };
  await Promise.all(Array.from({ length: count }, loop));
}

await measure([
  ["plain loop, one image after the other", () => plainLoops(1)],
  [`plain loops, ${cores} side by side`, () => plainLoops(cores)],
  ["netc, from the files to batches for the GPU", batches],
]);
await measure([
  [
    "of which decoding",
    async () => {
      for (const each of bytes) await decodeImage(each, 3);
    },
  ],
]);
const decoded = await Promise.all(bytes.map((each) => decodeImage(each, 3)));
const resize = () => decoded.forEach((image) => applyTransforms(image, crop, KEY));
await measure([["of which resize(256) -> center_crop(224)", resize]]);
