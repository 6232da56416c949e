import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSpec } from "../../format/index.js";
import { parse, type Spec } from "../../grammar/index.js";
import { lex } from "../../grammar/lexer.js";
import { createRandom } from "../grammar/random.js";
import { mutationsOf } from "../mutations.js";

const folder = join(import.meta.dirname, "../../specs");
const specs = readdirSync(folder)
  .filter((name) => name.endsWith(".net"))
  .map((name) => readFileSync(join(folder, name), "utf8"));

/** A tree without places in the text. */
function treeOf(text: string): unknown {
  const { spec, problems } = parse(text, "");
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  return withoutSpans(spec);
}

function withoutSpans(spec: Spec): unknown {
  return JSON.parse(
    JSON.stringify(spec, (key, value: unknown) => (key === "span" ? undefined : value)),
  );
}

const commentsOf = (text: string) => {
  const { comments, documentation } = lex(text, "");
  return [...comments, ...documentation].map(({ image }) => image.trimEnd()).sort();
};

/** Formats a text and checks all that formatting promises. */
async function checkFormat(text: string): Promise<void> {
  const once = await formatSpec(text);
  expect(treeOf(once)).toEqual(treeOf(text));
  expect(commentsOf(once)).toEqual(commentsOf(text));
  expect(await formatSpec(once)).toBe(once);
}

const parses = (text: string) => parse(text, "").problems.length === 0;

/** A text laid out otherwise: other blanks, other empty lines, lines broken within brackets. */
function disarrange(text: string, random: (below: number) => number): string {
  const lines = text.split("\n").map((line) => {
    if (line.trimStart().startsWith("//")) return " ".repeat(random(6)) + line.trim();
    const spaced = line.trim().replaceAll(/ +/g, () => " ".repeat(1 + random(3)));
    const broken = spaced.replaceAll(/, */g, () => [", ", ",", ",  "][random(3)]!);
    const empty = random(12) === 0 ? "\n".repeat(1 + random(3)) : "";
    return " ".repeat(random(9)) + broken + empty;
  });
  return lines.join(random(4) === 0 ? "\r\n" : "\n");
}

/** Comments above lines and at their ends. */
function annotate(text: string, random: (below: number) => number): string {
  const lines = text.split("\n").flatMap((line, index) => {
    const isCode = line.trim() !== "" && !line.includes("//");
    const above = random(7) === 0 ? [`// above ${index}`] : [];
    const behind = isCode && random(5) === 0 ? `${line} // behind ${index}` : line;
    return [...above, behind];
  });
  return lines.join("\n");
}

/** How often each spec is disarranged. */
const ROUNDS = process.env["NETC_TEST_FULL"] === "1" ? 30 : 1;

describe("formatting keeps the tree and the comments, and a second time changes nothing", () => {
  test.each(specs.map((text, index) => [index, text] as const))(
    "spec %i, disarranged",
    async (seed, text) => {
      const random = createRandom(seed + 1);
      for (let round = 0; round < ROUNDS; round++) {
        const changed = disarrange(annotate(text, random), random);
        if (parses(changed)) await checkFormat(changed);
      }
    },
  );

  test("spec disarranged without comments formats as if it had not been", async () => {
    const random = createRandom(7);
    for (const text of specs) {
      const lines = text.split("\n").map((line) => " ".repeat(random(9)) + line.trim());
      expect(await formatSpec(lines.join("\n"))).toBe(text);
    }
  });

  test("texts with single mistakes that are still specs", async () => {
    const random = createRandom(11);
    const mutants = specs.flatMap((text) => {
      const all = mutationsOf(text);
      return Array.from({ length: 2 + 2 * ROUNDS }, () => all[random(all.length)]!.text);
    });
    const readable = mutants.filter(parses);
    expect(readable.length).toBeGreaterThan(20);
    for (const text of readable) await checkFormat(text);
  });

  test("expressions of any depth", async () => {
    const leaf = fc.oneof(
      fc.nat(99).map(String),
      fc.constantFrom(
        "width",
        "0.5",
        "5e-4",
        "(4 epochs)",
        "( 3 )",
        "true",
        '"a b"',
        "min(2, width)",
      ),
    );
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc
          .tuple(
            tie("expression"),
            fc.constantFrom("+", "-", "*", "/", "%", "^", "<", "=="),
            tie("expression"),
          )
          .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
        tie("expression").map((operand) => `-(${operand})`),
        fc
          .array(tie("expression"), { minLength: 2, maxLength: 4 })
          .map((all) => `(${all.join(", ")})`),
        fc.array(tie("expression"), { maxLength: 6 }).map((all) => `[${all.join(",")}]`),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(expression, async (text) => {
        const spec = `const width = 4\nconst a = ${text}\nmodel M { relu }\n`;
        fc.pre(parses(spec));
        await checkFormat(spec);
      }),
      { seed: 5, numRuns: 20 * ROUNDS },
    );
  });
});

