/**
 * What browsers, scanners and broken programs may send to `train --open`: none of it ends the run.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { LocalServer } from "../../cli/training/report/local-server.js";

const body = "x".repeat(1_000_000);
const server = await LocalServer.listen((path, query) => {
  if (path === "/throw") throw new Error("a mistake in the page");
  return path === "/" ? { body: query.get("small") ?? body, type: "html" } : undefined;
});
const { address } = server;
const { host, port } = new URL(address);
afterAll(() => server.close());

/** Sends bytes as they are and resolves to the status of the answer, 0 where there is none. */
function send(bytes: string | Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("data", (data) => (answer += data.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)));
    socket.end(bytes);
  });
}

const request = (line: string, headers: readonly string[] = [`Host: ${host}`]) =>
  send(`${[line, ...headers, "Connection: close"].join("\r\n")}\r\n\r\n`);

async function expectServing(): Promise<void> {
  expect(await (await fetch(`${address}/?small=yes`)).text()).toBe("yes");
}

test.each([
  ["GET / HTTP/1.1", 200],
  ["HEAD / HTTP/1.1", 200],
  ["GET /?small=%E0%A4%A HTTP/1.1", 200],
  ["GET // HTTP/1.1", 404],
  ["GET //evil.example/ HTTP/1.1", 404],
  ["GET http://[/ HTTP/1.1", 404],
  ["GET /\\..\\.. HTTP/1.1", 404],
  ["GET /%00%ff HTTP/1.1", 404],
  ["GET /throw HTTP/1.1", 500],
  ["POST / HTTP/1.1", 405],
  ["DELETE // HTTP/1.1", 405],
  ["OPTIONS * HTTP/1.1", 405],
  ["CONNECT evil.example:80 HTTP/1.1", 0],
  ["NONSENSE / HTTP/1.1", 400],
  ["GET / HTTP/9.9", 400],
])("answers %s", async (line, status) => {
  expect(await request(line)).toBe(status);
  await expectServing();
});

test("answers paths of any length", async () => {
  expect(await request(`GET /${"a".repeat(10_000)} HTTP/1.1`)).toBe(404);
  expect(await request(`GET /${"a".repeat(100_000)} HTTP/1.1`)).toBe(431);
  await expectServing();
});

test.each([
  [["Host: evil.example"], 403],
  // Node takes the first.
  [["Host: evil.example", `Host: ${host}`], 403],
  [[], 400],
  [[`Host: ${host}`, "Content-Length: -1"], 400],
  [[`Host: ${host}`, "Content-Length: 10"], 0],
  [[`Host: ${host}`, "Transfer-Encoding: chunked", "Expect: 100-continue"], 0],
  [[`Host: ${host}`, "Upgrade: websocket", "Connection: Upgrade"], 200],
])("answers a request with the headers %j", async (headers, status) => {
  const answered = await request("GET / HTTP/1.1", headers);
  // A body that was announced and never comes is Node's to judge.
  if (status > 0) expect(answered).toBe(status);
  await expectServing();
});

test("connections that end in the middle of a page end nothing else", async () => {
  const sockets = Array.from({ length: 20 }, () => connect(Number(port), "127.0.0.1"));
  for (const socket of sockets) {
    socket.on("error", () => {});
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    socket.once("data", () => socket.resetAndDestroy());
  }
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on("close", resolve))));
  await sleep(10);
  await expectServing();
});

test("bytes at random end nothing", async () => {
  const target = fc.string({ unit: "binary-ascii" }).map((text) => text.replaceAll("\n", ""));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array(), target), async (bytes) => {
      const line = typeof bytes === "string" && `GET ${bytes} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      await send(line || bytes);
    }),
    { numRuns: 200 },
  );
  await expectServing();
});
