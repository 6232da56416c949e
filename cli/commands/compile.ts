import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { InvalidArgumentError, Option, type Command } from "commander";
import type { Program } from "../../program/program.js";
import { standardizedInputs } from "../../program/standardized-inputs.js";
import { compile, type Compilation, type CompileOptions } from "../../compiler/index.js";
import { describeFit, requireFit } from "../budget.js";
import { makeFolder, writeOutput } from "../files.js";
import { formatBytes } from "../../program/format-bytes.js";
import { formatDuration, plural } from "../format.js";
import { byteSize, memoryWish, positiveInteger } from "../options.js";
import { wrongInput, wrongUsage } from "../failure.js";
import { classNamesIn } from "../weights.js";
import { classesOf } from "../../program/tensors.js";
import { packageFile } from "../package.js";
import {
  declareRuntime,
  ERRORS,
  inlineRuntime,
  PREDICTION,
  predictionRuntime,
  TRAINING,
} from "../standalone.js";
import { openSpec, requireNoErrors, type SpecFile } from "../spec.js";
import { print } from "../terminal.js";
import { readTuning } from "../tuning/tune-file.js";
import { watching } from "../watch.js";
import { describeCommand } from "./command.js";

interface CompileFlags {
  readonly output?: string;
  readonly model?: string;
  readonly train?: string;
  readonly target: readonly string[];
  readonly standalone?: boolean;
  readonly predictOnly?: boolean;
  readonly inspect?: boolean;
  readonly weights?: string;
  readonly emit?: "wgsl";
  readonly watch?: boolean;
  readonly memory?: number;
  readonly batch?: number;
}

export function compileCommand(): Command {
  return describeCommand(
    "compile",
    "Compile a spec to an ES module and its TypeScript declarations. Needs no GPU.",
    ["compile specs/alexnet.net -o build", "compile specs/digits.net --standalone"],
  )
    .argument("<spec>", "the spec file, NAME.net; writes NAME.js and NAME.d.ts")
    .option("-o, --output <dir>", "the folder to write to (default: the spec's own)")
    .option("--model <name>", "the model, if the spec has several")
    .option("--train <name>", "the recipe whose optimizer to compile")
    .option(
      "--target <target>",
      "programs for GPUs (gpu), software adapters (software) or both (auto), " +
        "or a file of `netc tune` (NAME.tune.json); may be repeated",
      collectTarget,
      [],
    )
    .option(
      "--memory <size>",
      "memory limit for training, such as 512MiB: netc recomputes values or splits the batch",
      byteSize,
    )
    .option(
      "--batch <n>",
      "the batch size that --memory applies to (default: the recipe's)",
      positiveInteger,
    )
    .option("--weights <file>", "put this weights file's class names into the module")
    .option("--predict-only", "leave out training and evaluation: a smaller module")
    .addOption(
      new Option(
        "--inspect",
        "also write NAME.inspect.js, which adds `activations` and `attribution`",
      ).conflicts("predictOnly"),
    )
    .option("--standalone", "inline the runtime: one file without imports")
    .addOption(
      new Option("--emit <what>", "also write NAME.wgsl/, one readable file per kernel").choices([
        "wgsl",
      ]),
    )
    .option("--watch", "recompile when the spec changes, until Ctrl-C")
    .action(compileOrWatch);
}

const KINDS = ["auto", "gpu", "software"] as const;

type Kind = (typeof KINDS)[number];

const isKind = (target: string): target is Kind => (KINDS as readonly string[]).includes(target);

function collectTarget(target: string, before: readonly string[]): readonly string[] {
  if (isKind(target) || target.endsWith(".json")) return [...before, target];
  const kinds = KINDS.join(", ");
  throw new InvalidArgumentError(`Expected ${kinds}, or a file NAME.tune.json.`);
}

/** Adds programs for tuned adapters to the programs for all others. */
async function targetOptions(
  targets: readonly string[],
): Promise<Pick<CompileOptions, "target" | "tuned">> {
  const files = targets.filter((target) => !isKind(target));
  const tuned = await Promise.all(files.map(readTuning));
  return { target: targets.filter(isKind).at(-1) ?? "auto", tuned: tuned.flat() };
}

async function compileOrWatch(path: string, flags: CompileFlags): Promise<void> {
  if (flags.watch) await watching(path, () => compileOnce(path, flags));
  else await compileOnce(path, flags);
}

/** Gives the files that it read. */
async function compileOnce(path: string, flags: CompileFlags): Promise<readonly string[]> {
  const start = performance.now();
  if (flags.predictOnly && flags.memory !== undefined) {
    throw wrongUsage("--memory is what training may take, and --predict-only leaves training out");
  }
  requireFolder(flags.output);
  const spec = await openSpec(path);
  const options: CompileOptions = {
    file: spec.path,
    model: flags.model,
    train: flags.train,
    readImport: spec.readImport,
    memory: memoryWish(flags),
    predictOnly: flags.predictOnly,
    inspect: flags.inspect,
    classNames: flags.weights === undefined ? undefined : requireClassNames(flags.weights),
    ...(await targetOptions(flags.target)),
  };
  const compilation = compile(spec.text, options);
  requireNoErrors(spec, compilation.diagnostics);
  requireSameCount(compilation, flags);
  requireFit(compilation, flags.memory);
  const written = await writeOutputs(spec, compilation, flags);
  for (const line of written) print(line);
  const fits = new Set(compilation.compiled.flatMap(({ fit }) => (fit ? [describeFit(fit)] : [])));
  for (const fit of fits) print(`to train within ${formatBytes(flags.memory!)}, ${fit}`);
  print(`compiled in ${formatDuration((performance.now() - start) / 1000)}`);
  return spec.files();
}

