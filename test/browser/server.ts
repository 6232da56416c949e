import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const IMPORT_MAP = `{ "imports": {
  "netc/runtime": "/dist/runtime/browser.js",
  "netc/inspect": "/dist/runtime/inside/inspectable.js",
  "netc/standardize": "/dist/runtime/standardizing.js",
  "netc/verify": "/dist/workbench/verify/in-browser.js"
} }`;

const pages: Readonly<Record<string, string>> = {
  /** Knows where a generated module's one import leads, since nothing bundles it. */
  "/": `<!doctype html><title>netc</title><script type="importmap">${IMPORT_MAP}</script>`,
  "/bare": `<!doctype html><title>netc</title>`,
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
};

const contentTypeOf = (path: string) => CONTENT_TYPES[extname(path)] ?? "text/javascript";

/** Serves the pages, and files from mounted folders, on localhost. */
export async function serve(mounts: Readonly<Record<string, string>>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const page = pages[path];
    if (page !== undefined) {
      response.setHeader("content-type", "text/html").end(page);
      return;
    }
    const mount = Object.keys(mounts).find((name) => path.startsWith(`/${name}/`));
    if (!mount) {
      response.writeHead(404).end();
      return;
    }
    readFile(join(mounts[mount]!, path.slice(mount.length + 2))).then(
      (content) => response.setHeader("content-type", contentTypeOf(path)).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

export function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
