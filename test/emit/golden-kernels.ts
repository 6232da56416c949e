/**
 * All WGSL that the specs are compiled to, as text that is committed: a change to kernels shows as a difference, a refactoring as
 * none. Specs and targets share most kernels, so each distinct text is one file, and an index says which spec uses which.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../compiler/index.js";

const specsFolder = join(import.meta.dirname, "../../specs");
const goldenFolder = join(import.meta.dirname, "golden");
const INDEX = "index.json";

export interface Golden {
  /** WGSL by file name. */
  readonly files: ReadonlyMap<string, string>;
  /** By spec and target, the files of its kernels in their order. */
  readonly index: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** What the compiler makes of all specs now. */
export function compileGolden(): Golden {
  const files = new Map<string, string>();
  const names = new Map<string, string>();
  const index: Record<string, Record<string, string[]>> = {};
  for (const spec of readdirSync(specsFolder)
    .filter((file) => file.endsWith(".net"))
    .sort()) {
    const text = readFileSync(join(specsFolder, spec), "utf8");
    for (const { target, kernels } of compile(text, { file: spec }).programs) {
      const used = kernels.map(({ name, wgsl }) => addFile(files, names, name, withoutUses(wgsl)));
      (index[spec] ??= {})[target] = used;
    }
  }
  return { files, index };
}

/** The file of a text. Kernels that differ only in their tiles share a name, so texts of one name are numbered. */
function addFile(
  files: Map<string, string>,
  names: Map<string, string>,
  name: string,
  wgsl: string,
): string {
  const existing = names.get(wgsl);
  if (existing !== undefined) return existing;
  let file = `${name}.wgsl`;
  for (let number = 2; files.has(file); number++) file = `${name}-${number}.wgsl`;
  names.set(wgsl, file);
  files.set(file, wgsl);
  return file;
}

/** The text without the comment that names the spec's lines: they are the spec's, not the kernel's. */
function withoutUses(wgsl: string): string {
  return `${wgsl.replace(/^\/\/ Used for:\n(\/\/ {3}.*\n)*/, "").trimEnd()}\n`;
}

/** What is committed; nothing where nothing is. */
export function readGolden(): Golden {
  mkdirSync(goldenFolder, { recursive: true });
  const names = readdirSync(goldenFolder);
  const files = names
    .filter((name) => name.endsWith(".wgsl"))
    .map((name) => [name, readFileSync(join(goldenFolder, name), "utf8")] as const);
  const index = names.includes(INDEX) ? readFileSync(join(goldenFolder, INDEX), "utf8") : "{}";
  return { files: new Map(files), index: JSON.parse(index) as Golden["index"] };
}

export function writeGolden({ files, index }: Golden): void {
  rmSync(goldenFolder, { recursive: true, force: true });
  mkdirSync(goldenFolder);
  for (const [name, text] of files) writeFileSync(join(goldenFolder, name), text);
  writeFileSync(join(goldenFolder, INDEX), `${JSON.stringify(index, null, 1)}\n`);
}

// Differences

/** Kernels shown with their lines; of the others only the names. */
const SHOWN_KERNELS = 5;
const SHOWN_LINES = 6;

/** What changed, for people: empty if nothing did. */
export function describeChanges(before: Golden, after: Golden): string {
  const names = [...new Set([...before.files.keys(), ...after.files.keys()])].sort();
  const changed = names.filter((name) => before.files.get(name) !== after.files.get(name));
  const shown = changed.slice(0, SHOWN_KERNELS).map((name) => describeKernel(name, before, after));
  const others = changed.slice(SHOWN_KERNELS).map((name) => `${name}: changed, too`);
  return [...shown, ...others, ...specsWithOtherKernels(before, after)].join("\n");
}

function describeKernel(name: string, before: Golden, after: Golden): string {
  const [old, current] = [before.files.get(name), after.files.get(name)];
  if (old === undefined) return `${name}: new, ${usersOf(name, after)}`;
  if (current === undefined) return `${name}: gone, ${usersOf(name, before)}`;
  return `${name}: changed, ${usersOf(name, after)}\n${shortDifference(old, current)}`;
}

function usersOf(name: string, { index }: Golden): string {
  const users = Object.entries(index).flatMap(([spec, targets]) =>
    Object.entries(targets)
      .filter(([, files]) => files.includes(name))
      .map(([target]) => `${spec} (${target})`),
  );
  const more = users.length > 3 ? ` and ${users.length - 3} more` : "";
  return `used by ${users.slice(0, 3).join(", ")}${more}`;
}

/** The first lines between what two texts begin and end with alike. */
function shortDifference(old: string, current: string): string {
  const [before, after] = [old.split("\n"), current.split("\n")];
  const start = before.findIndex((line, index) => line !== after[index]);
  const first = start < 0 ? before.length : start;
  let same = 0;
  while (
    same < Math.min(before.length, after.length) - first &&
    before.at(-1 - same) === after.at(-1 - same)
  ) {
    same++;
  }
  const lines = (text: readonly string[], sign: string) => {
    const middle = text.slice(first, text.length - same).map((line) => `  ${sign} ${line}`);
    const left = middle.length - SHOWN_LINES;
    return left > 0
      ? [...middle.slice(0, SHOWN_LINES), `  ${sign} ... ${left} more lines`]
      : middle;
  };
  return [`  line ${first + 1}`, ...lines(before, "-"), ...lines(after, "+")].join("\n");
}

function specsWithOtherKernels(before: Golden, after: Golden): string[] {
  const specs = [...new Set([...Object.keys(before.index), ...Object.keys(after.index)])];
  return specs
    .filter((spec) => JSON.stringify(before.index[spec]) !== JSON.stringify(after.index[spec]))
    .map((spec) => `${spec}: uses other kernels, or in another order`);
}
