import { threefry, toUnit } from "../../program/random.js";
import { evaluate, type Environment } from "../ir/expression-evaluate.js";
import type { Expression } from "../ir/expression.js";
import type { Fused } from "../ir/graph.js";
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

/** An expression at every element of a tensor of the given shape. */
export function evaluateTensor(
  expression: Expression,
  operands: readonly Tensor[],
  shape: readonly number[],
  context: ReferenceContext,
): Tensor {
  const { channels, pixels } = imageSizes(shape);
  const result = zeros(shape);
  let index = 0;
  const channel = () => Math.floor(index / pixels) % channels;
  const counter = () => {
    const image = Math.floor(index / (pixels * channels));
    return (image * pixels + (index % pixels)) * channels + channel();
  };
  const environment: Environment = {
    operand: (operand) => operands[operand]!.data[index]!,
    channel: (operand) => operands[operand]!.data[channel()]!,
    keep: (rate, stream) => keepFactor({ rate, stream }, counter(), context),
    batchShare: 1 / shape[0]!,
  };
  for (; index < result.data.length; index++)
    result.data[index] = evaluate(expression, environment);
  return result;
}

/** A fused prologue or epilogue applied to the tensor that it belongs to. */
export function applyFused(
  fused: Fused | undefined,
  element: Tensor,
  inputs: readonly Tensor[],
  context: ReferenceContext,
): Tensor {
  if (!fused) return element;
  const operands = [element, ...inputs.slice(fused.first)];
  return evaluateTensor(fused.expression, operands, element.shape, context);
}
