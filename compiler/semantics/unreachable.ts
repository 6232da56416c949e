import type { ResolvedNetwork } from "../network/resolved.js";
import type { Environment } from "../calls/environment.js";

/**
 * Warns of layers whose output nothing reads, directly or through others: what a `from` left
 * behind. Of a chain, the last layer is named.
 */
export function warnOfUnreachable(
  { layers, losses, metrics, outputs }: ResolvedNetwork,
  { reporter }: Environment,
): void {
  const scores = [...losses.map(({ score }) => score), ...metrics];
  const values = [
    ...layers.flatMap(({ inputs }) => inputs),
    ...scores.flatMap(({ prediction, target }) => (target ? [prediction, target] : [prediction])),
    ...outputs.map(({ value }) => value),
  ];
  const read = new Set(values.flatMap(({ from, index }) => (from === "layer" ? [index] : [])));
  for (const [index, { name, definition, origin }] of layers.entries()) {
    if (read.has(index)) continue;
    reporter.report("NET2022", {
      message: `nothing reads the output of ${definition.name} \`${name.split(".").at(-1)!}\``,
      span: origin.span,
      notes: [
        "it is neither what the network predicts nor part of it; " +
          "join it with `add` or `concat`, take a loss of it, or remove it",
      ],
    });
  }
}
