import { listNames } from "../../compiler/calls/suggestion.js";
import type { Command } from "commander";
import { imagesOf } from "../../program/transforms.js";
import { visible } from "../../program/visible.js";
import { indexOfLargest, scoresOf, toProbabilities } from "../../runtime/evaluation/index.js";
import { largest } from "../../runtime/pictures/classify.js";
import { annotate, type Prediction } from "../annotate.js";
import { compileSpec, parametersOf, type CompiledSpec } from "../compiled.js";
import { trainedClassNames } from "../data.js";
import { wrongInput } from "../failure.js";
import { writeOutput } from "../files.js";
import { formatPercent } from "../format.js";
import { openNetwork } from "../open-network.js";
import {
  adapterOption,
  jsonOption,
  positiveInteger,
  seedValue,
  shareValue,
  type AdapterOptions,
} from "../options.js";
import { findPictures, Pictures } from "../pictures.js";
import { predictBoxes, predictsBoxes, requireBoxOptions } from "../predict-boxes.js";
import { predictMasks, predictsMasks, requireMaskOptions, TOP } from "../predict-masks.js";
import { predictOutputs } from "../predict-outputs.js";
import { predictTokens, predictsTokens } from "../predict-tokens.js";
import { predictRows, type Predictable } from "../predict-rows.js";
import { showValues } from "../predict-values.js";
import { PredictionsFile } from "../predictions.js";
import { openRows, readsRows, requireTable } from "../table-rows.js";
import { drawSamples, makesSamples, samplesPng, transformsOf } from "../samples.js";
import { showTags, tagsOf } from "../tags.js";
import { print, printJson, warn } from "../terminal.js";
import { classNamesOf, loadWeights, readWeights, tableOf } from "../weights.js";
import { describeCommand } from "./command.js";

interface PredictOptions extends AdapterOptions {
  readonly weights: string;
  readonly train?: string;
  readonly top?: number;
  readonly annotate?: string;
  readonly masks?: string;
  readonly threshold?: number;
  readonly overlap?: number;
  readonly samples?: string;
  readonly count: number;
  readonly seed: number;
  readonly csv?: string;
  readonly json?: boolean;
}

/** Images a call: memory stays small, and a software adapter is busy all the same. */
const MAX_BATCH = 32;

export function predictCommand(): Command {
  return describeCommand("predict", "Classify images, segment them, or find boxes.", [
    "predict specs/alexnet.net --weights runs/alexnet/weights.safetensors cat.jpg --top 3",
    "predict specs/alexnet.net --weights w.safetensors photos --annotate named",
    "predict street.net --weights w.safetensors photos --masks masks --annotate overlays",
    "predict gan.net --weights w.safetensors --samples samples.png",
  ])
    .argument("<spec>", "the spec file")
    .argument(
      "[image...]",
      "image files, folders of them, patterns such as 'photos/*.jpg', " +
        "or - for standard input; of a model that reads rows of numbers, a csv file; " +
        "the eval split's transforms are applied",
    )
    .requiredOption("--weights <file>", "the weights: safetensors, or PyTorch's .pth")
    .option("--train <name>", "the recipe whose model and data to use")
    .option(
      "--top <k>",
      "classes (5 unless given) or boxes to show for each image",
      positiveInteger,
    )
    .option(
      "--annotate <dir>",
      "write copies of the images with their classes, masks or boxes to this folder",
    )
    .option("--threshold <score>", "the least score of a box (default: 0.3)", shareValue)
    .option(
      "--overlap <iou>",
      "drop a box that overlaps a more certain one of its class more than this (default: 0.5)",
      shareValue,
    )
    .option("--masks <dir>", "write masks to this folder: PNG files whose values are classes")
    .option("--samples <file>", "of a model that makes images of noise: write them to a PNG file")
    .option("--count <n>", "how many samples", positiveInteger, 64)
    .option("--seed <n>", "seed of the samples' noise", seedValue, 0)
    .option("--csv <file>", "write file, prediction and probabilities, or the numbers predicted")
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(predict);
}

