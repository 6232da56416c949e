/** Weights from URLs and Responses: interruptions, changed files, progress, signals, refusals. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { withDownload } from "../../runtime/download.js";
import { parseTensors, serializeTensors } from "../../runtime/safetensors.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

let answers: Answer[] = [];
const asked: { range?: string | undefined; ifRange?: string | undefined }[] = [];
const server = createServer((request, response) => {
  const { range, "if-range": ifRange } = request.headers;
  asked.push({ range, ifRange: ifRange as string | undefined });
  (answers.shift() ?? notFound)(request, response);
});
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/best.safetensors`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const notFound: Answer = (_, response) => response.writeHead(404).end();

const file = (length: number, first = 0) =>
  Uint8Array.from({ length }, (_, index) => (first + index * 7) % 251);
const OLD = file(300_000);
const NEW = file(200_000, 3);

/** Sends a part of a file, and cuts the connection where it is not all that was announced. */
const sends =
  (whole: Uint8Array, { from = 0, to = whole.length, tag = '"1"', plain = false }): Answer =>
  (_, response) => {
    const tagged = tag === "" ? {} : { etag: tag };
    const range = `bytes ${from}-${whole.length - 1}/${whole.length}`;
    const partial = from > 0 ? { "content-range": range } : {};
    response.writeHead(from > 0 && !plain ? 206 : 200, {
      "content-length": whole.length - from,
      ...tagged,
      ...partial,
    });
    const isWhole = to === whole.length;
    response.write(whole.subarray(from, to), () => {
      if (isWhole) response.end();
      else setTimeout(() => response.destroy(), 20);
    });
  };

async function loaded(source: unknown, given: readonly Answer[], options = {}) {
  answers = [...given];
  asked.length = 0;
  return withDownload(source, options, (bytes) => Promise.resolve(bytes));
}

test("an interrupted download continues where it was, and says how far it is", async () => {
  const progress: { loaded: number; total: number | undefined }[] = [];
  const onProgress = (each: { loaded: number; total: number | undefined }) => progress.push(each);
  const parts = [sends(OLD, { to: 100_000 }), continuing(OLD, 250_000), continuing(OLD, 300_000)];
  expect(await loaded(url, parts, { onProgress })).toEqual(OLD);
  expect(asked[0]).toEqual({ range: undefined, ifRange: undefined });
  expect(asked[1]!.range).toMatch(/^bytes=\d+-$/);
  expect(asked.slice(1).every(({ ifRange }) => ifRange === '"1"')).toBe(true);
  expect(progress.at(-1)).toEqual({ loaded: 300_000, total: 300_000 });
  const counts = progress.map((each) => each.loaded);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
});

/** From where the request asks. */
const continuing =
  (whole: Uint8Array, to: number, tag = '"1"'): Answer =>
  (request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
    sends(whole, { from, to, tag })(request, response);
  };

test("servers without ranges, changed files and files without a tag begin again", async () => {
  const cut = sends(OLD, { to: 100_000 });
  expect(await loaded(url, [cut, sends(OLD, {})])).toEqual(OLD);
  expect(await loaded(url, [cut, sends(NEW, { tag: '"2"' })])).toEqual(NEW);
  expect(await loaded(url, [cut, continuing(NEW, 200_000), sends(NEW, { tag: '"2"' })])).toEqual(
    NEW,
  );
  expect(await loaded(url, [cut, continuing(OLD, 300_000, '"2"'), sends(OLD, {})])).toEqual(OLD);
  const past: Answer = (_, response) => response.writeHead(416).end();
  expect(await loaded(url, [cut, past, sends(NEW, { tag: '"2"' })])).toEqual(NEW);
  for (const tag of ["", 'W/"1"']) {
    expect(await loaded(url, [sends(OLD, { to: 9, tag }), sends(OLD, { tag })])).toEqual(OLD);
    expect(asked[1]).toEqual({ range: undefined, ifRange: undefined });
  }
});

test("a connection that always breaks at one place ends the download", async () => {
  const broken = Array.from({ length: 9 }, () => sends(OLD, { to: 100_000, tag: "" }));
  await expect(loaded(url, broken)).rejects.toThrow(/after 1\d+ of 300000 bytes/);
  expect(asked).toHaveLength(5);
});

test("a Blob is read as bytes; a Promise and a wrong callback are refused", async () => {
  expect(await loaded(new Blob([NEW]), [])).toEqual(NEW);
  await expect(loaded(Promise.resolve(), [])).rejects.toThrow("not Promise: `await` it first");
  await expect(loaded(url, [], { onProgress: 5 })).rejects.toThrow("must be a function");
});

test("a Response, bytes, a URL object: each is read once", async () => {
  const response = await fetchOf(sends(OLD, { to: 50_000 }));
  expect(await loaded(response, [continuing(OLD, 300_000)])).toEqual(OLD);
  await expect(loaded(response, [])).rejects.toThrow("was read already: pass another");
  expect(await loaded(new Response(NEW), [])).toEqual(NEW);
  expect(await loaded(new URL(url), [sends(NEW, {})])).toEqual(NEW);
  expect(await loaded(OLD, [], { onProgress: () => undefined })).toBe(OLD);
});

async function fetchOf(answer: Answer): Promise<Response> {
  answers = [answer];
  return fetch(url);
}

test("failures name address and status; `onProgress` and signals end a download", async () => {
  await expect(loaded(url, [notFound])).rejects.toThrow(
    `cannot load weights from ${url}: 404 Not Found`,
  );
  const never = Array.from({ length: 6 }, () => sends(OLD, { to: 0 }));
  await expect(loaded(url, never)).rejects.toThrow(/: terminated .*after 0 of 300000 bytes/);
  expect(asked).toHaveLength(5);
  await expect(loaded("best.safetensors", [])).rejects.toThrow("in Node those of `readFile`");
  await expect(loaded(new URL("file:///w.safetensors"), [])).rejects.toThrow("`fetch` reads");
  await expect(loaded({}, [])).rejects.toThrow("weights must be the bytes of a file");
  const kept = loaded(url, [], { cache: "opfs" });
  await expect(kept).rejects.toThrow(/`cache: "opfs"` needs a browser/);
  await expect(loaded(url, [], { cache: "disk" })).rejects.toThrow('must be "cache-api" or "opfs"');
  const wrong = new Error("mine");
  const onProgress = () => Promise.reject(wrong);
  await expect(loaded(url, [sends(OLD, {})], { onProgress })).rejects.toBe(wrong);
  const stop = new AbortController();
  const abort = () => stop.abort(new Error("enough"));
  const stopped = loaded(url, [sends(OLD, { to: 9 })], { signal: stop.signal, onProgress: abort });
  await expect(stopped).rejects.toThrow("enough");
  await expect(loaded(OLD, [], { signal: stop.signal })).rejects.toThrow("enough");
});

test("memory that threads share is read as any other", () => {
  const bytes = serializeTensors([{ name: "a", shape: [2], values: Float32Array.of(1, 2) }]);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  // Node decodes shared memory, and browsers refuse it.
  const decode = vi.spyOn(TextDecoder.prototype, "decode");
  try {
    expect([...parseTensors(shared).tensors.get("a")!.values]).toEqual([1, 2]);
    const inputs = decode.mock.calls.map(([input]) => (input as Uint8Array).buffer);
    expect(inputs.filter((buffer) => buffer instanceof SharedArrayBuffer)).toEqual([]);
    expect(inputs.length).toBeGreaterThan(0);
  } finally {
    decode.mockRestore();
  }
});
