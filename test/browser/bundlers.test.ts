/**
 * Projects of bundlers as users have them: a folder with `netc` in node_modules, a spec that a page
 * imports, built and run in Chromium and in Node.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Browser } from "playwright-core";
import ts from "typescript";
import { build as buildWithVite, createServer, type Plugin as VitePlugin } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CompileSettings } from "../../cli/plugin/compile.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");

const SPEC = `model Tiny {
  input  image: f32[N, 1, 4, 4]
  target label: u32[N] in 0..2
  flatten -> linear(6) as hidden -> relu -> linear(2) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
train Base of Tiny {
  epochs = 1
  batch = 2
  optimizer = sgd(lr=0.1)
}
`;

/** The same with a mistake on line 4: 16 features go into `hidden`. */
const WRONG = SPEC.replace("linear(6)", "linear(6, in=15)");

const USE = `import { createTiny } from "./tiny.net";
export async function run(options) {
  const net = await createTiny({ batch: 2, seed: 1, ...options });
  const { loss } = await net.step(new Float32Array(32).fill(0.5), [0, 1]);
  const logits = [...(await net.predict(new Float32Array(16).fill(1)))];
  net.destroy();
  return { loss, logits };
}
`;

/** The same from a worker of netc. */
const USE_WORKER = `import * as tiny from "./tiny.net";
import { inWorker } from "netc/worker";
export async function run({ worker } = {}) {
  const net = await inWorker(tiny, { batch: 2, seed: 1, worker });
  const { loss } = await net.step(new Float32Array(32).fill(0.5), [0, 1]);
  const logits = [...(await net.predict(new Float32Array(16).fill(1)))];
  net.destroy();
  return { loss, logits };
}
`;

/** A model of a table whose numbers are standardized. */
const TABLE_SPEC = `model Rows {
  input  x: f32[N, 2]
  target y: f32[N, 1]
  linear(1) as out
  loss   mse(out, y)
}
data Table for Rows {
  train csv("rows.csv", standardize=true)
}
train Base of Rows on Table {
  epochs = 1
  batch = 2
  optimizer = sgd(lr=0.1)
}
`;

/** Numbers at their mean, of which nothing but the bias is left. */
const USE_TABLE = `import { createRows } from "./rows.net";
export async function run() {
  const net = await createRows({ batch: 1 });
  const unknown = await net.predict(new Float32Array(2)).then(() => "filled", String);
  net.standardizeBy({ x: { mean: [1000, -5], std: [2, 3] } });
  const at = async (...numbers) => (await net.predict(Float32Array.from(numbers)))[0];
  const weight = (await at(1002, -5)) - (await at(1000, -5));
  const [own] = await net.read("out.weight");
  net.destroy();
  return { unknown, weight, own };
}
`;

/** What the options of a plugin leave of a network. */
const USE_OPTIONS = `import * as tiny from "./tiny.net";
export async function run() {
  const net = await tiny.createTiny({ batch: 1 });
  const early = await net.predict(new Float32Array(16)).then(() => "filled", String);
  const inside = await net.activations(new Float32Array(16).fill(1), ["hidden"]).catch(String);
  const hidden = typeof inside === "string" ? inside : [...inside.hidden.values];
  const step = await net.step(new Float32Array(16), [0]).then(() => "stepped", String);
  return { early, step, hidden };
}
`;

interface Outcome {
  readonly loss: number;
  readonly logits: readonly number[];
}

let folder: string;
let server: Server;
let browser: Browser | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "netc-bundlers-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "netc"));
  write("package.json", '{ "type": "module", "private": true }');
  write("tiny.net", SPEC);
  write("use.js", USE);
  write("use-worker.js", USE_WORKER);
  write("use-options.js", USE_OPTIONS);
  write("rows.net", TABLE_SPEC);
  write("use-table.js", USE_TABLE);
  server = await serve({ out: join(folder, "out") });
  if (!chromiumPath) return;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Standardized {
  readonly unknown: string;
  readonly weight: number;
  readonly own: number;
}

interface Options {
  readonly early: string;
  readonly step: string;
  readonly hidden: readonly number[] | string;
}

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

/** A plugin of the package, from what users install. */
async function plugin<Kind>(name: string, options: CompileSettings = {}): Promise<Kind> {
  const path = pathToFileURL(join(root, "dist", "cli", "plugin", `${name}.js`)).href;
  const { default: make } = (await import(/* @vite-ignore */ path)) as {
    default: (options: CompileSettings) => Kind;
  };
  return make(options);
}

