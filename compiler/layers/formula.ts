import { required, type ArgumentType } from "../calls/signature.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ir/builder.js";
import type { Origin } from "../ir/origin.js";
import type { Expression } from "../ir/expression.js";
import { formatShape, sameShape, type Shape } from "../ir/shape.js";
import { formulaText } from "./formula-text.js";
import { spreadValue } from "./joins.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { isPerChannel } from "./rules.js";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Names of operands where no spec gives them any. */
const ANY_NAMES = Array.from({ length: 26 }, (_, index) => LETTERS[index]!);

/** A formula with its operands as letters. Specs write formulas behind `let`, not as arguments. */
export const formulaType: ArgumentType<Expression> = {
  description: "a formula",
  accepts: { kind: "value" },
  read: ({ span }, { reporter }) =>
    reporter.report("NET1040", { message: "a formula is written behind `let`", span }),
  write: (expression) => formulaText(expression, ANY_NAMES),
};

/** More operands than these do not fit into the bindings of a kernel. */
export const MOST_OPERANDS = 5;

/**
 * What `let y = x * sigmoid(x)` makes: a value computed element by element from others. Chains
 * cannot call it; `let` and `fn` do.
 */
export const formula = defineLayer({
  name: "let",
  aliases: [],
  summary: "a value computed from others by a formula",
  documentation: "`let y = x * sigmoid(x)`.",
  positional: [],
  arguments: { expression: required(formulaType, "what is computed for each element") },
  others: "several",
  samples: [],

  infer: (input, _, context) => formulaShape([input, ...context.others], context),

  lower(input, { expression }, { builder, origin, others }) {
    const values = spreadAll(builder, [input, ...others], origin);
    return builder.add("pointwise", values, { expression }, origin);
  },
});

/** The one shape of all operands but those of [N, C, 1, 1], which count for all pixels. */
function formulaShape(shapes: readonly Shape[], context: InferenceContext): Shape | undefined {
  const shape = largest(shapes);
  const odd = shapes.find((each) => !sameShape(each, shape) && !isPerChannel(each, shape));
  if (!odd) return shape;
  return context.report("NET2031", {
    message:
      `${context.title} computes with ${formatShape(shape)} and ${formatShape(odd)}, ` +
      "which must have one shape",
    notes: ["one number for each channel, [N, C, 1, 1], goes with every image of C channels"],
  });
}

/** The first shape with more than one pixel, if there is one. */
const largest = (shapes: readonly Shape[]): Shape =>
  shapes.find((shape) => !isPerChannel(shape, shape)) ?? shapes[0]!;

function spreadAll(builder: Builder, values: readonly Value[], origin: Origin): readonly Value[] {
  const shape = largest(values.map((value) => value.shape));
  return values.map((value) => spreadValue(builder, value, shape, origin));
}
