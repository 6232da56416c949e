import { required, type ArgumentType } from "../calls/signature.js";
import type { Expression } from "../ir/expression.js";
import { broadcastShape, formatShape, type Shape } from "../ir/shape.js";
import { formulaText } from "./formula-text.js";
import { spreadAll } from "./joins.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { axesFix, broadcastNote } from "./rules.js";

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
  takesWide: true,
  positional: [],
  arguments: { expression: required(formulaType, "what is computed for each element") },
  others: "several",
  samples: [],

  infer: (input, _, context) => formulaShape([input, ...context.others], context),

  lower: (input, { expression }, context) =>
    context.builder.add("pointwise", spreadAll(input, context), { expression }, context.origin),
});

/** The shape to which all operands are repeated. */
function formulaShape(shapes: readonly Shape[], context: InferenceContext): Shape | undefined {
  const shape = broadcastShape(shapes);
  if (shape) return shape;
  const [a, b] = differingPair(shapes);
  return context.report("NET2031", {
    message:
      `${context.title} computes with ${formatShape(a)} and ${formatShape(b)}, ` +
      "which must have one shape",
    notes: [broadcastNote([a, b])],
    fixes: [axesFix(shapes, context)],
  });
}

/** The first two that do not go together. */
function differingPair(shapes: readonly Shape[]): readonly [Shape, Shape] {
  const pairs = shapes.flatMap((a, index) => shapes.slice(index + 1).map((b) => [a, b] as const));
  return pairs.find((pair) => !broadcastShape(pair))!;
}
