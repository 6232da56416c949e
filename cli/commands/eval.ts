import { classesOf, imageOf } from "../../program/tensors.js";
import type { Command } from "commander";
import { imagesOf, type Transform } from "../../program/transforms.js";
import { evaluateDataset, type Evaluation } from "../../runtime/training/evaluate.js";
import {
  classNames,
  evaluateClassifier,
  type Examination,
  type JudgedExample,
} from "../../runtime/evaluation/index.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import type { Network } from "../../runtime/network.js";
import {
  compileSpec,
  parametersOf,
  requireData,
  requireRecipe,
  type CompiledSpec,
} from "../compiled.js";
import { openEvaluationData, warnOfUnreadable, type DataFlags } from "../data.js";
import { wrongInput } from "../failure.js";
import { describeEvaluation } from "../evaluation-text.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { PredictionsFile } from "../predictions.js";
import { createCounter } from "../progress.js";
import { print, printJson, widthOf } from "../terminal.js";
import { classNamesOf, loadWeights, readWeights } from "../weights.js";
import { describeCommand } from "./command.js";

interface EvalOptions extends AdapterOptions, DataFlags {
  readonly weights: string;
  readonly train?: string;
  readonly batch?: number;
  readonly tenCrop?: boolean;
  readonly csv?: string;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  return describeCommand("eval", "Measure weights on the eval split: loss, accuracy, per class.", [
    "eval specs/digits.net --weights runs/digits/weights.safetensors",
    "eval specs/digits.net --weights runs/digits/best.safetensors --csv predictions.csv",
  ])
    .argument("<spec>", "the spec file")
    .requiredOption("--weights <file>", "the weights: safetensors, or PyTorch's .pth")
    .option("--data <dir>", "read this folder instead of the one in the spec")
    .option("--train <name>", "the recipe whose model and data to use")
    .option("--batch <n>", "images a call (default: the recipe's batch)", positiveInteger)
    .option("--ten-crop", "judge corners, middle and their mirror images of each image together")
    .option("--max-skipped <n>", "unreadable files to tolerate (default: 1%)", positiveInteger)
    .option("--csv <file>", "write file, label, prediction and probabilities of each example")
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(evaluate);
}

async function evaluate(path: string, options: EvalOptions): Promise<void> {
  const compiled = await compileSpec(path, { train: options.train });
  const data = requireData(compiled);
  if (options.csv !== undefined) requireClassifier(compiled);
  const weights = await readWeights(options.weights, parametersOf(compiled));
  const dataset = await openEvaluationData(compiled, data, options, classNamesOf(weights));
  const own = data.eval?.transforms ?? [];
  const transforms = options.tenCrop ? withTenCrop(own, compiled) : own;
  const batch = Math.max(options.batch ?? requireRecipe(compiled).batch, imagesOf(transforms));
  const network = await openNetwork(compiled, { batch, adapter: options.adapter });
  const counter = createCounter(dataset.length, "evaluated");
  let predictions: Predictions | undefined;
  try {
    await loadWeights(network, weights);
    if (options.csv !== undefined) {
      predictions = await Predictions.create(options.csv, network, dataset);
    }
    const pass = {
      transforms,
      onProgress: async (examples: number) => {
        counter.update(examples);
        await predictions?.flush();
      },
    };
    const { fractions } = network.program;
    const evaluation =
      classesOf(network.program) === undefined
        ? await evaluateDataset(network, dataset, pass)
        : await evaluateClassifier(network, dataset, {
            ...pass,
            onExample: (judged) => predictions?.add(judged),
          });
    await predictions?.commit();
    counter.stop();
    warnOfUnreadable(dataset);
    if (options.json) printJson(evaluationJson(evaluation!));
    else print(describeEvaluation(evaluation!, fractions, widthOf(process.stdout)));
  } finally {
    counter.stop();
    await predictions?.discard();
    network.destroy();
  }
}

/** Only classes have probabilities to list. */
function requireClassifier({ compilation, model, spec }: CompiledSpec): void {
  if (classesOf(compilation.programs[0]!) !== undefined) return;
  throw wrongInput(
    `--csv lists the probabilities of classes, and model ${model.name} of ${spec.path} has none`,
    "call `predict` of the compiled module for other outputs",
  );
}

/** The file of `--csv`, with the names that its columns need. */
class Predictions {
  private constructor(
    private readonly file: PredictionsFile,
    private readonly names: readonly string[],
    private readonly dataset: Dataset,
  ) {}

  static async create(path: string, network: Network, dataset: Dataset): Promise<Predictions> {
    const names = classNames(network, dataset);
    const file = await PredictionsFile.create(path, ["file", "label", "prediction"], names);
    return new Predictions(file, names, dataset);
  }

  add({ example, actual, predicted, probabilities }: JudgedExample): void {
    const { names, dataset } = this;
    const name = dataset.nameAt?.(example) ?? `example ${example}`;
    const prediction = predicted === undefined ? undefined : names[predicted];
    this.file.add([name, names[actual], prediction], probabilities, names.length);
  }

  flush(): Promise<void> {
    return this.file.flush();
  }

  commit(): Promise<void> {
    return this.file.commit();
  }

  discard(): Promise<void> {
    return this.file.discard();
  }
}

/**
 * The split's transforms with ten crops where they have their own crop, or else before they
 * normalize.
 */
function withTenCrop(
  transforms: readonly Transform[],
  { compilation, spec }: CompiledSpec,
): readonly Transform[] {
  const program = compilation.programs[0]!;
  const input = imageOf(program);
  if (classesOf(program) === undefined || input.width !== input.height) {
    throw wrongInput(
      "--ten-crop averages over crops of a classifier's square images, " +
        `which ${spec.path} does not have`,
    );
  }
  const isCrop = ({ kind }: Transform) => kind === "center_crop" || kind === "ten_crop";
  const others = transforms.filter((transform) => !isCrop(transform));
  const crop = transforms.findIndex(isCrop);
  const normalize = transforms.findIndex(({ kind }) => kind === "normalize");
  const place = [crop, normalize, others.length].find((index) => index >= 0)!;
  const tenCrop: Transform = { kind: "ten_crop", size: input.width };
  return [...others.slice(0, place), tenCrop, ...others.slice(place)];
}

function evaluationJson({
  examples,
  metrics,
  notFinite,
  ...details
}: Evaluation | (Evaluation & Examination)): unknown {
  const measured = {
    examples,
    ...metrics,
    notFinite: notFinite || undefined,
  };
  if (!("classes" in details)) return measured;
  const { calibration, classes, confusion } = details;
  return { ...measured, calibration, classes, confusion };
}
