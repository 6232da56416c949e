/** Blocks marked `ts` in the documentation are modules that compile in TypeScript's strict mode. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { examplesOf } from "./examples.js";
import { isDiagnostic, pages, readPage, root } from "./pages.js";

const BLOCK = /^( *)```ts\n([^]*?)^ *```$/gm;

/** Generated pages of the API show declarations, whose source compiles. */
const isOfApi = (page: string) => /^docs\/reference\/api\/(?!README)/.test(page);

/** Blocks that are parts of files, which a page explains around them. */
const PARTS = new Set(["CONTRIBUTING.md"]);

const checked = pages.filter((page) => !isDiagnostic(page) && !isOfApi(page) && !PARTS.has(page));

/** Modules that blocks import, and the specs that they are compiled from. */
const SPECS: Readonly<Record<string, () => string>> = {
  digits: () => readFileSync(join(root, "specs/digits.net"), "utf8"),
  flowers: () => readFileSync(join(root, "docs/start/flowers.net"), "utf8"),
  tags: () => blockOf("docs/guides/regression-and-multi-label.md", "Tags"),
};

/** The block of a page that declares a model. */
function blockOf(page: string, model: string): string {
  const found = examplesOf(readPage(page)).find(({ text }) => text.includes(`model ${model} `));
  return found!.text;
}

/** Files that are not on disk: blocks, and the declarations of compiled modules. */
function virtualFiles(): ReadonlyMap<string, string> {
  const blocks = checked.flatMap((page) =>
    [...readPage(page).matchAll(BLOCK)].map(({ index, 2: text }): [string, string] => {
      const line = readPage(page).slice(0, index).split("\n").length;
      return [
        join(root, "docs", `${page.replaceAll("/", "+")}+${line}.ts`),
        `${text!}\nexport {};\n`,
      ];
    }),
  );
  const modules = Object.entries(SPECS).map(([name, spec]): [string, string] => {
    const { declarations } = compile(spec(), { file: `${name}.net` });
    return [join(root, "docs", `${name}.d.ts`), declarations];
  });
  return new Map([...blocks, ...modules]);
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
  types: ["node", "@webgpu/types"],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  paths: {
    netc: [join(root, "compiler/index.ts")],
    "netc/runtime": [join(root, "runtime/index.ts")],
  },
};

function problemsIn(files: ReadonlyMap<string, string>): readonly string[] {
  const disk = ts.createCompilerHost(OPTIONS);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => files.has(path) || existsSync(path),
    readFile: (path) => files.get(path) ?? disk.readFile(path),
    getSourceFile: (path, target, ...rest) => {
      const text = files.get(path);
      if (text === undefined) return disk.getSourceFile(path, target, ...rest);
      return ts.createSourceFile(path, text, target);
    },
  };
  const blocks = [...files.keys()];
  const program = ts.createProgram(blocks, OPTIONS, host);
  return blocks
    .flatMap((path) => ts.getPreEmitDiagnostics(program, program.getSourceFile(path)))
    .map(({ file, messageText }) => {
      const [page] = (file?.fileName ?? "").split("/").slice(-1);
      return `${page}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
}

test("blocks of TypeScript compile against netc's own types", { timeout: 120_000 }, () => {
  const files = virtualFiles();
  expect(files.size).toBeGreaterThan(12);
  expect(problemsIn(files)).toEqual([]);
});

test("a block with a wrong name or type would be seen", { timeout: 120_000 }, () => {
  const text = `import { createDigits } from "./digits.js";
const net = await createDigits({ batch: 1 });
await net.predict("a picture");
await net.classify();
export {};
`;
  const wrong = new Map([...virtualFiles()].filter(([path]) => path.endsWith(".d.ts")));
  const problems = problemsIn(new Map([...wrong, [join(root, "docs", "wrong.ts"), text]]));
  expect(problems).toHaveLength(2);
});
