/** Formulas as functions that chains use like layers: `fn difference(a, b) = a - b`. */
import type { Expression } from "../../compiler/ir/expression.js";
import type { ResolvedLayer, ResolvedNetwork } from "../../compiler/network/resolved.js";
import { formula } from "../../compiler/layers/formula.js";
import { formulaText } from "../../compiler/layers/formula-text.js";

const PARAMETERS = ["a", "b", "c", "d", "e"];

/** What a formula is called, by its outermost operator. */
const NAMES: Readonly<Record<string, string | undefined>> = {
  add: "total",
  subtract: "difference",
  multiply: "product",
  divide: "quotient",
  power: "raised",
  maximum: "largest",
  minimum: "smallest",
  exp: "exponential",
  log: "logarithm",
  sqrt: "root",
  positive: "condition",
};

/** Formulas that have a name. */
const KNOWN: Readonly<Record<string, string | undefined>> = {
  "a * a": "square",
  "1 / a": "reciprocal",
  "relu(a) + relu(-a)": "magnitude",
  "positive(a) * b + positive(1 - positive(a)) * c": "choice",
  "positive(1 - a)": "inverted",
};

/** The functions of a network, by their formulas. */
export class Functions {
  private readonly names = new Map<string, string>();
  private readonly lines: string[] = [];

  /** @param taken names that functions cannot have */
  constructor(network: ResolvedNetwork, taken: ReadonlySet<string>) {
    for (const layer of network.layers) if (isFormula(layer)) this.declare(layer, taken);
  }

  get all(): readonly string[] {
    return [...this.names.values()];
  }

  get declarations(): readonly string[] {
    return this.lines.length === 0 ? [] : [...this.lines, ""];
  }

  /** What a layer calls; undefined where it is not a formula. */
  of(layer: ResolvedLayer): string | undefined {
    return isFormula(layer) ? this.names.get(textOf(layer)) : undefined;
  }

  private declare(layer: ResolvedLayer, taken: ReadonlySet<string>): void {
    const text = textOf(layer);
    if (this.names.has(text)) return;
    const { kind, ...rest } = layer.values["expression"] as Expression;
    const operator =
      kind === "unary" || kind === "binary" ? (rest as { operator: string }).operator : "";
    const stem = KNOWN[text] ?? NAMES[operator] ?? "formula";
    const used = new Set([...taken, ...this.names.values()]);
    let [name, count] = [stem, 1];
    while (used.has(name)) name = `${stem}${(count += 1)}`;
    this.names.set(text, name);
    const parameters = PARAMETERS.slice(0, layer.inputs.length).join(", ");
    this.lines.push(`fn ${name}(${parameters}) = ${text}`);
  }
}

export const isFormula = ({ definition }: Pick<ResolvedLayer, "definition">): boolean =>
  definition === formula;

const textOf = ({ values }: ResolvedLayer): string =>
  formulaText(values["expression"] as Expression, PARAMETERS);
