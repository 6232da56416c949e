import { expect, test } from "vitest";
import { FRAME, frameStruct, frameWords, TOTALS_AT } from "../../program/frame.js";
import type { OptimizerSettings } from "../../program/program.js";
import { wordIndex } from "../../program/word-index.js";
import { packWords } from "../../program/words.js";
import { packFrame } from "../../runtime/frame.js";

const ADAM: OptimizerSettings = {
  kind: "adam",
  learningRate: 0.5,
  weightDecay: 0.25,
  beta1: 0.5,
  beta2: 0.75,
  epsilon: 0.125,
};

test("a table's words are packed in its order, each as its type says", () => {
  const table = { count: "u32", share: "f32" } as const;
  const bytes = packWords(table, { share: 0.5, count: 7 }, 4);
  expect([...new Uint32Array(bytes)]).toEqual([7, 0x3f000000, 0, 0]);
});

test("every word of the frame is where kernels read it", () => {
  const slice = { first: 3, images: 11, isFirst: false, isLast: true };
  const frame = { batch: 5, step: 1, seed: 42, training: true, optimizer: ADAM, ...slice };
  const bytes = packFrame({ ...frame, totals: [1.5] });
  const [whole, floats] = [new Uint32Array(bytes), new Float32Array(bytes)];
  const read = (word: keyof typeof FRAME) =>
    (FRAME[word] === "u32" ? whole : floats)[wordIndex(FRAME, word)];
  expect(whole).toHaveLength(frameWords(1));
  expect(read("batch")).toBe(5);
  expect(read("seed")).toBe(42);
  expect(read("training")).toBe(1);
  expect(read("learning_rate")).toBe(0.5);
  expect(read("weight_decay")).toBe(0.25);
  expect(read("clip_norm")).toBeGreaterThan(3e38);
  expect(read("momentum")).toBe(0);
  expect(read("beta1")).toBe(0.5);
  expect(read("correction1")).toBe(0.75);
  expect(read("correction2")).toBe(1 - 0.75 ** 2);
  expect(read("first_image")).toBe(3);
  expect(read("step_images")).toBe(11);
  expect(read("is_first_slice")).toBe(0);
  expect(read("is_last_slice")).toBe(1);
  expect(read("rest2")).toBe(0.25);
  expect(floats[TOTALS_AT]).toBe(1.5);
});

test("class totals begin where kernels' alignment of vec4 puts them", () => {
  expect(TOTALS_AT % 4).toBe(0);
  expect(TOTALS_AT - Object.keys(FRAME).length).toBeLessThan(4);
  expect(frameWords(5)).toBe(TOTALS_AT + 8);
});

test("kernels declare the frame's words in the order of the table", () => {
  const declared = [...frameStruct(new Set(), 5).matchAll(/^ {2}(\w+): (\w+),$/gm)];
  expect(declared.map(([, name]) => name)).toEqual(Object.keys(FRAME));
  expect(declared.map(([, , type]) => type)).toEqual(Object.values(FRAME));
  expect(frameStruct(new Set(), 5)).toContain("  totals: array<vec4f, 2>,\n}");
});

test("kernels declare the frame up to the last word that they read", () => {
  expect(frameStruct(new Set(["batch"]), 0)).toBe("struct Frame {\n  batch: u32,\n}");
  expect(frameStruct(new Set(["step_images", "batch"]), 0)).toBe(
    "struct Frame {\n  batch: u32,\n  first_image: u32,\n  step_images: u32,\n}",
  );
});
