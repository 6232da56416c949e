import type { Fused } from "../../compiler/ir/fusion.js";
import type { Value } from "../../compiler/ir/graph.js";
import { evaluateAt } from "../../compiler/ops/fused.js";
import type { ReferenceContext, Tensor } from "../../compiler/ops/op.js";

/**
 * What a node read and what it left: whole tensors, or of some values the elements that
 * `sampledReads` names, in a column.
 */
export interface NodeValues {
  /** Of the op's own inputs, in their order. */
  readonly inputs: readonly Tensor[];
  /** Of all that the node reads: its inputs, and what is fused into it. */
  readonly read: ReadonlyMap<Value, Tensor>;
  /** Undefined where an output is not stored, because nothing reads it. */
  readonly outputs: readonly (Tensor | undefined)[];
  /** What it left of the values that it changes. */
  readonly changed: ReadonlyMap<Value, Tensor>;
  /** The outputs that are stored in 16 bits, in a program that stores any. */
  readonly halves?: ReadonlySet<Value>;
}

/** What a prologue or an epilogue makes of the element at a place. */
export function finisher(
  fused: Fused | undefined,
  read: NodeValues["read"],
  shape: readonly number[],
  context: ReferenceContext,
): (index: number, own: number) => number {
  if (!fused) return (_, own) => own;
  const { expression } = fused;
  // Operand 0 is the element itself.
  const element: Tensor = { shape, data: new Float64Array() };
  const operands = [element, ...fused.operands.map((value) => read.get(value)!)];
  return (index, own) => evaluateAt({ index, own }, expression, operands, shape, context);
}
