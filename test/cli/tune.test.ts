import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, STRIPES, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("stripes.net", STRIPES);
});

afterAll(() => workspace.remove());

const run = (...args: readonly string[]) => netc(args, { cwd: workspace.folder });

const readTuning = async () =>
  JSON.parse(await readFile(workspace.path("stripes.tune.json"), "utf8"));

test("tune measures, keeps, merges; compile and time use what it kept", async () => {
  const tuned = await run("tune", "stripes.net", "--batch", "2", "--candidates", "2");
  expect(tuned.code).toBe(0);
  expect(tuned.stdout).toMatch(/^pixels 64n x 1 x .* features\.conv1 .* \d+\.\d\d$/m);
  const file = await readTuning();
  expect(file).toMatchObject({ format: 1, netc: expect.any(String) });
  const [{ adapter, problems }] = file.adapters;
  const keys = Object.keys(problems);
  expect(keys.length).toBeGreaterThan(2);

  // Another adapter's entry, and an older one of this adapter's under a separate key, stay.
  const other = { ...file.adapters[0], adapter: { ...adapter, vendor: "other" } };
  file.adapters[0].problems["pixels 1n x 1 x 1"] = problems[keys[0]!];
  await workspace.write(
    "stripes.tune.json",
    JSON.stringify({ ...file, adapters: [file.adapters[0], other] }),
  );
  const again = ["--batch", "2", "--candidates", "1", "--clock", "processor", "--json"];
  const { problems: measured, clock } = JSON.parse(
    (await run("tune", "stripes.net", ...again)).stdout,
  );
  expect(clock).toBe("processor");
  expect(measured).toHaveLength(keys.length);
  for (const { problem, tried, chosen, best } of measured) {
    expect(keys).toContain(problem);
    expect([tried, best]).toEqual([1, chosen]);
    expect(chosen.milliseconds).toBeGreaterThan(0);
  }
  const merged = await readTuning();
  expect(merged.adapters).toHaveLength(2);
  expect(Object.keys(merged.adapters[1].problems)).toHaveLength(keys.length + 1);

  const compiled = await run("compile", "stripes.net", "--target", "stripes.tune.json");
  expect(compiled.code).toBe(0);
  const module = await readFile(workspace.path("stripes.js"), "utf8");
  expect(module).toContain(`adapter: ${JSON.stringify(adapter)}`);
  expect(module.match(/^ {4}target: /gm)).toHaveLength(5);

  const verified = await run("verify", "stripes.net");
  expect(verified.code).toBe(0);
  expect(verified.stderr).toContain("schedules that `netc tune` measured on this adapter");
});

test("files that tune did not write, and those of another version, are told", async () => {
  await workspace.write("wrong.tune.json", '{"format":1}');
  const wrong = await run("compile", "stripes.net", "--target", "wrong.tune.json");
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("wrong.tune.json was not written by `netc tune`");
  await workspace.write("old.tune.json", '{"format":1,"netc":"0.0.1","adapters":[]}');
  const old = await run("compile", "stripes.net", "--target", "old.tune.json");
  expect(old.code).toBe(0);
  expect(old.stderr).toContain("old.tune.json was measured by netc 0.0.1");
  const unknown = await run("compile", "stripes.net", "--target", "fast");
  expect(unknown.code).toBe(2);
});
