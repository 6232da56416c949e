import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("good.net", STRIPES);
  await workspace.write("wrong.net", STRIPES.replace("linear(classes)", "linear(classes, in=99)"));
});

afterAll(() => workspace.remove());

const check = (...args: string[]) => netc(["check", ...args], { cwd: workspace.folder });

test("a spec without mistakes", async () => {
  const { code, stderr } = await check("good.net");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "good.net: no problems\n" });
});

test("a mistake is shown in the spec's lines, without colors in a pipe", async () => {
  const { code, stdout, stderr } = await check("good.net", "wrong.net");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^error\[NET2\d{3}\]: .*99/m);
  expect(stderr).toMatch(/--> wrong.net:8:\d+/);
  expect(stderr).toMatch(/^wrong.net: 1 error$/m);
  expect(stderr).not.toContain("\u001b");
});

test("JSON is one document on stdout and nothing else", async () => {
  const { code, stdout, stderr } = await check("good.net", "wrong.net", "--format", "json");
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  const document = JSON.parse(stdout);
  expect(document.version).toBe(1);
  expect(document.diagnostics).toHaveLength(1);
  expect(document.diagnostics[0]).toMatchObject({
    severity: "error",
    file: "wrong.net",
    range: { start: { line: 8 } },
  });
  expect(document.diagnostics[0].fixes[0].edits[0]).toMatchObject({ file: "wrong.net" });
});

test("SARIF is one document on stdout, its rules linked to existing pages", async () => {
  const { code, stdout, stderr } = await check("good.net", "wrong.net", "--format", "sarif");
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  const { version, runs } = JSON.parse(stdout);
  expect(version).toBe("2.1.0");
  expect(runs[0].results).toHaveLength(1);
  const [{ ruleIndex, locations }] = runs[0].results;
  expect(locations[0].physicalLocation).toMatchObject({
    artifactLocation: { uri: "wrong.net" },
    region: { startLine: 8 },
  });
  const page = new URL(runs[0].tool.driver.rules[ruleIndex].helpUri as string);
  expect(await readFile(page, "utf8")).toContain("# NET2002: ");
});

describe("files that are not specs end with 1 and one clear line", () => {
  test.each([
    ["a missing file", "none.net", undefined, /cannot find the spec file none.net/],
    ["a directory", ".", undefined, /. is a directory, expected a spec file/],
    ["an empty file", "empty.net", "", /empty/],
    ["zeros and other bytes", "binary.net", Uint8Array.of(0x7f, 0x45, 0, 255, 254, 0, 9), /text/],
  ])("%s", async (_, name, content, message) => {
    if (content !== undefined) await workspace.write(name, content);
    const { code, stderr } = await check(name);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr.match(/^error/gm)).toHaveLength(1);
  });
});

test("explain lists topics, and all codes by family", async () => {
  const { code, stdout } = await netc(["explain"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^layer:\n {2}conv +\S/m);
  expect(stdout).toMatch(/^NET0: syntax\n {2}NET0001 {2}\S/m);
  expect(stdout).toMatch(/^NET2: shapes\n {2}NET2001 {2}a layer needs an image$/m);
});

test("explain shows the page of a layer, and proposes a name near an unknown one", async () => {
  expect((await netc(["explain", "conv"])).stdout).toMatch(/^# conv: layer/);
  const { code, stderr } = await netc(["explain", "conf"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: nothing is known of conf; did you mean conv\?\nhelp: /);
});

test("explain takes several words as one term", async () => {
  expect((await netc(["explain", "learning", "rate"])).stdout).toMatch(/^# learning rate: term/);
});

test("explain cuts a long word short", async () => {
  const { code, stderr } = await netc(["explain", "x".repeat(3000)]);
  expect(code).toBe(2);
  expect(stderr.length).toBeLessThan(200);
});

test("explain shows a code's page", async () => {
  const { code, stdout } = await netc(["explain", "net2001"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^# NET2001: /);
  expect(stdout).toContain("Wrong:");
});
