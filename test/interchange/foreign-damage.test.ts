/** Damaged files are read or refused in words: no crash, no hang, no other error. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ImportError } from "../../interchange/error.js";
import { caseNamed, imported, readForeign, sourceIn } from "./foreign-model.js";

/** Of each file; `NETC_TEST_FULL` makes 10,000. */
const MUTATIONS = process.env["NETC_TEST_FULL"] ? 10_000 : 300;

const CASES = [
  ...["keras-2-h5", "keras-3-keras", "tfjs-flatten", "tfjs-depthwise-quantised"],
  ...["caffe-lenet-lrn", "caffe-residual-batchnorm"],
];

test.each(CASES)("%s damaged is read or refused", { timeout: 600_000 }, async (name) => {
  const { folder, files } = caseNamed(name);
  const { files: all } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as {
    readonly files: readonly string[];
  };
  const whole = all.map(
    (file) => [file, new Uint8Array(readFileSync(join(folder, file)))] as const,
  );
  const random = randomBelow(name.length);
  const others = new Set<string>();
  let refused = 0;
  for (let index = 0; index < MUTATIONS; index++) {
    const damaged = index % whole.length;
    const given = Object.fromEntries(
      whole.map(([file, bytes], at) => [file, at === damaged ? mutated(bytes, random) : bytes]),
    );
    try {
      imported(await readForeign(sourceIn(given, files)));
    } catch (error) {
      refused++;
      if (!(error instanceof ImportError)) others.add(`${(error as Error).stack}`);
    }
  }
  expect([...others]).toEqual([]);
  expect(refused).toBeGreaterThan(0);
});

/** The same numbers in every run. */
function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Some bytes changed, a part cut off, doubled, or left out. */
function mutated(bytes: Uint8Array, random: (limit: number) => number): Uint8Array {
  const kind = random(5);
  const at = random(bytes.length);
  if (kind === 0) return bytes.slice(0, at);
  if (kind === 1)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(64))]);
  if (kind === 2) {
    const part = bytes.subarray(at, at + 1 + random(64));
    return new Uint8Array(Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]));
  }
  const copy = bytes.slice();
  const extremes = [0, 1, 0x7f, 0x80, 0xff];
  for (let count = 1 + random(4); count > 0; count--) {
    // Most of what says how files are made is near their beginnings.
    const place = random(2) === 0 ? random(bytes.length) : random(Math.min(4096, bytes.length));
    copy[place] = kind === 3 ? random(256) : extremes[random(extremes.length)]!;
  }
  return copy;
}
