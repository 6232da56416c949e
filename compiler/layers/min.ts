import { operand, unary } from "../ir/expression.js";
import { defineReduction, withNamedAxes } from "./reductions.js";

export const min = defineReduction({
  name: "min",
  aliases: withNamedAxes(["amin", "reduce_min", "ReduceMin"]),
  summary: "the smallest element along some axes",
  says:
    "The smallest of the elements along the axes `over`. Elements that tie share the gradient\n" +
    "evenly, as in PyTorch's `amin`.",
  by: "max",

  lower(reduce, input, { builder, origin }) {
    const expression = unary("negate", operand(0));
    const negated = builder.add("pointwise", [input], { expression }, origin);
    return builder.add("pointwise", [reduce(negated)], { expression }, origin);
  },
});
