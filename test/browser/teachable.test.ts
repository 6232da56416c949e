/**
 * examples/teachable in Chromium: a camera and files show four classes, the page learns them, and
 * the file that it gives names them in Node.
 */
import { cpSync, mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import ts from "typescript";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { runNetc } from "../cli/netc.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");
const example = join(root, "examples", "teachable");

const SHAPES = [
  `<circle r="30" fill="#c33" />`,
  `<rect x="-28" y="-28" width="56" height="56" fill="#36c" />`,
  `<path d="M0 -34 L34 28 L-34 28 Z" fill="#393" />`,
  "", // nothing but the background
];
/** Pictures that the page is shown, of each class; one more is only tried. */
const VARIANTS = 5;

/** A drawing of a class, elsewhere in the picture and of another size with each variant. */
function drawing(label: number, variant: number): string {
  const [x, y] = [55 + ((variant * 23) % 50), 50 + ((variant * 17) % 24)];
  const place = `translate(${x} ${y}) scale(${0.9 + variant / 10})`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120">` +
    `<rect width="160" height="120" fill="hsl(40 20% ${70 + 3 * variant}%)" />` +
    `<g transform="${place}">${SHAPES[label]}</g></svg>`
  );
}

const fileOf = async (label: number, variant: number) => ({
  name: `${variant}.png`,
  mimeType: "image/png",
  buffer: await sharp(Buffer.from(drawing(label, variant)))
    .png()
    .toBuffer(),
});

/** A camera before which the drawings of class `scene` change; counts the pictures taken of it. */
const camera = (drawings: readonly (readonly string[])[]) => `
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const paint = canvas.getContext("2d");
  const scenes = ${JSON.stringify(drawings)}.map((list) => list.map((svg) =>
    Object.assign(new Image(), { src: "data:image/svg+xml," + encodeURIComponent(svg) })));
  window.scene = 0;
  let frame = 0;
  setInterval(() => paint.drawImage(scenes[window.scene][frame++ % scenes[0].length], 0, 0), 50);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
  window.taken = 0;
  const take = window.createImageBitmap;
  window.createImageBitmap = (source, options) => {
    if (options?.resizeHeight === 64) window.taken++; // netc makes some, too
    return take(source, options);
  };`;

describe.skipIf(!chromiumPath)("examples/teachable", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "netc-teachable-"));
    cpSync(example, folder, { recursive: true });
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules", "netc"));
    const spec = join(folder, "teachable.net");
    await runNetc(["compile", spec, "--train", "Teach"]);
    await build({ root: folder, base: "./", logLevel: "silent", configFile: false });
    server = await serve({ site: join(folder, "dist") });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is 25 lines, whose types are right", () => {
    const lines = readFileSync(join(example, "main.ts"), "utf8").split("\n");
    const code = lines.filter((line) => line.trim() !== "" && !line.startsWith("//"));
    expect(code.length).toBeLessThanOrEqual(25);
    const { options, fileNames } = ts.parseJsonConfigFileContent(
      JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8")),
      ts.sys,
      folder,
    );
    const found = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options));
    expect(found.map(({ messageText }) => messageText)).toEqual([]);
  });

  test("says in the page what fails", async () => {
    const page = await browser.newPage();
    await page.addInitScript("Object.defineProperty(navigator, 'gpu', { value: undefined })");
    await page.goto(`${addressOf(server)}/site/index.html`);
    await page.locator("output", { hasText: "NoAdapterError" }).waitFor();
    await page.close();
  });

  test("learns four classes from a camera and files, and takes its weights back", async () => {
    const page = await browser.newPage({ viewport: { width: 1000, height: 720 } });
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    const labels = [0, 1, 2, 3];
    const variants = Array.from({ length: VARIANTS }, (_, variant) => variant);
    const shown = labels.map((label) => variants.map((variant) => drawing(label, variant)));
    await page.addInitScript(camera(shown));
    await page.goto(`${addressOf(server)}/site/index.html`);
    await page.waitForFunction("document.querySelector('video').currentTime > 0");
    for (const label of [0, 1]) await holdBefore(page, label);
    for (const label of [2, 3]) {
      const files = await Promise.all(variants.map((variant) => fileOf(label, variant)));
      await page.locator("fieldset input").nth(label).setInputFiles(files);
    }
    await page.waitForFunction("parseInt(document.querySelector('output').value) >= 90");
    for (const label of labels) {
      await page.evaluate(`window.scene = ${label}`);
      await surelySees(page, label);
    }
    const tried = await Promise.all(labels.map((label) => fileOf(label, VARIANTS)));
    for (const label of labels) {
      await page.locator("section > p input").first().setInputFiles(tried[label]!);
      await surelySees(page, label);
    }
    const downloading = page.waitForEvent("download");
    await page.getByText("Download the weights").click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("taught.safetensors");
    const weights = readFileSync(await download.path());
    const classes = await page.locator("legend").allTextContents();
    await page.reload();
    // From the first frame on, the page listens.
    await page.waitForFunction("document.querySelector('meter').value > 0");
    await page
      .locator("section > p input")
      .nth(1)
      .setInputFiles(await download.path());
    await page.locator("section > p input").first().setInputFiles(tried[2]!);
    await surelySees(page, 2);
    expect(problems).toEqual([]);
    await page.close();
    expect(
      await namesInNode(
        weights,
        tried.map(({ buffer }) => buffer),
      ),
    ).toEqual(classes);
  });
});

/** Holds a class's button until the page has taken some pictures of the camera. */
async function holdBefore(page: Page, label: number): Promise<void> {
  const before = await page.evaluate<number>(`(window.scene = ${label}, window.taken)`);
  // The stream shows the new scene a few frames later.
  await page.waitForTimeout(300);
  await page.locator("button").nth(label).hover();
  await page.mouse.down();
  await page.waitForFunction(`window.taken >= ${before + 2 * VARIANTS}`);
  await page.mouse.up();
}

/** Waits until the page gives a class most of the probability. */
const surelySees = (page: Page, label: number) =>
  page.waitForFunction(`document.querySelectorAll("meter")[${label}].value > 0.6`);

/** What the weights call the pictures in Node. */
async function namesInNode(
  weights: Uint8Array,
  pictures: readonly Uint8Array[],
): Promise<readonly string[]> {
  const text = readFileSync(join(example, "teachable.net"), "utf8");
  const { programs } = compile(text, { file: "teachable.net", train: "Teach" });
  const network = await createNetwork(programs, { batch: 4 });
  await network.load(weights);
  const found = await network.classify([...pictures], { top: 1 });
  network.destroy();
  return found.map(([best]) => best!.name);
}
