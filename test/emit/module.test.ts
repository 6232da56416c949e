import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import ts from "typescript";
import { afterAll, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "netc-emit-"));
afterAll(() => rmSync(folder, { recursive: true }));

function compileSpec(name: string) {
  const text = readFileSync(join(root, "specs", `${name}.net`), "utf8");
  return compile(text, { file: join("some", "folder", `${name}.net`) });
}

test("the module holds the programs as they were compiled", async () => {
  const { module, programs } = compileSpec("digits");
  const alone = module.replace(
    'import { createNetwork } from "netc/runtime";',
    "const createNetwork = (...given) => given;",
  );
  const url = `data:text/javascript;base64,${Buffer.from(alone).toString("base64")}`;
  const imported = (await import(/* @vite-ignore */ url)) as {
    programs: unknown;
    recipe: { batch: number };
    createDigits(options: object): unknown[];
  };
  expect(imported.programs).toEqual(JSON.parse(JSON.stringify(programs)));
  expect(imported.createDigits({ batch: 3 })).toEqual([imported.programs, { batch: 3 }]);
  expect(imported.recipe.batch).toBe(64);
});

test("kernels name the lines of the spec that they work for, and not its folder", () => {
  const { module } = compileSpec("digits");
  expect(module).toMatch(/\/\/ {3}digits\.net:\d+ features\.conv2 forward/);
  expect(module).not.toContain("some/folder");
});

test("declarations know the names of parameters and metrics", () => {
  writeFileSync(join(folder, "digits.d.ts"), compileSpec("digits").declarations);
  const use = (body: string) => `import { createDigits } from "./digits.js";
    export async function use(images: Float32Array): Promise<void> {
      const network = await createDigits({ batch: 8, seed: 1 });
      ${body}
      network.destroy();
    }`;
  const right = `const { loss, top1 } = await network.step(images, [1]);
    const sum: number = loss + top1;
    await network.read("features.conv1.weight");
    await network.predict(images);
    void sum;`;
  expect(typeErrors(use(right))).toEqual([]);
  expect(typeErrors(use('await network.read("features.conv9.weight");'))).toHaveLength(1);
  expect(typeErrors(use("(await network.step(images, [1])).top9;"))).toHaveLength(1);
});

function typeErrors(text: string): string[] {
  const file = join(folder, "use.ts");
  writeFileSync(file, text);
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    typeRoots: [join(root, "node_modules/@types")],
    types: ["node", join(root, "node_modules/@webgpu/types")],
    paths: { "netc/runtime": [join(root, "runtime/index.ts")] },
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

test("AlexNet with the runtime that it needs is at most 40 KiB gzipped", async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export { createNetwork } from "./runtime/browser.ts";', resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  const size = (text: string) => gzipSync(text, { level: 9 }).length;
  const [module, runtime] = [size(compileSpec("alexnet").module), size(outputFiles[0]!.text)];
  console.log(`alexnet.js ${module} bytes, runtime ${runtime} bytes, gzipped`);
  expect(module + runtime).toBeLessThanOrEqual(40 * 1024);
});
