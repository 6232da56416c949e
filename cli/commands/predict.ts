import type { Command } from "commander";
import type { Dataset } from "../../runtime/data/dataset.js";
import { loadBatches } from "../../runtime/data/index.js";
import type { Network } from "../../runtime/network.js";
import { compileSpec, type CompiledSpec } from "../compiled.js";
import { wrongInput } from "../failure.js";
import { readBytes } from "../files.js";
import { formatPercent } from "../format.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { print, printJson } from "../terminal.js";
import { classNamesOf, loadWeights, readWeights } from "../weights.js";
import { describeCommand } from "./command.js";

interface PredictOptions extends AdapterOptions {
  readonly weights: string;
  readonly train?: string;
  readonly top: number;
  readonly json?: boolean;
}

/** One element of what `predict --json` prints. */
interface Prediction {
  readonly image: string;
  /** The likeliest first. */
  readonly classes: readonly {
    readonly index: number;
    readonly name: string;
    readonly probability: number;
  }[];
}

/** Images a call: memory stays small, and a software adapter is busy all the same. */
const MAX_BATCH = 16;

export function predictCommand(): Command {
  return describeCommand("predict", "Name what is in images.", [
    "predict specs/alexnet.net --weights runs/alexnet/weights.safetensors cat.jpg --top 3",
  ])
    .argument("<spec>", "the spec file")
    .argument("<image...>", "JPEG, PNG or WebP files; the eval split's transforms are applied")
    .requiredOption("--weights <file>", "the weights, a safetensors file")
    .option("--train <name>", "the recipe whose model and data to use")
    .option("--top <k>", "classes to show for each image", positiveInteger, 5)
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
  requireClasses(compiled);
  const weights = await readWeights(options.weights);
  const batch = Math.min(images.length, MAX_BATCH);
  const network = await openNetwork(compiled, { batch, adapter: options.adapter });
  try {
    await loadWeights(network, weights);
    const rows = await probabilities(network, compiled, images);
    const names = classNamesOf(weights) ?? [];
    const predictions = rows.map((row, index) => rank(images[index]!, row, names, options.top));
    if (options.json) printJson(predictions);
    else print(predictions.map(describePrediction).join("\n\n"));
  } finally {
    network.destroy();
  }
}

function requireClasses({ compilation, spec }: CompiledSpec): void {
  const program = compilation.programs[0]!;
  if (program.classes !== undefined || program.metrics.length === 0) return;
  throw wrongInput(
    `model ${program.model} of ${spec.path} predicts numbers, not classes: call \`predict\` of the compiled module`,
  );
}

/** Each image's probabilities over the classes. */
async function probabilities(
  network: Network,
  compiled: CompiledSpec,
  images: readonly string[],
): Promise<Float32Array[]> {
  const { input } = network.program;
  const dataset = await imageFiles(images, input.channels);
  const transforms = compiled.recipe?.data?.eval?.transforms ?? [];
  const order = { seed: 0, epoch: 0, shuffle: false };
  const rows: Float32Array[] = [];
  for await (const batch of loadBatches(dataset, {
    batch: network.batch,
    shape: input,
    transforms,
    ...order,
  })) {
    const values = await network.predict(batch.images);
    const length = values.length / batch.count;
    for (let index = 0; index < batch.count; index++) {
      rows.push(toProbabilities(values.subarray(index * length, (index + 1) * length), compiled));
    }
  }
  return rows;
}

/** The named files as a dataset. A file that does not decode ends the command: it was asked for by name. */
async function imageFiles(paths: readonly string[], channels: number): Promise<Dataset> {
  if (channels !== 1 && channels !== 3) {
    throw wrongInput(
      `the model's input has ${channels} channels, but images have 1 (grey) or 3 (RGB)`,
    );
  }
  const { decodeImage } = await import("../../runtime/node/data/index.js");
  return {
    name: paths.length === 1 ? paths[0]! : "the images",
    classes: [],
    length: paths.length,
    get: async (index) => {
      const path = paths[index]!;
      const bytes = await readBytes(path, "image");
      const image = await decodeImage(bytes, channels).catch((error: Error) => {
        throw wrongInput(`${path} is no image that can be read: ${error.message}`);
      });
      return { image, label: 0 };
    },
  };
}

/** A model that ends in softmax gives probabilities; what others give are logits. */
function toProbabilities(values: Float32Array, { model }: CompiledSpec): Float32Array {
  if (model.layers.at(-1)?.kind === "softmax") return values;
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = values.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

function rank(
  image: string,
  probability: Float32Array,
  names: readonly string[],
  top: number,
): Prediction {
  const indices = [...probability.keys()].sort((a, b) => probability[b]! - probability[a]!);
  const classes = indices.slice(0, top).map((index) => ({
    index,
    name: names[index] ?? `class ${index}`,
    probability: probability[index]!,
  }));
  return { image, classes };
}

function describePrediction({ image, classes }: Prediction): string {
  const lines = classes.map(
    ({ name, probability }) => `  ${formatPercent(probability).padStart(6)}  ${name}`,
  );
  return [image, ...lines].join("\n");
}
