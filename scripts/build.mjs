// Builds dist/: the sources compiled by tsc, with the parser's library in one file, and the browser
// runtime bundled into one file for `netc compile --standalone`. Everything is made in a separate
// folder and takes dist's place only when complete, so a failed build leaves the previous one as
// it was.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { minifySync } from "rolldown/utils";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const work = join(root, ".cache", `build-${process.pid}`);
const fresh = join(work, "dist");

/** Compiles the sources; the compiler's messages go to the terminal. */
function compileSources() {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const options = ["-p", join(root, "tsconfig.json"), "--outDir", fresh, "--noEmitOnError"];
  const { status } = spawnSync(process.execPath, [tsc, ...options], { stdio: "inherit" });
  return status === 0;
}

/**
 * Chevrotain in one file: it imports the 640 modules of lodash-es, which Node takes longer to find
 * and read than netc takes to check a spec. An install has its types alone. In the sources it stays
 * a package like any other.
 */
async function bundleParser() {
  const folder = join(fresh, "grammar");
  await build({
    entryPoints: ["chevrotain"],
    absWorkingDir: root,
    outfile: join(folder, "chevrotain.js"),
    format: "esm",
    ...BUNDLING,
  });
  for (const name of await readdir(folder)) {
    // Its types are a package without code.
    const place = name.endsWith(".d.ts") ? "@chevrotain/types" : "./chevrotain.js";
    const text = await readFile(join(folder, name), "utf8");
    await writeFile(join(folder, name), text.replaceAll('"chevrotain"', `"${place}"`));
  }
}

/**
 * The command line in a few files, parts of which are loaded when a command needs them: Node takes
 * longer to find and read hundreds of modules than most commands run.
 */
async function bundleCommandLine() {
  const cli = join(fresh, "cli");
  await build({
    entryPoints: [
      { in: join(cli, "main.js"), out: "main" },
      // Threads load it from the folder of the chunk that starts them.
      { in: join(fresh, "runtime/node/data/decode-worker.js"), out: "chunks/decode-worker" },
    ],
    outdir: cli,
    allowOverwrite: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    platform: "node",
    packages: "external",
    ...BUNDLING,
    target: "node20",
    // Names stay, for what an internal error prints.
    minify: false,
    minifySyntax: true,
    minifyWhitespace: true,
  });
}

/** What standalone modules hold of the runtime: with a recipe, also what trains by it. */
async function bundleRuntimes() {
  const { ERRORS, PREDICTION, TRAINING } = await import(join(fresh, "cli", "standalone.js"));
  for (const [name, exported] of [
    ["standalone-training", TRAINING],
    ["standalone", ERRORS],
  ]) {
    const browser = exporting(["createNetwork", ...exported], "browser");
    await bundleRuntime(`${name}.js`, browser);
    await bundleRuntime(`${name}-standardize.js`, browser + STANDARDIZING);
    // For modules that are compiled with `--inspect`.
    await bundleRuntime(`${name}-inspect.js`, browser + INSPECTABLE);
    await bundleRuntime(`${name}-inspect-standardize.js`, browser + INSPECTABLE + STANDARDIZING);
  }
  const prediction = exporting(["createNetwork", ...PREDICTION], "predict");
  await bundleRuntime("standalone-prediction-any.js", prediction);
  await bundleRuntime("standalone-prediction.js", prediction, WITHOUT_DRAWING);
  await bundleRuntime("standalone-prediction-arrays.js", prediction, WITHOUT_PICTURES);
  const standardizing = prediction + STANDARDIZING;
  await bundleRuntime("standalone-prediction-standardize.js", standardizing, WITHOUT_PICTURES);
}

/** For modules of tables whose columns are standardized. */
const STANDARDIZING = 'export { standardizing } from "./runtime/standardizing.js";';
const INSPECTABLE = 'export { inspectable } from "./runtime/inside/inspectable.js";';

/** Files that others replace, for modules without `ten_crop`. */
const WITHOUT_CROPS = {
  "evaluation/average-views.js": "export const averageViews = () => {};",
  "pictures/crops.js": "export const checkCrops = () => {};",
};

