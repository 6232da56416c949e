import type { ArgumentDeclarations, ArgumentValues } from "../calls/signature.js";
import { operand, type Expression } from "../ir/expression.js";
import { defineLayer, type InferenceContext, type LayerDefinition } from "./layer.js";

/** A layer that is a function of one number, applied element by element. */
interface ActivationDefinition<Declarations extends ArgumentDeclarations> extends Omit<
  LayerDefinition<Declarations>,
  "infer" | "lower" | "others" | "macs"
> {
  /** What becomes of one element. */
  expression(x: Expression, values: ArgumentValues<NoInfer<Declarations>>): Expression;
  /** Reports arguments that make no sense together. */
  check?(values: ArgumentValues<NoInfer<Declarations>>, context: InferenceContext): void;
}

/** An activation: input and output have the same shape. Formulas may call it, too. */
export function defineActivation<const Declarations extends ArgumentDeclarations>(
  definition: ActivationDefinition<Declarations>,
): LayerDefinition {
  return defineLayer<Declarations>({
    ...definition,
    infer(input, values, context) {
      definition.check?.(values, context);
      return input;
    },
    lower: (input, values, { builder, origin }) =>
      builder.add(
        "pointwise",
        [input],
        { expression: definition.expression(operand(0), values) },
        origin,
      ),
  });
}

/** Whether formulas may call a layer. */
export const isActivation = (layer: LayerDefinition): boolean => layer.expression !== undefined;
