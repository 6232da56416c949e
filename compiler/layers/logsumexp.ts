import { defineReduction, withNamedAxes } from "./reductions.js";

export const logsumexp = defineReduction({
  name: "logsumexp",
  aliases: withNamedAxes(["LogSumExp", "reduce_logsumexp", "ReduceLogSumExp"]),
  summary: "the logarithm of the sum of exponentials along some axes",
  says: "`log(sum exp(x))` of the elements along the axes `over`, without overflow.",
  by: "logsumexp",
  lower: (reduce, input) => reduce(input),
});
