/** Damaged models: each is read, or refused in words. `NETC_TEST_FULL` tries 10,000 of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ImportError } from "../../interchange/error.js";
import { importGraph } from "../../interchange/import-graph.js";
import { readModel } from "./imported.js";

const fixtures = join(import.meta.dirname, "../fixtures/onnx");
const NAMES = ["gate-by-hand", "channels-last", "lenet-pytorch"];
const COUNT = process.env.NETC_TEST_FULL ? 10_000 : 300;

/** The same numbers in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function damaged(bytes: Uint8Array, seed: number): Uint8Array {
  const next = numbersFrom(seed * 2654435761);
  const copy = bytes.slice();
  if (next(8) === 0) return copy.subarray(0, next(copy.length));
  for (let count = 1 + next(4); count > 0; count--) {
    // Sizes, kinds and names lie in the first bytes and between weights: all of them small.
    copy[next(copy.length)] = next(2) === 0 ? next(256) : [0, 1, 0x7f, 0x80, 0xff][next(5)]!;
  }
  return copy;
}

it(`${COUNT} damaged models are read or refused in words`, async () => {
  let read = 0;
  for (let seed = 0; seed < COUNT; seed++) {
    const path = join(fixtures, `${NAMES[seed % NAMES.length]}.onnx`);
    try {
      const graph = await readModel(path, damaged(readFileSync(path), seed));
      importGraph(graph, { name: "Damaged", output: graph.outputs[0]! });
      read++;
    } catch (error) {
      expect(error, `seed ${seed}: ${(error as Error).stack}`).toBeInstanceOf(ImportError);
    }
  }
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(COUNT);
}, 600_000);
