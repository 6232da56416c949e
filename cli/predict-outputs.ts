/** `netc predict` of a model with several outputs, of images or the rows of a table. */
import type { Gives } from "../program/program.js";
import { tensorsOf } from "../program/tensors.js";
import { visible } from "../program/visible.js";
import { sameValue, targetOf } from "../compiler/network/facts.js";
import type { TableFacts } from "../runtime/data/dataset.js";
import { indexOfLargest, toProbabilities } from "../runtime/evaluation/index.js";
import type { Network } from "../runtime/network.js";
import { largest } from "../runtime/pictures/classify.js";
import type { CompiledSpec } from "./compiled.js";
import { formatPercent } from "./format.js";
import { predictedBatches, type Predictable } from "./predict-rows.js";
import { describeNumbers } from "./predict-values.js";
import { formatProbability, PredictionsFile } from "./predictions.js";
import { tagProbabilities, tagsOf } from "./tags.js";
import { print, printJson } from "./terminal.js";

interface Options {
  readonly csv?: string;
  readonly json?: boolean;
  readonly top?: number;
}

interface Outputs {
  readonly network: Network;
  readonly compiled: CompiledSpec;
  readonly rows: Predictable;
  /** Of the classes, where there is one target. */
  readonly names: readonly string[];
  /** What the weights say of the table that they were trained on. */
  readonly table: TableFacts | undefined;
}

/** An output, and the names of the classes that it scores, where it scores some. */
interface Output {
  readonly name: string;
  readonly gives: Gives | undefined;
  readonly classes: readonly string[];
  /** Whether each of them may be there, rather than one. */
  readonly isOfTags: boolean;
}

type Predicted = Readonly<Record<string, Float32Array>>;

/** Prints classes and numbers of each row, as JSON and into a csv file where that is asked for. */
export async function predictOutputs(
  { network, compiled, rows, names: classNames, table }: Outputs,
  { csv, json, top = TOP }: Options,
): Promise<void> {
  const outputs = outputsOf(network, compiled, { table, classNames });
  const predicted: Predicted[] = [];
  for await (const { rowsOf, count } of predictedBatches(network, compiled, rows)) {
    for (let index = 0; index < count; index++) {
      const row = outputs.map((output) => [
        output.name,
        valuesOf(output, rowsOf(output.name, index)),
      ]);
      predicted.push(Object.fromEntries(row) as Predicted);
    }
  }
  const names = rows.readable().map(({ name }) => name);
  if (csv !== undefined) await writeOutputs(csv, { names, outputs, predicted });
  if (json) {
    const described = predicted.map((row, index) => ({
      image: names[index],
      ...Object.fromEntries(outputs.map((output) => [output.name, asJson(output, row, top)])),
    }));
    return printJson(described);
  }
  const width = Math.max(...outputs.map(({ name }) => name.length));
  const texts = predicted.map((row, index) => {
    const lines = outputs.map(
      (output) => `  ${output.name.padEnd(width)}  ${describeOutput(output, row, top)}`,
    );
    return [visible(names[index]!), ...lines].join("\n");
  });
  print(texts.join("\n\n"));
}

/** Classes that are shown of each output. */
const TOP = 3;

function outputsOf(
  { program }: Network,
  compiled: CompiledSpec,
  { table, classNames }: Pick<Outputs, "table"> & { readonly classNames: readonly string[] },
): readonly Output[] {
  const { network } = compiled.model;
  const tagged = new Map(tagsOf(compiled, table).map(({ output, names }) => [output, names]));
  const { losses = [], metrics = [], outputs = [], targets = [] } = network ?? {};
  const scores = [...losses.map(({ score }) => score), ...metrics];
  return tensorsOf(program, "prediction").map(({ name, gives, shape }) => {
    const value = outputs.find((each) => each.name === name)?.value;
    const score = scores.find(({ prediction }) => value && sameValue(prediction, value));
    const target = targetOf({ targets }, score);
    const names =
      (target && table?.classes?.[target.name]) ?? (targets.length > 1 ? [] : classNames);
    // Scores of classes for each pixel or token are listed as numbers.
    const isOfClasses = gives !== "values" && gives !== undefined && shape.length === 1;
    const count = isOfClasses ? shape[0]! : 0;
    const classes = Array.from({ length: count }, (_, label) => names[label] ?? `class ${label}`);
    const tags = tagged.get(name);
    return { name, gives, classes: tags ?? classes, isOfTags: tags !== undefined };
  });
}

/** Probabilities of classes or tags, or numbers. */
function valuesOf({ gives, isOfTags, classes }: Output, row: Float32Array): Float32Array {
  if (isOfTags) return tagProbabilities(row);
  const isOfClasses = classes.length > 0 && gives !== undefined && gives !== "values";
  return isOfClasses ? toProbabilities(row, gives) : row.slice();
}

function asJson({ name, classes }: Output, row: Predicted, top: number): unknown {
  const values = row[name]!;
  if (classes.length === 0) return [...values];
  return largest(values, top).map((index) => {
    return { index, name: classes[index], probability: values[index] };
  });
}

function describeOutput({ name, classes }: Output, row: Predicted, top: number): string {
  const values = row[name]!;
  if (classes.length === 0) return describeNumbers(values);
  return largest(values, top)
    .map((index) => `${visible(classes[index]!)} ${formatPercent(values[index]!)}`)
    .join("  ");
}

interface Table {
  readonly names: readonly string[];
  readonly outputs: readonly Output[];
  readonly predicted: readonly Predicted[];
}

/** For each output the most probable class and all probabilities, or its numbers. */
async function writeOutputs(path: string, { names, outputs, predicted }: Table): Promise<void> {
  const columns = outputs.flatMap(({ name, classes, isOfTags }) =>
    classes.length > 0
      ? [...(isOfTags ? [] : [name]), ...classes.map((each) => `${name}_${each}`)]
      : Array.from(predicted[0]![name]!, (_, index) => `${name}_${index}`),
  );
  const file = await PredictionsFile.create(path, ["file", ...columns], []);
  for (const [index, row] of predicted.entries()) {
    const cells = outputs.flatMap(({ name, classes, isOfTags }) => {
      const values = row[name]!;
      const best = classes.length > 0 && !isOfTags ? [classes[indexOfLargest(values)]!] : [];
      return [...best, ...Array.from(values, formatProbability)];
    });
    file.add([names[index], ...cells], undefined, 0);
    await file.flush();
  }
  await file.commit();
}
