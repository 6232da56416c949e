import { readsOf, type Fused, type FusedUpdate } from "../ir/fusion.js";
import type { AnyNode, Value } from "../ir/graph.js";
import { channelSum } from "./channel-sum.js";
import { evaluateTensor } from "./fused.js";
import { ops } from "./index.js";
import type { OpDefinition, ReferenceContext, Tensor } from "./op.js";
import { asImage, asImageShape, fromImage, stored } from "./tensors.js";
import { descend } from "./update.js";

/** The tensor of a value that a node reads. */
export type TensorOf = (value: Value) => Tensor;

/**
 * Runs a node on the CPU: the op's reference and what is fused into it. Returns the node's outputs,
 * and changes in place what the node changes.
 */
export function runNode(
  node: AnyNode,
  tensorOf: TensorOf,
  context: ReferenceContext,
): readonly Tensor[] {
  if (ops[node.kind].keepsOrder) return runInOrder(node, tensorOf, context);
  const made = runInOrder(node, (value) => asImage(value.shape, tensorOf(value)), context);
  return made.map((result, index) => fromImage(node.outputs[index]!.shape, result));
}

/** What an op that does not keep the order of sequences sees of its attributes and outputs. */
export function typesInOrder(node: AnyNode): Pick<AnyNode, "attributes" | "outputs"> {
  const { attributes, outputs, kind } = node;
  if (ops[kind].keepsOrder) return { attributes, outputs };
  const shaped = outputs.map((output) => ({ ...output, shape: asImageShape(output.shape) }));
  return { attributes, outputs: shaped };
}

function runInOrder(
  node: AnyNode,
  tensorOf: TensorOf,
  context: ReferenceContext,
): readonly Tensor[] {
  const made = runOp(node, tensorOf, context);
  const { epilogue, updates } = node.fusion ?? {};
  if (updates) {
    runUpdates(node, updates, made[0]!, tensorOf, context);
    return [];
  }
  const [first, ...others] = made;
  const finished = epilogue ? [applyFused(epilogue, first!, tensorOf, context), ...others] : made;
  const read = readsOf(node).map(tensorOf);
  return finished.map((result) => stored(result, read));
}

/** What the op itself makes, in double precision. */
function runOp(node: AnyNode, tensorOf: TensorOf, context: ReferenceContext): readonly Tensor[] {
  const { kind, inputs, fusion } = node;
  const { attributes, outputs } = typesInOrder(node);
  const read = inputs.map(tensorOf);
  const [x, ...others] = read;
  const prologue = fusion?.prologue;
  const own = prologue ? [applyFused(prologue, x!, tensorOf, context), ...others] : read;
  // The union of nodes and the record of ops agree by kind, which TypeScript cannot follow.
  const definition = ops[kind] as OpDefinition<never>;
  return definition.reference(own, attributes as never, context, outputs);
}

/** A fused prologue or epilogue applied to the tensor that it belongs to. */
function applyFused(
  { expression, operands }: Fused,
  element: Tensor,
  tensorOf: TensorOf,
  context: ReferenceContext,
): Tensor {
  const tensors = [element, ...operands.map(tensorOf)];
  return evaluateTensor(expression, tensors, element.shape, context);
}

function runUpdates(
  node: AnyNode,
  [own, bias]: readonly FusedUpdate[],
  made: Tensor,
  tensorOf: TensorOf,
  context: ReferenceContext,
): void {
  const follow = ({ parameter, states, rule }: FusedUpdate, dw: Tensor) =>
    descend({ w: tensorOf(parameter), dw, states: states.map(tensorOf) }, rule, context);
  follow(own!, made);
  if (bias) follow(bias, channelSum.reference([tensorOf(node.inputs[1]!)], {}, context, [])[0]!);
}
