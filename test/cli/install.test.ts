/** The package as it is published: what an install without native packages has, and its types. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeError } from "../../cli/report.js";
import { root } from "./netc.js";

const run = promisify(execFile);

/** Packages with native code. */
const NATIVE = ["webgpu", "sharp", "koffi", "@sparticuz"];

test("a package that was left out is named, with what to install", () => {
  const error = Object.assign(new Error("Cannot find package 'elkjs' imported from /a/b.js"), {
    code: "ERR_MODULE_NOT_FOUND",
  });
  expect(describeError(error)).toMatchObject({
    message: "this command needs the package `elkjs`, which is not installed",
    help: [expect.stringContaining("npm install elkjs")],
  });
  const own = Object.assign(new Error("Cannot find module '/a/dist/b.js'"), {
    code: "ERR_MODULE_NOT_FOUND",
  });
  expect(describeError(own).message).toContain("netc made a mistake");
});

describe.skipIf(process.env["NETC_TEST_FULL"] !== "1")("the packed tarball", () => {
  let folder: string;
  let tarball: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "netc-install-"));
    const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
    await run("npm", pack, { cwd: root });
    tarball = join(
      folder,
      (await readdir(folder)).find((name) => name.endsWith(".tgz"))!,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("without optional packages it has nothing native, and compiles and checks", async () => {
    const options = { cwd: folder };
    const flags = ["--omit=optional", "--no-audit", "--no-fund", "--ignore-scripts"];
    await run("npm", ["init", "-y"], options);
    await run("npm", ["install", ...flags, tarball], options);
    const modules = join(folder, "node_modules");
    const files = await readdir(modules, { recursive: true });
    expect(files.filter((name) => /\.(node|so|dylib|dll|wasm|br)$/.test(name))).toEqual([]);
    const names = await readdir(modules);
    for (const name of [...NATIVE, "prettier", "elkjs", "chevrotain", "lodash-es"]) {
      expect(names).not.toContain(name);
    }
    const main = join(modules, "netc", "dist", "cli", "main.js");
    const spec = join(modules, "netc", "specs", "digits.net");
    const compiled = await run("node", [main, "compile", spec, "-o", "out"], options);
    expect(compiled.stdout).toContain("wrote out/digits.js");
  });

  test("publint finds no mistakes, and types resolve as the code does", async () => {
    const bytes = await readFile(tarball);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const { publint } = await import("publint");
    const { messages } = await publint({ pack: { tarball: buffer } });
    expect(messages.filter(({ type }) => type !== "suggestion")).toEqual([]);
    const types = await import("@arethetypeswrong/core");
    const checked = await types.checkPackage(
      types.createPackageFromTarballData(new Uint8Array(bytes)),
    );
    const problems = "problems" in checked ? checked.problems : [{ kind: "NoTypes" as const }];
    // The package has ES modules only, and says so: CommonJS cannot require them.
    const expected = new Set(["CJSResolvesToESM", "NoResolution"]);
    expect(problems.filter(({ kind }) => !expected.has(kind))).toEqual([]);
  });
});
