import type { BlockDeclaration, Span } from "../../grammar/ast.js";
import type { Origin } from "../ir/origin.js";
import type { Shape } from "../ir/shape.js";
import type { CallExpression } from "../../grammar/ast.js";
import type { BlockUse } from "../calls/reporter.js";
import type { Environment } from "../calls/environment.js";
import type { Module } from "./modules.js";
import type { NetworkValue } from "../network/resolved.js";
import type { Trail } from "./trail.js";
import type { Target } from "./values.js";

/** Where in a network the analysis is: what names mean there, and what new names start with. */
export interface Place {
  /** Constants, parameters and loop variables; the reporter knows the uses of blocks. */
  readonly environment: Environment;
  /** The file of the text: its blocks. */
  readonly module: Module;
  /** Prefix of names: sections, uses of blocks, branches. */
  readonly path: readonly string[];
  /**
   * How much of the path lies outside of the innermost block: names there are not seen from here.
   */
  readonly outside: number;
  /** Whether names written here are numbered: in a loop, each iteration has its own. */
  readonly isRepeated: boolean;
  /**
   * Within shared layers: full names that begin with `use` have weights that begin with `share`.
   */
  readonly shared?: { readonly use: string; readonly share: string };
  /** Index of the innermost group. */
  readonly group: number | undefined;
  /** How many sections, loops, branches and blocks are around it. */
  readonly depth: number;
  /** The uses of blocks around, the outermost first, and their declarations. */
  readonly uses: readonly BlockUse[];
  readonly blocks: readonly BlockDeclaration[];
}

/** The current value of a chain: its shape as far as known, and what makes it. */
export interface Current {
  /** Undefined where a mistake hides it. */
  readonly shape: Shape | undefined;
  /** Undefined for a model without a usable input. */
  readonly trail: Trail | undefined;
  /** Index of the layer that makes it; -1 for the first input, -2 for the second and so on. */
  readonly index: number;
  /** Of what only losses and metrics read: the target. */
  readonly target?: Target | undefined;
  /** Of an input of tokens: how many different ones there are. */
  readonly vocabulary?: number | undefined;
  /** The call that made it, if a call did. */
  readonly call: CallExpression | undefined;
}

/** The index in `Current` of an input. */
export const indexOfInput = (input: number): number => -1 - input;

/** A value that is not known because of a mistake. */
export function lost(current: Current): Current {
  return { ...current, shape: undefined };
}

export function valueOf({ index, target }: Current): NetworkValue {
  if (target) return target.value;
  return index < 0 ? { from: "input", index: -1 - index } : { from: "layer", index };
}

export function originAt(name: string, span: Span, { uses }: Place): Origin {
  return { name, span, uses: uses.length > 0 ? uses.map((use) => use.span) : undefined };
}
