import { Option, type Command } from "commander";
import { maskOf, tokensOf } from "../../program/masks.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import {
  classNames,
  examinedClasses,
  MOST_CLASSES_OF_TOKENS,
  type JudgedExample,
} from "../../runtime/evaluation/index.js";
import type { Network } from "../../runtime/network.js";
import {
  compileSpec,
  parametersOf,
  requireData,
  requireRecipe,
  type CompiledSpec,
} from "../compiled.js";
import { wrongInput } from "../failure.js";
import {
  evaluating,
  type Evaluated,
  type Evaluating,
  type EvaluatingFlags,
} from "../evaluating.js";
import type { ReportedTag } from "../../report/data.js";
import { comparedBatches, type Comparing } from "../compared-batches.js";
import { ComparedFile, comparedOutputs } from "../compared-csv.js";
import { describeEvaluation } from "../evaluation-text.js";
import { adapterOption, jsonOption, nonNegativeInteger, positiveInteger } from "../options.js";
import { describeCost, originalOf } from "../original-metrics.js";
import { formatProbability, nameOfExample, PredictionsFile } from "../predictions.js";
import { TagCounts } from "../tag-results.js";
import { tagsOf, type Tags } from "../tags.js";
import { print, printJson, widthOf } from "../terminal.js";
import { loadTeacher } from "../initial-weights.js";
import { classNamesOf, loadWeights, readWeights, tableOf } from "../weights.js";
import { describeCommand } from "./command.js";

interface EvalOptions extends EvaluatingFlags {
  readonly weights: string;
  readonly train?: string;
  readonly csv?: string;
  readonly mistakes: number;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  return describeCommand(
    "eval",
    "Evaluate weights on the eval split: loss, metrics, and recall of each class.",
    [
      "eval specs/digits.net --weights runs/digits/weights.safetensors",
      "eval specs/digits.net --weights runs/digits/best.safetensors --csv predictions.csv",
      "eval photos.net --weights runs/photos/best.safetensors --split train --mistakes 50",
    ],
  )
    .argument("<spec>", "the spec file")
    .requiredOption("--weights <file>", "the weights: safetensors, or PyTorch's .pth")
    .option("--data <dir>", "read this folder instead of the one in the spec")
    .option("--train <name>", "the recipe whose model and data to use")
    .addOption(
      new Option("--split <name>", "the split to evaluate on, with the eval split's transforms")
        .choices(["eval", "train"])
        .default("eval"),
    )
    .option("--batch <n>", "examples per call (default: the recipe's batch)", positiveInteger)
    .option("--ten-crop", "average the predictions for ten crops of each image")
    .option("--max-skipped <n>", "unreadable files to tolerate (default: 1%)", positiveInteger)
    .option(
      "--csv <file>",
      "write file, label, prediction and probabilities of each example or token, or its numbers " +
        "or tags",
    )
    .option("--mistakes <n>", "the most confident mistakes to name", nonNegativeInteger, 10)
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(evaluate);
}

async function evaluate(path: string, options: EvalOptions): Promise<void> {
  const compiled = await compileSpec(path, { train: options.train });
  const data = requireData(compiled);
  if (options.csv !== undefined && comparedOutputs(compiled, undefined).length === 0)
    requireClassifier(compiled);
  const weights = await readWeights(options.weights, parametersOf(compiled));
  const from = { data, classNames: classNamesOf(weights), table: tableOf(weights) };
  await evaluating(compiled, from, options, async (parts) => {
    const { network } = parts;
    await loadWeights(network, weights);
    await loadTeacher(network, compiled.spec, compiled.recipe);
    const { dataset, transforms } = parts;
    const compared = comparedOutputs(compiled, dataset.table);
    const { csv, mistakes } = options;
    const measured = await withPredictions(parts, {
      csv: compared.length > 0 ? undefined : csv,
      mistakes,
    });
    const results = await comparePredictions(
      { network, dataset, transforms },
      { csv, compared, tags: tagsOf(compiled, dataset.table) },
    );
    const evaluation = results.length > 0 ? { ...measured, tags: results } : measured;
    const original = options.tenCrop ? undefined : originalOf(weights.metadata);
    const { fractions } = network.program;
    if (options.json) return printJson({ ...evaluationJson(evaluation, dataset), original });
    print(describeEvaluation(evaluation, fractions, widthOf(process.stdout), dataset));
    if (original) print(`\n${describeCost(original, evaluation, fractions)}`);
  });
}

interface Compared {
  readonly csv: string | undefined;
  readonly compared: ReturnType<typeof comparedOutputs>;
  readonly tags: readonly Tags[];
}

