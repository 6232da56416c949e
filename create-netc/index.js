#!/usr/bin/env node
/** `npm create netc NAME -- --data DIR`: a project with netc, a first spec and something to run. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const TEMPLATES = ["page", "node"];
const here = fileURLToPath(new URL(".", import.meta.url));

const USAGE = `npm create netc NAME -- --data DIR [--template page|node] [--no-install]

  NAME        the project's folder, which is made
  --data      your pictures, a folder for each class, or a csv file
  --template  page: a Vite page that classifies a dropped picture (default); node: a script
  --netc      what package.json names as netc: a version or a path (default: this version)
  --no-install  only writes the files`;

/** A mistake of the user, told without a stack. */
class Mistake extends Error {}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        data: { type: "string" },
        template: { type: "string", default: "page" },
        netc: { type: "string" },
        "no-install": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return { ...values, names: positionals };
  } catch (error) {
    throw new Mistake(error.message);
  }
}

/** The name of the project: a folder's last part, as npm and specs can write it. */
function projectName(folder) {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_\d]+|-+$/g, "");
  if (name !== "") return name;
  throw new Mistake(`${folder} has no letter to name a project by`);
}

async function requireEmpty(folder) {
  const names = await readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw new Mistake(`${folder} cannot be used: ${error.message}`);
  });
  if (names.length > 0) throw new Mistake(`${folder} is not empty: choose another name`);
}

/** Copies a template, with the project's name in the place of NAME and Model in that of MODEL. */
async function copyTemplate(template, folder, name) {
  await mkdir(folder, { recursive: true });
  await cp(join(here, "templates", template), folder, { recursive: true });
  // npm leaves files of this name out of packages.
  await rename(join(folder, "gitignore"), join(folder, ".gitignore"));
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replaceAll("NAME", name).replaceAll("MODEL", modelName(name)));
  }
}

/** As `netc init` names the model: `my-photos` is `MyPhotos`. */
function modelName(name) {
  const words = name.split(/[-_]+/).filter((word) => word !== "");
  return words.map((word) => word[0].toUpperCase() + word.slice(1)).join("");
}

async function writePackage(folder, version) {
  const path = join(folder, "package.json");
  const content = JSON.parse(await readFile(path, "utf8"));
  content.dependencies.netc = version;
  await writeFile(path, `${JSON.stringify(content, undefined, 2)}\n`);
}

function run(command, args, cwd) {
  console.log(`$ ${[command, ...args].join(" ")}`);
  const shell = process.platform === "win32";
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit", shell });
  if (error) throw new Mistake(`${command} does not start: ${error.message}`);
  if (status !== 0) throw new Mistake(`${command} ${args[0]} failed; the files are in ${cwd}`);
}

async function ownVersion() {
  return JSON.parse(await readFile(join(here, "package.json"), "utf8")).version;
}

/** `netc` as package.json of the project finds it: paths start from the project. */
function dependencyOf(given, folder) {
  if (!/^[./]|\.tgz$/.test(given)) return given;
  return `file:${relative(folder, resolve(given))}`;
}

async function main() {
  const { names, data, template, netc, help, ...flags } = readArguments();
  if (help) return console.log(USAGE);
  if (names.length !== 1) throw new Mistake(`expected one name of a project\n\n${USAGE}`);
  if (!TEMPLATES.includes(template)) {
    throw new Mistake(`there is no template ${template}: ${TEMPLATES.join(" or ")}`);
  }
  const [folder] = names;
  const name = projectName(folder);
  await requireEmpty(folder);
  await copyTemplate(template, folder, name);
  await writePackage(folder, dependencyOf(netc ?? `^${await ownVersion()}`, folder));
  const init = ["netc", "init", ...(data ? [relative(folder, resolve(data))] : ["DATA"])];
  const steps = ["npm install", `npx ${init.join(" ")} -o ${name}.net`];
  if (!flags["no-install"]) run("npm", ["install", "--no-audit", "--no-fund"], folder);
  const isReady = !flags["no-install"] && data !== undefined;
  if (isReady) run("npx", [...init, "-o", `${name}.net`], folder);
  const done = isReady ? 2 : flags["no-install"] ? 0 : 1;
  const next = ["npm run train", template === "page" ? "npm run dev" : "npm run classify PICTURE"];
  console.log(
    [
      `\nmade ${folder}; next:`,
      `  cd ${folder}`,
      ...[...steps.slice(done), ...next].map((step) => `  ${step}`),
    ].join("\n"),
  );
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
}
