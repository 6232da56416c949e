import { basename, extname, join } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { ImportError } from "../../interchange/error.js";
import { importerOf } from "../../interchange/formats.js";
import {
  importGraph,
  type ImportedModel,
  type ImportReport,
} from "../../interchange/import-graph.js";
import type { ForeignGraph } from "../../interchange/foreign-graph.js";
import { preprocessed } from "../../interchange/preprocessing.js";
import { specText } from "../../interchange/spec-text.js";
import { tensorParts } from "../../runtime/tensor-parts.js";
import { ExitCode, Reported, wrongInput, wrongUsage } from "../failure.js";
import { refuseExisting, writeOutput } from "../files.js";
import { formatCount, formatNumber, plural } from "../format.js";
import { checkImport, TOLERANCE } from "../import-check.js";
import { openImport } from "../import-source.js";
import { importWeights } from "../import-weights.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { print, printJson, say } from "../terminal.js";
import { keyOption, renameOption, type WeightsFlags } from "../weights-options.js";
import { describeCommand } from "./command.js";

interface ImportFlags extends AdapterOptions, WeightsFlags {
  readonly output: string;
  readonly input?: readonly number[];
  readonly name?: string;
  readonly endsIn?: string;
  readonly bgr?: boolean;
  readonly mean?: readonly number[];
  readonly images?: number;
  readonly check?: number;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export function importCommand(): Command {
  return describeCommand(
    "import",
    "Write a model of another tool as a spec, NAME.net, and its weights, NAME.safetensors.",
    [
      "import model.onnx",
      "import model.onnx --input 3x224x224 -o models --check 4",
      "import specs/resnet18.net resnet18.pth -o models",
    ],
  )
    .argument("<file>", "the model; or a spec, to rename weights for it")
    .argument("[weights]", "its weights, for formats that keep them in a separate file")
    .option("-o, --output <dir>", "the folder to write to", ".")
    .option("--input <sizes>", "channels x height x width, if the file does not fix them", sizes)
    .option("--name <name>", "name of the files and of the model (default: the file's name)")
    .option("--ends-in <value>", "the output to use, if the model has several")
    .option("--bgr", "the model reads BGR images: reorder its first weights for RGB")
    .option(
      "--mean <numbers>",
      "the mean of each channel that the model subtracts, 0 to 255: 104,117,123",
      means,
    )
    .option("--images <n>", "for a Caffe solver: the number of training images", positiveInteger)
    .option("--check <n>", "compare the network with the model on n random inputs", positiveInteger)
    .option("--overwrite", "replace existing files")
    .addOption(renameOption())
    .addOption(keyOption())
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(importFile);
}

/** `3x224x224`, or one number of features. */
function sizes(text: string): readonly number[] {
  const values = text.split(/[x,]/i).map(Number);
  const isKnown = values.length === 1 || values.length === 3;
  if (isKnown && values.every((size) => Number.isSafeInteger(size) && size >= 1)) return values;
  throw new InvalidArgumentError("Expected channels x height x width, such as 3x224x224.");
}

/** One number for each channel, in the model's order. */
function means(text: string): readonly number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.every((value) => value >= 0 && value <= 255)) return values;
  throw new InvalidArgumentError("Expected a number from 0 to 255 for each channel: 104,117,123.");
}

async function importFile(
  path: string,
  weights: string | undefined,
  flags: ImportFlags,
): Promise<void> {
  const isSpec = extname(path) === ".net";
  const useless = isSpec ? ONLY_OF_MODELS : ONLY_OF_SPECS;
  const given = useless.find(([flag]) => flags[flag] !== undefined);
  if (given) throw wrongUsage(`${given[1]} is for ${isSpec ? "models" : "specs"}, not for ${path}`);
  if (!isSpec) return importModel(path, weights, flags);
  if (weights !== undefined) return importWeights(path, weights, flags);
  throw wrongUsage(
    `${path} is a spec already: name a file of weights to bring under its names`,
    `netc import ${path} WEIGHTS -o DIR`,
  );
}

