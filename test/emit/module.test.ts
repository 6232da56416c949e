import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
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

test.each([
  ["digits", "Digits", 64],
  ["alexnet", "AlexNet", 128],
])("%s: the module holds the programs as they were compiled", async (name, model, batch) => {
  const { module, programs } = compileSpec(name);
  const alone = module.replace(
    'import { createNetwork } from "netc/runtime";',
    "const createNetwork = (...given) => given;",
  );
  const url = `data:text/javascript;base64,${Buffer.from(alone).toString("base64")}`;
  const imported = (await import(/* @vite-ignore */ url)) as {
    programs: unknown;
    recipe: { batch: number };
    [create: `create${string}`]: (options: object) => unknown[];
  };
  const inModule = JSON.stringify(programs, (key, value: unknown) =>
    key === "sections" ? undefined : value,
  );
  expect(imported.programs).toEqual(JSON.parse(inModule));
  const created = imported[`create${model}`]!({ batch: 3 });
  expect(created).toEqual([imported.programs, { batch: 3 }]);
  expect(imported.recipe.batch).toBe(batch);
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
  const [none, ofWeight, ofMetric] = typeErrors(
    use(right),
    use('await network.read("features.conv9.weight");'),
    use("(await network.step(images, [1])).top9;"),
  );
  expect(none).toEqual([]);
  expect(ofWeight).toHaveLength(1);
  expect(ofMetric).toHaveLength(1);
});

test("declarations of a module that only predicts have no training", () => {
  const text = readFileSync(join(root, "specs/digits.net"), "utf8");
  const { declarations } = compile(text, { file: "digits.net", predictOnly: true });
  writeFileSync(join(folder, "digits.d.ts"), declarations);
  const use = `import { createDigits, programs } from "./digits.js";
    import { fit, type TrainRecipe } from "netc/runtime";
    export async function use(images: Float32Array, recipe: TrainRecipe): Promise<void> {
      const network = await createDigits({ batch: 8 });
      const [{ name, probability }] = (await network.classify(images)) as any;
      const first: number = (await network.predict(images))[0]! + programs.length;
      void [name, probability, first];
      // @ts-expect-error -- it does not train
      await network.step(images, [1]);
      // @ts-expect-error -- nor evaluate
      await network.evaluate(images, [1]);
      // @ts-expect-error -- and \`fit\` needs both
      await fit(network, [], recipe);
      // @ts-expect-error -- weights are not initial ones
      await createDigits({ seed: 1 });
      network.destroy();
    }`;
  expect(typeErrors(use)).toEqual([[]]);
});

test("modules to see inside name their layers, and only those load a second file", async () => {
  const text = readFileSync(join(root, "specs/digits.net"), "utf8");
  const seen = compile(text, { file: "some/digits.net", inspect: true });
  expect(compileSpec("digits").module).not.toMatch(/inspect/);
  expect(seen.module).toContain('importInside = () => import("./digits.inspect.js")');
  const url = `data:text/javascript;base64,${Buffer.from(seen.insideModule).toString("base64")}`;
  const { inside } = (await import(/* @vite-ignore */ url)) as { inside: unknown };
  const plain = JSON.stringify(seen.inside, (key, value: unknown) =>
    key === "sections" ? undefined : value,
  );
  expect(inside).toEqual(JSON.parse(plain));
  writeFileSync(join(folder, "digits.d.ts"), seen.declarations);
  const use = (body: string) => `import { createDigits } from "./digits.js";
    export async function use(images: Float32Array): Promise<void> {
      const network = await createDigits({ batch: 8 });
      ${body}
    }`;
  const right = `const { "features.relu1": relu } = await network.activations(images, [
      "features.relu1",
    ]);
    const map = await network.attribution(images, { layer: "features.conv2", class: 3 });
    const sum: number = relu.values[0]! + map.values[0]! + relu.shape[1]!;
    void sum;`;
  const [none, ofLayer, ofFlat] = typeErrors(
    use(right),
    use('await network.activations(images, ["relu9"]);'),
    use('await network.attribution(images, { layer: "classifier.flatten1" });'),
  );
  expect(none).toEqual([]);
  expect(ofLayer).toHaveLength(1);
  expect(ofFlat).not.toEqual([]);
});

/** Its files that did not change are not read again. */
let program: ts.Program | undefined;

/** What TypeScript finds wrong in a file that uses the module. */
/** Of each text, in a file each. */
function typeErrors(...texts: readonly string[]): string[][] {
  const files = texts.map((_, index) => join(folder, `use${index}.ts`));
  files.forEach((file, index) => writeFileSync(file, texts[index]!));
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    typeRoots: [join(root, "node_modules/@types")],
    types: ["node", join(root, "node_modules/@webgpu/types")],
    paths: {
      "netc/runtime": [join(root, "runtime/index.ts")],
      "netc/runtime/predict": [join(root, "runtime/predict-node.ts")],
    },
  };
  const made = (program = ts.createProgram(files, options, undefined, program));
  return files.map((file) =>
    ts
      .getPreEmitDiagnostics(made, made.getSourceFile(file))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
  );
}

const gzipped = (text: string) => gzipSync(text, { level: 9 }).length;

const bundling = {
  stdin: {
    contents: 'export { createNetwork } from "./runtime/browser.ts";',
    resolveDir: root,
    sourcefile: "page.js",
  },
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  outdir: folder,
  write: false,
} as const;

