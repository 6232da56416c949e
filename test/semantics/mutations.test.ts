import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { createRandom } from "../grammar/random.js";
import { mutationsOf, type Mutation } from "../mutations.js";

/**
 * Every single mistake in every shipped spec (`npm run test:full`), or a seeded sample of them: no
 * exception, one diagnostic for one mistake, and the first of them within a line of it.
 */

const folder = join(import.meta.dirname, "../../specs");
const specs = readdirSync(folder).filter((name) => name.endsWith(".net"));
const isFull = process.env.NETC_TEST_FULL === "1";
const SAMPLE = 8;

interface Result extends Mutation {
  readonly file: string;
  /** Codes of the diagnostics. */
  readonly codes: readonly string[];
  readonly hasErrors: boolean;
  /** Lines from the mistake to the first diagnostic. */
  readonly distance: number;
  readonly compiles: boolean;
}

function chosen(mutations: readonly Mutation[], seed: number): readonly Mutation[] {
  if (isFull) return mutations;
  const random = createRandom(seed);
  return Array.from({ length: SAMPLE }, () => mutations[random(mutations.length)]!);
}

function resultOf(file: string, mutation: Mutation): Result {
  const { diagnostics, selected } = analyze(mutation.text, file);
  const lines = diagnostics.map(({ primary }) => primary.span.start.line);
  return {
    ...mutation,
    file,
    codes: diagnostics.map(({ code }) => code),
    hasErrors: diagnostics.some(({ severity }) => severity === "error"),
    distance: lines.length ? Math.abs(lines[0]! - mutation.line) : 0,
    compiles: selected?.model.graph !== undefined,
  };
}

const share = (results: readonly Result[], test: (result: Result) => boolean) =>
  results.filter(test).length / results.length;

const percent = (value: number) => `${(100 * value).toFixed(1)}%`;

describe("a single mistake in a shipped spec", { timeout: 3_600_000 }, () => {
  let results: readonly Result[] = [];
  let noticed: readonly Result[] = [];

  beforeAll(() => {
    results = specs.flatMap((file, index) =>
      chosen(mutationsOf(readFileSync(join(folder, file), "utf8")), 2012 + index).map((mutation) =>
        resultOf(file, mutation),
      ),
    );
    noticed = results.filter(({ codes }) => codes.length > 0);
    const counts = noticed.map(({ codes }) => codes.length).sort((a, b) => a - b);
    const at = (part: number) => counts[Math.floor((counts.length - 1) * part)];
    console.log(
      [
        `${results.length} mutations of ${specs.length} specs, ${noticed.length} with diagnostics`,
        `diagnostics: median ${at(0.5)}, 95% ${at(0.95)}, 99% ${at(0.99)}, most ${at(1)}`,
        `the first within a line: ${percent(share(noticed, ({ distance }) => distance <= 1))}`,
      ].join("; "),
    );
  }, 3_600_000);

  test("is noticed unless the text is still a right spec", () => {
    const unnoticed = results.filter(({ codes, compiles }) => codes.length === 0 && !compiles);
    expect(
      unnoticed.map(({ file, kind, image, line }) => `${file}:${line} ${kind} ${image}`),
    ).toEqual([]);
  });

  test("gives one diagnostic in the median, and few at most", () => {
    const counts = noticed.map(({ codes }) => codes.length).sort((a, b) => a - b);
    expect(counts[Math.floor(counts.length / 2)]).toBe(1);
    expect(counts[Math.floor(counts.length * 0.95)]).toBeLessThanOrEqual(2);
  });

  test("is reported within a line of where it is, in 95 of 100 cases", () => {
    expect(share(noticed, ({ distance }) => distance <= 1)).toBeGreaterThanOrEqual(0.95);
  });
});