type Flags = readonly (readonly [keyof ImportFlags, string])[];

const ONLY_OF_MODELS: Flags = [
  ["input", "--input"],
  ["endsIn", "--ends-in"],
  ["check", "--check"],
  ["bgr", "--bgr"],
  ["mean", "--mean"],
  ["images", "--images"],
];
const ONLY_OF_SPECS: Flags = [
  ["rename", "--rename"],
  ["key", "--key"],
];

async function importModel(
  path: string,
  weights: string | undefined,
  flags: ImportFlags,
): Promise<void> {
  const name = safeName(flags.name ?? basename(path, extname(path)));
  const files = { spec: join(flags.output, `${name}.net`), weights: "" };
  files.weights = join(flags.output, `${name}.safetensors`);
  if (!flags.overwrite)
    refuseExisting(
      Object.values(files),
      "--overwrite replaces them, --name NAME or -o DIR writes others",
    );
  const { graph, model, text } = await explained(path, async () => {
    const source = await openImport(path, weights);
    const graph = preprocessed(await importerOf(source.file).read(source), flags);
    const { input, endsIn } = flags;
    const chosen = { input, output: endsIn };
    const model = importGraph(graph, { name: modelName(name), ...chosen });
    const { training } = graph;
    const { images } = flags;
    if (images !== undefined && !training) {
      throw new ImportError("--images is for Caffe's solvers, which count iterations");
    }
    return { graph, model, text: await specText(model, basename(path), { training, images }) };
  });
  const checked = flags.check === undefined ? undefined : await check(path, graph, model, flags);
  await writeOutput(files.weights, tensorParts(model.tensors));
  await writeOutput(files.spec, text);
  if (flags.json) printJson({ ...files, ...model.report, check: checked ?? null });
  else print(describe(model.report, files));
}

/** Puts the file's name in front of what is wrong with it. */
async function explained<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    const { message, help } = error;
    throw wrongInput(message.startsWith(path) ? message : `${path}: ${message}`, ...help);
  }
}

const safeName = (name: string) => name.replace(/[^A-Za-z0-9_-]/g, "_");

/**
 * An identifier. Names of files may have `-` in them, begin with a digit or be keywords: `model` is
 * what many tools call theirs. With a capital, as models of specs have it, a name is not a keyword.
 */
function modelName(name: string): string {
  const plain = name.replaceAll("-", "_");
  return /^[A-Za-z_]/.test(plain) ? plain[0]!.toUpperCase() + plain.slice(1) : `_${plain}`;
}

async function check(
  path: string,
  graph: ForeignGraph,
  model: ImportedModel,
  { check: count = 1, adapter, endsIn }: ImportFlags,
) {
  const chosen = endsIn === undefined ? graph : { ...graph, outputs: [endsIn] };
  const result = await explained(path, () => checkImport(chosen, model, { count, adapter }));
  const { largestDifference, largestOutput } = result;
  say(
    `largest difference from the model on ${plural(count, "random input")}: ` +
      `${formatNumber(largestDifference)}, of outputs up to ${formatNumber(largestOutput)} ` +
      `(${result.adapter})`,
  );
  if (largestDifference <= TOLERANCE * Math.max(largestOutput, 1e-6)) return result;
  say("error: that is more than rounding explains; nothing was written");
  throw new Reported(ExitCode.runFailed);
}

function describe(
  report: ImportReport,
  files: { readonly spec: string; readonly weights: string },
): string {
  const { mapped, folded, source } = report;
  const width = Math.max(...mapped.map(({ layer }) => layer.length));
  return [
    `${source}: ${plural(mapped.length, "layer")}, ${formatCount(folded.length)} nodes folded`,
    ...mapped.map(({ layer, kind, node }) => `  ${layer.padEnd(width)}  ${kind} of ${node}`),
    ...folded.map(({ node, into }) => `  ${node} became ${into}`),
    `wrote ${files.spec} and ${files.weights}`,
  ].join("\n");
}
