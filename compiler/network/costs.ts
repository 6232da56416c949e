import { GraphBuilder, predictions } from "../ops/builder.js";
import type { Parameter } from "../ir/graph.js";
import { BATCH, byLastAxis, elementCount, type Shape } from "../ir/shape.js";
import { inferShape, type LayerCall } from "../layers/infer.js";
import { lowerLayer } from "../layers/lower.js";

/** What a layer costs. */
export interface LayerCost {
  /** Numbers in its weights. */
  readonly parameters: number;
  /** Multiply-adds of the forward pass per image. */
  readonly macs: number;
  /** Whether the layer trains weights, so that gradients must reach it. */
  readonly isTrainable: boolean;
}

export const NO_COST: LayerCost = { parameters: 0, macs: 0, isTrainable: false };

/** The cost of a layer on an input of the given shape; nothing where it refuses that input. */
export function costOf(call: LayerCall, given: Shape | undefined): LayerCost {
  const input = call.definition.readsNothing ? NOTHING : given;
  const output = input && inferShape(call, input);
  if (!output) return NO_COST;
  const parameters = parametersOf(call, input);
  return {
    parameters: parameters.reduce((sum, { value }) => sum + elementCount(value.shape), 0),
    macs: call.definition.macs?.(byLastAxis(input), byLastAxis(output), call.values) ?? 0,
    isTrainable: parameters.some((parameter) => parameter.trainable),
  };
}

/** The layer's weights, found by lowering it alone. */
function parametersOf(
  { definition, values, others, vocabulary }: LayerCall,
  shape: Shape,
): readonly Parameter[] {
  if (others.length > 0) return []; // it joins values, and has no weights
  const origin = { name: definition.name, span: NOWHERE };
  const builder = new GraphBuilder(definition.name);
  const input =
    vocabulary === undefined
      ? builder.input("input", shape, origin)
      : builder.tokens("input", shape, origin, vocabulary);
  const own = {
    builder,
    origin,
    weights: origin.name,
    nextStream: () => 0,
    others: [],
    otherShapes: [],
  };
  const context = { ...own, vocabulary, shape };
  const output = lowerLayer(definition, input, values, context);
  const { parameters } = builder.finish({ outputs: predictions(output), metrics: [] });
  return parameters.filter(({ role }) => role === "weight");
}

/** In the place of the input of a layer that reads none. */
const NOTHING: Shape = [BATCH, 1];

const START = { offset: 0, line: 1, column: 1 };

/** A place for what is in no text. */
export const NOWHERE = { file: "", start: START, end: START };
