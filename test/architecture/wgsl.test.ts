/** WGSL is written, never read: what anybody must know of a kernel is stated as data. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** Methods that look for something in a string. */
const READING = new Set([
  ...["match", "matchAll", "search", "replace", "replaceAll", "split", "includes", "indexOf"],
  ...["lastIndexOf", "startsWith", "endsWith", "slice", "substring", "at", "charAt"],
]);

/** Methods of a RegExp. */
const TESTING = new Set(["test", "exec"]);

const namesWgsl = (node: ts.Node): boolean =>
  (ts.isIdentifier(node) && /wgsl/i.test(node.text)) ||
  ts.forEachChild(node, (child) => namesWgsl(child) || undefined) === true;

/** Expressions that look for something in what is called WGSL. */
function readingsOf(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression, name: method } = node.expression;
      const isRead = READING.has(method.text) && namesWgsl(expression);
      const isTested = TESTING.has(method.text) && node.arguments.some(namesWgsl);
      if (isRead || isTested) found.push(`${name}: ${node.getText()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Regular expressions, which kernels and their lowering have no use for. */
function patternsOf(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isMade = ts.isNewExpression(node) && node.expression.getText() === "RegExp";
    if (ts.isRegularExpressionLiteral(node) || isMade) found.push(`${name}: ${node.getText()}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const sourcesIn = (...folders: readonly string[]) =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => {
        const path = `${folder}/${name}`;
        return { path, text: readFileSync(join(root, path), "utf8") };
      }),
  );

test("no source looks for something in a kernel's text", () => {
  const sources = sourcesIn("compiler", "runtime", "program", "workbench");
  expect(sources.length).toBeGreaterThan(300);
  expect(sources.flatMap(({ path, text }) => readingsOf(path, text))).toEqual([]);
});

test("kernels and their lowering hold no regular expressions", () => {
  const sources = sourcesIn("compiler/kernels", "compiler/lower", "compiler/write");
  expect(sources.length).toBeGreaterThan(60);
  expect(sources.flatMap(({ path, text }) => patternsOf(path, text))).toEqual([]);
});

test("both are found where they are", () => {
  const text = [
    "const a = kernel.wgsl.matchAll(/f16/g);",
    "const b = /f16/.test(wgsl);",
    "const c = step.kernel.wgsl.includes(name);",
    'const d = new RegExp("f16");',
  ].join("\n");
  expect(readingsOf("a.ts", text)).toHaveLength(3);
  expect(patternsOf("a.ts", text)).toEqual([
    "a.ts: /f16/g",
    "a.ts: /f16/",
    'a.ts: new RegExp("f16")',
  ]);
});
