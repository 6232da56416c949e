/**
 * In Chromium: a standalone module that only predicts loads small weights from another origin, over
 * a connection that breaks, and keeps them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { shrink } from "../../interchange/weights/shrink.js";
import { createNetwork } from "../../runtime/index.js";
import { parseTensors } from "../../runtime/safetensors.js";
import { tensorParts } from "../../runtime/tensor-parts.js";
import { runNetc } from "../cli/netc.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");
const IMAGE = Array.from({ length: 64 }, (_, index) => Math.sin(index));

describe.skipIf(!chromiumPath)("weights from an address", () => {
  let folder: string;
  let browser: Browser;
  let pages: Server;
  let files: Server;
  /** Requests for the file, by what they asked, and whether the server answers. */
  const asked: string[] = [];
  let isOnline = true;
  let file: Buffer;
  let expected: readonly number[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "netc-weights-"));
    const flags = ["-o", folder, "--standalone", "--predict-only"];
    await runNetc(["compile", join(root, "specs/digits.net"), ...flags]);
    const text = readFileSync(join(root, "specs/digits.net"), "utf8");
    const network = await createNetwork(compile(text, { file: "digits.net" }).programs);
    const { tensors } = parseTensors(await network.save());
    const small = shrink([...tensors.values()], {}, () => "u8");
    file = Buffer.concat(tensorParts(small.tensors, small.metadata));
    await network.load(file);
    expected = [...(await network.predict(Float32Array.from(IMAGE)))];
    network.destroy();
    pages = await serve({ modules: folder });
    files = createServer((request, response) => {
      if (!isOnline) return request.socket.destroy();
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-expose-headers", "etag, content-range");
      response.setHeader("access-control-allow-headers", "range, if-range, if-none-match");
      if (request.method === "OPTIONS") return response.end();
      const { range, "if-none-match": tag } = request.headers;
      asked.push(range ? "rest" : tag ? "changed?" : "all");
      response.setHeader("etag", '"1"');
      if (tag === '"1"') return response.writeHead(304).end();
      const from = Number(/\d+/.exec(range ?? "0")![0]);
      const last = file.length - 1;
      const rest = { "content-range": `bytes ${from}-${last}/${file.length}` };
      const length = { "content-length": file.length - from };
      response.writeHead(range ? 206 : 200, range ? { ...length, ...rest } : length);
      if (range) return response.end(file.subarray(from));
      response.write(file.subarray(0, 9000));
      setTimeout(() => response.destroy(), 200);
    });
    await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    pages?.close();
    files?.closeAllConnections();
    files?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("an interrupted download continues; copies are kept, and used offline", async () => {
    const page = await browser.newPage();
    await page.goto(`${addressOf(pages)}/bare`);
    // Text, not a function: the test runner rewrites imports in code.
    // An address each: the browser itself continues with what it has of an interrupted file.
    const load = (cache: string) =>
      page.evaluate<{ values: number[]; last: unknown }>(`(async () => {
        const { createDigits } = await import("/modules/digits.js");
        const url = "${addressOf(files)}/w.safetensors?${cache}";
        const net = await createDigits({ batch: 2 });
        let last;
        const onProgress = (progress) => (last = progress);
        await net.load(url, { cache: "${cache}", onProgress });
        const values = [...(await net.predict(Float32Array.from(${JSON.stringify(IMAGE)})))];
        net.destroy();
        return { values, last };
      })()`);
    for (const cache of ["cache-api", "opfs"]) {
      isOnline = true;
      asked.length = 0;
      const first = await load(cache);
      expect(first.last).toEqual({ loaded: file.length, total: file.length });
      for (const [index, value] of first.values.entries()) {
        expect(value).toBeCloseTo(expected[index]!, 4);
      }
      const second = await load(cache);
      expect(asked).toEqual(["all", "rest", "changed?"]);
      isOnline = false;
      const third = await load(cache);
      expect([second.values, third.values]).toEqual([first.values, first.values]);
    }
  });
});
