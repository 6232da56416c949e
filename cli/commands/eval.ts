import type { Command } from "commander";
import { evaluateDataset, type Evaluation } from "../../runtime/training/evaluate.js";
import { examineDataset, type Examination } from "../../runtime/evaluation/index.js";
import { compileSpec, requireData, requireRecipe, scoresOf } from "../compiled.js";
import { openEvaluationData, type DataFlags } from "../data.js";
import { describeEvaluation } from "../evaluation-text.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { createCounter } from "../progress.js";
import { print, printJson, widthOf } from "../terminal.js";
import { classNamesOf, loadWeights, readWeights } from "../weights.js";
import { describeCommand } from "./command.js";

interface EvalOptions extends AdapterOptions, DataFlags {
  readonly weights: string;
  readonly train?: string;
  readonly batch?: number;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  return describeCommand("eval", "Measure weights on the eval split: loss, accuracy, per class.", [
    "eval specs/digits.net --weights runs/digits/weights.safetensors",
  ])
    .argument("<spec>", "the spec file")
    .requiredOption("--weights <file>", "the weights, a safetensors file")
    .option("--data <dir>", "read this folder instead of the one in the spec")
    .option("--train <name>", "the recipe whose model and data to use")
    .option("--batch <n>", "images a call (default: the recipe's batch)", positiveInteger)
    .option("--max-skipped <n>", "unreadable files to tolerate (default: 1%)", positiveInteger)
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(evaluate);
}

async function evaluate(path: string, options: EvalOptions): Promise<void> {
  const compiled = await compileSpec(path, { train: options.train });
  const data = requireData(compiled);
  const weights = await readWeights(options.weights);
  const dataset = await openEvaluationData(compiled, data, options, classNamesOf(weights));
  const batch = options.batch ?? requireRecipe(compiled).batch;
  const network = await openNetwork(compiled, { batch, adapter: options.adapter });
  const counter = createCounter(dataset.length, "evaluated");
  try {
    await loadWeights(network, weights);
    const pass = {
      transforms: data.eval?.transforms ?? [],
      onProgress: (examples: number) => counter.update(examples),
    };
    const { classes, fractions } = network.program;
    const evaluation =
      classes === undefined
        ? await evaluateDataset(network, dataset, pass)
        : await examineDataset(network, dataset, { ...pass, scores: scoresOf(compiled) });
    counter.stop();
    if (options.json) printJson(evaluationJson(evaluation!));
    else print(describeEvaluation(evaluation!, fractions, widthOf(process.stdout)));
  } finally {
    counter.stop();
    network.destroy();
  }
}

function evaluationJson({ examples, metrics, ...details }: Evaluation | Examination): unknown {
  if (!("classes" in details)) return { examples, ...metrics };
  return { examples, ...metrics, classes: details.classes, confusion: details.confusion };
}
