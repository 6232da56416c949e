import { isUpdate, trainedBy, type AnyNode, type Value } from "../../compiler/ir/graph.js";
import type { Tensor } from "../../compiler/ops/op.js";

/**
 * What a node read and what it left: whole tensors, or of some inputs the elements that
 * `sampledInputs` names, in a column.
 */
export interface NodeValues {
  readonly inputs: readonly Tensor[];
  /** Undefined where an output is not stored, because nobody reads it. */
  readonly outputs: readonly (Tensor | undefined)[];
  /** What it left of the inputs that it changes, by their place. */
  readonly changed: ReadonlyMap<number, Tensor>;
  /** The outputs that are stored in 16 bits, in a program that stores any. */
  readonly halves?: ReadonlySet<Value>;
}

/** The inputs that a node changes, by their place. */
export function changedInputs(node: AnyNode): readonly number[] {
  if (node.kind === "channelStatistics") return [1, 2];
  if (node.kind === "adjustLossScale") return [1];
  if (!isUpdate(node)) return [];
  const changed = trainedBy(node).flatMap(({ parameter, states }) => [parameter, ...states]);
  return changed.map((value) => node.inputs.indexOf(value));
}
