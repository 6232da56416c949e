import { readdir, readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serializeTensors } from "../../runtime/safetensors.js";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc, netcInShell } from "./netc.js";

let workspace: Workspace;

beforeEach(async () => {
  workspace = await makeWorkspace();
  await workspace.write("stripes.net", STRIPES);
});

afterEach(() => workspace.remove());

const compile = (...args: string[]) => netc(["compile", ...args], { cwd: workspace.folder });

test("writes the module and its declarations next to the spec, and says so", async () => {
  const { code, stdout, stderr } = await compile("stripes.net");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(await readdir(workspace.folder)).toEqual(["stripes.d.ts", "stripes.js", "stripes.net"]);
  expect(stdout).toMatch(/wrote stripes\.js \([\d.]+ KiB, [\d.]+ KiB gzipped\)/);
  expect(stdout).toMatch(/compiled in/);
  expect(await readFile(workspace.path("stripes.d.ts"), "utf8")).toContain("createStripes");
});

test("-o names the folder; --emit wgsl writes a file a kernel", async () => {
  const { code } = await compile("stripes.net", "-o", "build/deep", "--emit", "wgsl");
  expect(code).toBe(0);
  const kernels = await readdir(workspace.path("build/deep/stripes.wgsl"));
  expect(kernels.length).toBeGreaterThan(3);
  const text = await readFile(workspace.path("build/deep/stripes.wgsl", kernels[0]!), "utf8");
  expect(text).toContain("@compute");
});

test("-o of a file is refused before anything is written", async () => {
  const { code, stderr } = await compile("stripes.net", "-o", "build/net.js");
  expect(code).toBe(2);
  expect(stderr).toContain("-o names a folder, and build/net.js looks like a file");
  expect(stderr).toContain("`-o build` writes NAME.js");
  expect(await readdir(workspace.folder)).toEqual(["stripes.net"]);
});

test("--predict-only leaves training out, also of a standalone module", async () => {
  const whole = await compile("stripes.net", "-o", "whole", "--standalone");
  const only = await compile("stripes.net", "-o", "only", "--standalone", "--predict-only");
  expect([whole.code, only.code]).toEqual([0, 0]);
  const [all, some] = await Promise.all(
    ["whole", "only"].map((name) => readFile(workspace.path(name, "stripes.js"), "utf8")),
  );
  expect(some!.length).toBeLessThan(0.75 * all!.length);
  expect(some).not.toMatch(/^import /m);
  const types = await readFile(workspace.path("only", "stripes.d.ts"), "utf8");
  expect(types).toContain(
    'InputError, NetcError, NoAdapterError, WeightsError } from "netc/runtime/predict"',
  );
  const refused = await compile("stripes.net", "--predict-only", "--memory", "1GiB");
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining("leaves training out"),
  ]);
});

test("the runtime of a standalone module holds what its pictures need", async () => {
  const data = (transforms: string) => `
    data Pictures for Tiny {
      train folder("p") { resize(8) }
      eval folder("p") { ${transforms} }
    }
    train Base of Tiny on Pictures {
      epochs = 1
      batch = 1
      optimizer = sgd(lr=0.1)
    }`;
  const model = `model Tiny {
      input image: f32[N, 3, 8, 8]
      target label: u32[N] in 0..2
      flatten -> linear(2) as logits
      loss cross_entropy(logits, label)
    }`;
  const specs = [
    model,
    model + data("resize(9) -> center_crop(8) -> normalize(mean=[0, 0, 0], std=[1, 1, 1])"),
    model + data("resize(8) -> center_crop(8) -> hflip"),
  ];
  const sizes: number[] = [];
  for (const spec of specs) {
    await workspace.write("tiny.net", spec);
    const { code, stderr } = await compile("tiny.net", "--standalone", "--predict-only");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const text = await readFile(workspace.path("tiny.js"), "utf8");
    const start = text.indexOf("const netcRuntime");
    const runtime = text.slice(start, text.indexOf("})();\nconst {", start));
    sizes.push(gzipSync(runtime, { level: 9 }).length);
  }
  console.log(`runtimes: without pictures ${sizes[0]}, resized ${sizes[1]}, drawn ${sizes[2]}`);
  // Tokens are checked before they are uploaded: 660 bytes of it.
  expect(sizes[0]).toBeLessThan(21_000);
  expect(sizes[1]).toBeLessThan(28_200);
  expect(sizes[2]).toBeGreaterThan(sizes[1]!);
  // It has bicubic resizing and letterboxes, and the mean over ten crops.
  expect(sizes[2]).toBeLessThan(32_800);
});

