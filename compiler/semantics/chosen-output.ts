import type { ModelDeclaration } from "../../grammar/ast.js";
import { isBodyMember } from "../../grammar/ast.js";
import type { ResolvedNetwork } from "../network/resolved.js";
import type { Environment } from "../calls/environment.js";
import { listNames } from "../calls/suggestion.js";
import type { NamedValues } from "./named-values.js";

interface Chosen {
  readonly declaration: ModelDeclaration;
  readonly network: ResolvedNetwork;
  readonly values: NamedValues;
  /** Indices of the layers that formulas of losses and metrics are made of. */
  readonly ofScores: ReadonlySet<number>;
}

/**
 * Warns of a model whose losses are formulas of several values: without a loss of a target, only
 * the order of its lines says which of them it predicts.
 */
export function warnOfChoice(chosen: Chosen, { reporter }: Environment): void {
  const { network, values, declaration } = chosen;
  const { losses, layers, outputs } = network;
  if (
    losses.length === 0 ||
    losses.some(({ score }) => score.target ?? score.compares?.prediction) ||
    declaration.members.some(({ kind }) => kind === "output") ||
    endsWithFrom(declaration)
  )
    return;
  const { from, index: last } = outputs[0]!.value;
  if (from !== "layer") return;
  const others = endsOf(chosen).filter((index) => index !== last);
  if (others.length === 0) return;
  const named = (index: number) => {
    const { name, origin } = layers[index]!;
    return values.nameOf(index) ?? { name, span: origin.span };
  };
  const own = named(last);
  const rest = others.map(named);
  reporter.report("NET2062", {
    message:
      `model \`${network.name}\` predicts \`${own.name}\`, its last value, ` +
      `and not ${listNames(rest.map(({ name }) => name))}`,
    span: own.span,
    label: "the last value",
    related: rest.slice(0, 2).map(({ name, span }) => {
      return { span, message: `\`${name}\`, which only scores read` };
    }),
    notes: [
      `if \`${own.name}\` is meant, say so: \`from ${own.name}\`, as the last line before the loss`,
      `another one, such as \`from ${rest[0]!.name}\`, chooses another value there`,
    ],
  });
}

/** `from own` alone, behind all layers. */
function endsWithFrom({ members }: ModelDeclaration): boolean {
  const last = members.filter(isBodyMember).at(-1);
  return last?.kind === "chain" && last.elements.length === 1 && last.elements[0]!.kind === "from";
}

/** Layers that scores read, and no other layer. */
function endsOf({ network: { layers, losses, metrics }, ofScores }: Chosen): readonly number[] {
  const isLayer = ({ from }: { readonly from: string }) => from === "layer";
  const inputsOf = (wanted: boolean) =>
    layers.flatMap(({ inputs }, index) => (ofScores.has(index) === wanted ? inputs : []));
  const scored = [...losses.map(({ score }) => score), ...metrics].map((each) => each.prediction);
  const byLayers = new Set(
    inputsOf(false)
      .filter(isLayer)
      .map(({ index }) => index),
  );
  const byScores = new Set(
    [...inputsOf(true), ...scored].filter(isLayer).map(({ index }) => index),
  );
  return [...byScores].filter((index) => !ofScores.has(index) && !byLayers.has(index));
}
