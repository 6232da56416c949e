import { InvalidArgumentError, Option, type Command } from "commander";
import { analyze, type Analysis } from "../../compiler/semantics/index.js";
import { lostInExport, preparationOf } from "../../interchange/export/describe.js";
import type { ExportChoices, Exporter } from "../../interchange/export/exporter.js";
import { exporters } from "../../interchange/export/formats.js";
import type { ExportModel, Exported } from "../../interchange/export/model.js";
import { neededFor } from "../../interchange/export/needed.js";
import { WEIGHT_TYPES } from "../../interchange/export/onnx/weight-types.js";
import { ExportError, TooLarge } from "../../interchange/export/refusal.js";
import type { DataRecipe } from "../../program/recipe.js";
import { formatBytes } from "../../program/format-bytes.js";
import { wrongInput, wrongUsage } from "../failure.js";
import { weightsFor } from "../export-weights.js";
import { refuseExisting, writeOutput } from "../files.js";
import { plural } from "../format.js";
import { jsonOption } from "../options.js";
import { version } from "../package.js";
import { openSpec, requireNoErrors, type SpecFile } from "../spec.js";
import { standardizedNotes } from "../standardized.js";
import { print, printJson } from "../terminal.js";
import { keyOption, renameOption, type WeightsFlags } from "../weights-options.js";
import { describeCommand } from "./command.js";

