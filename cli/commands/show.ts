import { basename, extname } from "node:path";
import type { Command } from "commander";
import { classesOf } from "../../program/tensors.js";
import type { Transform } from "../../program/transforms.js";
import type { InsidePage, PageImage } from "../../report/inside-page.js";
import { renderInside } from "../../report/inside-page.js";
import { applyTransforms } from "../../runtime/data/apply.js";
import { inspectable, type Inspectable } from "../../runtime/inside/inspectable.js";
import type { Network } from "../../runtime/network.js";
import { decodeImage } from "../../runtime/node/data/decode.js";
import { channelsOf, evalPreparation, keyOf } from "../../runtime/pictures/eval-split.js";
import { compileSpec, parametersOf, type CompiledSpec } from "../compiled.js";
import { trainedClassNames } from "../data.js";
import { wrongInput, wrongUsage } from "../failure.js";
import { readBytes, writeOutput } from "../files.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, positiveInteger, type AdapterOptions } from "../options.js";
import { predictsBoxes } from "../predict-boxes.js";
import { predictsTokens } from "../predict-tokens.js";
import { predictsMasks } from "../predict-masks.js";
import { drawMap, encode } from "../show/draw.js";
import { showTokens } from "../show/tokens.js";
import { drawStage, stagesOf, type ImageLayer } from "../show/stages.js";
import { readsRows } from "../table-rows.js";
import { print } from "../terminal.js";
import { readFilters } from "../training/report/filters.js";
import { classNamesOf, loadWeights, readWeights } from "../weights.js";
import { describeCommand } from "./command.js";

interface ShowOptions extends AdapterOptions {
  readonly weights: string;
  readonly output?: string;
  readonly train?: string;
  readonly layer?: string;
  readonly class?: string;
  readonly top: number;
}

export function showCommand(): Command {
  return describeCommand(
    "show",
    "Show how a network classifies a picture: classes, Grad-CAM, filters, activations; or the " +
      "classes of the tokens of a table's rows.",
    [
      "show specs/alexnet.net --weights runs/alexnet/best.safetensors cat.jpg -o cat.html",
      "show specs/digits.net --weights w.safetensors 7.png --layer features.conv1 --class 7",
    ],
  )
    .argument("<spec>", "the spec file")
    .argument(
      "<image>",
      "an image file; the eval split's transforms are applied; of a model with a class for each " +
        "token, a csv file",
    )
    .requiredOption("--weights <file>", "the weights: safetensors, or PyTorch's .pth")
    .option("-o, --output <file>", "the page to write, .html (default: IMAGE.html in this folder)")
    .option("--train <name>", "the recipe whose model and data to use")
    .option("--layer <name>", "the layer that Grad-CAM maps (default: the last convolution)")
    .option("--class <name>", "the class to explain, by name or index (default: the most probable)")
    .option("--top <k>", "classes to show, of the image or of each token", positiveInteger, 5)
    .addOption(adapterOption())
    .action(show);
}

async function show(path: string, image: string, options: ShowOptions): Promise<void> {
  requirePage(options.output);
  const compiled = await compileSpec(path, { train: options.train, inspect: true });
  if (predictsTokens(compiled)) return showTokens(compiled, image, options);
  requireClassOfImage(compiled);
  const weights = await readWeights(options.weights, parametersOf(compiled));
  const bytes = await readBytes(image, "image");
  const { adapter } = options;
  const classes = classNamesOf(weights) ?? (await trainedClassNames(compiled));
  const network = await openNetwork(compiled, { batch: 1, adapter, classes });
  try {
    await loadWeights(network, weights);
    const { inside } = compiled.compilation;
    const seen = inspectable(network, () => Promise.resolve({ inside }));
    const page = await pageOf(seen, compiled, { bytes, image, options });
    const output = options.output ?? `${basename(image)}.html`;
    await writeOutput(output, renderInside(page));
    const [best] = page.classes;
    print(`wrote ${output}: ${best!.name} ${(100 * best!.probability).toFixed(1)}%`);
  } finally {
    network.destroy();
  }
}

