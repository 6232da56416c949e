import { defineReduction, withNamedAxes } from "./reductions.js";

export const max = defineReduction({
  name: "max",
  aliases: withNamedAxes(["amax", "reduce_max", "ReduceMax"]),
  summary: "the largest element along some axes",
  says:
    "The largest of the elements along the axes `over`. Elements that tie share the gradient\n" +
    "evenly, as in PyTorch's `amax`.",
  by: "max",
  lower: (reduce, input) => reduce(input),
});
