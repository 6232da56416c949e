/**
 * report.html, opened from disk in Chromium: it draws all its parts without an error and without
 * the network.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderReport } from "../../report/render.js";
import { detection, regression, reportData, TAGS } from "../report/data.js";
import { chromiumPath, launchChromium } from "./chromium.js";

const dist = join(import.meta.dirname, "../../dist/report");

describe.skipIf(!chromiumPath)("report.html in Chromium", () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "netc-report-"));
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const assets = async () => {
    const [script, style] = await Promise.all(
      ["page.js", "page.css"].map((name) => readFile(join(dist, name), "utf8")),
    );
    return { script: script!, style: style! };
  };

  test("with boxes: those of the data and those found, and a curve of each class", async () => {
    const file = join(folder, "boxes.html");
    const data = { ...reportData(2), examination: undefined, detection: detection() };
    await writeFile(file, renderReport(data, await assets()));
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const problems: string[] = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`file://${file}`);
    expect((await page.locator("h2").allTextContents()).slice(0, 2)).toEqual(["Boxes", "Classes"]);
    expect(await page.locator("main").textContent()).toContain("1 of 5 examples has no box");
    const labels = await page.locator(".boxes text").allTextContents();
    expect(labels).toEqual(["cat", "<b>dog</b> 81%"]);
    const places = "[...document.querySelectorAll('.boxes rect')].map((e) => e.getAttribute('x'))";
    // Two outlines each: of 40 pixels, a left side of 0.25 and of 0.5.
    expect(await page.evaluate(places)).toEqual(["10", "10", "20", "20"]);
    // A class without a box has no curve.
    expect(await page.locator("polyline.curve").count()).toBe(1);
    expect(problems).toEqual([]);
    await page.close();
  });

  test("with tags, and with numbers over those of the data", async () => {
    const file = join(folder, "numbers.html");
    const own = { examination: undefined, tags: TAGS, regression: regression() };
    await writeFile(file, renderReport({ ...reportData(2), ...own }, await assets()));
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const problems: string[] = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`file://${file}`);
    const titles = (await page.locator("h2").allTextContents()).slice(0, 2);
    expect(titles).toEqual(["Tags", "Predicted numbers"]);
    const cells = page.locator("section", { hasText: "Tags" }).first().locator("td");
    expect(await cells.allTextContents()).toEqual([
      ...["cat", "1,200", "90.0%", "80.0%", "75.0%"],
      ...["<b>dog</b>", "0", "100.0%", "–", "–"],
    ]);
    expect(await page.locator(".scatters figcaption").allTextContents()).toEqual([
      "price <1> mean absolute error 12.73",
      "rooms mean absolute error 0",
      expect.stringContaining("mean absolute error 200000; 3 predictions are not finite"),
    ]);
    expect(await page.locator("main").textContent()).toContain("100 of them are drawn.");
    const places =
      "[...document.querySelectorAll('circle')].map((e) => [e.cx, e.cy]" +
      ".map(({ baseVal }) => baseVal.value))";
    const points = await page.evaluate<[number, number][]>(places);
    expect(points).toHaveLength(300);
    // A constant is in the middle of its diagonal.
    expect(points[100]).toEqual([176, 142]);
    for (const [x, y] of points) {
      expect(x).toBeGreaterThanOrEqual(56);
      expect(x).toBeLessThanOrEqual(296);
      expect(y).toBeGreaterThanOrEqual(22);
      expect(y).toBeLessThanOrEqual(262);
    }
    const last = page.locator(".scatters + .scroll tr").last();
    expect(await last.locator("td").allTextContents()).toEqual(["seventh", "0.5", "0"]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test.each([10, 100])("with %d classes", async (classes) => {
    const file = join(folder, `${classes}.html`);
    await writeFile(file, renderReport(reportData(classes), await assets()));
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const problems: string[] = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) problems.push(request.url());
    });
    await page.goto(`file://${file}`);

    expect(await page.locator("h2").allTextContents()).toEqual([
      ...["Confusion matrix", "Most confident mistakes", "Classes"],
      // A curve of each class is only for few classes.
      ...(classes === 10 ? ["Precision and recall by class"] : []),
      ...["Calibration", "First-layer filters", "Kernels", "Recipe", "Run", "Spec"],
    ]);
    expect(await page.locator(".tile").first().textContent()).toBe("best epoch4 of 5");
    const link = page.locator(".mistake a");
    expect(await link.getAttribute("title")).toBe("photos/cat/0 1.jpg");
    expect(await page.evaluate<string>("document.querySelector('.mistake a').href")).toBe(
      `file://${folder}/0%201.png`,
    );
    expect(await page.locator(".mistake .file").textContent()).toBe("cat/0 1.jpg");
    expect(await page.locator("rect.reliability").count()).toBe(10);
    expect(await page.locator("polyline.curve").count()).toBe(classes === 10 ? 10 : 0);
    expect(await page.locator("main").textContent()).toContain(
      `Imbalanced: species ${classes - 1} has ${classes} times the training examples`,
    );
    expect(await page.locator(".charts figcaption").allTextContents()).toEqual([
      ...["Loss", "Accuracy", "Recall by class", "Learning rate"],
    ]);
    await page.locator(".charts .u-over").first().hover();
    for (const legend of await page.locator(".charts .u-legend").allTextContents()) {
      expect(legend).toMatch(/^step:?\d+/);
    }
    const matrix = page.locator(".matrix canvas");
    const box = (await matrix.boundingBox())!;
    // The last cell of the diagonal.
    await matrix.hover({ position: { x: box.width - 2, y: box.height - 2 } });
    const last = classes - 1;
    expect(await page.locator(".readout").textContent()).toContain(
      `species ${last} predicted as species ${last}: 40 of`,
    );
    const red =
      "document.querySelector('.filters canvas').getContext('2d').getImageData(0, 0, 1, 1).data";
    expect(Object.values(await page.evaluate<Record<string, number>>(red))).toEqual([
      255, 0, 0, 255,
    ]);
    expect(await page.locator("dd").allTextContents()).toContain("SwiftShader </script> & co");
    expect(problems).toEqual([]);
    await page.close();
  });
});
