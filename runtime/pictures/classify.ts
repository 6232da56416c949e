/** A classifier's output as named probabilities. */
import type { Program } from "../../program/program.js";
import type { ClassifyOptions } from "../calls.js";
import { firstOf, outputOf, requireScores, toProbabilities } from "../evaluation/probabilities.js";
import { InputError } from "../errors.js";
import type { Given } from "./picture.js";

/** A class that a picture may be of. */
export interface Classification<Class extends string = string> {
  /** As the weights file or the module names it; `class 3` where neither does. */
  readonly name: Class;
  /** Of the class among the network's outputs, from 0. */
  readonly index: number;
  /** 0 to 1; those of all classes add up to 1. */
  readonly probability: number;
}

interface Classifier {
  readonly program: Program;
  /** Of the weights file, or of the user. */
  readonly classes: readonly string[] | undefined;
}

interface ClassifiedCall {
  readonly given: Given;
  readonly output: unknown;
  readonly options: ClassifyOptions;
}

/**
 * The most probable classes of each picture of a call; of a list, a list for each. Throws
 * InputError for a network that does not classify, and for an output that is not finite.
 */
export function rank(
  { program, classes }: Classifier,
  { given, output, options }: ClassifiedCall,
): readonly Classification[] | readonly Classification[][] {
  const { top = 5, ...others } = options;
  const [unknown] = typeof options === "object" ? Object.keys(others) : [options];
  if (unknown !== undefined) {
    throw new InputError(`\`classify\` has no option \`${unknown}\`; it takes \`{ top: 1 }\``);
  }
  if (!Number.isInteger(top) || top < 1) {
    throw new InputError(`\`top\` must be an integer of at least 1, not ${JSON.stringify(top)}`);
  }
  const scores = requireScores(program);
  const values = firstOf(program, output);
  if (!values.every(Number.isFinite)) {
    throw new InputError(
      "the network's output is not finite: the weights may have diverged, " +
        "or the images are not what they were trained on",
    );
  }
  const [size] = outputOf(program).shape as [number];
  const ranked = Array.from({ length: values.length / size }, (_, place) => {
    const probabilities = toProbabilities(
      values.subarray(place * size, (place + 1) * size),
      scores,
    );
    return largest(probabilities, top).map((index) => {
      return {
        name: classes?.[index] ?? `class ${index}`,
        index,
        probability: probabilities[index]!,
      };
    });
  });
  if (Array.isArray(given)) return ranked;
  if (ranked.length === 1) return ranked[0]!;
  throw new InputError(
    `\`classify\` takes one image as an array, not ${ranked.length}: ` +
      "call `predict` for more, or pass a list of pictures",
  );
}

/** The places of the largest values; of equal ones the first comes first. */
export const largest = (values: Float32Array, count: number): number[] =>
  [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, count);
