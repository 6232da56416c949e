import { defineReduction, withNamedAxes } from "./reductions.js";

export const sum = defineReduction({
  name: "sum",
  aliases: withNamedAxes(["reduce_sum", "ReduceSum"]),
  summary: "the sum along some axes",
  says: "The sum of the elements along the axes `over`.",
  by: "sum",
  lower: (reduce, input) => reduce(input),
});
