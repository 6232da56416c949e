import { integer } from "../calls/argument-types.js";
import { optional, required } from "../calls/signature.js";
import { byClass } from "../ir/shape.js";
import { defineLayer } from "./layer.js";

/** What `one_hot(label)` in a loss or metric makes. Chains cannot call it; formulas do. */
export const oneHot = defineLayer({
  name: "one_hot",
  aliases: [],
  summary: "1 in the channel of a label's class, 0 elsewhere",
  documentation: "`one_hot(label)`.",
  positional: [],
  arguments: {
    classes: required(integer({ minimum: 1 }), "how many channels"),
    ignore: optional(integer({ minimum: 0 }), "the label of pixels or tokens that do not count"),
  },
  samples: [],

  infer: (labels, { classes }) => byClass(labels, classes),

  lower: (input, { classes }, { builder, origin }) =>
    builder.add("oneHot", [input], { classes }, origin),
});