describe("comments stay where they belong", () => {
  const cases: [string, string][] = [
    ["model M { // note\n  relu\n}\n", "model M {\n  // note\n  relu\n}\n"],
    ["model M {\n  // nothing yet\n}\n", "model M {\n  // nothing yet\n}\n"],
    [
      "model M {\n  residual { // none\n} -> relu\n}\n",
      "model M {\n  residual {\n    // none\n  } -> relu\n}\n",
    ],
    ["model M {\n  relu  // last\n\n  // end\n}\n", "model M {\n  relu // last\n\n  // end\n}\n"],
    [
      "model M {\n  conv(8, // eight\n   kernel=3)\n}\n",
      "model M {\n  conv(\n    8, // eight\n    kernel=3\n  )\n}\n",
    ],
    [
      "/// Doc.\n// note\nmodel M { relu } // end\n",
      "/// Doc.\n// note\nmodel M {\n  relu\n} // end\n",
    ],
  ];
  cases.push(
    [
      "const a = [\n 1, // c\n 2, 3, // d\n // e\n 4\n]\n",
      "const a = [\n  1, // c\n  2, 3, // d\n  // e\n  4\n]\n",
    ],
    [
      "const a = [(1, 2),\n // c\n (3, 4), (5, 6)]\n",
      "const a = [\n  (1, 2),\n  // c\n  (3, 4),\n  (5, 6)\n]\n",
    ],
  );
  // Two comments that come to the end of one line are one comment then.
  const joined =
    "train T of M {\n  a = f(\n    every=20 epochs, // c // d\n    gamma=0.1\n  )\n}\n";
  cases.push(
    ["train T of M {\n  a = f(every=20 // c\n epochs, // d\n gamma=0.1)\n}\n", joined],
    ["train T of M {\n  a = f(every=20 // c\n epochs // d\n, gamma=0.1)\n}\n", joined],
  );
  const mistakes: readonly string[] = [
    "/// Doc.\nmodel M { input image: f32[N, 3, 8, 8]\n  relu\n}\n",
    "model M {\n  for (a, b) in [(1, 2), (3,)] { conv(a) }\n}\n",
    "model M {\n  for (a, // c\n b) in [(1, 2)] { conv(a) }\n}\n",
    "model M {\n  for (a,\n // c\n b) in [(1, 2)] { }\n}\n",
    "model M {\n  repeat 2 {\n // c\n}\n}\n",
    "train T of M {\n  // c\n}\ndata D for M { // d\n}\n",
    "block b(width: /// c\n int) { relu }\n",
    "block b(width: // c\n int = 3) { relu }\n",
    "block b(width // c\n : int = 3) { relu }\n",
    "train T of M {\n  schedule = warmup(20 // c\n epochs)\n}\n",
    'data D for M {\n  train folder("a") // c\n {\n    resize(40) -> hflip\n  }\n}\n',
    'data D for M {\n  train folder("a") { // c\n    resize(40) -> hflip\n  }\n}\n',
    'data D for M {\n  train folder("a") {\n    // c\n    resize(40) -> hflip\n  }\n}\n',
    "model M {\n  repeat 2 // c\n {\n relu }\n concat { // c\n" +
      " branch // d\n { relu } // e\n } as x\n}\n",
    "model M(a // c\n : int // d\n = 3) {\n target y: u32[N] in 0..3\n" +
      " conv(2, kernel=[ // c\n 3, 3 // d\n ])\n}\n",
    "block b( // c\n ) { relu }\n",
    "const a = [ // c\n ]\n",
    "const a = ( // c\n 3 epochs)\nconst b = ( // d\n 3 // e\n)\n",
    'const a = ( // c\n true)\nconst b = ("x" // d\n)\n',
    "const a = [ // c\n // d\n 1, // e\n ]\n",
    "train T of M {\n  a = sgd( // c\n )\n b = f(\n // d\n)\n}\n",
    'data D for M {\n  train folder("a  b") { }\n}\n',
    "model M // c\n {\n relu }\n",
    "model M {\n  residual { relu } skip { // c\n relu }\n" +
      " residual { relu } skip // d\n { relu }\n}\n",
    "model M {\n  for (a, b) in [(1, // c\n 2)] // d\n { conv(a) }\n}\n",
  ];
  test.each(mistakes)("%j", checkFormat);

  test.each(cases)("%j", async (text, expected) => {
    expect(await formatSpec(text)).toBe(expected);
  });
});

test("a text that does not parse is refused with the place of its first mistake", async () => {
  await expect(formatSpec("model M {\n  conv(3\n}\n")).rejects.toThrow(/NET0002.*\n|NET0002/);
});
