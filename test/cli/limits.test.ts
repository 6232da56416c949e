import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc, root } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("small.json", '{ "maxStorageBufferBindingSize": 5242880 }');
  await workspace.write("tiny.json", '{ "maxStorageBuffersPerShaderStage": 3 }');
  await workspace.write("unknown.json", '{ "maxBindings": 3 }');
  await workspace.write("half.json", '{ "maxBufferSize": 1.5 }');
  await workspace.write("list.json", "[1]");
});

afterAll(() => workspace.remove());

const check = (limits: string, spec = "specs/cifar10-quick.net") =>
  netc(["check", spec, "--limits", limits], { cwd: root });

test("--limits FILE names the lines that exceed them, and what netc does about it", async () => {
  const { code, stderr } = await check(workspace.path("small.json"));
  expect(code).toBe(0);
  expect(stderr).toMatch(/^warning\[NET4002\]: `[\w. ]+` takes [\d.]+ MiB at a batch of \d+/m);
  expect(stderr).toMatch(/^ +--> specs\/cifar10-quick\.net:\d+:\d+$/m);
  expect(stderr).toMatch(/netc splits the batch into \d+ slices of up to \d+ images/);
});

test("where nothing can be done, the command fails", async () => {
  const { code, stderr } = await check(workspace.path("tiny.json"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error\[NET4004\]: .* needs \d storage buffers, and the limit is 3$/m);
});

test("--limits adapter takes those of the adapter that networks would run on", async () => {
  const { code, stderr } = await check("adapter");
  expect(code).toBe(0);
  // Some drivers print other things before it.
  expect(stderr).toMatch(/^specs\/cifar10-quick\.net: no problems$/m);
});

test.each([
  ["unknown.json", /there is no limit `maxBindings`[\s\S]*known are maxStorageBufferBindingSize/],
  ["half.json", /`maxBufferSize` is 1\.5, not a whole number/],
  ["list.json", /is not a JSON object of limits/],
  [
    "none.json",
    /cannot read limits: there is no file .*none\.json[\s\S]*`default`, `adapter` or a JSON/,
  ],
])("%s is not a file of limits, and the message says why", async (file, message) => {
  const { code, stderr } = await check(workspace.path(file));
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
});
