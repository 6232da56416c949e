import type { Expression, Span } from "../../grammar/ast.js";
import type { Alias } from "../diagnostics/alias.js";
import type { Environment } from "./environment.js";

/** Reads an argument's value. */
export interface ArgumentReader extends Environment {
  /** What messages call the argument: "`kernel` of `conv`". */
  readonly subject: string;
  /** What the same call gives to another argument, for proposals that depend on it. */
  readonly sibling?: (name: string) => Expression | undefined;
}

/** What may be written for an argument, for editors to offer. */
export type Accepted =
  | { readonly kind: "number" | "string" | "value" | "duration" }
  /** Names that mean themselves: `divide=size`. */
  | { readonly kind: "word"; readonly words: readonly string[] }
  /** Calls: `init=normal(0.01)`. */
  | { readonly kind: "call"; readonly signatures: readonly Described[] };

/** A type of arguments: how a message names it, and how it is read. Undefined after a report. */
export interface ArgumentType<Value> {
  readonly description: string;
  readonly accepts: Accepted;
  read(expression: Expression, reader: ArgumentReader): Value | undefined;
  /**
   * How layers of signals write it, which have one axis where images have rows and columns. The
   * value is that of an image of one row: `kernel=3` is `[1, 3]`.
   */
  readonly onSignal?: ArgumentType<Value> | undefined;
  /** The value as a spec writes it: `read` gives the same value for this text. */
  write(value: Value): string;
}

/** One argument of a layer, loss, schedule or any other call. */
export interface ArgumentDeclaration<Value> {
  readonly type: ArgumentType<Value>;
  /** What it means, in a few words, for documentation and completion. */
  readonly meaning: string;
  readonly isRequired: boolean;
  /** What it is where the call does not say it. */
  readonly defaultValue?: Value;
}

export type ArgumentDeclarations = Readonly<Record<string, ArgumentDeclaration<unknown>>>;

/** The values that a call gives to its declared arguments. */
export type ArgumentValues<Declarations extends ArgumentDeclarations> = {
  readonly [Name in keyof Declarations]: Declarations[Name] extends ArgumentDeclaration<infer Value>
    ? Value
    : never;
};

/** The values of any call. */
export type CallValues = ArgumentValues<ArgumentDeclarations>;

/** What may be called, and with which arguments. */
export interface Signature<Declarations extends ArgumentDeclarations = ArgumentDeclarations> {
  readonly name: string;
  /** What other frameworks call it; only for messages and fixes. */
  readonly aliases: readonly Alias[];
  /** The arguments that may be given without their names, in this order. */
  readonly positional: readonly (keyof Declarations & string)[];
  readonly arguments: Declarations;
}

/**
 * The declaration of an argument by the name that a spec gives it, which may be any: `toString`,
 * too.
 */
export function argumentNamed(
  { arguments: declared }: Pick<Signature, "arguments">,
  name: string,
): ArgumentDeclaration<unknown> | undefined {
  return Object.hasOwn(declared, name) ? declared[name] : undefined;
}

/** The type of a layer's argument by what the layer receives. */
export const typeFor = <Value>(
  { type }: Pick<ArgumentDeclaration<Value>, "type">,
  { isOfSignal }: { readonly isOfSignal: boolean },
): ArgumentType<Value> => (isOfSignal && type.onSignal) || type;

/** A signature with a line on what it is, for completion and lists. */
export interface Described<
  Declarations extends ArgumentDeclarations = ArgumentDeclarations,
> extends Signature<Declarations> {
  readonly summary: string;
}

/** A call whose arguments were checked. */
export interface Bound<Declarations extends ArgumentDeclarations = ArgumentDeclarations> {
  readonly values: ArgumentValues<Declarations>;
  /** The place of each argument that the call gives. */
  readonly spans: ReadonlyMap<string, Span>;
}

export function required<Value>(
  type: ArgumentType<Value>,
  meaning: string,
): ArgumentDeclaration<Value> {
  return { type, meaning, isRequired: true };
}

export function optional<Value>(
  type: ArgumentType<Value>,
  meaning: string,
): ArgumentDeclaration<Value | undefined> {
  return { type, meaning, isRequired: false };
}

export function withDefault<Value>(
  type: ArgumentType<Value>,
  defaultValue: NoInfer<Value>,
  meaning: string,
): ArgumentDeclaration<Value> {
  return { type, meaning, isRequired: false, defaultValue };
}
