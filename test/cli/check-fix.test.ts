import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;

beforeEach(async () => {
  workspace = await makeWorkspace();
});

afterEach(() => workspace.remove());

const check = (...args: string[]) => netc(["check", ...args], { cwd: workspace.folder });
const read = (name: string) => readFile(workspace.path(name), "utf8");

const misspelled = STRIPES.replace("conv(4, kernel=3", "Conv2d(4, kernel_size=3").replace(
  "relu",
  "ReLU",
);
const wrong = misspelled.replace("linear(classes)", "linear(classes, bias=99)");

test("--fix mends what is certain, in place, and says what", async () => {
  await workspace.write("a.net", misspelled);
  const { code, stdout, stderr } = await check("--fix", "a.net");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toBe(
    [
      "a.net:6:5: fixed NET1001: write `conv`",
      "a.net:6:44: fixed NET1001: write `relu`",
      "a.net:6:13: fixed NET1002: write `kernel`",
      "a.net: no problems",
      "",
    ].join("\n"),
  );
  expect(await read("a.net")).toBe(STRIPES);
  expect(await readdir(workspace.folder)).toEqual(["a.net"]);
});

test("what is a guess is left, and ends with 1", async () => {
  await workspace.write("a.net", wrong);
  const { code, stderr } = await check("--fix", "a.net");
  expect(code).toBe(1);
  expect(stderr).toContain("a.net:6:5: fixed NET1001");
  expect(stderr).toContain("--> a.net:8:");
  expect(stderr).toMatch(/^a.net: 1 error$/m);
  expect(await read("a.net")).toBe(STRIPES.replace("linear(classes)", "linear(classes, bias=99)"));
});

test("without --fix nothing is written, and the offer is made", async () => {
  await workspace.write("a.net", misspelled);
  const { code, stderr } = await check("a.net");
  expect(code).toBe(1);
  expect(stderr).toMatch(/; `--fix` mends \d of them$/m);
  expect(await read("a.net")).toBe(misspelled);
});

test("a right file is not touched", async () => {
  await workspace.write("good.net", STRIPES);
  const { code, stderr } = await check("--fix", "good.net");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "good.net: no problems\n" });
});

test("with a document on stdout, what was fixed is said on stderr", async () => {
  await workspace.write("a.net", wrong);
  const { code, stdout, stderr } = await check("--fix", "--format", "json", "a.net");
  expect(code).toBe(1);
  expect(JSON.parse(stdout).diagnostics).toHaveLength(1);
  expect(stderr).toContain("fixed NET1001");
});

test("a file that is imported stays as it is", async () => {
  const block = "block body(out: int) {\n  conv(out, kernel=3, padding=1);\n}\n";
  await workspace.write("blocks.net", block);
  const call = STRIPES.replace("conv(4, kernel=3, padding=1) -> relu", "body(4) -> ReLU");
  await workspace.write("a.net", `import { body } from "./blocks.net"\n${call}`);
  const { code } = await check("--fix", "a.net");
  expect(code).toBe(1);
  expect(await read("blocks.net")).toBe(block);
  expect(await read("a.net")).toContain("body(4) -> relu");
});
