import type { Command } from "commander";
import { evaluateDataset, type Evaluation } from "../../runtime/training/evaluate.js";
import type { Network } from "../../runtime/network.js";
import { compileSpec, requireData, requireRecipe } from "../compiled.js";
import { openEvaluationData, type DataFlags } from "../data.js";
import { formatCount, formatMetric, formatNumber, formatPercent } from "../format.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { createCounter } from "../progress.js";
import { renderTable, type Column } from "../table.js";
import { print, printJson, widthOf } from "../terminal.js";
import { classNamesOf, loadWeights, readWeights } from "../weights.js";
import { describeCommand } from "./command.js";

interface EvalOptions extends AdapterOptions, DataFlags {
  readonly weights: string;
  readonly train?: string;
  readonly batch?: number;
  readonly json?: boolean;
}

interface ClassResult {
  readonly name: string;
  readonly examples: number;
  /** The share of its examples that were taken for it; undefined without examples. */
  readonly accuracy: number | undefined;
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
    const tally = new ClassTally(network);
    const evaluation = await evaluateDataset(tally, dataset, {
      transforms: data.eval?.transforms ?? [],
      onProgress: (examples) => counter.update(examples),
    });
    counter.stop();
    const { classes, fractions } = network.program;
    const byClass = classes === undefined ? [] : tally.results(dataset.classes);
    report({ ...evaluation!, fractions, classes: byClass }, options);
  } finally {
    counter.stop();
    network.destroy();
  }
}

/** A network that counts, for each class, how many examples it takes for what they are. */
class ClassTally {
  readonly batch: number;
  readonly program: Network["program"];
  private readonly examples = new Map<number, number>();
  private readonly hits = new Map<number, number>();

  constructor(private readonly network: Network) {
    this.batch = network.batch;
    this.program = network.program;
  }

  async evaluate(images: Float32Array, labels: Uint32Array): Promise<Record<string, number>> {
    if (this.program.classes === undefined) return this.network.evaluate(images, labels);
    const [metrics, values] = await Promise.all([
      this.network.evaluate(images, labels),
      this.network.predict(images),
    ]);
    const classes = values.length / labels.length;
    labels.forEach((label, index) => {
      const winner = indexOfLargest(values.subarray(index * classes, (index + 1) * classes));
      increment(this.examples, label);
      if (winner === label) increment(this.hits, label);
    });
    return metrics;
  }

  results(names: readonly string[]): ClassResult[] {
    return names.map((name, label) => {
      const examples = this.examples.get(label) ?? 0;
      const accuracy = examples === 0 ? undefined : (this.hits.get(label) ?? 0) / examples;
      return { name, examples, accuracy };
    });
  }
}

function increment(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function indexOfLargest(values: Float32Array): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}

interface EvaluationReport extends Evaluation {
  readonly fractions: readonly string[];
  /** Empty for a model that tells no classes apart. */
  readonly classes: readonly ClassResult[];
}

function report(
  { examples, metrics, fractions, classes }: EvaluationReport,
  { json }: EvalOptions,
): void {
  if (json) {
    printJson({ examples, ...metrics, classes });
    return;
  }
  const { loss, ...others } = metrics;
  print(`examples  ${formatCount(examples)}`);
  if (loss !== undefined) print(`loss      ${formatNumber(loss)}`);
  for (const [name, value] of Object.entries(others)) {
    print(`${name.padEnd(8)}  ${formatMetric(name, value, fractions)}`);
  }
  if (classes.length > 0) print(`\n${classTable(classes)}`);
}

const columns: readonly Column[] = [
  { title: "class", align: "left", expendable: 0 },
  { title: "examples", align: "right", expendable: 0 },
  { title: "correct", align: "right", expendable: 0 },
];

function classTable(classes: readonly ClassResult[]): string {
  const rows = classes
    .filter(({ examples }) => examples > 0)
    .map(({ name, examples, accuracy }) => [
      name,
      formatCount(examples),
      formatPercent(accuracy ?? 0),
    ]);
  return renderTable(columns, rows, widthOf(process.stdout));
}
