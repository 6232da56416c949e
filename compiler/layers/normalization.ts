import type { Initializer } from "../../program/program.js";
import { add, channel, multiply, operand } from "../ir/expression.js";
import type { GroupNormalizeAttributes, Value } from "../ir/graph.js";
import { formatShape, imageShape, type Shape } from "../ir/shape.js";
import { boolean, float } from "../calls/argument-types.js";
import { type ArgumentValues, withDefault } from "../calls/signature.js";
import type { InferenceContext, LayerContext } from "./layer.js";
import { addBias, addWeight, trainingArguments } from "./weights.js";

/** Settings of every layer that normalizes. */
export const normalizationArguments = {
  eps: withDefault(float({ above: 0 }), 1e-5, "added to the variance"),
  affine: withDefault(boolean(), true, "whether a weight and a bias per channel follow"),
  ...trainingArguments,
};

export type NormalizationValues = ArgumentValues<typeof normalizationArguments>;

const constant = (value: number) => (): Initializer => ({ kind: "constant", value });

/**
 * Adds `NAME.weight`, ones, and `NAME.bias`, zeros, one for each channel; none of them without
 * `affine`.
 */
export function addAffine(
  channels: number,
  values: NormalizationValues,
  context: LayerContext,
): readonly [weight: Value, bias: Value] | readonly [] {
  if (!values.affine) return [];
  const fans = { fanIn: channels, fanOut: channels };
  return [
    addWeight([channels], fans, values, context, { rule: constant(1) }),
    addBias(channels, fans, values, context, { rule: constant(0) }),
  ];
}

/** Adds a parameter that training measures: it is saved and read like a weight, but not trained. */
export function addStatistic(
  name: string,
  channels: number,
  start: number,
  { builder, origin, weights }: LayerContext,
): Value {
  const settings = {
    role: "statistic",
    initializer: constant(start)(),
    learningRateFactor: 0,
    decayFactor: 0,
    trainable: false,
  } as const;
  return builder.parameter(`${weights}.${name}`, [channels], settings, origin);
}

/** Normalizes groups of each example by themselves, then scales and shifts. */
export function lowerGroups(
  input: Value,
  grouping: Omit<GroupNormalizeAttributes, "epsilon">,
  values: NormalizationValues,
  context: LayerContext,
): Value {
  const { builder, origin } = context;
  const attributes = { ...grouping, epsilon: values.eps };
  const normalized = builder.add("groupNormalize", [input], attributes, origin);
  const affine = addAffine(imageShape(input.shape).channels, values, context);
  if (affine.length === 0) return normalized;
  const expression = add(multiply(operand(0), channel(1)), channel(2));
  return builder.add("pointwise", [normalized, ...affine], { expression }, origin);
}

/** Reports a group of a single value, of which normalizing leaves nothing. */
export function requireSeveral(count: number, input: Shape, context: InferenceContext): void {
  if (count > 1) return;
  context.report("NET2041", {
    message: `${context.title} normalizes over single values of ${formatShape(input)}`,
    label: "mean and variance of one value",
    axis: "channels",
    notes: ["a value minus its mean is 0, whatever the input: the output would be the bias alone"],
  });
}