/** One pass for the file of numbers and tags, if there is to be one, and for how tags are told. */
async function comparePredictions(
  comparing: Comparing,
  { csv, compared, tags }: Compared,
): Promise<readonly ReportedTag[]> {
  const isListed = csv !== undefined && compared.length > 0;
  if (!isListed && tags.length === 0) return [];
  const file = isListed ? await ComparedFile.create(csv, comparing, compared) : undefined;
  const counts = new TagCounts(tags);
  try {
    for await (const batch of comparedBatches(comparing)) {
      counts.add(batch);
      await file?.add(batch);
    }
    await file?.commit();
    return counts.results();
  } finally {
    await file?.discard();
  }
}

/** Evaluates all examples, and lists what is predicted of each in a file, if there is to be one. */
async function withPredictions(
  { network, dataset, evaluate: pass }: Evaluating,
  { csv, mistakes }: Pick<EvalOptions, "csv" | "mistakes">,
): Promise<Evaluated> {
  if (csv === undefined) return pass("evaluated", { mistakes });
  const predictions = await Predictions.create(csv, network, dataset);
  try {
    const evaluation = await pass("evaluated", {
      onExample: (judged) => predictions.add(judged),
      onBatch: () => predictions.flush(),
      mistakes,
    });
    await predictions.commit();
    return evaluation;
  } finally {
    await predictions.discard();
  }
}

/** Only classes have probabilities to list. */
function requireClassifier(compiled: CompiledSpec): void {
  const { compilation, model, spec } = compiled;
  const program = compilation.programs[0]!;
  if (maskOf(program)) {
    throw wrongInput(
      `--csv lists a class for each example, and model ${model.name} of ${spec.path} predicts ` +
        "one for each pixel",
      "`netc predict SPEC IMAGES --masks DIR` writes them as pictures",
    );
  }
  const source = requireRecipe(compiled).data?.eval?.source;
  if (examinedClasses(program, source) !== undefined) return;
  const { count = 0 } = tokensOf(program) ?? {};
  if (count > 0) {
    throw wrongInput(
      `--csv lists tokens of up to ${MOST_CLASSES_OF_TOKENS} classes, and model ` +
        `${model.name} of ${spec.path} tells ${count} apart`,
      "`netc predict SPEC TABLE --csv FILE` lists its predictions",
    );
  }
  throw wrongInput(
    `--csv lists the probabilities of classes, and model ${model.name} of ${spec.path} has none`,
    "call `predict` of the compiled module for other outputs",
  );
}

const EXAMPLE_COLUMNS = ["file", "label", "prediction"] as const;
const TOKEN_COLUMNS = [
  ...["file", "token", "label", "prediction"],
  ...["probability", "probability_of_label"],
] as const;

/** The file of `--csv`, with the names that its columns need. */
class Predictions {
  private constructor(
    private readonly file: PredictionsFile,
    private readonly names: readonly string[],
    private readonly dataset: Dataset,
  ) {}

  static async create(path: string, network: Network, dataset: Dataset): Promise<Predictions> {
    const names = classNames(network, dataset);
    const isOfTokens = tokensOf(network.program) !== undefined;
    const columns = isOfTokens ? TOKEN_COLUMNS : EXAMPLE_COLUMNS;
    const file = await PredictionsFile.create(path, columns, isOfTokens ? [] : names);
    return new Predictions(file, names, dataset);
  }

  add({ example, token, actual, predicted, probabilities }: JudgedExample): void {
    const { names, dataset } = this;
    const name = nameOfExample(dataset, example);
    const prediction = predicted === undefined ? undefined : names[predicted];
    if (token === undefined) {
      return this.file.add([name, names[actual], prediction], probabilities, names.length);
    }
    // Probabilities of all classes, of each token, would make large files.
    const shares = [predicted, actual].map(
      (label) => probabilities && formatProbability(probabilities[label!]!),
    );
    this.file.add([name, String(token), names[actual], prediction, ...shares], undefined, 0);
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

function evaluationJson(
  { examples, metrics, notFinite, overlaps, precisions, withoutBoxes, tags, ...details }: Evaluated,
  dataset: Dataset,
): object {
  const { classes: names } = dataset;
  const measured = {
    examples,
    ...metrics,
    notFinite: notFinite || undefined,
    withoutBoxes,
    tags,
    classes:
      overlaps?.map((iou, label) => ({ name: names[label] ?? String(label), iou })) ??
      precisions?.map((each, label) => {
        const { ap50, ap, support } = each ?? {};
        return { name: names[label] ?? String(label), ap50, ap, support };
      }),
  };
  if (!("classes" in details)) return measured;
  const { tokens, calibration, classes, confusion } = details;
  const mistakes = details.mistakes.map(
    ({ example, token, actual, predicted, ...probabilities }) => ({
      file: nameOfExample(dataset, example),
      token,
      label: classes[actual]!.name,
      prediction: classes[predicted]!.name,
      ...probabilities,
    }),
  );
  return { ...measured, tokens, calibration, classes, confusion, mistakes };
}
