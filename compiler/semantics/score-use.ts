import type { CallExpression, Span } from "../../grammar/ast.js";
import type { KnownLayer } from "../network/describe.js";
import type { ScoreDefinition } from "../layers/scores.js";
import type { Bound } from "../calls/signature.js";
import type { NamedValue, Target } from "./values.js";

export type ScoreKind = "loss" | "metric";

/** A score whose names are known. */
export interface ScoreUse {
  readonly call: CallExpression;
  readonly kind: ScoreKind;
  readonly definition: ScoreDefinition;
  readonly bound: Bound;
  readonly prediction: NamedValue;
  readonly target: Target;
  readonly complaints: Set<string>;
  /** By target, the label of pixels or tokens that losses so far ignore, if they do. */
  readonly ignored: Map<string, number | undefined>;
  /** The layers so far, among them the one that makes the prediction. */
  readonly layers: readonly KnownLayer[];
}

/** Where a score names its prediction or its target. */
export function spanOf({ definition, bound }: ScoreUse, part: "prediction" | "target"): Span {
  return bound.spans.get(definition.positional[part === "prediction" ? 0 : 1]!)!;
}

/** The name as the spec writes it, without sections. */
export function shortNameOf({ alias, name }: NamedValue): string {
  return alias?.name ?? name;
}

/** The names of two values: as the spec writes them, or with their sections where these are one. */
export function namesApart(
  first: NamedValue,
  second: NamedValue,
): readonly [first: string, second: string] {
  const [a, b] = [shortNameOf(first), shortNameOf(second)];
  return a === b ? [first.name, second.name] : [a, b];
}