/** Runs a bundle's `run` in Chromium. */
async function runInBrowser<Result = Outcome>(path: string): Promise<Result> {
  const page = await browser!.newPage();
  try {
    await page.goto(`${addressOf(server)}/bare`);
    return await page.evaluate<Result>(`import("/out/${path}").then(({ run }) => run())`);
  } finally {
    await page.close();
  }
}

/** Runs a bundle's `run` in Node. */
function runInNode(path: string): Outcome {
  const url = pathToFileURL(join(folder, "out", path)).href;
  const code =
    `import(${JSON.stringify(url)}).then(async ({ run }) => ` +
    `console.log(JSON.stringify(await run({ adapter: "embedded" }))))`;
  const output = execFileSync(process.execPath, ["-e", code], { encoding: "utf8", cwd: folder });
  return JSON.parse(output) as Outcome;
}

function expectTrained({ loss, logits }: Outcome): void {
  expect(loss).toBeGreaterThan(0);
  expect(logits).toHaveLength(2);
  for (const logit of logits) expect(Number.isFinite(logit)).toBe(true);
}

async function bundle(name: string, platform: "browser" | "node"): Promise<string> {
  await build({
    entryPoints: [join(folder, "use.js")],
    outfile: join(folder, "out", name),
    bundle: true,
    format: "esm",
    platform,
    plugins: [await plugin<Plugin>("esbuild")],
    logLevel: "silent",
  });
  return readFileSync(join(folder, "out", name), "utf8");
}

