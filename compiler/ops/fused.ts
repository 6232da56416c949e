import { drawnFrom, NOT_TRAINING } from "../../program/noise.js";
import { threefry, toUnit } from "../../program/random.js";
import { evaluate, type Environment } from "../ir/expression-evaluate.js";
import type { Dropped, Expression } from "../ir/expression.js";
import type { ReferenceContext, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * Dropout's scaled mask at one element; `counter` is the index of what is dropped: of the element
 * in (n, y, x, c) order, of the channel in (n, c) order, or of the example.
 */
export function keepFactor(
  { rate, stream }: { readonly rate: number; readonly stream: number },
  counter: number,
  { seed, step, training }: ReferenceContext,
): number {
  if (!training) return 1;
  const [word] = threefry(seed, stream, counter, step);
  return toUnit(word) >= Math.fround(rate) ? 1 / (1 - rate) : 0;
}

/** An element of a tensor; `own` is what operand 0 is there, where that is not stored. */
interface Element {
  index: number;
  readonly own?: number;
}

/** Noise at one element; `counter` is its index in (n, y, x, c) order. */
function noiseAt(
  { distribution, stream }: Extract<Expression, { kind: "noise" }>,
  counter: number,
  { seed, step, training }: ReferenceContext,
): number {
  const words = threefry(seed, stream, counter, training ? step : NOT_TRAINING);
  return drawnFrom(distribution, words);
}

/** What leaves of an expression are at an element, which may move on. */
function environmentAt(
  element: Element,
  operands: readonly Tensor[],
  shape: readonly number[],
  context: ReferenceContext,
): Environment {
  const { channels, pixels } = imageSizes(shape);
  const channel = () => Math.floor(element.index / pixels) % channels;
  const example = () => Math.floor(element.index / (pixels * channels));
  const counters: Readonly<Record<Dropped, () => number>> = {
    element: () => (example() * pixels + (element.index % pixels)) * channels + channel(),
    channel: () => example() * channels + channel(),
    example,
  };
  return {
    operand: (operand) =>
      operand === 0 && element.own !== undefined
        ? element.own
        : operands[operand]!.data[element.index]!,
    channel: (operand) => operands[operand]!.data[channel()]!,
    keep: (mask) => keepFactor(mask, counters[mask.dropped](), context),
    noise: (drawn) => noiseAt(drawn, counters.element(), context),
    batchShare: 1 / shape[0]!,
  };
}

/** An expression at one element. */
export function evaluateAt(
  element: Readonly<Element>,
  expression: Expression,
  operands: readonly Tensor[],
  shape: readonly number[],
  context: ReferenceContext,
): number {
  return evaluate(expression, environmentAt(element, operands, shape, context));
}

/** An expression at every element of a tensor of the given shape. */
export function evaluateTensor(
  expression: Expression,
  operands: readonly Tensor[],
  shape: readonly number[],
  context: ReferenceContext,
): Tensor {
  const result = zeros(shape);
  const element = { index: 0 };
  const environment = environmentAt(element, operands, shape, context);
  for (; element.index < result.data.length; element.index++)
    result.data[element.index] = evaluate(expression, environment);
  return result;
}
