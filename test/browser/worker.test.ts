/** A network in a worker in Chromium: it gives what the page's own gives. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runNetc } from "../cli/netc.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");
const photograph = join(root, "test/data/photograph/photograph.jpg");

const SPEC = `model Animals {
  input  image: f32[N, 3, 32, 32]
  target label: u32[N] in 0..3
  conv(8, kernel=5, stride=2) as first -> relu -> flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)
}
data Photographs for Animals {
  train folder("photos") { resize(36) -> center_crop(32) }
  eval  folder("photos") { resize(36) -> center_crop(32) }
}
train Base of Animals on Photographs {
  epochs    = 4
  batch     = 4
  optimizer = sgd(lr=0.01)
}`;

describe.skipIf(!chromiumPath)("a network in a worker in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache", "worker-"));
    writeFileSync(join(folder, "animals.net"), SPEC);
    copyFileSync(photograph, join(folder, "photograph.jpg"));
    await runNetc(["compile", join(folder, "animals.net"), "--inspect"]);
    server = await serve({ dist: join(root, "dist"), modules: folder });
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(`${addressOf(server)}/`);
    await page.evaluate(`(async () => {
      const animals = await import("/modules/animals.js");
      const { inWorker } = await import("/dist/runtime/worker/index.js");
      const options = { batch: 4, seed: 3, classes: ["ant", "bee", "cow"] };
      window.own = await animals.createAnimals(options);
      window.compiled = [];
      const onCompile = ({ done, total }) => compiled.push([done, total]);
      window.net = await inWorker(animals, { ...options, onCompile });
      window.animals = animals;
      window.inWorker = inWorker;
      window.blob = await (await fetch("/modules/photograph.jpg")).blob();
      window.canvas = document.createElement("canvas");
      canvas.getContext("2d").drawImage(await createImageBitmap(blob), 0, 0);
    })()`);
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const inPage = <Result>(code: string) => page.evaluate<Result>(`(async () => ${code})()`);

  test("calls give what the page's own network gives", async () => {
    const [there, here] = await inPage<[unknown, unknown]>(`{
      const ask = async (net) => {
        const floats = new Float32Array(2 * 3072).fill(0.25);
        const list = [blob, canvas];
        const predicted = net.predict(floats);
        floats.fill(9);
        const before = [...(await predicted)];
        const classes = await net.classify(list);
        const loss = await net.step(list, [0, 1], { learningRate: 0.01 });
        const weight = [...(await net.read("first.weight"))];
        const { first } = await net.activations(blob, ["first"]);
        const map = await net.attribution(blob, { class: "bee" });
        const saved = (await net.save()).byteLength;
        const { stepCount, batch, adapter, parameters } = net;
        const facts = [stepCount, batch, adapter.target, parameters.length, net.program.model];
        return JSON.stringify([before, classes, loss, weight, [...first.values],
          [...map.values], saved, facts, net.memory.parameter]);
      };
      return [await ask(net), await ask(own)];
    }`);
    expect(there).toEqual(here);
    expect(await inPage<number>("compiled.length")).toBeGreaterThan(0);
  });

  test("errors keep name, class and text, and later calls work", async () => {
    const found = await inPage<unknown[]>(`{
      const { InputError } = await import("netc/runtime");
      const wrong = [() => net.predict(new Float32Array(7)), () => net.classify("a.jpg"),
        () => net.read("none"), () => net.step(blob, [0], { share: { run() {} } }),
        () => net.activations(blob, ["frist"])];
      const errors = wrong.map((call) => call().then(() => "none", (error) => error));
      const said = await Promise.all(errors);
      const again = await net.classify(blob);
      return [said.map(({ name }) => name), said.map((each) => each instanceof InputError),
        said.map(({ message }) => message).join(" | "), again.length];
    }`);
    expect(found[0]).toEqual(Array<string>(5).fill("InputError"));
    expect(found[1]).toEqual(Array<boolean>(5).fill(true));
    expect(found[2]).toContain("expected 3072 each");
    expect(found[2]).toContain("a browser cannot read a picture from a path");
    expect(found[2]).toContain("a worker cannot be given these arguments");
    expect(found[2]).toContain("similar ones are `first`");
    expect(found[3]).toBe(3);
  });

  test("fit trains it, from arrays and pictures, while the page draws frames", async () => {
    const result = await inPage<{ steps: number; frames: number; gap: number; epochs: number[] }>(`{
      const { fit } = await import("netc/runtime");
      const batches = Array.from({ length: 10 }, (_, index) => {
        const images = new Float32Array(4 * 3072).fill(index / 10);
        return { images, targets: [0, 1, 2, 0] };
      });
      batches[3] = { images: [blob, canvas], targets: [0, 1] };
      let [frames, gap, last, isOver] = [0, 0, performance.now(), false];
      const frame = (now) => {
        [frames, gap, last] = [frames + 1, Math.max(gap, now - last), now];
        if (!isOver) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
      let steps = 0;
      const epochs = [];
      const onStep = () => void steps++;
      const onEpoch = ({ epoch }) => void epochs.push(epoch);
      const recipe = { ...animals.recipe, accumulate: 1 };
      await fit(net, batches, recipe, { onStep, onEpoch, stepsPerEpoch: 10 });
      isOver = true;
      return { steps, frames, gap, epochs };
    }`);
    const { steps, frames, gap, epochs } = result;
    console.log(`${steps} steps, ${frames} frames meanwhile, longest gap ${gap.toFixed(0)} ms`);
    expect(steps).toBe(40);
    expect(epochs).toEqual([1, 2, 3, 4]);
    expect(frames).toBeGreaterThan(10);
  });

  test("weights come by the page's addresses, with progress, signals and Responses", async () => {
    const found = await inPage<unknown[]>(`{
      const file = new Blob([await own.save()]);
      const url = URL.createObjectURL(file);
      const parts = [];
      await net.load(url, { onProgress: ({ loaded }) => void parts.push(loaded) });
      await net.load(await fetch(url));
      await net.load(file);
      const wrong = [net.load("none.safetensors"), net.load(url, { signal: AbortSignal.abort() }),
        net.classify(document.createElement("video")), inWorker("/modules/animals.js")];
      const said = await Promise.all(wrong.map((call) => call.catch(({ message }) => message)));
      const same = [...(await net.read("first.bias"))].join() ===
        [...(await own.read("first.bias"))].join();
      return [parts.at(-1) === file.size, same, said.join(" | ")];
    }`);
    expect(found.slice(0, 2)).toEqual([true, true]);
    expect(found[2]).toContain(`${addressOf(server)}/none.safetensors: 404`);
    expect(found[2]).toContain("aborted");
    expect(found[2]).toContain("the video has no frame yet");
    expect(found[2]).toContain('takes a compiled module, not "/modules/animals.js"');
  });

  test("a lost device, pixels of another site, bytes that are gone", async () => {
    const losing = `import "./patch.js"; import "/dist/runtime/worker/main.js";`;
    writeFileSync(join(folder, "losing.js"), losing);
    const patch = `const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (wanted) {
        const device = await request.call(this, wanted);
        new BroadcastChannel("lose").onmessage = () => device.destroy();
        return device;
      };`;
    writeFileSync(join(folder, "patch.js"), patch);
    const other = await serve({ modules: folder });
    const [lost, after, again, foreign, gone] = await inPage<string[]>(`{
      const worker = new Worker("/modules/losing.js", { type: "module" });
      const own = await inWorker(animals, { batch: 4, worker });
      const say = (call) => call.then(JSON.stringify, (error) => error.name + error.message);
      const weights = await own.save();
      const before = await say(own.classify(blob));
      new BroadcastChannel("lose").postMessage("now");
      let lost;
      do lost = await say(own.classify(blob)); while (lost === before);
      await own.reopen();
      await own.load(weights);
      const after = await say(own.classify(blob));
      const image = new Image();
      image.src = "${addressOf(other)}/modules/photograph.jpg";
      await image.decode();
      const foreign = await say(own.classify(image));
      structuredClone(weights.buffer, { transfer: [weights.buffer] });
      const gone = await say(own.load(weights));
      own.destroy();
      return [lost, after, before, foreign, gone];
    }`);
    other.close();
    expect(lost).toContain("DeviceLostErrorthe GPU device was lost");
    expect(after).toBe(again);
    expect(foreign).toContain("InputErrorthe browser does not give the pixels of a picture");
    expect(gone).toContain("WeightsErrorthis is not a valid safetensors file: it has 0 bytes");
  });

  test("a network that was destroyed, and a worker without its file, say so", async () => {
    const [gone, lost] = await inPage<[string, string]>(`{
      const pending = net.classify(blob).then(() => "done", ({ message }) => message);
      net.destroy();
      const after = await net.predict(new Float32Array(3072)).catch(({ message }) => message);
      const worker = new Worker("/dist/none.js", { type: "module" });
      const lost = await inWorker(animals, { worker }).catch(({ name, message }) => name + message);
      return [(await pending) + " | " + after, lost];
    }`);
    expect(gone).toContain("the network was destroyed: create another");
    expect(lost).toContain("NetcErrorthe worker does not run");
  });
});
