import { GraphBuilder } from "../ops/builder.js";
import type { Parameter } from "../ir/graph.js";
import { elementCount, type Shape } from "../ir/shape.js";
import type { AnalyzedLayer } from "./analysis.js";
import { inferSilently, type LayerUse } from "./layer-context.js";

/** What a layer costs. Multiply-adds are per image. */
export interface LayerCost extends Pick<AnalyzedLayer, "parameters" | "macs" | "macsBackward"> {
  /** Whether the layer trains weights, so that gradients must reach it. */
  readonly isTrainable: boolean;
}

const NOTHING: LayerCost = { parameters: 0, macs: 0, macsBackward: 0, isTrainable: false };

/**
 * The cost of a layer on an input of the given shape; nothing where it refuses that input. `needsInputGradient` says whether
 * a layer before it is trainable.
 */
export function costOf(
  use: LayerUse,
  input: Shape | undefined,
  { needsInputGradient }: { needsInputGradient: boolean },
): LayerCost {
  const output = input && inferSilently(use, input);
  if (!output) return NOTHING;
  const parameters = parametersOf(use, input);
  const macs = use.definition.macs?.(input, output, use.bound.values) ?? 0;
  const isTrainable = parameters.some((parameter) => parameter.trainable);
  const gradients = Number(needsInputGradient) + Number(isTrainable);
  return {
    parameters: parameters.reduce((sum, { value }) => sum + elementCount(value.shape), 0),
    macs,
    macsBackward: gradients * macs,
    isTrainable,
  };
}

/** The layer's weights, found by lowering it alone. */
function parametersOf(use: LayerUse, shape: Shape): readonly Parameter[] {
  const { definition, bound, call, others } = use;
  if (others.length > 0) return []; // it joins values, and has no weights
  const origin = { name: definition.name, span: call.span };
  const builder = new GraphBuilder(definition.name);
  const input = builder.images("input", shape, origin);
  const context = { builder, origin, nextStream: () => 0, others: [] };
  const prediction = definition.lower(input, bound.values, context);
  const { parameters } = builder.finish({ prediction, metrics: [] });
  return parameters.filter(({ role }) => role === "weight");
}
