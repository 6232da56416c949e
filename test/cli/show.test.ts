/** `netc show`: what the page says, that it asks for nothing, and how it fits small screens. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { chromiumPath, launchChromium } from "../browser/chromium.js";
import { netc } from "./netc.js";

const root = join(import.meta.dirname, "../..");
const photograph = join(root, "test/data/photograph/photograph.jpg");
const folder = mkdtempSync(join(tmpdir(), "netc-show-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SPEC = `model Animals {
  input  image: f32[N, 3, 32, 32]
  target label: u32[N] in 0..3
  conv(8, kernel=5, stride=2) as first -> relu -> maxpool(2)
  conv(12, kernel=3) as second -> relu -> flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)
}
data Photographs for Animals {
  train folder("photos") { resize(36) -> center_crop(32) }
  eval  folder("photos") { resize(36) -> center_crop(32) }
}
train Base of Animals on Photographs {
  epochs    = 1
  batch     = 4
  optimizer = sgd(lr=0.1)
}`;

const NAMES = ["ant", "<b>bee</b>", "cow"];

test("a page with classes, Grad-CAM, filters and stages, and mistakes with names", async () => {
  const [spec, weights] = [join(folder, "animals.net"), join(folder, "w.safetensors")];
  writeFileSync(spec, SPEC);
  const { programs } = compile(SPEC, { file: "animals.net" });
  const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
  const network = await createNetwork(programs, { adapter, batch: 1, seed: 3, classes: NAMES });
  writeFileSync(weights, await network.save());
  const classes = await network.classify(photograph);
  network.destroy();

  const page = join(folder, "page.html");
  const shown = ["show", spec, "--weights", weights, photograph, "-o", page];
  const written = await netc(shown);
  expect(written.stderr).not.toContain("error");
  expect(written.stdout).toContain(`${page}: ${classes[0]!.name} `);
  const html = readFileSync(page, "utf8");
  expect(html).not.toMatch(/https?:|<script|<b>bee/);
  expect(html).toContain("Grad-CAM for");
  for (const { probability } of classes) {
    expect(html).toContain(`${(100 * probability).toFixed(1)}%`);
  }
  // 8 filters; 8 channels before and after the pool, and 12 of the second convolution.
  expect(html.match(/alt="filter \d/g)).toHaveLength(8);
  expect(html.match(/, channel \d+"/g)).toHaveLength(8 + 8 + 12);

  const picture = await netc([...shown.slice(0, -1), join(folder, "page.png")]);
  expect(picture.stderr).toContain("page.png does not end in .html");
  const wrong = await netc([...shown, "--layer", "secnd"]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("there is no layer `secnd`; similar ones are `second`");
  if (chromiumPath) await expectReadable(page);
});

/** On a phone nothing is wider than the screen, and nothing is requested. */
async function expectReadable(path: string): Promise<void> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 360, height: 720 } });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`file://${path}`);
    const width = await page.evaluate<number>("document.documentElement.scrollWidth");
    const loaded = await page.evaluate<boolean>(
      "[...document.images].every(({ naturalWidth }) => naturalWidth > 0)",
    );
    expect(width).toBeLessThanOrEqual(360);
    expect(loaded).toBe(true);
    expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
  } finally {
    await browser.close();
  }
}

test("a model without a class of an image is told what to do instead", async () => {
  const spec = (target: string, loss: string) => `model Age {
  input  image: f32[N, 3, 32, 32]
  target wanted: ${target}
  conv(4, kernel=3) as pixels -> relu -> flatten -> linear(1) as number
  loss   ${loss}
}
train Base of Age {
  epochs    = 1
  batch     = 4
  optimizer = sgd(lr=0.1)
}`;
  for (const [target, loss, message] of [
    [
      "f32[N, 1]",
      "mse(number, wanted)",
      /the class of an image, and model Age of .* predicts none/,
    ],
    ["u32[N, 30, 30] in 0..4", "cross_entropy(pixels, wanted)", /predicts one for each pixel/],
  ] as const) {
    const path = join(folder, "age.net");
    writeFileSync(path, spec(target, loss));
    const { code, stderr } = await netc([
      "show",
      path,
      "--weights",
      "none.safetensors",
      photograph,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toContain("`netc predict");
  }
});
