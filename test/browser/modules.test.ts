/**
 * The modules that run in Node run unmodified in a browser: Debian's Chromium, headless, with
 * WebGPU on its own SwiftShader, compared with Node on the embedded SwiftShader.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SIAMESE } from "../ports/siamese.js";
import { runNetc } from "../cli/netc.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const MASKS = `
model Masks {
  input  image: f32[N, 1, 8, 8]
  target mask: u32[N, 8, 8] in 0..3
  conv(4, kernel=3, padding=1) -> relu -> conv(3, kernel=1) as logits
  loss   cross_entropy(logits, mask, ignore=255)
  metric miou   = miou(logits, mask)
  metric pixels = pixel_accuracy(logits, mask)
}`;

const root = join(import.meta.dirname, "../..");
interface Result {
  readonly adapter: string;
  readonly before: number[];
  readonly metrics: Record<string, number>;
  readonly after: number[];
}

/** The largest difference, relative to the largest value. */
function difference(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...actual.map((value, index) => Math.abs(value - expected[index]!))) / largest;
}

/**
 * Both run the same WGSL on SwiftShader, but not the same build of it, so rounding may differ. With
 * Chromium 156 and the embedded SwiftShader every bit is the same.
 */
const TOLERANCE = 1e-5;

describe.skipIf(!chromiumPath)("a generated module in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    // Inside the package, so that Node finds "netc/runtime" as a user's project would.
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache", "browser-"));
    writeFileSync(join(folder, "siamese.net"), SIAMESE);
    writeFileSync(join(folder, "masks.net"), MASKS);
    server = await serve({ dist: join(root, "dist"), modules: folder, test: import.meta.dirname });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A spec of ours by its name, or one that the test wrote into the folder. */
  async function compile(spec: string, ...flags: string[]): Promise<void> {
    const own = join(folder, `${spec}.net`);
    const path = existsSync(own) ? own : join(root, "specs", `${spec}.net`);
    await runNetc(["compile", path, "-o", folder, ...flags]);
  }

  function runInNode(spec: string, batch: number): Result {
    const script = join(import.meta.dirname, "in-node.mjs");
    const output = execFileSync(
      process.execPath,
      [script, join(folder, `${spec}.js`), `${batch}`],
      {
        encoding: "utf8",
      },
    );
    return JSON.parse(output) as Result;
  }

  /**
   * Opens a page and exercises the module there. Text, not a function: the test runner rewrites
   * imports in code.
   */
  async function runInBrowser(spec: string, batch: number, path = "/"): Promise<Result> {
    const page = await browser.newPage();
    try {
      await page.goto(addressOf(server) + path);
      const call = `exercise("/modules/${spec}.js", { batch: ${batch} })`;
      return await page.evaluate<Result>(
        `import("/test/exercise.mjs").then(({ exercise }) => ${call})`,
      );
    } finally {
      await page.close();
    }
  }

  test.each([
    { spec: "digits", batch: 16 },
    // Two inputs, a tower that both share, two targets.
    { spec: "siamese", batch: 4 },
    // A class for each pixel.
    { spec: "masks", batch: 2 },
    // Half a minute: `.ci/run` and the full mode run it.
    ...(process.env["NETC_TEST_FULL"] ? [{ spec: "alexnet", batch: 2 }] : []),
  ])("$spec: Node's logits, loss and trained weights", async ({ spec, batch }) => {
    await compile(spec);
    const expected = runInNode(spec, batch);
    const actual = await runInBrowser(spec, batch);
    const differences = {
      logits: difference(actual.before, expected.before),
      metrics: difference(Object.values(actual.metrics), Object.values(expected.metrics)),
      "logits after a step": difference(actual.after, expected.after),
    };
    console.log(
      `${spec}.js in Chromium (${actual.adapter}) and Node (${expected.adapter}):`,
      differences,
    );
    for (const error of Object.values(differences)) expect(error).toBeLessThan(TOLERANCE);
    expect(actual.before).not.toEqual(actual.after);
  });

  test("a standalone module needs no import map", async () => {
    await compile("digits", "--standalone");
    const { before } = await runInBrowser("digits", 4, "/bare");
    expect(before.length).toBe(40);
    const page = await browser.newPage();
    await page.goto(`${addressOf(server)}/bare`);
    const names = await page.evaluate<string[]>(
      'import("/modules/digits.js").then((module) => Object.keys(module))',
    );
    expect(names).toEqual(expect.arrayContaining(["createDigits", "fit", "DeviceLostError"]));
    await page.close();
  });
});