interface ExportFlags extends WeightsFlags {
  readonly to: Exporter;
  readonly weights: string;
  readonly output?: string;
  readonly model?: string;
  readonly train?: string;
  readonly as?: ExportChoices["as"];
  readonly softmax?: boolean;
  readonly withPreprocessing?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export function exportCommand(): Command {
  return describeCommand("export", "Write a model and its weights for another tool.", [
    "export specs/digits.net --weights runs/digits/best.safetensors --to onnx -o digits.onnx",
    "export specs/resnet18.net --weights resnet18.pth --to onnx --as i8 --softmax",
  ])
    .argument("<spec>", "the spec file")
    .requiredOption("--weights <file>", "the weights: safetensors, or PyTorch's .pth and .pt")
    .addOption(
      new Option("--to <format>", `the format: ${FORMATS}`)
        .argParser(exporterNamed)
        .makeOptionMandatory(),
    )
    .option("-o, --output <file>", "the file to write (default: the spec's name, here)")
    .option("--model <name>", "the model, if the spec has several")
    .option("--train <name>", "the recipe whose model arguments and data to use")
    .option("--softmax", "end in probabilities instead of logits (onnx)")
    .option("--with-preprocessing", "take pixels: scale and normalize them in the model (onnx)")
    .addOption(
      new Option(
        "--as <type>",
        "storage type for the weights of convolutions and linear layers (onnx)",
      )
        .choices(WEIGHT_TYPES)
        .default(undefined, "f32"),
    )
    .option("--overwrite", "replace existing files")
    .addOption(renameOption())
    .addOption(keyOption())
    .addOption(jsonOption())
    .action(exportSpec);
}

const FORMATS = exporters.map(({ name }) => name).join(", ");

function exporterNamed(name: string): Exporter {
  const found = exporters.find((exporter) => exporter.name === name);
  if (found) return found;
  throw new InvalidArgumentError(`Expected one of ${FORMATS}.`);
}

async function exportSpec(path: string, flags: ExportFlags): Promise<void> {
  const { to: exporter } = flags;
  requireChoices(exporter, flags);
  const spec = await openSpec(path);
  const { network, recipe } = networkOf(spec, flags);
  const output = outputOf(spec, flags.output, exporter);
  const { network: needed, left } = neededFor(network);
  const { weights, table, notes: lostWeights } = await weightsFor(exporter, network, recipe, flags);
  const model: ExportModel = {
    network: needed,
    ...weights,
    preparation: recipe?.data && imagePreparation(recipe.data),
  };
  if (flags.withPreprocessing) requirePreparation(model, spec, recipe?.data);
  const { keptForTraining } = exporter;
  const lost = lostInExport({ network, left, recipe, keptForTraining });
  const { files, notes } = written(spec, () => {
    const { as = "f32", softmax = false, withPreprocessing: preprocessing = false } = flags;
    const choices = { as, softmax, preprocessing };
    return exporter.write(model, { ...choices, path: output, version: version() });
  });
  if (!flags.overwrite)
    refuseExisting(
      files.map((file) => file.path),
      "--overwrite replaces them, -o FILE writes others",
    );
  for (const file of files) await writeOutput(file.path, file.content);
  const { layers } = needed;
  report(
    exporter,
    {
      files,
      notes: [...notes, ...standardizedNotes(recipe?.data, table), ...lost, ...lostWeights],
    },
    { ...flags, layers: layers.length },
  );
}

/** What evaluation does to images; undefined where it reads the numbers of a table as they are. */
function imagePreparation({ eval: split }: DataRecipe) {
  const isOfNumbers = split?.source.kind === "csv" && split.source.holds === "features";
  return split && !(isOfNumbers && split.transforms.length === 0)
    ? preparationOf(split)
    : undefined;
}

const CHOICES = [
  ["as", "as", "--as"],
  ["softmax", "softmax", "--softmax"],
  ["withPreprocessing", "preprocessing", "--with-preprocessing"],
] as const;

function requireChoices({ choices, name }: Exporter, flags: ExportFlags): void {
  const useless = CHOICES.find(([flag, choice]) => flags[flag] && !choices.includes(choice));
  if (!useless) return;
  throw wrongUsage(`${useless[2]} is for --to onnx, not for --to ${name}`);
}

function networkOf(spec: SpecFile, { model, train }: ExportFlags) {
  const { readImport } = spec;
  const select = { model, train };
  const analysis: Analysis = analyze(spec.text, spec.path, { ...select, readImport });
  requireNoErrors(spec, analysis.diagnostics);
  const { selected } = analysis;
  const network = selected?.model.network;
  if (!network) throw wrongInput(`${spec.path} declares no model`);
  return { network, recipe: selected.recipe };
}

function outputOf(
  { name }: SpecFile,
  output: string | undefined,
  { extension, title }: Exporter,
): string {
  if (output === undefined) return `${name}${extension}`;
  if (output.endsWith(extension)) return output;
  throw wrongUsage(`-o ${output}: a file of ${title} ends in ${extension}`);
}

function requirePreparation(
  { network, preparation }: ExportModel,
  { path }: SpecFile,
  data: DataRecipe | undefined,
): void {
  if (!preparation && data?.eval) {
    throw wrongInput(
      `${path} evaluates on the numbers of a table, and --with-preprocessing is for pixels`,
      "leave it out: `netc export` says by what numbers are standardized, if they are",
    );
  }
  if (!preparation) {
    throw wrongInput(
      `${path} declares no data for evaluation, which --with-preprocessing would take over`,
      `add \`data NAME for ${network.name} { eval ... }\` and a \`train\` declaration on it`,
    );
  }
  if (!preparation.transforms.some(({ kind }) => kind === "ten_crop")) return;
  throw wrongInput(`${path} evaluates ten views of each image, which --with-preprocessing cannot`);
}

/** Shows the layers that a format cannot hold, and ends the command. */
function written(spec: SpecFile, write: () => Exported): Exported {
  try {
    return write();
  } catch (error) {
    if (error instanceof TooLarge) {
      throw wrongInput(error.message, ...(error.instead === undefined ? [] : [error.instead]));
    }
    if (!(error instanceof ExportError)) throw error;
    requireNoErrors(spec, error.diagnostics);
    throw error;
  }
}

function report(
  { title, name }: Exporter,
  { files, notes }: Exported,
  { json, layers }: { readonly json?: boolean; readonly layers: number },
): void {
  const sizes = files.map(({ path, content }) => ({ path, bytes: Buffer.byteLength(content) }));
  if (json) return printJson({ format: name, layers, files: sizes, notes });
  print(`${title}: ${plural(layers, "layer")}`);
  for (const { path, bytes } of sizes) print(`wrote ${path} (${formatBytes(bytes)})`);
  for (const note of notes) print(note);
}
