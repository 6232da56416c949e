import { threefry, toUnit } from "../../program/random.js";
import { evaluate, type Environment } from "../ir/expression-evaluate.js";
import type { Expression } from "../ir/expression.js";
import type { ReferenceContext, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/** Dropout's scaled mask at one element; `counter` is the element's index in (n, y, x, c) order. */
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

/** What leaves of an expression are at an element, which may move on. */
function environmentAt(
  element: Element,
  operands: readonly Tensor[],
  shape: readonly number[],
  context: ReferenceContext,
): Environment {
  const { channels, pixels } = imageSizes(shape);
  const channel = () => Math.floor(element.index / pixels) % channels;
  const counter = () => {
    const image = Math.floor(element.index / (pixels * channels));
    return (image * pixels + (element.index % pixels)) * channels + channel();
  };
  return {
    operand: (operand) =>
      operand === 0 && element.own !== undefined
        ? element.own
        : operands[operand]!.data[element.index]!,
    channel: (operand) => operands[operand]!.data[channel()]!,
    keep: (rate, stream) => keepFactor({ rate, stream }, counter(), context),
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
