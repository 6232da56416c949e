/**
 * Scalar expressions: what a fused kernel computes for each element. They are printed into WGSL,
 * evaluated on the CPU by the reference, and differentiated symbolically (see kernels/, ops/ and
 * passes/differentiate.ts).
 */

import type { Distribution } from "../../program/noise.js";

export type UnaryOperator =
  | "negate"
  | "exp"
  /** exp(x) - 1, which near 0 keeps the digits that the difference would lose. */
  | "expm1"
  | "log"
  | "sqrt"
  | "tanh"
  /** The standard normal distribution: the integral of exp(-t^2 / 2) / sqrt(2 pi) up to x. */
  | "normal"
  /** exp(-x^2 / 2). */
  | "bell"
  /** log(1 + exp(x)). */
  | "softplus"
  | "sigmoid"
  | "relu"
  /** 1 where the argument is greater than 0, else 0. */
  | "positive"
  /** The argument, of which the derivative is 0: it keeps gradients from what makes it. */
  | "stop"
  /** 1 where the argument is NaN, else 0. */
  | "isnan";

export type BinaryOperator =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "maximum"
  | "minimum"
  /** left raised to right. Below 0 only whole exponents have a power; others give NaN. */
  | "power";

/** What dropout zeroes as a whole: an element, a channel of an example, or an example. */
export type Dropped = "element" | "channel" | "example";

export type Expression =
  /**
   * An operand at the same place. Operand 0 of a fused kernel is the value that the kernel itself
   * computes.
   */
  | { readonly kind: "operand"; readonly index: number }
  /** An operand of shape [C], read at this element's channel. */
  | { readonly kind: "channel"; readonly index: number }
  | { readonly kind: "constant"; readonly value: number }
  /**
   * Dropout's scaled mask: 0 with probability `rate`, else 1 / (1 - rate), from the counter-based
   * generator keyed by seed, step and `stream`, one number for each of `dropped`; 1 throughout when
   * not training. Recomputed wherever it is needed, never stored.
   */
  | {
      readonly kind: "keep";
      readonly rate: number;
      readonly stream: number;
      readonly dropped: Dropped;
    }
  /**
   * A random number in place of the argument, from the counter-based generator keyed by seed, step
   * and `stream`, one for each element; the same ones each time when not training.
   */
  | {
      readonly kind: "noise";
      readonly distribution: Distribution;
      readonly stream: number;
      readonly argument: Expression;
    }
  /** 1 / the examples of this step: what one of them weighs in a mean over the batch. */
  | { readonly kind: "batchShare" }
  | { readonly kind: "unary"; readonly operator: UnaryOperator; readonly argument: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

export const operand = (index: number): Expression => ({ kind: "operand", index });
export const channel = (index: number): Expression => ({ kind: "channel", index });
export const constant = (value: number): Expression => ({ kind: "constant", value });
export const keep = (rate: number, stream: number, dropped: Dropped = "element"): Expression => ({
  kind: "keep",
  rate,
  stream,
  dropped,
});
export const noise = (
  distribution: Distribution,
  stream: number,
  argument: Expression,
): Expression => ({ kind: "noise", distribution, stream, argument });
export const BATCH_SHARE: Expression = { kind: "batchShare" };
export const unary = (operator: UnaryOperator, argument: Expression): Expression => ({
  kind: "unary",
  operator,
  argument,
});
export const binary = (
  operator: BinaryOperator,
  left: Expression,
  right: Expression,
): Expression => ({ kind: "binary", operator, left, right });
export const add = (left: Expression, right: Expression) => binary("add", left, right);
export const subtract = (left: Expression, right: Expression) => binary("subtract", left, right);
export const multiply = (left: Expression, right: Expression) => binary("multiply", left, right);