async function predict(
  path: string,
  images: readonly string[],
  options: PredictOptions,
): Promise<void> {
  const compiled = await compileSpec(path, { train: options.train });
  if (makesSamples(compiled.compilation.programs[0]!)) return predictSamples(compiled, options);
  requirePictures(compiled, images, options);
  const isOfRows = readsRows(compiled);
  if (!isOfRows) requireOneInput(compiled);
  if (isOfRows) requireTable(compiled, images, options);
  const isOfPixels = predictsMasks(compiled);
  const isOfBoxes = predictsBoxes(compiled);
  requireOptions(compiled, options);
  const weights = await readWeights(options.weights, parametersOf(compiled));
  const found = isOfRows ? [] : await findPictures(images);
  const pictures = isOfRows ? undefined : new Pictures(found, compiled);
  const examples = pictures ?? (await openRows(compiled, images[0]!, tableOf(weights)));
  const views = imagesOf(compiled.recipe?.data?.eval?.transforms ?? []);
  const batch = Math.max(views, Math.min(examples.length, MAX_BATCH));
  const network = await openNetwork(compiled, { batch, adapter: options.adapter });
  try {
    await loadWeights(network, weights);
    const names = classNamesOf(weights) ?? (await trainedClassNames(compiled)) ?? [];
    if (pictures && isOfBoxes) {
      return await predictBoxes({ network, compiled, pictures, found, names }, options);
    }
    if (pictures && isOfPixels) {
      return await predictMasks({ network, compiled, pictures, found, names }, options);
    }
    if (predictsTokens(compiled) && !hasSeveral(compiled)) {
      return await predictTokens({ network, compiled, rows: examples, names }, options);
    }
    if (hasSeveral(compiled)) {
      const table = tableOf(weights);
      return await predictOutputs({ network, compiled, rows: examples, names, table }, options);
    }
    const outputs = await predictRows(network, compiled, examples);
    const [tags] = tagsOf(compiled, tableOf(weights));
    if (tags) {
      const { top = TOP } = options;
      return await showTags({ tags, examples, outputs, pictures }, { ...options, top });
    }
    const scores = scoresOf(network.program);
    if (scores === undefined)
      return await showValues({ network, pictures: examples, outputs }, options);
    const rows = outputs.map((row) => toProbabilities(row, scores));
    const predictions = examples.readable().map(({ name }, index) => {
      return rank(name, rows[index]!, names, options.top ?? TOP);
    });
    if (pictures && options.annotate !== undefined) {
      await annotate(pictures.readable(), predictions, options.annotate);
    }
    if (options.csv !== undefined) await writeCsv(options.csv, examples, rows, names);
    if (options.json) printJson(predictions);
    else print(predictions.map(describePrediction).join("\n\n"));
  } finally {
    network.destroy();
  }
}

/** Fails for flags that have no meaning for what the model predicts. */
function requireOptions(compiled: CompiledSpec, options: PredictOptions): void {
  if (predictsBoxes(compiled)) return requireBoxOptions(options);
  refuseBoxOptions(compiled, options);
  if (predictsMasks(compiled)) requireMaskOptions(options);
  else if (hasSeveral(compiled) || predictsTokens(compiled)) refuseCopies(compiled, options);
  else requireOutput(compiled, options);
}

/** Fails for flags that have a meaning for boxes alone. */
function refuseBoxOptions(
  { model, spec }: CompiledSpec,
  { threshold, overlap }: Pick<PredictOptions, "threshold" | "overlap">,
): void {
  if (threshold === undefined && overlap === undefined) return;
  throw wrongInput(
    `${threshold === undefined ? "--overlap" : "--threshold"} chooses among boxes, and model ` +
      `${model.name} of ${spec.path} predicts none`,
  );
}

/** Writes samples of a model that makes images of noise. */
async function predictSamples(compiled: CompiledSpec, options: PredictOptions): Promise<void> {
  const { samples, count, seed } = options;
  if (samples === undefined) {
    throw wrongInput(
      `model ${compiled.model.name} of ${compiled.spec.path} makes images of noise`,
      "`--samples samples.png` writes some side by side",
    );
  }
  const weights = await readWeights(options.weights, parametersOf(compiled));
  const batch = Math.min(count, MAX_BATCH);
  const network = await openNetwork(compiled, { batch, adapter: options.adapter });
  try {
    await loadWeights(network, weights);
    const transforms = transformsOf(compiled.recipe);
    const picture = await drawSamples(network, { count, seed, transforms });
    await writeOutput(samples, await samplesPng(picture));
    if (picture.notFinite > 0) {
      warn(`${picture.notFinite} of ${count} samples hold values that are not finite, drawn black`);
    }
    print(`wrote ${count} samples to ${samples}`);
  } finally {
    network.destroy();
  }
}