describe("esbuild", () => {
  test("bundles a spec for browsers, without a trace of Node", async () => {
    const text = await bundle("esbuild.js", "browser");
    expect(text).not.toMatch(/from ?"|require\(|node:/);
    if (browser) expectTrained(await runInBrowser("esbuild.js"));
  });

  test("bundles a spec for Node, and leaves packages with native code to Node", async () => {
    await bundle("esbuild.node.mjs", "node");
    // As in a project: the packages are found from the folder of the bundle.
    symlinkOnce(join(root, "node_modules", "webgpu"), join(folder, "node_modules", "webgpu"));
    symlinkOnce(join(root, "node_modules", "@sparticuz"), join(folder, "node_modules/@sparticuz"));
    expectTrained(runInNode("esbuild.node.mjs"));
  });

  test("takes `predictOnly` and `inspect`, and refuses both together", async () => {
    const make = async (options: CompileSettings, name: string) =>
      build({
        entryPoints: [join(folder, "use-options.js")],
        outdir: join(folder, "out", name),
        bundle: true,
        splitting: true,
        format: "esm",
        plugins: [await plugin<Plugin>("esbuild", options)],
        logLevel: "silent",
      });
    await make({ predictOnly: true }, "predict-only");
    await make({ inspect: true }, "inspect");
    const both = make({ predictOnly: true, inspect: true }, "both").catch(String);
    expect(await both).toContain("`inspect` needs what `predictOnly` leaves out");
    const text = readFileSync(join(folder, "out", "inspect", "use-options.js"), "utf8");
    expect(text).toMatch(/import\("\.\/tiny-\w+\.js"\)/);
    if (!browser) return;
    const predicting = await runInBrowser<Options>("predict-only/use-options.js");
    expect(predicting.early).toContain("load");
    expect(predicting.step).toContain("compiled with `--predict-only`");
    expect(predicting.hidden).toContain("compiled with `--inspect`");
    const inspecting = await runInBrowser<Options>("inspect/use-options.js");
    expect(inspecting).toMatchObject({ early: "filled", step: "stepped" });
    expect(inspecting.hidden).toHaveLength(6);
  });

  test.each<CompileSettings>([{}, { inspect: true }])(
    "bundles a spec of a standardized table: %o",
    async (options) => {
      await build({
        entryPoints: [join(folder, "use-table.js")],
        outdir: join(folder, "out", "table"),
        bundle: true,
        splitting: true,
        format: "esm",
        plugins: [await plugin<Plugin>("esbuild", options)],
        logLevel: "silent",
      });
      if (!browser) return;
      const found = await runInBrowser<Standardized>("table/use-table.js");
      expect(found.unknown).toContain("nothing says by which means");
      expect(found.weight).toBeCloseTo(found.own, 5);
    },
  );

  test("bundles a network in a worker, whose file is a second entry", async () => {
    for (const [entry, name] of [
      ["use-worker.js", "esbuild-worker.js"],
      ["node_modules/netc/dist/runtime/worker/main.js", "esbuild-main.js"],
    ] as const) {
      await build({
        entryPoints: [join(folder, entry)],
        outfile: join(folder, "out", name),
        bundle: true,
        format: "esm",
        plugins: [await plugin<Plugin>("esbuild")],
        logLevel: "silent",
      });
    }
    if (!browser) return;
    const page = await browser.newPage();
    await page.goto(`${addressOf(server)}/bare`);
    const there = await page.evaluate<Outcome>(`import("/out/esbuild-worker.js").then(({ run }) =>
      run({ worker: new Worker("/out/esbuild-main.js", { type: "module" }) }))`);
    expectTrained(there);
    await page.close();
  });

  test("shows a mistake with the lines of the spec", async () => {
    write("wrong.net", WRONG);
    write("wrong.js", 'export * from "./wrong.net";');
    const building = build({
      entryPoints: [join(folder, "wrong.js")],
      bundle: true,
      write: false,
      plugins: [await plugin<Plugin>("esbuild")],
      logLevel: "silent",
    });
    const error = (await building.catch((reason: unknown) => reason)) as Error;
    expect(error.message).toMatch(/wrong\.net:4:\d+: .*NET2002/);
  });
});

function symlinkOnce(target: string, path: string): void {
  if (!existsSync(path)) symlinkSync(target, path);
}

describe("Vite", () => {
  test("builds a page and a worker that import a spec", async () => {
    write(
      "worker.js",
      `import { run } from "./use.js"; onmessage = async () => postMessage(await run());`,
    );
    write(
      "page.js",
      `export { run } from "./use.js";
export const runInWorker = () => new Promise((resolve, reject) => {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = reject;
  worker.postMessage(0);
});`,
    );
    const netc = await plugin<VitePlugin>("vite");
    await buildWithVite({
      root: folder,
      base: "/out/vite/",
      logLevel: "silent",
      configFile: false,
      plugins: [netc],
      worker: { format: "es", plugins: () => [netc] },
      build: {
        outDir: join(folder, "out", "vite"),
        target: "es2022",
        rollupOptions: {
          input: join(folder, "page.js"),
          preserveEntrySignatures: "strict",
          output: { entryFileNames: "page.js" },
        },
      },
    });
    if (!browser) return;
    const direct = await runInBrowser("vite/page.js");
    expectTrained(direct);
    const page = await browser.newPage();
    await page.goto(`${addressOf(server)}/bare`);
    const code = 'import("/out/vite/page.js").then(({ runInWorker }) => runInWorker())';
    expect(await page.evaluate<Outcome>(code)).toEqual(direct);
    await page.close();
  });

  test("shows a mistake at its line, and keeps weights through a change of the spec", async () => {
    write("hot.net", SPEC);
    write("hot-wrong.net", WRONG);
    write(
      "hot.js",
      `import { createTiny } from "./hot.net";
window.net = await createTiny({ batch: 2, seed: 1 });
window.shapes = () => Object.fromEntries(net.parameters.map(({ name, shape }) => [name, shape]));
import.meta.hot.accept("./hot.net", async ({ createTiny }) => {
  window.net = await createTiny({ batch: 2, seed: 2 });
  window.changed = true;
});
window.ready = true;`,
    );
    write("index.html", '<!doctype html><script type="module" src="/hot.js"></script>');
    const dev = await createServer({
      root: folder,
      logLevel: "silent",
      configFile: false,
      plugins: [await plugin<VitePlugin>("vite")],
      server: { port: 0, host: "127.0.0.1", fs: { strict: false } },
      optimizeDeps: { noDiscovery: true },
    });
    try {
      const failure: unknown = await dev
        .transformRequest("/hot-wrong.net")
        .catch((reason: unknown) => reason);
      expect(failure).toMatchObject({
        message: expect.stringContaining("NET2002") as string,
        loc: { line: 4, file: expect.stringContaining("hot-wrong.net") as string },
      });
      if (!browser) return;
      await dev.listen();
      const page = await browser.newPage();
      await page.goto(dev.resolvedUrls!.local[0]!);
      await page.waitForFunction("window.ready");
      await page.evaluate('net.write("hidden.weight", new Float32Array(96).fill(0.25))');
      write("hot.net", SPEC.replace("in 0..2", "in 0..3").replace("linear(2)", "linear(3)"));
      await page.waitForFunction("window.changed");
      expect(await page.evaluate("shapes()")).toMatchObject({
        "hidden.weight": [6, 16],
        "logits.weight": [3, 6],
      });
      const kept = await page.evaluate<number[]>(
        'net.read("hidden.weight").then((values) => [...new Set(values)])',
      );
      expect(kept).toEqual([0.25]);
      await page.close();
      await expectKeptScales(dev.resolvedUrls!.local[0]!);
    } finally {
      await dev.close();
    }
  });
});

/** A change of a spec keeps by what its network standardizes. */
async function expectKeptScales(address: string): Promise<void> {
  write("hot-rows.net", TABLE_SPEC);
  write(
    "hot-rows.js",
    `import { createRows } from "./hot-rows.net";
window.net = await createRows({ batch: 2 });
net.standardizeBy({ x: { mean: [1000, -5], std: [2, 3] } });
import.meta.hot.accept("./hot-rows.net", async ({ createRows }) => {
  window.net = await createRows({ batch: 2 });
  window.changed = true;
});
window.ready = true;`,
  );
  write("rows.html", '<!doctype html><script type="module" src="/hot-rows.js"></script>');
  const page = await browser!.newPage();
  await page.goto(`${address}rows.html`);
  await page.waitForFunction("window.ready");
  write("hot-rows.net", TABLE_SPEC.replace("epochs = 1", "epochs = 2"));
  await page.waitForFunction("window.changed");
  expect(await page.evaluate("net.scales")).toEqual({ x: { mean: [1000, -5], std: [2, 3] } });
  await page.close();
}

/** Bundlers that tests install, since they are not among netc's packages. */
const TOOLS = join(root, ".cache", "bundlers");

describe.skipIf(process.env["NETC_TEST_FULL"] !== "1")("bundlers from npm", () => {
  beforeAll(() => {
    mkdirSync(TOOLS, { recursive: true });
    writeFileSync(join(TOOLS, "package.json"), '{ "private": true }');
    const packages = ["webpack@5", "rollup@4", "@rollup/plugin-node-resolve@16"];
    packages.push("next@16", "react@19", "react-dom@19", "@rspack/core@1", "deno@2");
    const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--no-save"];
    execFileSync("npm", ["install", ...flags, ...packages], { cwd: TOOLS });
    for (const name of ["webpack", "rollup", "@rollup", "next", "react", "react-dom", "@rspack"]) {
      symlinkOnce(join(TOOLS, "node_modules", name), join(folder, "node_modules", name));
    }
  }, 400_000);

  /** Runs a script in the project. */
  const run = (name: string, text: string) => {
    write(name, text);
    execFileSync(process.execPath, [join(folder, name)], { cwd: folder, encoding: "utf8" });
  };

  test.each([
    ["webpack", 'import pack from "webpack";'],
    ["rspack", 'import { rspack as pack } from "@rspack/core";'],
  ])(
    "%s bundles a spec for browsers, with options, and a network in a worker",
    async (name, line) => {
      const out = JSON.stringify(join(folder, "out", name));
      run(
        `${name}.mjs`,
        `${line}
import netc from "netc/${name}";
const library = { type: "module" };
pack({
  mode: "production",
  entry: { use: "./use.js", worker: "./use-worker.js", options: "./use-options.js" },
  output: {
    path: ${out}, publicPath: "/out/${name}/", filename: "[name].js", library, module: true,
  },
  experiments: { outputModule: true },
  plugins: [netc({ inspect: true })],
}, (error, stats) => {
  if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString());
});`,
      );
      if (!browser) return;
      const direct = await runInBrowser(`${name}/use.js`);
      expectTrained(direct);
      expect(await runInBrowser(`${name}/worker.js`)).toEqual(direct);
      const { hidden } = await runInBrowser<Options>(`${name}/options.js`);
      expect(hidden).toHaveLength(6);
    },
  );

  /** A project with netc as npm installs it: not a link, so Vite optimizes it. */
  function installed(): string {
    const project = join(folder, "installed");
    const own = join(project, "node_modules", "netc");
    mkdirSync(own, { recursive: true });
    cpSync(join(root, "dist"), join(own, "dist"), { recursive: true });
    cpSync(join(root, "package.json"), join(own, "package.json"));
    for (const [name, text] of [
      ["package.json", '{ "type": "module", "private": true, "dependencies": { "netc": "0" } }'],
      ["tiny.net", SPEC],
      ["use.js", USE],
      ["use-worker.js", USE_WORKER],
      [
        "page.js",
        'import * as own from "./use.js"; import * as there from "./use-worker.js";' +
          " Object.assign(window, { own: own.run, there: there.run });",
      ],
      ["index.html", '<!doctype html><script type="module" src="/page.js"></script>'],
    ] as const) {
      writeFileSync(join(project, name), text);
    }
    return project;
  }

  test("Deno runs a compiled module on its own WebGPU", () => {
    execFileSync(process.execPath, [
      ...[join(root, "dist", "cli", "main.js"), "compile", join(folder, "tiny.net"), "-o", folder],
    ]);
    write("deno-use.js", USE.replace("tiny.net", "tiny.js"));
    write(
      "deno.js",
      'import { run } from "./deno-use.js"; console.log(JSON.stringify(await run()));',
    );
    const [name] = readdirSync(join(TOOLS, "node_modules", "@deno"));
    const deno = join(TOOLS, "node_modules", "@deno", name!, "deno");
    const flags = ["run", "--allow-all", "--unstable-webgpu", "deno.js"];
    const output = execFileSync(deno, flags, { cwd: folder, encoding: "utf8" });
    expectTrained(JSON.parse(output) as Outcome);
  });

  test("Vite builds and serves a network in a worker", async () => {
    const project = installed();
    const netc = await plugin<VitePlugin>("vite");
    const common = { root: project, logLevel: "silent", configFile: false } as const;
    const build = { outDir: join(folder, "out", "vite-worker"), target: "es2022" };
    await buildWithVite({ ...common, base: "/out/vite-worker/", plugins: [netc], build });
    if (!browser) return;
    const both = async (address: string): Promise<readonly [Outcome, Outcome]> => {
      const page = await browser!.newPage();
      // Vite's dev server may load the page again, once it has found what the page imports.
      await page.goto(address, { waitUntil: "networkidle" });
      await page.reload({ waitUntil: "networkidle" });
      await page.waitForFunction("window.there");
      const code = "(async () => [await own(), await there()])()";
      try {
        return await page.evaluate<[Outcome, Outcome]>(code);
      } finally {
        await page.close();
      }
    };
    const [own, there] = await both(`${addressOf(server)}/out/vite-worker/index.html`);
    expectTrained(own);
    expect(there).toEqual(own);
    const dev = await createServer({
      ...common,
      plugins: [await plugin<VitePlugin>("vite")],
      server: { port: 0, host: "127.0.0.1" },
    });
    try {
      await dev.listen();
      expect(await both(dev.resolvedUrls!.local[0]!)).toEqual([own, own]);
    } finally {
      await dev.close();
    }
  }, 240_000);

  test("Rollup bundles a spec for browsers", async () => {
    run(
      "rollup.mjs",
      `import { rollup } from "rollup";
import resolve from "@rollup/plugin-node-resolve";
import netc from "netc/rollup";
const plugins = [netc(), resolve({ browser: true })];
const bundle = await rollup({ input: "use.js", plugins });
await bundle.write({ dir: "out/rollup", format: "es" });`,
    );
    if (browser) expectTrained(await runInBrowser("rollup/use.js"));
  });

  test.each([
    ["webpack", ["--webpack"]],
    ["Turbopack", ["--turbopack"]],
  ])(
    "Next.js builds a client component with %s, and renders it on the server",
    (_, flags) => {
      mkdirSync(join(folder, "app"), { recursive: true });
      write(
        "next.config.mjs",
        'import netc from "netc/next"; export default netc({ turbopack: { root: "/" } });',
      );
      write(
        "app/layout.jsx",
        "export default ({ children }) => <html><body>{children}</body></html>;",
      );
      write(
        "app/page.jsx",
        `"use client";
import { useState } from "react";
import { run } from "../use.js";
export default function Page() {
  const [text, setText] = useState("not yet");
  return <button onClick={async () => setText(JSON.stringify(await run()))}>{text}</button>;
}`,
      );
      const next = join(folder, "node_modules", "next", "dist", "bin", "next");
      const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
      execFileSync(process.execPath, [next, "build", ...flags], { cwd: folder, env });
      const html = readFileSync(join(folder, ".next", "server", "app", "index.html"), "utf8");
      expect(html).toContain("not yet");
    },
    300_000,
  );
});

test("types of an imported spec pass without skipLibCheck and without Node's types", () => {
  write("typed.net", SPEC);
  execFileSync(process.execPath, [
    ...[join(root, "dist", "cli", "main.js"), "compile", join(folder, "tiny.net")],
    ...["-o", join(folder, "types")],
  ]);
  write("typed.net.d.ts", readFileSync(join(folder, "types", "tiny.d.ts"), "utf8"));
  write(
    "typed.ts",
    `import { createTiny } from "./typed.net";
     import { fit, type FitOptions } from "netc/runtime";
     export async function use(options: FitOptions, device: GPUDevice): Promise<number> {
       const net = await createTiny({ device });
       await net.read("hidden.weight");
       const { loss } = await net.step(new Float32Array(16), [1]);
       return loss + Number(fit !== undefined) + Number(options.steps);
     }`,
  );
  const program = ts.createProgram([join(folder, "typed.ts")], {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    customConditions: ["browser"],
    types: [],
  });
  const found = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  expect(found).toEqual([]);
});
