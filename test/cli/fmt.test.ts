import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "prettier";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc, root } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
});

afterAll(() => workspace.remove());

const read = (name: string) => readFile(join(workspace.folder, name), "utf8");
const fmt = (...args: string[]) => netc(["fmt", ...args], { cwd: workspace.folder });

test("fmt rewrites what is laid out otherwise, and says which files", async () => {
  await workspace.write("wild.net", STRIPES.replaceAll("  ", "      ").replaceAll(" -> ", "->"));
  expect(await fmt("--check", "wild.net")).toEqual({
    code: 1,
    stdout: "wild.net\n",
    stderr: "1 file would change\n",
  });
  expect((await fmt("wild.net")).code).toBe(0);
  const tidy = await read("wild.net");
  expect(tidy).toContain(" -> ");
  const again = await fmt("--check", "wild.net");
  expect(again).toEqual({ code: 0, stdout: "", stderr: "1 file in the canonical layout\n" });
});

test("a file that does not parse is left as it is", async () => {
  await workspace.write("broken.net", "model M {\n      conv(3\n}\n");
  const { code, stderr } = await fmt("broken.net");
  expect(code).toBe(1);
  expect(stderr).toContain("--> broken.net:2:");
  expect(await read("broken.net")).toBe("model M {\n      conv(3\n}\n");
});

test("the package's prettier plugin gives the same", async () => {
  const plugin = (await import(join(root, "dist/format/index.js"))) as never;
  const text = "model   M {\n input x: f32[N,3,8,8]\n conv(8,kernel=3)->relu\n}";
  expect(await format(text, { parser: "netc", plugins: [plugin] })).toBe(
    "model M {\n  input x: f32[N, 3, 8, 8]\n  conv(8, kernel=3) -> relu\n}\n",
  );
});
