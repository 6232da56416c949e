import type { AnalyzedLayer } from "./analysis.js";
import type { Environment } from "../calls/environment.js";

/**
 * Warns of layers whose output nobody reads, directly or through others: what a `from` left behind. Of a chain, the last
 * layer is named.
 *
 * @param used indices of the layers whose outputs leave the network
 */
export function warnOfUnreachable(
  layers: readonly AnalyzedLayer[],
  used: ReadonlySet<number>,
  { reporter }: Environment,
): void {
  const read = new Set(layers.flatMap(({ inputs }) => inputs));
  for (const [index, { name, kind, span }] of layers.entries()) {
    if (used.has(index) || read.has(index)) continue;
    reporter.report("NET2022", {
      message: `nothing reads the output of ${kind} \`${name.split(".").at(-1)!}\``,
      span,
      notes: [
        "it is neither what the network predicts nor part of it; join it with `add` or `concat`, take a loss of it, or remove it",
      ],
    });
  }
}
