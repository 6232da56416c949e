/**
 * The page, the worker and the README's example of the documentation, as they are written, in
 * Chromium. With NETC_TEST_FULL.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePageFiles } from "../docs/files.js";
import { readPage, root } from "../docs/pages.js";
import { paint } from "../starter/pictures.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const netc = join(root, "dist", "cli", "main.js");
const CLASSES = ["daisy", "rose"];

/** Writes initial weights with names of classes, and prints what the network makes of a picture. */
const IN_NODE = `
import { readFileSync, writeFileSync } from "node:fs";
import { createFlowers } from "./flowers.js";
const net = await createFlowers({ batch: 1, seed: 3, adapter: "embedded" });
const classes = JSON.stringify(${JSON.stringify(CLASSES)});
writeFileSync("best.safetensors", await net.save({ metadata: { classes } }));
await net.load(readFileSync("best.safetensors"));
console.log(JSON.stringify(await net.classify("rose.jpg")));
net.destroy();
`;

interface Named {
  readonly name: string;
  readonly probability: number;
}

/** Same WGSL on two builds of SwiftShader, see modules.test.ts. */
const DIGITS = 4;

describe.runIf(process.env["NETC_TEST_FULL"] === "1" && chromiumPath)("pages in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  /** Classes of the picture in Node. */
  let expected: readonly Named[];

  const run = (...args: readonly string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });

  beforeAll(async () => {
    // Inside the package, so that Node finds "netc/runtime" as a user's project would.
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache", "pages-"));
    copyFileSync(join(root, "docs/start/flowers.net"), join(folder, "flowers.net"));
    writePageFiles("docs/deploy/browser.md", folder);
    run(netc, "compile", "flowers.net");
    writeFileSync(join(folder, "in-node.mjs"), IN_NODE);
    writeFileSync(
      join(folder, "rose.jpg"),
      await paint({ width: 160, height: 120, color: [255, 0, 0] }),
    );
    expected = JSON.parse(run("in-node.mjs")) as Named[];
    server = await serve({ site: folder, "node_modules/netc": root });
    browser = await launchChromium();
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

  const expectClasses = (actual: readonly Named[]) => {
    expect(actual.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
    for (const [at, { probability }] of expected.entries()) {
      expect(actual[at]!.probability).toBeCloseTo(probability, DIGITS);
    }
  };

  test("docs/deploy/browser.md names the class of a picture", async () => {
    await opened("index.html", async (page) => {
      await page.goto(`${addressOf(server)}/site/index.html`);
      const output = page.locator("output");
      await output.filter({ hasText: "Ready" }).waitFor();
      await page.setInputFiles("input", join(folder, "rose.jpg"));
      await output.filter({ hasNotText: "Ready" }).waitFor();
      const [{ name, probability }] = expected as [Named];
      expect(await output.textContent()).toBe(`${name} ${(100 * probability).toFixed(1)}%`);
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
      const classes = await page.evaluate(`import("/site/worker/page.js")
        .then(async ({ classify }) => classify(await (await fetch("/site/rose.jpg")).blob()))`);
      expectClasses(classes as Named[]);
    });
  });

  test("docs/interop-web.md shows a class of Keras's model", async () => {
    const site = join(folder, "keras");
    mkdirSync(site);
    writePageFiles("docs/interop-web.md", site);
    const model = join(root, "test/fixtures/models/keras-3-keras/small.keras");
    run(netc, "import", model, "-o", "keras");
    run(netc, "compile", "keras/small.net", "--standalone", "-o", "keras");
    await opened("index.html", async (page) => {
      await page.goto(`${addressOf(server)}/site/keras/index.html`);
      const output = page.locator("output");
      await output.filter({ hasText: "Choose" }).waitFor();
      await page.setInputFiles("input", join(folder, "rose.jpg"));
      await output.filter({ hasText: "class" }).waitFor();
      expect(await output.textContent()).toMatch(/^class [0-3], \d+%$/);
    });
  });

  test("the README's example prints the classes of its picture", async () => {
    const [, html] = /```html\n([^]*?)```/.exec(readPage("README.md"))!;
    writeFileSync(join(folder, "readme.html"), `<!doctype html>\n${html}`);
    await opened("README.md", async (page) => {
      const printed = page.waitForEvent("console");
      await page.goto(`${addressOf(server)}/site/readme.html`);
      const [classes] = (await printed).args();
      expectClasses((await classes!.jsonValue()) as Named[]);
    });
  });
});