function requirePictures(
  compiled: CompiledSpec,
  images: readonly string[],
  { samples }: PredictOptions,
): void {
  const { model, spec } = compiled;
  if (samples !== undefined) {
    throw wrongInput(
      `--samples is for models that make images of noise, and ${model.name} of ${spec.path} ` +
        "does not",
    );
  }
  if (images.length === 0) {
    throw wrongInput(readsRows(compiled) ? "name the csv file" : "name the images to predict");
  }
}

/** All classes, also where `--top` shows fewer. */
async function writeCsv(
  path: string,
  pictures: Predictable,
  rows: readonly Float32Array[],
  names: readonly string[],
): Promise<void> {
  // A network may tell more classes apart than its weights name.
  const columns = Array.from(rows[0]!, (_, label) => nameOf(names, label));
  const file = await PredictionsFile.create(path, ["file", "prediction"], columns);
  for (const [index, { name }] of pictures.readable().entries()) {
    const row = rows[index]!;
    file.add([name, columns[indexOfLargest(row)]], row, columns.length);
    await file.flush();
  }
  await file.commit();
}

/** The command gives one image. */
function requireOneInput({ model, compilation, spec }: CompiledSpec): void {
  const program = compilation.programs[0]!;
  const inputs = program.uses.predict.reads.map((place) => program.tensors[place]!.name);
  if (inputs.length <= 1) return;
  throw wrongInput(
    `model ${model.name} of ${spec.path} reads ${listNames(inputs)}, ` +
      "and `netc predict` gives it one image",
    `call \`predict({ ${inputs.join(", ")} })\` of the compiled module: ` +
      `\`netc compile ${spec.path}\` writes it`,
  );
}

/** Several outputs, and classes of tokens, are listed, and not drawn. */
function refuseCopies(
  { model, spec }: CompiledSpec,
  { masks, annotate: copies }: Pick<PredictOptions, "masks" | "annotate">,
): void {
  if (masks === undefined && copies === undefined) return;
  throw wrongInput(
    `${masks === undefined ? "--annotate" : "--masks"} draws what one output says, ` +
      `and model ${model.name} of ${spec.path} has several, of an image or of tokens`,
    "--csv and --json list them",
  );
}

const hasSeveral = ({ compilation }: CompiledSpec): boolean =>
  compilation.programs[0]!.uses.predict.gives.length > 1;

/** Classes, or the numbers of a model that compares its output with something. */
function requireOutput(
  compiled: CompiledSpec,
  { masks, annotate: copies }: Pick<PredictOptions, "masks" | "annotate">,
): void {
  const { compilation, spec } = compiled;
  const program = compilation.programs[0]!;
  const { model, metrics } = program;
  if (masks !== undefined) {
    throw wrongInput(
      `--masks writes a class for each pixel, and model ${model} of ${spec.path} predicts none`,
      "such a model has a target `mask: u32[N, height, width] in 0..classes`",
    );
  }
  if (scoresOf(program) !== undefined || tagsOf(compiled, undefined).length > 0) return;
  if (metrics.length > 0 && copies === undefined) return;
  if (metrics.length > 0) {
    throw wrongInput(
      `--annotate writes classes on copies of images, and model ${model} of ${spec.path} ` +
        "predicts numbers",
      "--csv lists them",
    );
  }
  throw wrongInput(
    `model ${model} of ${spec.path} does not say whether its output holds scores of classes`,
    "add a target and `loss cross_entropy(OUTPUT, TARGET)` if these are logits, " +
      "or end the model with `softmax`; for other numbers, call `predict` " +
      "of the compiled module",
  );
}

const nameOf = (names: readonly string[], label: number) => names[label] ?? `class ${label}`;

function rank(
  image: string,
  probability: Float32Array,
  names: readonly string[],
  top: number,
): Prediction {
  const classes = largest(probability, top).map((index) => ({
    index,
    name: nameOf(names, index),
    probability: probability[index]!,
  }));
  return { image, classes };
}

function describePrediction({ image, classes }: Prediction): string {
  const lines = classes.map(
    ({ name, probability }) => `  ${formatPercent(probability).padStart(6)}  ${visible(name)}`,
  );
  return [visible(image), ...lines].join("\n");
}
