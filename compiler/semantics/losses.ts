import type { GraphBuilder } from "../ir/builder.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { float, integer, valueName } from "./argument-types.js";
import {
  type ArgumentDeclarations,
  type ArgumentValues,
  required,
  type Signature,
  withDefault,
} from "./signature.js";

/** A loss or a metric: of logits [N, C] and labels [N], one number per example. */
export interface ScoreDefinition<
  Declarations extends ArgumentDeclarations = ArgumentDeclarations,
> extends Signature<Declarations> {
  readonly summary: string;
  /** Adds the op and returns its [N] output. */
  lower(
    inputs: readonly [logits: Value, labels: Value],
    values: ArgumentValues<NoInfer<Declarations>>,
    builder: GraphBuilder,
    origin: Origin,
  ): Value;
}

function define<const Declarations extends ArgumentDeclarations>(
  definition: ScoreDefinition<Declarations>,
): ScoreDefinition {
  return definition;
}

/** What every loss and metric is taken of. */
export const scoreArguments = {
  logits: required(valueName(), "the network's output, one number per class"),
  labels: required(valueName(), "the model's target"),
};

export const losses: readonly ScoreDefinition[] = [
  define({
    name: "cross_entropy",
    aliases: [
      "CrossEntropyLoss",
      "crossentropy",
      "softmax_cross_entropy",
      "SoftmaxWithLoss",
      "nll",
    ],
    summary: "softmax with the negative log-likelihood of the label",
    positional: ["logits", "labels"],
    arguments: {
      ...scoreArguments,
      smoothing: withDefault(
        float({ minimum: 0, below: 1 }),
        0,
        "share of the target probability that is spread over all classes",
      ),
    },
    lower: (inputs, { smoothing }, builder, origin) =>
      builder.add("crossEntropy", inputs, { smoothing }, origin),
  }),
];

export const metrics: readonly ScoreDefinition[] = [
  define({
    name: "accuracy",
    aliases: ["Accuracy", "top_k", "topk", "acc", "top1", "top5"],
    summary: "whether the label is among the k largest logits",
    positional: ["logits", "labels"],
    arguments: {
      ...scoreArguments,
      k: withDefault(integer({ minimum: 1 }), 1, "how many of the largest logits count"),
    },
    lower: (inputs, { k }, builder, origin) => builder.add("accuracy", inputs, { k }, origin),
  }),
];