function requirePage(output = ".html"): void {
  if (extname(`page${output}`).toLowerCase() === ".html") return;
  throw wrongUsage(`${output} does not end in .html, the format of such pages`);
}

/** Fails for models that give no picture a class. */
function requireClassOfImage(compiled: CompiledSpec): void {
  const { compilation, model, spec } = compiled;
  const name = `model ${model.name} of ${spec.path}`;
  const what = `\`netc show\` explains the class of an image, and ${name}`;
  const isOfBoxes = predictsBoxes(compiled);
  if (predictsMasks(compiled) || isOfBoxes) {
    throw wrongInput(
      `${what} predicts ${isOfBoxes ? "boxes" : "one for each pixel"}`,
      "`netc predict --annotate DIR` draws them over the image",
    );
  }
  if (readsRows(compiled)) {
    throw wrongInput(
      `${what} reads rows of numbers`,
      "`netc predict SPEC TABLE` lists its classes",
    );
  }
  if (classesOf(compilation.programs[0]!) !== undefined) return;
  throw wrongInput(`${what} predicts none`, "`netc predict` shows what it predicts of an image");
}

interface ShownPicture {
  readonly bytes: Uint8Array;
  readonly image: string;
  readonly options: ShowOptions;
}

async function pageOf(
  network: Network & Inspectable,
  compiled: CompiledSpec,
  { bytes, image, options }: ShownPicture,
): Promise<InsidePage> {
  const classes = await network.classify(bytes, { top: options.top });
  const { layer, class: wanted } = options;
  const map = await network.attribution(bytes, {
    layer,
    class: wanted === undefined ? undefined : classOf(wanted, network.classes),
  });
  const stages = stagesOf(imageLayers(compiled));
  const activations = await network.activations(
    bytes,
    stages.map(({ name }) => name),
  );
  return {
    model: network.program.model,
    picture: basename(image),
    weights: basename(options.weights),
    input: await drawInput(network, bytes),
    classes,
    map: {
      layer: map.layer,
      className: map.name,
      image: await drawMap(map),
      isEmpty: map.values.every((value) => value === 0),
    },
    filters: await drawFilters(network),
    stages: await Promise.all(stages.map((stage) => drawStage(stage, activations[stage.name]!))),
  };
}

/** A name before an index, since classes may be called `7`. */
function classOf(wanted: string, names: readonly string[] | undefined): number | string {
  if (names?.includes(wanted) || !/^\d+$/.test(wanted)) return wanted;
  return Number(wanted);
}

function imageLayers({ compilation }: CompiledSpec): readonly ImageLayer[] {
  const { layers, program } = compilation.inside[0]!;
  return layers.flatMap(({ name, kind, activation }) => {
    const { shape } = program.tensors[activation]!;
    const [channels, height, width] = shape as [number, number, number];
    const isImage = shape.length === 3 && height * width > 1;
    return isImage ? [{ name, kind, shape: [channels, height, width] as const }] : [];
  });
}

/** The picture as the network reads it, but for normalization. */
async function drawInput({ program }: Network, bytes: Uint8Array): Promise<PageImage> {
  const preparation = evalPreparation(program);
  const channels = channelsOf(preparation);
  const transforms = preparation.transforms.filter((each: Transform) => each.kind !== "normalize");
  const image = applyTransforms(await decodeImage(bytes, channels), transforms, keyOf(0));
  const { width, height, pixels, maximum } = image;
  const scaled = Uint8Array.from(pixels, (value) => Math.round((255 * value) / maximum));
  return encode(scaled, { width, height, channels });
}

async function drawFilters(network: Network): Promise<InsidePage["filters"]> {
  const filters = await readFilters(network);
  if (!filters) return undefined;
  const { name, width, height, channels, count } = filters;
  const pixels = Buffer.from(filters.pixels, "base64");
  const size = width * height * channels;
  const tiles = Array.from({ length: count }, (_, index) => {
    const own = pixels.subarray(index * size, (index + 1) * size);
    return encode(own, { width, height, channels: channels as 1 | 3 });
  });
  return { name, tiles: await Promise.all(tiles) };
}
