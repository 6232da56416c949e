import type { Value } from "../ir/graph.js";
import type { Shape } from "../ir/shape.js";
import { boolean, float } from "../semantics/argument-types.js";
import { type ArgumentValues, optional, withDefault } from "../semantics/signature.js";
import { defaultRule, type Fans, initializer } from "./initializers.js";
import type { LoweringContext } from "./layer.js";

/** Settings of every layer that has a weight and a bias. */
export const weightArguments = {
  bias: withDefault(boolean(), true, "whether a bias is added"),
  init: optional(initializer(), "initial weights; PyTorch's default if left out"),
  bias_init: optional(initializer(), "initial bias; PyTorch's default if left out"),
  lr: withDefault(
    float({ minimum: 0 }),
    1,
    "factor of the learning rate for the weight; 0 freezes it",
  ),
  bias_lr: withDefault(
    float({ minimum: 0 }),
    1,
    "factor of the learning rate for the bias; 0 freezes it",
  ),
  decay: withDefault(float({ minimum: 0 }), 1, "factor of the weight decay for the weight"),
  bias_decay: withDefault(float({ minimum: 0 }), 1, "factor of the weight decay for the bias"),
};

export type WeightValues = ArgumentValues<typeof weightArguments>;

/** Adds the layer's parameter `NAME.weight`. */
export function addWeight(
  shape: Shape,
  fans: Fans,
  values: WeightValues,
  { builder, origin }: LoweringContext,
): Value {
  const settings = {
    initializer: (values.init ?? defaultRule)(fans),
    learningRateFactor: values.lr,
    decayFactor: values.decay,
    trainable: values.lr > 0,
  };
  return builder.parameter(`${origin.name}.weight`, shape, settings, origin);
}

/** Adds the layer's parameter `NAME.bias`, of shape [length]. */
export function addBias(
  length: number,
  fans: Fans,
  values: WeightValues,
  { builder, origin }: LoweringContext,
): Value {
  const settings = {
    initializer: (values.bias_init ?? defaultRule)(fans),
    learningRateFactor: values.bias_lr,
    decayFactor: values.bias_decay,
    trainable: values.bias_lr > 0,
  };
  return builder.parameter(`${origin.name}.bias`, [length], settings, origin);
}
