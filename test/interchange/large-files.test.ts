/** Files beyond 2 GiB: refused before they take memory, or read in parts. Those here are sparse. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openImport } from "../../cli/import-source.js";
import { onnxFile } from "../../interchange/export/onnx/file.js";
import type { OnnxGraph } from "../../interchange/export/onnx/graph.js";

const GIB = 2 ** 30;
const folder = mkdtempSync(join(tmpdir(), "netc-large-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of zeros up to a place, then these bytes. */
async function sparse(name: string, start: number, end: Uint8Array): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, start);
  const file = await open(path, "r+");
  await file.write(end, 0, end.length, start);
  await file.close();
  return path;
}

test("an ONNX file of more than 2 GiB is refused before its weights are copied", () => {
  const values = { length: GIB } as Float32Array;
  const constants = new Map([["w", { kind: "float" as const, shape: [GIB], values }]]);
  const empty = { name: "", source: "", inputs: [], outputs: [], nodes: [] };
  const graph = { ...empty, constants };
  const facts = { version: "0", documentation: "", metadata: {} };
  const write = (as: OnnxGraph["stored"]) => () =>
    onnxFile({ graph, stored: as, outputShapes: [] }, facts);
  expect(write(new Map())).toThrow("An ONNX file of 4.0 GiB is not possible: it ends at 2.0 GiB");
  expect(write(new Map([["w", "f16"]]))).toThrow("An ONNX file of 2.0 GiB is not possible");
});

test("a model of more than 2 GiB is refused with where its weights can be", async () => {
  const path = await sparse("large.onnx", 3 * GIB, Uint8Array.of(1));
  await expect(openImport(path)).rejects.toMatchObject({
    message: expect.stringContaining("has more than 2 GiB, and netc reads a model file as a whole"),
    help: [expect.stringContaining("external data")],
  });
});

test("external data is read from a place beyond 4 GiB", async () => {
  await sparse("weights.data", 5 * GIB, Uint8Array.of(1, 2, 3, 4));
  const model = join(folder, "small.onnx");
  writeFileSync(model, "m");
  const { sibling } = await openImport(model);
  const read = await sibling("weights.data", { offset: 5 * GIB - 2, length: 6 });
  expect([...read]).toEqual([0, 0, 1, 2, 3, 4]);
  await expect(sibling("weights.data", { offset: 5 * GIB, length: 8 })).rejects.toThrow(
    `has ${5 * GIB + 4} bytes, and the model reads 8 from byte ${5 * GIB}`,
  );
});
