import { derivative } from "../ir/expression-derivative.js";
import { isConstant } from "../ir/expression-simplify.js";
import { leaves, type Leaf } from "../ir/expression-transform.js";
import { multiply, operand, type Expression } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import { imageShape, type Shape } from "../ir/shape.js";
import { addPointwise } from "./add-pointwise.js";
import { ensure, requireShape } from "./checks.js";
import { evaluateTensor } from "./fused.js";
import type { OpDefinition } from "./op.js";

/** An expression reads each input one way: at the element's place, or at its channel. */
function leafOf(expression: Expression, index: number): Leaf | undefined {
  return leaves(expression).find((leaf) => leaf.index === index);
}

/** The index of an operand that has the result's shape. */
function shapingOperand(expression: Expression): number {
  const leaf = leaves(expression).find(({ kind }) => kind === "operand");
  ensure(leaf !== undefined, () => "a pointwise expression must read an operand");
  return leaf.index;
}

function requireOperands(inputs: readonly Value[], expression: Expression, shape: Shape): void {
  for (const leaf of leaves(expression)) {
    const input = inputs[leaf.index];
    ensure(input !== undefined, () => `the expression reads operand ${leaf.index}, not given`);
    requireShape(input, leaf.kind === "operand" ? shape : [imageShape(shape).channels]);
  }
}

/** A scalar expression at each element. */
export const pointwise: OpDefinition<"pointwise"> = {
  outputs(inputs, { expression }) {
    const shaping = inputs[shapingOperand(expression)];
    ensure(shaping !== undefined, () => "a pointwise expression reads an operand not given");
    requireOperands(inputs, expression, shaping.shape);
    return [{ shape: shaping.shape, type: "f32" }];
  },

  gradient(builder, node, [dy], wanted) {
    const { expression } = node.attributes;
    const dyIndex = node.inputs.length;
    const values = [...node.inputs, dy!, node.outputs[0]!];
    return node.inputs.map((_, index) => {
      const leaf = leafOf(expression, index);
      if (!wanted[index] || !leaf) return undefined;
      const slope = derivative(expression, leaf, operand(dyIndex + 1));
      if (isConstant(slope, 0)) return undefined;
      const local = addPointwise(builder, values, multiply(operand(dyIndex), slope), node.origin);
      return leaf.kind === "channel" ? builder.add("channelSum", [local], {}, node.origin) : local;
    });
  },

  reference(inputs, { expression }, context) {
    const { shape } = inputs[shapingOperand(expression)]!;
    return [evaluateTensor(expression, inputs, shape, context)];
  },
};
