/**
 * What the specs are compiled to, as files that are committed. Of a few representative specs all
 * WGSL is there as text; of every spec and variant there are hashes of kernels, buffers, dispatches
 * and constants. A change shows as a difference, a refactoring as none.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Program, ProgramStep } from "../../program/program.js";

const folder = join(import.meta.dirname, "golden");

/**
 * Specs whose WGSL is committed as text: dense and grouped convolutions, joins, gates, all common
 * ends.
 */
export const READ_SPECS: readonly string[] = [
  "alexnet",
  "cifar10-vgg",
  "digits",
  "mobilenet_v3_small",
  "resnet18",
];

/**
 * What one program is made of: hashes by part, and the files of its kernels where their text is
 * committed.
 */
export interface ProgramPrint {
  readonly hashes: Readonly<Record<string, string>>;
  readonly kernels?: readonly string[];
}

/** A spec's programs, by variant and by what distinguishes them within it. */
export type SpecPrint = Readonly<Record<string, Readonly<Record<string, ProgramPrint>>>>;

/** The programs of a compilation, each phase by itself, by target, precision and phase. */
export function labeled(programs: readonly Program[]): readonly (readonly [string, Program])[] {
  return programs.flatMap((program) => {
    const name = [program.target, program.precision].filter(Boolean).join(" ");
    const later = (program.phases ?? []).map(
      (phase, index) => [`${name} phase ${index + 2}`, phase] as const,
    );
    return [[name, program] as const, ...later];
  });
}

/**
 * The parts of a program, each with a hash; without the spec's lines, so that a comment in it
 * changes none.
 */
export function hashesOf(program: Program): Record<string, string> {
  const { kernels, buffers, steps, phases, preparations, source, ...rest } = program;
  void [phases, source];
  const lists = Object.entries(steps).filter(([, list]) => list.length > 0);
  const prepared = Object.entries(preparations ?? {}).map(
    ([split, { steps: list, ...plain }]) => [`prepare ${split}`, list, plain] as const,
  );
  return {
    kernels:
      `${kernels.length} ` +
      `${hash(
        kernels.map(({ wgsl, sections, ...kernel }) => {
          void sections;
          return { ...kernel, wgsl: withoutUses(wgsl) };
        }),
      )}`,
    buffers: `${buffers.length} ${hash(buffers)}`,
    ...Object.fromEntries([...lists, ...prepared].map(([name, list]) => [name, hashOfList(list)])),
    rest: hash([rest, prepared.map(([, , plain]) => plain)]),
  };
}

/** How many dispatches, which they are and what they bind, and their constants. */
function hashOfList(list: readonly ProgramStep[]): string {
  const dispatches = list.map(({ constants, ...step }) => (void constants, step));
  const constants = list.map((step) => step.constants);
  return `${list.length} ${hash(dispatches)} ${hash(constants)}`;
}

const hash = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value, withoutPlace)).digest("hex").slice(0, 12);

const withoutPlace = (key: string, value: unknown) => (key === "location" ? undefined : value);

/**
 * The text without the comment that names the spec's lines: they are the spec's, not the kernel's.
 */
export function withoutUses(wgsl: string): string {
  return `${wgsl.replace(/^\/\/ Used for:\n(\/\/ {3}.*\n)*/, "").trimEnd()}\n`;
}

/**
 * WGSL by file name. Kernels that differ only in their tiles share a name, so texts of one name are
 * numbered.
 */
export class Texts {
  readonly files = new Map<string, string>();
  private readonly names = new Map<string, string>();

  /** The file of a kernel's text. */
  add(name: string, wgsl: string): string {
    const text = withoutUses(wgsl);
    const existing = this.names.get(text);
    if (existing !== undefined) return existing;
    let file = `${name}.wgsl`;
    for (let number = 2; this.files.has(file); number++) file = `${name}-${number}.wgsl`;
    this.names.set(text, file);
    this.files.set(file, text);
    return file;
  }
}

export function readPrint(spec: string): SpecPrint {
  try {
    return JSON.parse(readFileSync(join(folder, `${spec}.json`), "utf8")) as SpecPrint;
  } catch {
    return {};
  }
}

export function writePrint(spec: string, print: SpecPrint): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${spec}.json`), `${JSON.stringify(print, null, 1)}\n`);
}

export function readTexts(): ReadonlyMap<string, string> {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder).filter((name) => name.endsWith(".wgsl"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

export function writeTexts(files: ReadonlyMap<string, string>): void {
  for (const name of readTexts().keys()) if (!files.has(name)) rmSync(join(folder, name));
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
}

// Differences

/** Kernels shown with their lines; of the others only the names. */
const SHOWN_KERNELS = 5;
const SHOWN_LINES = 6;

/** What changed between two sets of texts, for people: empty if nothing did. */
export function describeTexts(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const changed = names.filter((name) => before.get(name) !== after.get(name));
  const shown = changed
    .slice(0, SHOWN_KERNELS)
    .map((name) => describeText(name, before.get(name), after.get(name)));
  const others = changed.slice(SHOWN_KERNELS).map((name) => `${name}: changed, too`);
  return [...shown, ...others].join("\n");
}

function describeText(name: string, old: string | undefined, current: string | undefined): string {
  if (old === undefined) return `${name}: new`;
  if (current === undefined) return `${name}: gone`;
  return `${name}: changed\n${shortDifference(old, current)}`;
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

/**
 * Which parts of which programs of a spec differ: `f16, gpu f16: train, buffers`. Empty if none do.
 */
export function describePrints(before: SpecPrint, after: SpecPrint): string {
  const programs = (print: SpecPrint) =>
    new Map(
      Object.entries(print).flatMap(([variant, each]) =>
        Object.entries(each).map(([name, program]) => [`${variant}, ${name}`, program] as const),
      ),
    );
  const [old, current] = [programs(before), programs(after)];
  const names = [...new Set([...old.keys(), ...current.keys()])];
  return names
    .flatMap((name) => {
      const parts = changedParts(old.get(name), current.get(name));
      return parts.length > 0 ? [`${name}: ${parts.join(", ")}`] : [];
    })
    .join("\n");
}

function changedParts(before: ProgramPrint | undefined, after: ProgramPrint | undefined): string[] {
  if (!before) return ["new"];
  if (!after) return ["gone"];
  const parts = [...new Set([...Object.keys(before.hashes), ...Object.keys(after.hashes)])];
  const changed = parts.filter((part) => before.hashes[part] !== after.hashes[part]);
  const files = JSON.stringify(before.kernels) !== JSON.stringify(after.kernels);
  return files ? [...changed, "files of kernels"] : changed;
}
