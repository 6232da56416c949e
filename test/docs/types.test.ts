/**
 * Code of the documentation: blocks marked `ts` compile in TypeScript's strict mode. Blocks marked
 * `js` and the module scripts of blocks marked `html` parse, and use the names and types of what
 * they import. A comment before a block may say why it is left out:
 *
 *   <!-- file: pixels.js -->            other blocks import it under this name
 *   <!-- example: needs another library -->
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { examplesOf } from "./examples.js";
import { isDiagnostic, pages, readPage, root } from "./pages.js";

const BLOCK = /(?:<!-- (file|example): ([^\n]*) -->\n\n)?^( *)```(ts|js|html)\n([^]*?)^ *```$/gm;
const SCRIPT = /<script type="module">\n([^]*?)<\/script>/g;
const IMPORT_MAP = /<script type="importmap">([^]*?)<\/script>/g;

/** Generated pages of the API show declarations, whose source compiles. */
const isOfApi = (page: string) => /^docs\/reference\/api\/(?!README)/.test(page);

/** Blocks that are parts of files, which a page explains around them. */
const PARTS = new Set(["CONTRIBUTING.md"]);

const checked = pages.filter((page) => !isDiagnostic(page) && !isOfApi(page) && !PARTS.has(page));

interface Block {
  readonly page: string;
  /** Where the block's file would be, next to the modules that it imports. */
  readonly path: string;
  readonly language: "ts" | "js" | "html";
  readonly text: string;
  readonly isExample: boolean;
}

function blocksOf(page: string): readonly Block[] {
  return [...readPage(page).matchAll(BLOCK)].map((found) => {
    const [, note, value, , language, text] = found as unknown as (string | undefined)[];
    const line = readPage(page).slice(0, found.index).split("\n").length;
    const unnamed = `${page.replaceAll("/", "+")}+${line}.${language === "html" ? "js" : language}`;
    return {
      page,
      path: join(root, "docs", note === "file" && language !== "html" ? value! : unnamed),
      language: language as Block["language"],
      text: text!,
      isExample: note === "example",
    };
  });
}

const blocks = checked.flatMap(blocksOf);

/** Modules that blocks import, and the specs that they are compiled from. */
const SPECS: Readonly<Record<string, () => string>> = {
  digits: () => readFileSync(join(root, "specs/digits.net"), "utf8"),
  flowers: () => readFileSync(join(root, "docs/start/flowers.net"), "utf8"),
  small: () => blockOf("docs/interop-web.md", "Small"),
  tags: () => blockOf("docs/guides/regression-and-multi-label.md", "Tags"),
  scenes: () => blockOf("docs/guides/several-inputs.md", "Scenes"),
};

/** The block of a page that declares a model. */
function blockOf(page: string, model: string): string {
  const found = examplesOf(readPage(page)).find(({ text }) => text.includes(`model ${model} `));
  return found!.text;
}

/** Declarations of compiled modules, which are not on disk. */
const modules = Object.entries(SPECS).map(([name, spec]): [string, string] => {
  const { declarations } = compile(spec(), { file: `${name}.net` });
  return [join(root, "docs", `${name}.d.ts`), declarations];
});

/** Files of a language that are not on disk: the code of blocks, and what it may import. */
function virtualFiles(language: "ts" | "js"): ReadonlyMap<string, string> {
  const files = blocks.flatMap((block) => {
    const isTypeScript = block.language === "ts";
    if (block.isExample || isTypeScript !== (language === "ts")) return [];
    return scriptsOf(block).map((text): [string, string] => [block.path, text]);
  });
  return new Map([...files, ...modules]);
}

/** The module that a block is, or those that are within its page. */
function scriptsOf({ language, text }: Block): readonly string[] {
  if (language !== "html") return [`${text}\nexport {};\n`];
  return [...text.matchAll(SCRIPT)].map((found) => found[1]!);
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
  types: ["node", "@webgpu/types"],
  skipLibCheck: true,
  noEmit: true,
  paths: {
    netc: [join(root, "compiler/index.ts")],
    "netc/runtime": [join(root, "runtime/index.ts")],
    "netc/prettier": [join(root, "format/index.ts")],
  },
};

/**
 * JavaScript says less about its types: parameters and parsed JSON are `any`, and nothing says
 * whether `querySelector` finds an element. Names, arguments and properties are checked.
 */
const OPTIONS_OF = {
  ts: { ...OPTIONS, strict: true },
  js: { ...OPTIONS, allowJs: true, checkJs: true, strict: false },
} as const;

function problemsIn(files: ReadonlyMap<string, string>, language: "ts" | "js"): readonly string[] {
  const options = OPTIONS_OF[language];
  const disk = ts.createCompilerHost(options);
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
  const paths = [...files.keys()];
  const program = ts.createProgram(paths, options, host);
  return paths
    .flatMap((path) => ts.getPreEmitDiagnostics(program, program.getSourceFile(path)))
    .map(({ file, messageText }) => {
      const [page] = (file?.fileName ?? "").split("/").slice(-1);
      return `${page}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
}

describe.each([
  { language: "ts", least: 13 },
  { language: "js", least: 10 },
] as const)("blocks of $language", ({ language, least }) => {
  test("compile against netc's own types", { timeout: 120_000 }, () => {
    const files = virtualFiles(language);
    expect(files.size - modules.length).toBeGreaterThanOrEqual(least);
    expect(problemsIn(files, language)).toEqual([]);
  });

  test("wrong names and types would be seen", { timeout: 120_000 }, () => {
    const text = `import { createDigits } from "./digits.js";
const net = await createDigits({ batch: 1 });
await net.predict(1);
await net.classify();
export {};
`;
    const files = new Map([...modules, [join(root, "docs", `wrong.${language}`), text]]);
    expect(problemsIn(files, language)).toHaveLength(2);
  });
});

test("pages of HTML find the runtime where npm installs it", () => {
  // Those of standalone modules need no map.
  const pagesOfHtml = blocks.filter(({ language, text }) => {
    return language === "html" && text.includes("importmap");
  });
  // test/browser/documentation.test.ts runs these two.
  expect(pagesOfHtml.map(({ page }) => page)).toEqual(["README.md", "docs/deploy/browser.md"]);
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const runtime = exports["./runtime"].browser.default.replace("./", "/node_modules/netc/");
  for (const { text } of pagesOfHtml) {
    const maps = [...text.matchAll(IMPORT_MAP)].map((found) => JSON.parse(found[1]!));
    expect(maps).toEqual([{ imports: { "netc/runtime": runtime } }]);
  }
});