/**
 * Parts of the runtime that a page with arrays does not load unless it meets a mistake or inspects,
 * with the most bytes of each, gzipped.
 */
const ASKED_FOR = {
  "pictures/browser": 8.5 * 1024,
  "pictures/from-canvas": 4 * 1024,
  "pictures/classify": 1024,
  "evaluation/average-views": 512,
  "pictures/refused": 1.5 * 1024,
  "seldom-options": 768,
  measured: 512,
  "weights-problems": 1024,
  "read-small-weights": 1.25 * 1024,
  "explain-file": 768,
  download: 3 * 1024,
  "begin-run": 640,
  "no-adapter": 768,
  tokens: 768,
  "buffer-problems": 768,
  "not-inspectable": 512,
  turns: 640,
};

const isAskedFor = (path: string) =>
  Object.keys(ASKED_FOR).some((name) => path.endsWith(`runtime/${name}.ts`));

test("AlexNet with all of the runtime is at most 40 KiB gzipped", async () => {
  const parts = { ...bundling, plugins: [leavingOut(isAskedFor)] };
  const { outputFiles } = await build(parts);
  const [module, runtime] = [compileSpec("alexnet").module, outputFiles[0]!.text].map(gzipped);
  console.log(`alexnet.js ${module} bytes, all of the runtime ${runtime} bytes, gzipped`);
  expect(module! + runtime!).toBeLessThanOrEqual(40 * 1024);
});

test("modules that only predict: sizes, with pictures, files and classes", async () => {
  const contents = 'export { createNetwork } from "./runtime/predict.ts";';
  // What explains mistakes, and what prepares pictures that the device cannot resize.
  const seldom = [
    ...["pictures/from-canvas", "pictures/refused", "evaluation/average-views"],
    "seldom-options",
    ...["weights-problems", "explain-file", "no-adapter", "buffer-problems", "not-inspectable"],
    "tokens",
  ];
  const isSeldom = (path: string) => seldom.some((name) => path.endsWith(`runtime/${name}.ts`));
  const stdin = { ...bundling.stdin, contents };
  const { outputFiles } = await build({ ...bundling, stdin, plugins: [leavingOut(isSeldom)] });
  const runtime = gzipped(outputFiles[0]!.text);
  console.log(`runtime that only predicts: ${runtime} bytes, gzipped`);
  expect(runtime).toBeLessThanOrEqual(25 * 1000);
  for (const [name, share] of [
    ["digits", 0.7],
    ["alexnet", 0.7],
  ] as const) {
    const text = readFileSync(join(root, "specs", `${name}.net`), "utf8");
    const { module } = compile(text, { file: `${name}.net`, predictOnly: true });
    const [own, whole] = [module, compileSpec(name).module].map(gzipped);
    console.log(`${name}.js ${own} bytes, ${whole} with training, gzipped`);
    expect(own).toBeLessThanOrEqual(share * whole!);
  }
});

/** Leaves dynamic imports of some files as they are. */
const leavingOut = (isLeft: (path: string) => boolean): Plugin => ({
  name: "leaving-out",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
      const file = join(resolveDir, path.replace(/\.js$/, ".ts"));
      const external = kind === "dynamic-import" && isLeft(file);
      return external ? { path, external } : undefined;
    });
  },
});

test("what reads and writes files is apart from what a page loads at first", async () => {
  const { outputFiles, metafile } = await build({ ...bundling, splitting: true, metafile: true });
  const outputs = Object.entries(metafile.outputs).map(([path, output], index) => ({
    ...output,
    path,
    text: outputFiles[index]!.text,
  }));
  const first = new Set([outputs.find(({ entryPoint }) => entryPoint === "page.js")!]);
  for (const { imports } of first) {
    const now = imports.filter(({ kind }) => kind === "import-statement");
    for (const { path } of now) first.add(outputs.find((output) => output.path === path)!);
  }
  const sourcesOf = (list: Iterable<(typeof outputs)[number]>) =>
    [...list].flatMap(({ inputs }) => Object.keys(inputs));
  const files = ["network-file", "tensor-file", "weights", "checksum"];
  const later = outputs.filter(
    (output) => !first.has(output) && !Object.keys(output.inputs).some(isAskedFor),
  );
  const sizes = [[...first], later].map((list) =>
    list.reduce((sum, { text }) => sum + gzipped(text), 0),
  );
  console.log(`runtime: first ${sizes[0]} bytes, for weights files ${sizes[1]} more, gzipped`);
  for (const [name, limit] of Object.entries(ASKED_FOR)) {
    const chunk = outputs.find(({ inputs }) => `runtime/${name}.ts` in inputs)!;
    console.log(`${name}: ${gzipped(chunk.text)} bytes where it is asked for, gzipped`);
    expect(first.has(chunk)).toBe(false);
    expect(gzipped(chunk.text)).toBeLessThanOrEqual(limit);
  }
  for (const name of files) {
    const path = `runtime/${name}.ts`;
    expect(sourcesOf(later).some((source) => source.endsWith(path))).toBe(true);
    expect(sourcesOf(first).some((source) => source.endsWith(path))).toBe(false);
  }
  expect(sizes[0]).toBeLessThanOrEqual(14 * 1024);
});