/** The same for modules whose eval transforms only resize, crop and normalize. */
const WITHOUT_DRAWING = {
  "data/decide-drawn.js":
    "export const DRAWN = {}, NOTHING = {}; export const randomRectangle = () => {};",
  "data/other-transforms.js": "export const OTHER_APPLIERS = {}; export const inLoops = () => {};",
  "data/random.js": "export const randomFor = () => {};",
  ...WITHOUT_CROPS,
  "data/resample-fast.js": "export const acrossFor = () => {}, downFor = acrossFor;",
  "data/resample-floats.js": "export const floatsAcross = () => {}, floatsDown = floatsAcross;",
};

/** The same for modules whose spec does not say how pictures become inputs. */
const WITHOUT_PICTURES = {
  "pictures/capture.js": 'export { refusePictures as capture } from "./refuse-pictures.js";',
  ...WITHOUT_CROPS,
};

/** One minified ES module without imports. */
const exporting = (names, entry) => `export { ${names.join(", ")} } from "./runtime/${entry}.js";`;

/** What generated modules import and export, and nothing else of the runtime. */
async function bundleRuntime(name, contents, replaced = {}) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fresh },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
    write: false,
    plugins: [inOneFile(replaced)],
  });
  const { code, errors } = minifySync(name, outputFiles[0].text, {
    module: true,
    compress: { target: "es2022" },
    mangle: { toplevel: true },
  });
  if (errors.length > 0) throw new Error(`${name} cannot be minified: ${errors[0].message}`);
  await writeFile(join(fresh, "runtime", name), code);
}

/**
 * Imports on demand become plain ones, since all is in one file: what bundlers keep for them would
 * be another kilobyte. Kernels lose their comments and indentation.
 */
const inOneFile = (replaced) => ({
  name: "in-one-file",
  setup({ onLoad }) {
    const runtime = join(fresh, "runtime");
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      const own = replaced[relative(runtime, path).replaceAll(sep, "/")];
      const text = own ?? (await readFile(path, "utf8"));
      return { contents: withoutComments(withPlainImports(text)) };
    });
  },
});

const WAITED = /\(await import\(("[^"]+")\)\)|await import\(("[^"]+")\)|import\(("[^"]+")\)/g;

function withPlainImports(text) {
  const imports = [];
  const plain = text.replace(WAITED, (_, inBrackets, awaited, promised) => {
    const name = `netcModule${imports.length}`;
    imports.push(`import * as ${name} from ${inBrackets ?? awaited ?? promised};`);
    return promised ? `Promise.resolve(${name})` : name;
  });
  return [...imports, plain].join("\n");
}

/** Also of WGSL in templates: no line of a script's own text begins with two slashes. */
const withoutComments = (text) =>
  text.includes("@compute") ? text.replaceAll(/^[ \t]*\/\/.*\n|^[ \t]+/gm, "") : text;

/** The script and the style of reports, each one file, with the chart library inside. */
async function bundleReportPage() {
  const page = join(fresh, "report", "page");
  const style = '@import "uplot/dist/uPlot.min.css"; @import "./style.css";';
  await build({
    entryPoints: [join(page, "main.js")],
    outfile: join(fresh, "report", "page.js"),
    format: "iife",
    ...BUNDLING,
  });
  await build({
    stdin: { contents: style, loader: "css", resolveDir: join(root, "report", "page") },
    outfile: join(fresh, "report", "page.css"),
    ...BUNDLING,
  });
}

/** The page of `netc verify --page`: the checks, the compiler and the runtime in one script. */
async function bundleVerifyPage() {
  await build({
    entryPoints: [join(fresh, "workbench", "page", "main.js")],
    outfile: join(fresh, "workbench", "page.js"),
    format: "iife",
    ...BUNDLING,
  });
  await build({
    entryPoints: [join(root, "workbench", "page", "style.css")],
    outfile: join(fresh, "workbench", "page.css"),
    ...BUNDLING,
  });
}

const BUNDLING = {
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
};

async function replaceDist() {
  await rename(dist, join(work, "previous")).catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rename(fresh, dist);
}

try {
  await mkdir(work, { recursive: true });
  if (compileSources()) {
    await bundleParser();
    await bundleRuntimes();
    await bundleReportPage();
    await bundleVerifyPage();
    await bundleCommandLine();
    await chmod(join(fresh, "cli", "main.js"), 0o755);
    await replaceDist();
  } else {
    console.error("build failed: dist/ was left as it was");
    process.exitCode = 1;
  }
} finally {
  await rm(work, { recursive: true, force: true });
}
