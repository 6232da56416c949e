import { runInNewContext } from "node:vm";
import fc from "fast-check";
import ts from "typescript";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import {
  blockComment,
  lineComment,
  literal,
  templateText,
  typeName,
} from "../../compiler/emit/text.js";
import { analyze } from "../../compiler/semantics/index.js";
import { forTerminal } from "../../cli/terminal.js";
import { escapeXml } from "../../picture/text.js";
import { renderReport } from "../../report/render.js";
import { hostileTexts } from "../../scripts/fuzz/hostile.js";

/** Text of users that becomes part of code, pictures and pages: it must stay text. */

const hostile = fc
  .array(fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: "binary" })), {
    maxLength: 4,
  })
  .map((parts) => parts.join(""));

/** Control characters but line ends and tabs. */
const CONTROL = /(?![\n\t])\p{Cc}/u;

/** What a module leaves behind when it runs, without its imports and exports. */
function harmOf(module: string): unknown {
  const script = module
    .replace('import { createNetwork } from "netc/runtime";', "const createNetwork = () => 0;")
    .replaceAll(/^export /gm, "");
  const scope: { netcHarm?: unknown } = {};
  runInNewContext(script, scope);
  return scope.netcHarm;
}

const isOneStatementOfTypes = (declarations: string) =>
  ts.transpileModule(declarations, { reportDiagnostics: true, compilerOptions: { strict: true } })
    .diagnostics?.length === 0;

/** A text with a NUL is not a spec. */
const readable = hostileTexts.filter((text) => !text.includes("\u0000"));

test.each(readable)("a module compiled with %j in its path, paths and comments", (text) => {
  const comment = text.replaceAll(/[\r\n]/g, " ");
  const path = text.replaceAll(/[\\"\r\n]/g, "/");
  const spec = `/// ${comment}
model M {
  /// ${comment}
  input image: f32[N, 1, 4, 4]
  target label: u32[N] in 0..2
  flatten -> linear(2) as logits
  loss cross_entropy(logits, label)
}
data D for M { train folder("${path}") }
train T of M on D {
  epochs = 1
  batch = 1
  optimizer = sgd(lr=0.1)
}
`;
  const { module, declarations, diagnostics } = compile(spec, {
    file: `DIR${text}y.net`,
    target: "gpu",
  });
  expect(diagnostics).toEqual([]);
  expect(harmOf(module)).toBeUndefined();
  expect(module).not.toMatch(/^globalThis|[\u2028\u2029\u0085]/m);
  expect(isOneStatementOfTypes(declarations)).toBe(true);
  const [wrong] = analyze("model M { relu }", `DIR${text}y.net`).diagnostics;
  expect(renderText(wrong!, "model M { relu }")).not.toMatch(CONTROL);
});

test("a line end in a comment would run what follows it", () => {
  expect(harmOf(`// M, compiled by netc from DIR${hostileTexts[0]}`)).toBe(1);
});

test("a metric called __proto__ is a metric", () => {
  const record = Object.fromEntries([["__proto__", 1]]);
  const read = runInNewContext(`(${literal(record)})`) as object;
  expect(Object.entries(read)).toEqual([["__proto__", 1]]);
});

test("literals, comments and template literals hold any text", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const run = (code: string): unknown => runInNewContext(code);
      expect(run(`(${literal({ text })})`)).toEqual({ text });
      expect(run(`\`${templateText(text)}\``)).toBe(text);
      expect(run(`${lineComment(text)}\n1`)).toBe(1);
      expect(run(`${blockComment([text]).join("\n")}\n1`)).toBe(1);
      expect(lineComment(text)).not.toMatch(/[\n\r\v\f\u0085\u2028\u2029]/);
    }),
    { numRuns: 300, seed: 17 },
  );
});

test("pictures, pages and terminals show any text", () => {
  const page = { script: "", style: "" };
  fc.assert(
    fc.property(hostile, (title) => {
      expect(escapeXml(title)).not.toMatch(/[<>"]|&(?!(?:amp|lt|gt|quot);)/);
      const data = { title, records: [], fractions: [], facts: [[title, title]] };
      const html = renderReport(data as unknown as Parameters<typeof renderReport>[0], page);
      expect(html.match(/<script/g)).toHaveLength(2);
      expect(forTerminal(title)).not.toMatch(CONTROL);
    }),
    { numRuns: 300, seed: 17 },
  );
  expect(forTerminal("\u001b[1mbold\u001b[0m\u001b[2J")).toBe("\u001b[1mbold\u001b[0m\\u001b[2J");
});

test("models that are called like types have a type", () => {
  for (const name of ["string", "class", "Network", "Promise", "Net"]) {
    const spec = `model ${name} {\n input x: f32[N, 4]\n linear(2)\n}`;
    const { declarations } = compile(spec, { file: "x.net", target: "gpu" });
    expect(declarations).toContain(`export type ${typeName(name)} =`);
    expect(isOneStatementOfTypes(declarations)).toBe(true);
  }
});