test("--standalone gives one file without imports that loads", async () => {
  const { code, stderr } = await compile("stripes.net", "--standalone");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const path = workspace.path("stripes.js");
  expect(await readFile(path, "utf8")).not.toMatch(/^import\s/m);
  const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as object;
  expect(module).toHaveProperty("createStripes");
});

describe("--weights", () => {
  const writeNames = async (names: readonly string[]) => {
    const tensor = { name: "some", shape: [1], values: new Float32Array(1) };
    const bytes = serializeTensors([tensor], { classes: JSON.stringify(names) });
    await workspace.write("named.safetensors", bytes);
  };

  test("puts names of classes into the module and its types", async () => {
    await writeNames(["flat", "tall"]);
    const { code, stderr } = await compile("stripes.net", "--weights", "named.safetensors");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const declarations = await readFile(workspace.path("stripes.d.ts"), "utf8");
    expect(declarations).toContain('export type StripesClass =\n  | "flat"\n  | "tall";');
    const module = await readFile(workspace.path("stripes.js"), "utf8");
    expect(module).toContain('export const classes = ["flat","tall"];');
  });

  test("refuses another number of names", async () => {
    await writeNames(["flat", "tall", "wide"]);
    const { code, stderr } = await compile("stripes.net", "--weights", "named.safetensors");
    expect(code).not.toBe(0);
    expect(stderr).toContain("named.safetensors names 3 classes, and the model has 2");
    expect(await readdir(workspace.folder)).toEqual(["named.safetensors", "stripes.net"]);
  });
});

test("nothing is written for a wrong spec", async () => {
  await workspace.write("stripes.net", STRIPES.replace("relu", "rulu"));
  const { code, stderr } = await compile("stripes.net");
  expect(code).toBe(1);
  expect(stderr).toContain("relu");
  expect(await readdir(workspace.folder)).toEqual(["stripes.net"]);
});

test("an unknown model or recipe is named with those there are", async () => {
  const { code, stderr } = await compile("stripes.net", "--train", "Quik");
  expect(code).toBe(1);
  expect(stderr).toContain("Quick");
});

test("a file in the folder's place", async () => {
  const { code, stderr } = await compile("stripes.net", "-o", "stripes.net");
  expect(code).toBe(4);
  expect(stderr).toMatch(/cannot create the folder stripes.net: a file has this name/);
});

describe("a full disk", () => {
  /** Runs netc in a separate name space, on a disk of 16 KiB mounted at ./small. */
  const mount =
    'mkdir -p small && mount -t tmpfs -o size=16k tmpfs small && "$@"; ' +
    "code=$?; ls -A small; exit $code";

  test("is named, and nothing half-written stays", async (context) => {
    const unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"];
    const probe = await netcInShell("unshare --user --map-root-user --mount true", []);
    context.skip(probe.code !== 0, "this system has no user name spaces");
    const line = `${unshare.map((word) => `'${word}'`).join(" ")} "$@"`;
    const args = ["compile", "stripes.net", "-o", "small"];
    const { code, stdout, stderr } = await netcInShell(line, args, { cwd: workspace.folder });
    expect(stderr).toMatch(/stripes\.(js|d\.ts) could not be written: the disk is full/);
    expect(code).toBe(4);
    expect(stdout).not.toContain("partial");
    expect(stdout).not.toContain("stripes.js");
  });
});

test("--watch compiles again when the spec or what it imports changes", async () => {
  await workspace.write("part.net", "block part(width: int) { linear(width) -> rulu }\n");
  await workspace.write(
    "whole.net",
    'import { part } from "./part.net"\n' +
      "model Whole { input x: f32[N, 4]\n part(3) as y -> linear(2) }\n",
  );
  const changes = [
    () => workspace.write("part.net", "block part(width: int) { linear(width) -> relu }\n"),
    () => workspace.write("whole.net", "model Other { input x: f32[N, 4]\n linear(2) }\n"),
  ];
  let waits = 0;
  const { code, stderr, stdout } = await netc(["compile", "whole.net", "--watch"], {
    cwd: workspace.folder,
    onStderr: (text, kill) => {
      if (text.split("waiting for changes of whole.net").length - 1 <= waits) return;
      const change = changes[waits++];
      if (change) void change();
      else kill("SIGINT");
    },
  });
  expect(stderr).toMatch(/error\[NET\d{4}\].*rulu/);
  expect(stdout.match(/wrote whole\.js/g)).toHaveLength(2);
  expect(code).toBe(0);
});
