import { describe, expect, test } from "vitest";
import type { Spec } from "../../grammar/index.js";
import { parse } from "../../grammar/index.js";
import { MUTATION_KINDS, mutationsOf, type Mutation } from "../mutations.js";
import { createRandom } from "./random.js";
import { ALEXNET_TEXT } from "./alexnet-text.js";

/**
 * Single mistakes in AlexNet's spec, as the parser alone sees them: of each kind every third, or
 * all (`npm run test:full`).
 */
const STEP = process.env["NETC_TEST_FULL"] === "1" ? 1 : 3;
const mutations = mutationsOf(ALEXNET_TEXT);
const tokens = mutations.filter(({ kind }) => kind === "delete");

const results = new Map<string, (Mutation & ReturnType<typeof parse>)[]>(
  MUTATION_KINDS.map((kind) => [
    kind,
    mutations
      .filter((mutation) => mutation.kind === kind)
      .filter((_, index) => index % STEP === 0)
      .map((mutation) => ({ ...mutation, ...parse(mutation.text, "alexnet.net") })),
  ]),
);

function resultsOf(kind: string) {
  return results.get(kind) ?? [];
}

const everything = [...results.values()].flat();

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

describe("a mistake in alexnet.net", () => {
  test.each(MUTATION_KINDS)(
    "%s: no exception, and one problem in nineteen cases of twenty",
    (kind) => {
      const counts = resultsOf(kind)
        .map(({ problems }) => problems.length)
        .filter((count) => count > 0)
        .sort((a, b) => a - b);
      const median = percentile(counts, 0.5);
      const [p95, most] = [percentile(counts, 0.95), counts.at(-1)];
      console.log(
        `${kind}: ${counts.length} of ${resultsOf(kind).length} are mistakes; ` +
          `problems: median ${median}, 95% ${p95}, most ${most}`,
      );
      expect(median).toBe(1);
      expect(p95).toBeLessThanOrEqual(1);
      expect(most).toBeLessThanOrEqual(kind === "swap" ? 8 : 2);
    },
  );

  test("leaves most of the layers in the tree", () => {
    const whole = countCalls(parse(ALEXNET_TEXT, "alexnet.net").spec);
    const kept = resultsOf("delete").map(({ spec }) => countCalls(spec) / whole);
    const mean = kept.reduce((sum, share) => sum + share, 0) / kept.length;
    console.log(
      `layers kept: ${(100 * mean).toFixed(1)}% on average, ` +
        `${(100 * Math.min(...kept)).toFixed(0)}% at least`,
    );
    expect(mean).toBeGreaterThan(0.97);
  });

  test("gives messages in plain words", () => {
    for (const { message, code } of everything.flatMap(({ problems }) => problems)) {
      expect(message).not.toMatch(/-->|token|undefined|NaN|Identifier|Literal|something else/);
      expect(code).toMatch(/^NET00\d\d$/);
    }
  });

  test("gives spans within the text", () => {
    for (const { text, problems } of everything) {
      for (const { span, related = [] } of problems) {
        for (const { start, end } of [span, ...related.map((label) => label.span)]) {
          expect(start.offset).toBeGreaterThanOrEqual(0);
          expect(end.offset).toBeGreaterThanOrEqual(start.offset);
          expect(end.offset).toBeLessThanOrEqual(text.length);
          expect(lineOf(text, start.offset)).toBe(start.line);
        }
      }
    }
  });
});

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function countCalls(spec: Spec): number {
  return JSON.stringify(spec).split('"kind":"call"').length - 1;
}

describe("garbage", () => {
  test("made of the language's own tokens never throws", () => {
    const random = createRandom(2012);
    for (let round = 0; round < 300; round++) {
      const images = Array.from({ length: 40 }, () => tokens[random(tokens.length)]?.image ?? "");
      expect(() => parse(images.join(" "), "a")).not.toThrow();
    }
  });

  test("of any characters never throws", () => {
    const random = createRandom(1404);
    for (let round = 0; round < 300; round++) {
      const codes = Array.from({ length: 60 }, () => random(round % 2 === 0 ? 0x7f : 0xffff));
      expect(() => parse(String.fromCharCode(...codes), "a")).not.toThrow();
    }
  });

  test("cut off anywhere never throws, and is reported", () => {
    for (let length = 0; length < ALEXNET_TEXT.length; length += 7 * STEP) {
      expect(() => parse(ALEXNET_TEXT.slice(0, length), "a")).not.toThrow();
    }
  });
});