/** `-o` names a folder, since a module is several files. */
function requireFolder(output: string | undefined): void {
  if (output === undefined || !/\.(?:[cm]?js|ts)$/.test(output) || existsSync(output)) return;
  throw wrongUsage(
    `-o names a folder, and ${output} looks like a file`,
    `\`-o ${dirname(output)}\` writes NAME.js and NAME.d.ts there: NAME is that of the spec`,
  );
}

function requireClassNames(path: string): readonly string[] {
  const names = classNamesIn([path]);
  if (names) return names;
  throw wrongInput(
    `${path} cannot be read, or does not name classes`,
    "safetensors files that `netc train` writes name them in their metadata",
  );
}

function requireSameCount({ program }: Compilation, { weights }: CompileFlags): void {
  const count = program && classesOf(program);
  const named = program?.classes?.length;
  if (named === undefined || named === count) return;
  throw wrongInput(
    `${weights} names ${named} classes, and the model ` +
      (count === undefined ? "has no classes, or several targets" : `has ${count}`),
  );
}

// Files

interface OutputFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Writes what was asked for and describes it. The module comes last: where it is, all that belongs
 * to it is too.
 */
async function writeOutputs(
  spec: SpecFile,
  compilation: Compilation,
  flags: CompileFlags,
): Promise<string[]> {
  const base = join(flags.output ?? spec.folder, spec.name);
  const kernels = flags.emit === "wgsl" ? [await writeKernels(compilation, `${base}.wgsl`)] : [];
  const files: OutputFile[] = [
    { path: `${base}.d.ts`, text: declarationsText(compilation, flags) },
    ...insideFiles(compilation, `${base}.inspect.js`),
    { path: `${base}.js`, text: await moduleText(compilation, flags) },
  ];
  for (const { path, text } of files) await writeOutput(path, text);
  return [...kernels, ...files.map(describeFile)];
}

const insideFiles = ({ insideModule }: Compilation, path: string): readonly OutputFile[] =>
  insideModule === "" ? [] : [{ path, text: insideModule }];

async function moduleText(compilation: Compilation, flags: CompileFlags): Promise<string> {
  if (!flags.standalone) return compilation.module;
  const bundle = packageFile(`dist/runtime/${runtimeFor(compilation, flags)}`);
  return inlineRuntime(compilation.module, await readFile(new URL(bundle), "utf8"));
}

/** The file of the runtime that a standalone module has inside. */
function runtimeFor(
  { programs, recipe, data }: Compilation,
  { predictOnly, inspect }: CompileFlags,
): string {
  const standardizes = standardizedInputs(data).length > 0;
  if (predictOnly) return predictionRuntime(programs[0]!, { standardizes });
  const seen = inspect ? "-inspect" : "";
  return `standalone${recipe ? "-training" : ""}${seen}${standardizes ? "-standardize" : ""}.js`;
}

function declarationsText({ declarations, recipe }: Compilation, flags: CompileFlags): string {
  if (!flags.standalone) return declarations;
  const trained = recipe ? TRAINING : ERRORS;
  return declareRuntime(declarations, flags.predictOnly ? PREDICTION : trained);
}

/**
 * One file a kernel; those of an earlier compilation go, so that the folder holds this one's alone.
 */
async function writeKernels({ programs }: Compilation, folder: string): Promise<string> {
  const files = programs.flatMap((program) => kernelFiles(program, folder));
  await makeFolder(folder);
  const current = new Set(files.map(({ path }) => path));
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(".wgsl") && !current.has(path)) await rm(path);
  }
  for (const { path, text } of files) await writeOutput(path, text);
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  return `wrote ${folder}/ (${plural(files.length, "kernel")}, ${formatBytes(bytes)})`;
}

/** Numbered, because kernels that differ only in their tiles share a name. */
function kernelFiles(program: Program, folder: string): OutputFile[] {
  const { kernels, adapter } = program;
  const name = adapter ? `tuned-${adapter.name.replaceAll(/[^\w.]+/g, "-")}` : program.target;
  const target = program.precision ? `${name}-${program.precision}` : name;
  return kernels.map(({ name, wgsl }, index) => {
    const number = String(index + 1).padStart(2, "0");
    return { path: join(folder, `${target}-${number}-${name}.wgsl`), text: wgsl };
  });
}

function describeFile({ path, text }: OutputFile): string {
  const bytes = Buffer.from(text);
  const packed = gzipSync(bytes, { level: 9 }).length;
  return `wrote ${path} (${formatBytes(bytes.length)}, ${formatBytes(packed)} gzipped)`;
}
