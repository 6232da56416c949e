/** `netc eval --csv` of numbers and tags: of each example those of the data and those predicted. */
import { listNames } from "../compiler/calls/suggestion.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { numbersOf, rowOf } from "../runtime/evaluation/index.js";
import { comparedBatches, type Comparing } from "./compared-batches.js";
import type { CompiledSpec } from "./compiled.js";
import { formatProbability, nameOfExample, PredictionsFile } from "./predictions.js";
import { tagProbabilities, tagsOf } from "./tags.js";
import { warn } from "./terminal.js";
import { regressionsOf } from "./training/report/numbers.js";

/** An output that is compared with a target, number by number. */
interface ComparedOutput {
  readonly output: string;
  readonly target: string;
  readonly names: readonly string[];
  readonly areTags: boolean;
}

/** Outputs of tags, and of numbers that a score compares as they are. */
export function comparedOutputs(
  compiled: Pick<CompiledSpec, "model">,
  table: Dataset["table"],
): readonly ComparedOutput[] {
  return [
    ...tagsOf(compiled, table).map((tags) => ({ ...tags, areTags: true })),
    ...regressionsOf(compiled, table).map((numbers) => ({ ...numbers, areTags: false })),
  ];
}

/**
 * Writes a row for each example that can be read: its file, its numbers or tags, and those
 * predicted. Says which outputs are not in it.
 */
export async function writeCompared(
  path: string,
  comparing: Comparing,
  outputs: readonly ComparedOutput[],
): Promise<void> {
  sayOthers(path, comparing, outputs);
  const { dataset } = comparing;
  const header = outputs.flatMap(({ names, areTags }) => {
    const prefix = areTags ? "probability" : "predicted";
    return [...names, ...names.map((name) => `${prefix}_${name}`)];
  });
  const file = await PredictionsFile.create(path, ["file", ...header], []);
  try {
    for await (const { count, examples, outputs: given, targets } of comparedBatches(comparing)) {
      examples.forEach((example, index) => {
        const cells = outputs.flatMap(({ output, target, areTags }) => {
          const predicted = rowOf(numbersOf(given, output), count, index);
          const truth = rowOf(numbersOf(targets, target), count, index);
          return [...truth, ...(areTags ? tagProbabilities(predicted) : predicted)];
        });
        file.add([nameOfExample(dataset, example), ...cells.map(formatProbability)], undefined, 0);
      });
      await file.flush();
    }
    await file.commit();
  } finally {
    await file.discard();
  }
}

/** Classes next to numbers are in no column. */
function sayOthers(
  path: string,
  { network: { program } }: Comparing,
  outputs: readonly ComparedOutput[],
): void {
  const given = program.uses.predict.gives.map((place) => program.tensors[place]!.name);
  const others = given.filter((name) => !outputs.some(({ output }) => output === name));
  if (others.length > 0) warn(`${path} lists tags and numbers, and so not ${listNames(others)}`);
}
