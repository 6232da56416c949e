/** create-netc, from its tarball as npm installs it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, stripe, type Workspace } from "./fixtures.js";
import { ADAPTER, netc, root } from "./netc.js";

const execute = promisify(execFile);
let workspace: Workspace;
let script: string;

beforeAll(async () => {
  workspace = await makeWorkspace();
  const { folder } = workspace;
  await execute("npm", ["pack", "--silent", "--pack-destination", folder, `${root}/create-netc`]);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await execute("tar", ["xzf", tarball!], { cwd: folder });
  script = workspace.path("package/index.js");
  for (const name of ["above", "below"] as const) {
    for (let index = 0; index < 25; index++) {
      await workspace.write(`photos/${name}/${index}.png`, await stripe(name, index));
    }
  }
});

afterAll(() => workspace.remove());

const create = (...args: readonly string[]) =>
  execute(process.execPath, [script, ...args], { cwd: workspace.folder }).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: "" }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );

test("a Node project trains on own pictures and classifies one", async () => {
  const flags = ["--template", "node", "--data", "photos", "--netc", root, "--no-install"];
  const { code, stdout } = await create("my-stripes", ...flags);
  expect(code).toBe(0);
  expect(stdout).toContain("npx netc init ../photos -o my-stripes.net");
  const project = workspace.path("my-stripes");
  expect((await readdir(project)).sort()).toEqual([".gitignore", "classify.js", "package.json"]);
  // What `npm install` does, without the network.
  await mkdir(`${project}/node_modules`);
  await symlink(root, `${project}/node_modules/netc`);
  const run = async (...args: readonly string[]) => {
    const outcome = await netc(args, { cwd: project });
    expect(outcome.code, outcome.stderr).toBe(0);
  };
  await run("init", "../photos", "-o", "my-stripes.net");
  await run("train", "my-stripes.net", "--epochs", "3");
  await run("compile", "my-stripes.net");
  const picture = workspace.path("photos/above/1.png");
  const classified = await execute(process.execPath, ["classify.js", picture], {
    cwd: project,
    env: { ...process.env, ...ADAPTER },
  });
  expect(classified.stdout).toMatch(
    /1\.png\n +[\d.]+% {2}(above|below)\n +[\d.]+% {2}(above|below)/,
  );
});

test("a page project has a spec's import and all of its files", async () => {
  const { code } = await create("flowers", "--no-install");
  expect(code).toBe(0);
  const read = (name: string) => readFile(workspace.path("flowers", name), "utf8");
  expect(await read("main.js")).toContain('import { createFlowers } from "./flowers.net";');
  expect(JSON.parse(await read("package.json"))).toMatchObject({
    name: "flowers",
    dependencies: { netc: "^0.1.0" },
  });
  for (const name of await readdir(workspace.path("flowers"))) {
    expect(await read(name)).not.toMatch(/NAME|MODEL/);
  }
  const { version } = JSON.parse(await readFile(`${root}/package.json`, "utf8")) as {
    version: string;
  };
  const own = JSON.parse(await readFile(`${root}/create-netc/package.json`, "utf8")) as {
    version: string;
  };
  expect(own.version).toBe(version);
});

test("mistakes are told without a stack, and nothing is overwritten", async () => {
  await writeFile(workspace.path("photos/mine.txt"), "mine");
  for (const [args, message] of [
    [["photos"], /photos is not empty/],
    [[], /expected one name of a project/],
    [["new", "--template", "vue"], /there is no template vue: page or node/],
    [["new", "--what"], /Unknown option '--what'/],
    [["123"], /123 has no letter/],
  ] as const) {
    const { code, stderr } = await create(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n +at /);
  }
  expect(existsSync(workspace.path("new"))).toBe(false);
});
