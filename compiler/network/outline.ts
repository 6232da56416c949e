import type { CallValues, Signature } from "../calls/signature.js";
import type { NetworkPort, ResolvedNetwork, ResolvedScore } from "./resolved.js";

/**
 * All that a network means, as plain data: two networks with equal outlines are the same. Without
 * places in a text and without groups, which show in the names of layers.
 */
export function outlineOf(network: ResolvedNetwork) {
  const { name, inputs, targets, layers, losses, metrics, outputs } = network;
  return {
    name,
    inputs: inputs.map(portOutline),
    targets: targets.map(portOutline),
    layers: layers.map(({ name, definition, values, inputs, type, weights }) => {
      const call = [definition.name, valueTexts(definition, values)] as const;
      return { name, call, inputs, type, weights: weights !== name ? weights : undefined };
    }),
    losses: losses.map(({ score, factor }) => ({ factor, score: scoreOutline(score) })),
    metrics: metrics.map(scoreOutline),
    outputs,
  };
}

function portOutline({ name, type, classes }: NetworkPort) {
  return { name, type, classes };
}

function scoreOutline({ name, definition, values, prediction, target }: ResolvedScore) {
  const call = [definition.name, valueTexts(definition, values)] as const;
  return { name, call, prediction, target };
}

/** Every argument that has a value, as a spec writes it. */
function valueTexts(signature: Signature, values: CallValues): Readonly<Record<string, string>> {
  const entries = Object.entries(signature.arguments).flatMap(([name, { type }]) =>
    values[name] === undefined ? [] : [[name, type.write(values[name])]],
  );
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}
