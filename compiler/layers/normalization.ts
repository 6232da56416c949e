import type { Initializer } from "../../program/program.js";
import type { Value } from "../ir/graph.js";
import { boolean, float } from "../semantics/argument-types.js";
import { type ArgumentValues, withDefault } from "../semantics/signature.js";
import type { LoweringContext } from "./layer.js";
import { addBias, addWeight, trainingArguments } from "./weights.js";

/** Settings of every layer that normalises. */
export const normalizationArguments = {
  eps: withDefault(float({ above: 0 }), 1e-5, "added to the variance"),
  affine: withDefault(boolean(), true, "whether a weight and a bias per channel follow"),
  ...trainingArguments,
};

export type NormalizationValues = ArgumentValues<typeof normalizationArguments>;

const constant = (value: number) => (): Initializer => ({ kind: "constant", value });

/** Adds `NAME.weight`, ones, and `NAME.bias`, zeros, one for each channel; none of them without `affine`. */
export function addAffine(
  channels: number,
  values: NormalizationValues,
  context: LoweringContext,
): readonly [weight: Value, bias: Value] | readonly [] {
  if (!values.affine) return [];
  const fans = { fanIn: channels, fanOut: channels };
  return [
    addWeight([channels], fans, values, context, constant(1)),
    addBias(channels, fans, values, context, constant(0)),
  ];
}

/** Adds a parameter that training measures: it is saved and read like a weight, but not trained. */
export function addStatistic(
  name: string,
  channels: number,
  start: number,
  { builder, origin }: LoweringContext,
): Value {
  const settings = {
    role: "statistic",
    initializer: constant(start)(),
    learningRateFactor: 0,
    decayFactor: 0,
    trainable: false,
  } as const;
  return builder.parameter(`${origin.name}.${name}`, [channels], settings, origin);
}
