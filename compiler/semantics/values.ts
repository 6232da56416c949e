import type { CallExpression, Identifier, Span } from "../../grammar/ast.js";
import type { Distribution } from "../../program/noise.js";
import type { Shape } from "../ir/shape.js";
import type { TensorType } from "../ir/tensor-type.js";
import type { NetworkValue } from "../network/resolved.js";
import type { Current } from "./place.js";

/** A layer's output that has a name. */
export interface NamedValue {
  /** The layer's full name: `classifier.logits`. */
  readonly name: string;
  /** Undefined where a mistake hides it. */
  readonly shape: Shape | undefined;
  /** The layer's kind, its place, and its name if it has one. */
  readonly layer: string;
  readonly span: Span;
  readonly alias: Identifier | undefined;
  /** The layer's call; absent for joins and for the input. */
  readonly call: CallExpression | undefined;
  /** The call before it in the chain. */
  readonly previous: CallExpression | undefined;
  readonly current: Current;
}

/** What a loss compares with: the model's target, or its images. */
export interface Target {
  readonly name: string;
  readonly span: Span;
  readonly nameSpan: Span;
  /** Where its declaration says what it holds: `u32`. */
  readonly elementSpan?: Span;
  readonly value: NetworkValue;
  readonly type: TensorType;
  readonly isInput: boolean;
  /** Its type was wrong, which is reported: what it holds is a guess. */
  readonly isGuess?: true | undefined;
  /** Of an input of noise. */
  readonly distribution?: Distribution | undefined;
  /** Number of classes as the target declares it, where, and in which words. */
  readonly range?: { readonly classes: number; readonly span: Span; readonly text: string };
}
