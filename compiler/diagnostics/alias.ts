import type { Expression } from "../../grammar/ast.js";

/**
 * What another framework calls something. A name alone means the same in every call, with every
 * argument that netc accepts; a fix may write netc's name without asking. Any difference makes it a
 * `ForeignAlias`.
 */
export type Alias = string | ForeignAlias;

/**
 * A name whose calls have to be translated, or that means something near. Argument names are netc's
 * unless it says otherwise.
 */
export interface ForeignAlias {
  readonly name: string;
  /**
   * The alias holds for calls that give one of these arguments, as written: `learning_rate` is
   * Keras'. For all if absent.
   */
  readonly given?: readonly string[];
  /** Arguments without names, in that framework's order. */
  readonly positional?: readonly string[];
  /** That framework's defaults where netc has others: a call that does not give them gets them. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** Arguments that mean something else there, by the names that they have there. */
  readonly translates?: Readonly<Record<string, ArgumentTranslation>>;
  /**
   * A note on what differs all the same. With it, netc's name is offered and never written without
   * asking.
   */
  readonly differs?: string;
}

/** How an argument of another framework is written in netc. */
export interface ArgumentTranslation {
  /** netc's name for it; the same name if absent. */
  readonly name?: string;
  /**
   * The value as netc writes it; undefined where it cannot be computed from the text. The same
   * value if absent.
   */
  readonly value?: (value: Expression) => string | undefined;
  /** A note on what the argument means there, for calls that cannot be translated. */
  readonly note: string;
}

/** An argument's name in another framework. */
export interface ArgumentAlias extends Partial<ArgumentTranslation> {
  readonly name: string;
  /** The calls in which it means this; all that have the argument if absent. */
  readonly of?: readonly string[];
  /** A note on what differs; netc's name is then offered and never written without asking. */
  readonly differs?: string;
}

export const aliasName = (alias: Alias): string => (typeof alias === "string" ? alias : alias.name);

/** The names alone, each once. */
export const aliasNames = (aliases: readonly Alias[]): readonly string[] => [
  ...new Set(aliases.map(aliasName)),
];

/** Several names of which the same is true. */
export function each(
  names: readonly string[],
  rest: Omit<ForeignAlias, "name">,
): readonly ForeignAlias[] {
  return names.map((name) => ({ name, ...rest }));
}

/** The number that an expression is, if it is one. */
export function literalNumber(value: Expression): number | undefined {
  if (value.kind === "number" && !value.unit) return value.value;
  if (value.kind !== "unary") return undefined;
  const operand = literalNumber(value.operand);
  return operand === undefined ? undefined : -operand;
}

/** The numbers of a list or tuple of numbers. */
export function literalNumbers(value: Expression): readonly number[] | undefined {
  if (value.kind !== "list" && value.kind !== "tuple") return undefined;
  const numbers = value.elements.map(literalNumber);
  return numbers.every((number) => number !== undefined) ? numbers : undefined;
}
