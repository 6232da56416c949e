import { constant, multiply, operand } from "../ir/expression.js";
import { defineReduction, withNamedAxes } from "./reductions.js";

export const mean = defineReduction({
  name: "mean",
  aliases: withNamedAxes(["reduce_mean", "ReduceMean"]),
  summary: "the mean along some axes",
  says: "The mean of the elements along the axes `over`.",
  by: "sum",

  lower(reduce, input, { builder, origin, count }) {
    const expression = multiply(constant(1 / count), operand(0));
    return builder.add("pointwise", [reduce(input)], { expression }, origin);
  },
});
