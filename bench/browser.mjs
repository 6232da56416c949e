// Chromium with WebGPU on its software adapter, for benchmarks of pages.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("..", import.meta.url));

const IMPORTS = { imports: { "netc/runtime": "/dist/runtime/browser.js" } };
const PAGE =
  '<!doctype html><title>netc</title><link rel="icon" href="data:,">' +
  `<script type="importmap">${JSON.stringify(IMPORTS)}</script>`;
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json" };

/** A folder for each first part of a path; `made` answers with what it makes of a path. */
function serve(folders, made) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const [, first, ...rest] = path.split("/");
    try {
      const type = TYPES[extname(path)] ?? "application/octet-stream";
      if (path === "/") response.setHeader("content-type", "text/html").end(PAGE);
      else if (first === "made") response.end(await made(rest.join("/")));
      else {
        const content = await readFile(join(folders[first], decodeURIComponent(rest.join("/"))));
        response.setHeader("content-type", type).end(content);
      }
    } catch (error) {
      response.writeHead(404).end(String(error));
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Opens a page at a server of these folders; NETC_CHROMIUM names another browser. */
export async function openPage({ folders = {}, made, flags = [], init } = {}) {
  const server = await serve({ dist: join(root, "dist"), ...folders }, made);
  const browser = await chromium.launch({
    executablePath: process.env.NETC_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", ...flags],
  });
  const page = await browser.newPage();
  if (init) await page.addInitScript(init);
  page.on("pageerror", (error) => console.error(error));
  page.on("console", (message) => console.error(message.text()));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const close = async () => {
    await browser.close();
    server.close();
  };
  return { page, close };
}
