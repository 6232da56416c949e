import type { CallExpression, Span } from "../../grammar/ast.js";
import type { Value } from "../ir/graph.js";
import type { Shape } from "../ir/shape.js";

/** A layer's output that has a name. */
export interface NamedValue {
  /** The layer's full name: `classifier.logits`. */
  readonly name: string;
  /** Undefined where a mistake hides it. */
  readonly shape: Shape | undefined;
  readonly value: Value | undefined;
  /** The layer's kind and call, and the call before it in the chain. */
  readonly layer: string;
  readonly call: CallExpression;
  readonly previous: CallExpression | undefined;
}

/** The model's target. */
export interface Target {
  readonly name: string;
  readonly span: Span;
  readonly value: Value;
  /** Number of classes as the target declares it, where, and in which words. */
  readonly range?: { readonly classes: number; readonly span: Span; readonly text: string };
}
