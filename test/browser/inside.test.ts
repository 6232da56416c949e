/** Layers and Grad-CAM in Chromium, and the same numbers as in Node. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
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
  conv(8, kernel=5, stride=2) as first -> relu as rectified -> flatten -> linear(3) as logits
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

interface Seen {
  readonly rectified: readonly number[];
  readonly map: { readonly index: number; readonly values: readonly number[] };
  readonly refused: string;
}

/** What page and Node run alike, with a network `net` and a picture `source`. */
const LOOK = `{
  const { rectified } = await net.activations(source, ["rectified"]);
  const map = await net.attribution(source, { layer: "first" });
  const refused = await net.activations(source, ["rectifid"]).catch(({ message }) => message);
  const plain = { ...map, values: [...map.values] };
  return { rectified: [...rectified.values], map: plain, refused };
}`;

describe.skipIf(!chromiumPath)("inside a network in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache", "inside-"));
    writeFileSync(join(folder, "animals.net"), SPEC);
    copyFileSync(photograph, join(folder, "photograph.jpg"));
    mkdirSync(join(folder, "alone"));
    const compileIt = (...flags: string[]) =>
      runNetc(["compile", join(folder, "animals.net"), ...flags]);
    await compileIt("--inspect");
    await compileIt("--inspect", "--standalone", "-o", join(folder, "alone"));
    server = await serve({ dist: join(root, "dist"), modules: folder });
    browser = await launchChromium();
    page = await browser.newPage();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function inNode(): Seen {
    const module = JSON.stringify(pathToFileURL(join(folder, "animals.js")).href);
    const code = `import { createAnimals } from ${module};
      const net = await createAnimals({ batch: 1, seed: 3, adapter: "embedded" });
      const source = ${JSON.stringify(photograph)};
      const look = async () => ${LOOK};
      console.log(JSON.stringify(await look()));
      net.destroy();`;
    const script = join(folder, "node.mjs");
    writeFileSync(script, code);
    return JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8" })) as Seen;
  }

  test.each([
    ["/", "animals.js"],
    ["/bare", "alone/animals.js"],
  ])("%s: a picture's layers and map are those of Node", async (path, module) => {
    await page.goto(`${addressOf(server)}${path}`);
    const seen = await page.evaluate<Seen>(`(async () => {
      const { createAnimals } = await import("/modules/${module}");
      const net = await createAnimals({ batch: 1, seed: 3 });
      const source = await (await fetch("/modules/photograph.jpg")).blob();
      return (async () => ${LOOK})().finally(() => net.destroy());
    })()`);
    const expected = inNode();
    expect(seen.refused).toBe(expected.refused);
    expect(seen.refused).toContain("similar ones are `rectified`");
    expect(seen.map.index).toBe(expected.map.index);
    expect(seen.rectified).toHaveLength(8 * 14 * 14);
    expect(largest(seen.rectified, expected.rectified)).toBeLessThan(1e-4);
    expect(seen.map.values).toHaveLength(14 * 14);
    expect(Math.max(...seen.map.values)).toBeGreaterThan(0);
    expect(largest(seen.map.values, expected.map.values)).toBeLessThan(1e-4);
  });
});

const largest = (actual: readonly number[], expected: readonly number[]): number =>
  Math.max(...expected.map((value, index) => Math.abs(value - actual[index]!)));
