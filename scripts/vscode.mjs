// Packs the VS Code extension: node scripts/vscode.mjs [FOLDER] writes netc-VERSION.vsix into the
// folder (default: build/). The sources are bundled as they are, so nothing needs to be built
// before.
import { createVSIX } from "@vscode/vsce";
import { build } from "esbuild";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "editors", "vscode");
const COPIED = ["README.md", "icon.png", "language-configuration.json", "syntaxes"];

/**
 * Bundles the extension and its programs into a folder, and returns the paths of all that went in.
 */
async function bundle(folder) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["main", "server", "picture-worker"].map((name) => join(source, `${name}.ts`)),
    outdir: folder,
    bundle: true,
    minify: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    external: ["vscode"],
    // The formatter is a plugin, and needs none of prettier's own languages.
    alias: { prettier: "prettier/standalone" },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  return Object.keys(metafile.inputs);
}

/**
 * The extension's manifest: what is packed are CommonJS modules, in the version of the compiler
 * that they contain.
 */
async function manifest() {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const own = JSON.parse(await readFile(join(source, "package.json"), "utf8"));
  return { ...own, type: "commonjs", version };
}

/** The licenses of the packages that the paths belong to. */
async function notices(paths) {
  const packages = paths.flatMap((path) => {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
    return match ? [join(root, match[1])] : [];
  });
  const texts = [...new Set(packages)].sort().map(notice);
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

async function notice(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json")));
  const file = (await readdir(folder)).find((entry) => /^licen[sc]e/i.test(entry));
  const text = file ? await readFile(join(folder, file), "utf8") : `License: ${license}\n`;
  return `${name} ${version}\n\n${text}`;
}

/** Packs the extension and returns the path of the .vsix. */
async function pack(destination) {
  await mkdir(join(root, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(root, ".cache", "vscode-"));
  try {
    const description = await manifest();
    const paths = await bundle(folder);
    for (const name of COPIED)
      await cp(join(source, name), join(folder, name), { recursive: true });
    await cp(join(root, "LICENSE"), join(folder, "LICENSE.txt"));
    await writeFile(join(folder, "THIRD-PARTY-NOTICES.txt"), await notices(paths));
    await writeFile(join(folder, "package.json"), JSON.stringify(description, null, 2));
    // What is in the folder is all that belongs in: without this file, vsce would warn of files too
    // many.
    await writeFile(join(folder, ".vscodeignore"), "");
    await mkdir(destination, { recursive: true });
    const packagePath = join(destination, `netc-${description.version}.vsix`);
    const options = { dependencies: false, skipLicense: true, allowMissingRepository: true };
    await createVSIX({ cwd: folder, packagePath, rewriteRelativeLinks: false, ...options });
    return packagePath;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const vsix = await pack(resolve(process.argv[2] ?? join(root, "build")));
console.log(
  `${relative(process.cwd(), vsix)}: code --install-extension ${relative(process.cwd(), vsix)}`,
);
