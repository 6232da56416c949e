/** Layers as ops, also of values of more axes than an image. */
import { asImage, byLastAxis, isWide } from "../ir/shape.js";
import type { Value } from "../ir/graph.js";
import type { CallValues } from "../calls/signature.js";
import type { LayerContext, LayerDefinition } from "./layer.js";

/** Adds the layer's ops and returns its output. */
export function lowerLayer(
  definition: LayerDefinition,
  input: Value,
  values: CallValues,
  context: LayerContext,
): Value {
  const { builder, origin, shape } = context;
  if (definition.takesWide !== "last axis" || !isWide(shape)) {
    return definition.lower(input, values, context);
  }
  // The same elements in the same order.
  const sequence = byLastAxis(shape);
  const seen = builder.add("reshape", [input], { shape: sequence }, origin);
  const output = definition.lower(seen, values, { ...context, shape: sequence });
  const made = asImage(shape.with(-1, output.shape.at(-1)!));
  return builder.add("reshape", [output], { shape: made }, origin);
}
