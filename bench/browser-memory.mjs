// node bench/browser-memory.mjs [STEPS] [FRAMES]: trains a small network for 5,000 steps and
// classifies 20,000 frames of a changing canvas in Chromium. Prints the JavaScript heap and the
// device's memory at intervals. Exits with 1 where buffers or textures are left over.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compile } from "../dist/compiler/index.js";
import { openPage, root } from "./browser.mjs";

const SPEC = `model Small {
  input  image: f32[N, 3, 32, 32]
  target label: u32[N] in 0..4
  conv(8, kernel=3, stride=2) -> batchnorm -> relu -> maxpool(2)
  conv(16, kernel=3) -> relu -> flatten -> linear(4) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
data Frames for Small {
  train folder("frames") { resize(32) -> center_crop(32) }
  eval  folder("frames") { resize(32) -> center_crop(32) }
}
train Base of Small on Frames {
  epochs    = 1
  batch     = 8
  optimizer = adam(lr=1e-3)
}`;

/** Counts what is alive on the device, whoever made it. */
const COUNTING = `
  window.live = { count: 0, bytes: 0 };
  for (const name of ["createBuffer", "createTexture", "createQuerySet"]) {
    const create = GPUDevice.prototype[name];
    GPUDevice.prototype[name] = function (descriptor) {
      const made = create.call(this, descriptor);
      const bytes = name === "createBuffer" ? made.size : 4 * made.width * made.height;
      live.count++;
      live.bytes += bytes;
      const destroy = made.destroy.bind(made);
      let isAlive = true;
      made.destroy = () => {
        destroy();
        if (!isAlive) return;
        isAlive = false;
        live.count--;
        live.bytes -= bytes;
      };
      return made;
    };
  }`;

const [steps = 5000, frames = 20000] = process.argv.slice(2).map(Number);
const work = await mkdtemp(join(root, ".cache", "memory-"));
try {
  await writeFile(join(work, "small.js"), compile(SPEC, { file: "small.net" }).module);
  const flags = ["--js-flags=--expose-gc", "--enable-precise-memory-info"];
  const { page, close } = await openPage({ folders: { work }, flags, init: COUNTING });
  await page.evaluate(`(async () => {
    const { createSmall } = await import("/work/small.js");
    window.net = await createSmall({ batch: 8, seed: 1, classes: ["a", "b", "c", "d"] });
    const canvas = new OffscreenCanvas(160, 120);
    const context = canvas.getContext("2d");
    let drawn = 0;
    const draw = () => {
      context.fillStyle = "hsl(" + (drawn++ % 360) + " 70% 50%)";
      context.fillRect(drawn % 160, 0, 40, 120);
    };
    const images = new Float32Array(8 * 3 * 32 * 32);
    const labels = Uint32Array.from({ length: 8 }, (_, index) => index % 4);
    window.train = async (count) => {
      for (let step = 0; step < count; step++) {
        images.fill((step % 17) / 17);
        await net.step(images, labels);
      }
    };
    window.classify = async (count) => {
      for (let frame = 0; frame < count; frame++) {
        draw();
        await net.classify(canvas);
      }
    };
    window.state = () => {
      gc();
      const heap = performance.memory.usedJSHeapSize;
      return { heap, live: { ...live }, memory: net.memory.total };
    };
    await train(20);
    await classify(20);
  })()`);
  const rows = [];
  const note = async (what, done) => {
    const { heap, live, memory } = await page.evaluate("state()");
    rows.push({ what, done, heap, ...live });
    const shown = [heap / 1e6, live.bytes / 1e6, memory / 1e6].map((size) => size.toFixed(3));
    const [heapSize, liveSize, own] = shown;
    console.log(
      `${what} ${String(done).padStart(6)}: JS heap ${heapSize} MB, ` +
        `on the device ${live.count} objects, ${liveSize} MB, net.memory ${own} MB`,
    );
  };
  for (const [what, total] of [
    ["train", steps],
    ["classify", frames],
  ]) {
    await note(what, 0);
    for (let part = 1; part <= 5; part++) {
      await page.evaluate(`${what}(${Math.ceil(total / 5)})`);
      await note(what, part * Math.ceil(total / 5));
    }
  }
  await close();
  const [first, last] = [rows[0], rows.at(-1)];
  if (last.count !== first.count || last.bytes !== first.bytes) process.exitCode = 1;
} finally {
  await rm(work, { recursive: true });
}
