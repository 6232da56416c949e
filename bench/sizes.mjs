// Bytes of compiled modules and of the runtime, and of what other libraries publish, gzipped.
// Needs the checkout's `npm install`; `npm ci --prefix bench` for the other libraries.
import { build } from "esbuild";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { compile } from "../dist/compiler/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const SPECS = ["digits", "alexnet", "mobilenet_v2"];

/** What each package publishes for a page that loads a model and runs it on WebGPU. */
const OTHERS = [
  ["@tensorflow/tfjs", "dist/tf.fesm.min.js"],
  ["@tensorflow/tfjs-backend-webgpu", "dist/tf-backend-webgpu.fesm.min.js"],
  ["onnxruntime-web", "dist/ort.webgpu.min.mjs"],
  ["onnxruntime-web", "dist/ort-wasm-simd-threaded.asyncify.mjs"],
  ["onnxruntime-web", "dist/ort-wasm-simd-threaded.asyncify.wasm"],
  ["@jax-js/jax", "dist/index.js"],
];

const gzipped = (content) => gzipSync(content, { level: 9 }).length;
const shown = (bytes) => bytes.toLocaleString("en-US");

/** All that a page loads of the runtime for its first call, and all that it may load. */
async function runtimeSizes(entry) {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export { createNetwork } from "./dist/runtime/${entry}.js";`,
      resolveDir: root,
      sourcefile: "page.js",
    },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: join(root, ".cache", "sizes"),
    write: false,
    metafile: true,
  });
  const outputs = Object.entries(metafile.outputs).map(([path, output], index) => ({
    ...output,
    path,
    bytes: gzipped(outputFiles[index].text),
  }));
  const first = new Set([outputs.find(({ entryPoint }) => entryPoint === "page.js")]);
  for (const { imports } of first) {
    const now = imports.filter(({ kind }) => kind === "import-statement");
    for (const { path } of now) first.add(outputs.find((output) => output.path === path));
  }
  const sum = (list) => [...list].reduce((total, { bytes }) => total + bytes, 0);
  return { first: sum(first), all: sum(outputs) };
}

async function bundled(path) {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  return outputFiles[0].contents;
}

function moduleSize(name, predictOnly) {
  const text = readFileSync(join(root, "specs", `${name}.net`), "utf8");
  return gzipped(compile(text, { file: `${name}.net`, predictOnly }).module);
}

const standalone = (name) => gzipped(readFileSync(join(root, "dist", "runtime", name)));

/** Rows of a module each, with the runtime of an entry. */
async function rowsOf(entry, what, predictOnly) {
  const { first, all } = await runtimeSizes(entry);
  return SPECS.map((name) => {
    const module = moduleSize(name, predictOnly);
    const sizes = [module, module + first, module + all].map(shown);
    return `| ${name}, ${what} | ${sizes.join(" | ")} |`;
  });
}

const STANDALONE = [
  "standalone.js",
  "standalone-training.js",
  "standalone-prediction.js",
  "standalone-prediction-arrays.js",
  "standalone-prediction-any.js",
];
for (const name of STANDALONE) {
  console.log(`the runtime inside of standalone modules, ${name}: ${shown(standalone(name))}`);
}
console.log("\n| spec | module | first | all |\n| --- | ---: | ---: | ---: |");
for (const row of await rowsOf("browser", "training", false)) console.log(row);
for (const row of await rowsOf("predict", "prediction only", true)) console.log(row);
console.log("");

console.log("| file | bytes | gzipped |\n| --- | ---: | ---: |");
const folder = process.argv[2] ?? join(root, "bench", "node_modules");
for (const [name, file] of OTHERS) {
  const path = join(folder, name, file);
  if (!existsSync(path)) {
    console.log(`| ${name}/${file} | not installed | |`);
    continue;
  }
  const { version } = JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8"));
  // jax-js publishes modules that are not minified; what it imports belongs to it.
  const content = name.startsWith("@jax-js") ? await bundled(path) : readFileSync(path);
  console.log(
    `| ${name} ${version}, ${file} | ${shown(content.length)} | ${shown(gzipped(content))} |`,
  );
}
