import type { Initializer } from "../../program/program.js";
import type { Value } from "../ir/graph.js";
import { isSignal, type Shape } from "../ir/shape.js";
import { boolean, float } from "../calls/argument-types.js";
import { type ArgumentValues, optional, withDefault } from "../calls/signature.js";
import {
  defaultRule,
  type Fans,
  initializer,
  type InitializerRule,
  ruleOf,
} from "./initializers.js";
import type { LayerContext } from "./layer.js";

/** How a weight starts and is trained. */
export const weightSettings = {
  init: optional(initializer(), "initial weights; PyTorch's default if left out"),
  lr: withDefault(
    float({ minimum: 0 }),
    1,
    "factor of the learning rate for the weight; 0 freezes it",
  ),
  decay: withDefault(float({ minimum: 0 }), 1, "factor of the weight decay for the weight"),
};

/** How a weight and a bias start and are trained. */
export const trainingArguments = {
  init: weightSettings.init,
  bias_init: optional(initializer(), "initial bias; PyTorch's default if left out"),
  lr: weightSettings.lr,
  bias_lr: withDefault(
    float({ minimum: 0 }),
    1,
    "factor of the learning rate for the bias; 0 freezes it",
  ),
  decay: weightSettings.decay,
  bias_decay: withDefault(float({ minimum: 0 }), 1, "factor of the weight decay for the bias"),
};

/** Settings of a layer that has a weight and perhaps a bias. */
export const weightArguments = {
  bias: withDefault(boolean(), true, "whether a bias is added"),
  ...trainingArguments,
};

export type TrainingValues = ArgumentValues<typeof trainingArguments>;

/** How a parameter starts unless the spec says otherwise, and its name in the layer. */
export interface WeightOptions {
  readonly rule?: InitializerRule | undefined;
  readonly name?: string;
  /** Elements that begin with 0. */
  readonly zeros?: Initializer["zeros"] | undefined;
}

type WeightValues = ArgumentValues<typeof weightSettings>;

/** Adds the layer's parameter `NAME.weight`; files have the kernel of a signal without its row. */
export function addWeight(
  shape: Shape,
  fans: Fans,
  values: WeightValues,
  { builder, origin, weights, shape: input }: LayerContext,
  { rule = defaultRule, name = "weight", zeros }: WeightOptions = {},
): Value {
  const initializer = (values.init ? ruleOf(values.init) : rule)(fans);
  const settings = {
    role: "weight" as const,
    initializer: zeros ? { ...initializer, zeros } : initializer,
    learningRateFactor: values.lr,
    decayFactor: values.decay,
    trainable: values.lr > 0,
    fileShape: isSignal(input) && shape.length === 4 ? shape.toSpliced(2, 1) : undefined,
  };
  return builder.parameter(`${weights}.${name}`, shape, settings, origin);
}

/** Adds the layer's parameter `NAME.bias`, of shape [length]. */
export function addBias(
  length: number,
  fans: Fans,
  values: TrainingValues,
  { builder, origin, weights }: LayerContext,
  { rule = defaultRule, name = "bias" }: WeightOptions = {},
): Value {
  const settings = {
    role: "weight" as const,
    initializer: (values.bias_init ? ruleOf(values.bias_init) : rule)(fans),
    learningRateFactor: values.bias_lr,
    decayFactor: values.bias_decay,
    trainable: values.bias_lr > 0,
  };
  return builder.parameter(`${weights}.${name}`, [length], settings, origin);
}
