import type { ArgumentType } from "../calls/signature.js";
import { optional, required } from "../calls/signature.js";
import { asImage, BATCH, elementCount, formatShape, type Shape } from "../ir/shape.js";
import { initializer, ruleOf } from "./initializers.js";
import { defineLayer } from "./layer.js";

/** Sizes without the batch. Specs write them behind the parameter's name, not as an argument. */
const sizesType: ArgumentType<Shape> = {
  description: "sizes",
  accepts: { kind: "value" },
  read: ({ span }, { reporter }) =>
    reporter.report("NET2030", { message: "sizes are written behind the parameter's name", span }),
  write: formatShape,
};

/**
 * What `parameter positions: f32[197, 768] init normal(0.02)` makes: numbers that are trained, the
 * same for each example. Chains cannot call it.
 */
export const parameter = defineLayer({
  name: "parameter",
  aliases: [],
  summary: "trained numbers that do not depend on the input",
  documentation: "`parameter positions: f32[197, 768] init normal(0.02)`.",
  positional: [],
  arguments: {
    shape: required(sizesType, "sizes without the batch"),
    init: optional(initializer(), "initial values; zeros if left out"),
  },
  readsNothing: true,
  samples: [],

  infer: (_, { shape }) => [BATCH, ...shape],

  lower(_, { shape, init }, { builder, origin, weights }) {
    const count = elementCount(shape);
    const rows = Number(shape[0]);
    const fans = { fanIn: count / rows, fanOut: rows };
    const settings = {
      role: "weight" as const,
      initializer: init ? ruleOf(init)(fans) : ({ kind: "constant", value: 0 } as const),
      learningRateFactor: 1,
      decayFactor: 1,
      trainable: true,
    };
    const numbers = builder.parameter(weights, shape, settings, origin);
    const row = builder.add("broadcast", [numbers], {}, origin);
    if (shape.length === 1) return row;
    return builder.add("reshape", [row], { shape: asImage([BATCH, ...shape]) }, origin);
  },
});
