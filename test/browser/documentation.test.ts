/**
 * The page, the worker and the README's example of the documentation, as they are written, in
 * Chromium. With NETC_TEST_FULL.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePageFiles } from "../docs/files.js";
import { readPage, root } from "../docs/pages.js";
import { paint } from "../starter/pictures.js";
import { chromiumPath } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const netc = join(root, "dist", "cli", "main.js");
const CLASSES = ["daisy", "rose"];

/** Writes initial weights with names of classes, and prints what the network makes of a picture. */
const IN_NODE = `
import { readFileSync, writeFileSync } from "node:fs";
import { decodeImage } from "netc/runtime";
import { createFlowers } from "./flowers.js";
const net = await createFlowers({ batch: 1, seed: 3, adapter: "embedded" });
const classes = JSON.stringify(${JSON.stringify(CLASSES)});
writeFileSync("best.safetensors", await net.save({ metadata: { classes } }));
const constant = new Float32Array(3 * 96 * 96).fill(0.5);
const red = Float32Array.from({ length: 3 * 96 * 96 }, (_, at) => (at < 96 * 96 ? 1 : 0));
const predictions = [];
for (const image of [new Float32Array(3 * 96 * 96), constant, red]) {
  predictions.push([...(await net.predict(image))]);
}
console.log(JSON.stringify(predictions));
net.destroy();
`;

/** Same WGSL on two builds of SwiftShader, see modules.test.ts. */
const DIGITS = 4;

describe.runIf(process.env["NETC_TEST_FULL"] === "1" && chromiumPath)("pages in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  /** Logits of a black, a gray and a red picture in Node. */
  let expected: readonly (readonly number[])[];

  const run = (...args: readonly string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });

  beforeAll(async () => {
    // Inside the package, so that Node finds "netc/runtime" as a user's project would.
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache", "pages-"));
    copyFileSync(join(root, "docs/start/flowers.net"), join(folder, "flowers.net"));
    for (const page of ["docs/deploy/browser.md", "docs/deploy/preprocessing.md"]) {
      writePageFiles(page, folder);
    }
    run(netc, "compile", "flowers.net");
    writeFileSync(join(folder, "in-node.mjs"), IN_NODE);
    expected = JSON.parse(run("in-node.mjs")) as number[][];
    writeFileSync(
      join(folder, "red.jpg"),
      await paint({ width: 160, height: 120, color: [255, 0, 0] }),
    );
    server = await serve({ site: folder, "node_modules/netc": root });
    browser = await chromium.launch({
      executablePath: chromiumPath!,
      args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page, and fails with what it throws. */
  async function opened<Result>(name: string, use: (page: Page) => Promise<Result>) {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    try {
      const result = await use(page);
      expect(errors).toEqual([]);
      return result;
    } catch (error) {
      throw new Error(`${name}: ${errors.join("; ")}`, { cause: error });
    } finally {
      await page.close();
    }
  }

  const close = (actual: readonly number[], wanted: readonly number[]) => {
    expect(actual).toHaveLength(wanted.length);
    for (const [at, value] of wanted.entries()) expect(actual[at]).toBeCloseTo(value, DIGITS);
  };

  test("docs/deploy/browser.md names the class of a picture", async () => {
    await opened("index.html", async (page) => {
      await page.goto(`${addressOf(server)}/site/index.html`);
      const output = page.locator("output");
      await output.filter({ hasText: "Ready" }).waitFor();
      await page.setInputFiles("input", join(folder, "red.jpg"));
      await output.filter({ hasNotText: "Ready" }).waitFor();
      const [, , red] = expected;
      expect(await output.textContent()).toBe(CLASSES[red!.indexOf(Math.max(...red!))]);
    });
  });

  test("docs/deploy/preprocessing.md makes an input of a picture", async () => {
    await opened("pixels.js", async (page) => {
      await page.goto(`${addressOf(server)}/site/index.html`);
      const limits = await page.evaluate(`import("/site/pixels.js").then(({ toInput }) => {
        const canvas = new OffscreenCanvas(160, 120);
        const context = canvas.getContext("2d");
        context.fillStyle = "#ff0000";
        context.fillRect(0, 0, 160, 120);
        const normalize = { mean: [0.5, 0, 0], std: [0.5, 1, 1] };
        const input = toInput(canvas, { size: 96, resize: 108, ...normalize });
        return [0, 1, 2].map((channel) => {
          const plane = input.slice(channel * 96 * 96, (channel + 1) * 96 * 96);
          return [Math.min(...plane), Math.max(...plane)];
        });
      })`);
      expect(limits).toEqual([
        [1, 1],
        [0, 0],
        [0, 0],
      ]);
    });
  });

  test("docs/deploy/worker.md predicts in a worker", async () => {
    const site = join(folder, "worker");
    mkdirSync(site);
    writePageFiles("docs/deploy/worker.md", site);
    run(netc, "compile", "flowers.net", "--standalone", "-o", "worker");
    copyFileSync(join(folder, "best.safetensors"), join(site, "best.safetensors"));
    writeFileSync(join(site, "index.html"), "<!doctype html><title>worker</title>");
    await opened("worker", async (page) => {
      await page.goto(`${addressOf(server)}/site/worker/index.html`);
      const answers = await page.evaluate(`import("/site/worker/page.js").then(({ classify }) =>
        Promise.all([0, 0.5].map((value) => classify(new Float32Array(3 * 96 * 96).fill(value))))
          .then((all) => all.map(({ name, logits }) => ({ name, logits: [...logits] }))))`);
      for (const [at, { name, logits }] of (
        answers as { name: string; logits: number[] }[]
      ).entries()) {
        close(logits, expected[at]!);
        expect(name).toBe(CLASSES[logits.indexOf(Math.max(...logits))]);
      }
    });
  });

  test("the README's example prints logits", async () => {
    const [, html] = /```html\n([^]*?)```/.exec(readPage("README.md"))!;
    writeFileSync(join(folder, "readme.html"), `<!doctype html>\n${html}`);
    await opened("README.md", async (page) => {
      const printed = page.waitForEvent("console");
      await page.goto(`${addressOf(server)}/site/readme.html`);
      const [logits] = (await printed).args();
      close(await logits!.evaluate((values) => [...(values as Float32Array)]), expected[0]!);
    });
  });
});
