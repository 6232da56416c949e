/** `netc eval --csv` of numbers and tags: of each example those of the data and those predicted. */
import { listNames } from "../compiler/calls/suggestion.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { numbersOf, rowOf } from "../runtime/evaluation/index.js";
import type { ComparedBatch, Comparing } from "./compared-batches.js";
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

/** A row for each example that can be read: its file, its numbers or tags, and those predicted. */
export class ComparedFile {
  private constructor(
    private readonly file: PredictionsFile,
    private readonly dataset: Dataset,
    private readonly outputs: readonly ComparedOutput[],
  ) {}

  /** Says which outputs are not in it. */
  static async create(
    path: string,
    comparing: Comparing,
    outputs: readonly ComparedOutput[],
  ): Promise<ComparedFile> {
    sayOthers(path, comparing, outputs);
    const header = outputs.flatMap(({ names, areTags }) => {
      const prefix = areTags ? "probability" : "predicted";
      return [...names, ...names.map((name) => `${prefix}_${name}`)];
    });
    const file = await PredictionsFile.create(path, ["file", ...header], []);
    return new ComparedFile(file, comparing.dataset, outputs);
  }

  async add({ count, examples, outputs: given, targets }: ComparedBatch): Promise<void> {
    const { file, dataset, outputs } = this;
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

  commit(): Promise<void> {
    return this.file.commit();
  }

  discard(): Promise<void> {
    return this.file.discard();
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
