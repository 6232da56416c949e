// node bench/browser-frames.mjs [ROUNDS]: classifies a changing canvas with MobileNetV2 in Chromium
// by netc and by TensorFlow.js on the same adapter, in turns. Prints the time of a frame and how
// long the main thread is blocked, as ratios. Needs `npm ci --prefix bench`.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { openPage, root } from "./browser.mjs";

const [rounds = 5] = process.argv.slice(2).map(Number);
const FRAMES = 3;
const SEED = 1;

const TENSORFLOW = `export * from "@tensorflow/tfjs"; import "@tensorflow/tfjs-backend-webgpu";`;

/** The network of the spec with the same weights for both. */
async function prepare(work) {
  const netc = (...args) =>
    execFileSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], { stdio: "inherit" });
  const spec = join(root, "specs", "mobilenet_v2.net");
  netc("compile", spec, "-o", work);
  const { createMobileNetV2 } = await import(join(work, "mobilenet_v2.js"));
  const network = await createMobileNetV2({ batch: 1, seed: SEED });
  const weights = join(work, "weights.safetensors");
  await writeFile(weights, await network.save());
  network.destroy();
  netc("export", spec, "--weights", weights, "--to", "tfjs", "-o", join(work, "model.json"));
  await build({
    stdin: { contents: TENSORFLOW, resolveDir: join(root, "bench") },
    outfile: join(work, "tensorflow.js"),
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    logLevel: "error",
  });
}

const CONTENDERS = `(async () => {
  const tf = await import("/work/tensorflow.js");
  const { createMobileNetV2 } = await import("/work/mobilenet_v2.js");
  const net = await createMobileNetV2({ batch: 1, seed: ${SEED} });
  await net.load("/work/weights.safetensors");
  await tf.setBackend("webgpu");
  await tf.ready();
  const model = await tf.loadLayersModel("/work/model.json");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 480];
  const context = canvas.getContext("2d");
  let drawn = 0;
  const draw = () => {
    context.fillStyle = "hsl(" + ((drawn * 37) % 360) + " 70% 50%)";
    context.fillRect((drawn++ * 53) % 500, 0, 140, 480);
  };
  const contenders = {
    netc: async () => {
      const classes = await net.classify(canvas, { top: 1000 });
      const values = new Float32Array(1000);
      for (const { index, probability } of classes) values[index] = probability;
      return values;
    },
    tensorflow: async () => {
      const result = tf.tidy(() => {
        const pixels = tf.browser.fromPixels(canvas).toFloat().div(255);
        const resized = tf.image.resizeBilinear(pixels, [256, 341], false, true);
        const cropped = resized.slice([16, 58, 0], [224, 224, 3]);
        const input = cropped.sub([0.485, 0.456, 0.406]).div([0.229, 0.224, 0.225]);
        return tf.softmax(model.predict(input.expandDims(0)));
      });
      const values = await result.data();
      result.dispose();
      return values;
    },
  };
  /** Milliseconds of a frame, and those of which the main thread answered nothing else. */
  const time = async (run) => {
    let [blocked, isOver, last] = [0, false, performance.now()];
    const channel = new MessageChannel();
    const tick = () => {
      const now = performance.now();
      blocked += Math.max(0, now - last - 2);
      last = now;
      if (!isOver) setTimeout(() => { last = performance.now(); channel.port2.postMessage(0); }, 4);
    };
    channel.port1.onmessage = tick;
    channel.port2.postMessage(0);
    const start = performance.now();
    for (let frame = 0; frame < ${FRAMES}; frame++) {
      draw();
      const began = performance.now();
      const promise = run();
      blocked += performance.now() - began;
      last = performance.now();
      await promise;
    }
    isOver = true;
    return { frame: (performance.now() - start) / ${FRAMES}, blocked: blocked / ${FRAMES} };
  };
  window.first = async () => {
    draw();
    const [one, other] = [await contenders.netc(), await contenders.tensorflow()];
    return Math.max(...one.map((value, index) => Math.abs(value - other[index])));
  };
  window.round = async () => ({
    netc: await time(contenders.netc),
    tensorflow: await time(contenders.tensorflow),
  });
  return net.adapter.name;
})()`;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const work = await mkdtemp(join(root, ".cache", "frames-"));
try {
  await prepare(work);
  const { page, close } = await openPage({ folders: { work } });
  const adapter = await page.evaluate(CONTENDERS);
  const difference = await page.evaluate("first()");
  console.log(`largest difference of a probability: ${difference.toPrecision(3)}`);
  await page.evaluate("round()");
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    measured.push(await page.evaluate("round()"));
    const { netc, tensorflow } = measured.at(-1);
    console.log(`${netc.frame.toFixed(0)} and ${tensorflow.frame.toFixed(0)} ms a frame`);
  }
  await close();
  console.log(`${adapter}, ${rounds} rounds of ${FRAMES} frames of 640x480 each, in turns`);
  for (const what of ["frame", "blocked"]) {
    const [own, theirs] = ["netc", "tensorflow"].map((name) =>
      median(measured.map((round) => round[name][what])),
    );
    const ratio = median(measured.map(({ netc, tensorflow }) => tensorflow[what] / netc[what]));
    console.log(
      `${what}: netc ${own.toFixed(1)} ms, TensorFlow.js ${theirs.toFixed(1)} ms, ` +
        `ratio ${ratio.toFixed(2)} (median of rounds)`,
    );
  }
} finally {
  await rm(work, { recursive: true });
}
