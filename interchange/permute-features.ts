/** Another order of the features of a value, made in the weights that compute them. */
import type { ForeignNode } from "./foreign-graph.js";
import { RefusedLayer, type GraphWriter } from "./graph-writer.js";
import { gathered } from "./tensors.js";

/** Nodes that keep the order of what they read. */
const KEEPS = new Set([
  ...["Relu", "Clip", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "HardSigmoid", "HardSwish", "Silu"],
  ...["Softplus", "Gelu", "Mish", "Dropout", "Identity"],
]);

/**
 * Feature `i` of the value becomes its old feature `order[i]`: a fully connected layer before it
 * gets its outputs in that order. Throws a RefusedLayer where something else makes the value, or
 * where another node reads it.
 */
export function permuteFeatures(writer: GraphWriter, value: string, order: Int32Array): void {
  for (let name = value; ;) {
    const readers = writer.nodes.filter(({ inputs }) => inputs.includes(name));
    const maker = writer.nodes.find(({ outputs }) => outputs.includes(name));
    if (!maker || readers.length > (name === value ? 0 : 1)) throw notPermutable();
    if (maker.operator === "Gemm") return permuteConstants(writer, maker, order, [1, 0]);
    if (maker.operator === "BatchNormalization") {
      permuteConstants(writer, maker, order, [0, 0, 0, 0]);
    } else if (!KEEPS.has(maker.operator)) throw notPermutable();
    name = maker.inputs[0]!;
  }
}

/** @param axes of the features in the second and later inputs */
function permuteConstants(
  { constants }: GraphWriter,
  { inputs }: ForeignNode,
  order: Int32Array,
  axes: readonly number[],
): void {
  axes.forEach((axis, index) => {
    const name = inputs[index + 1];
    const tensor = name === undefined ? undefined : constants.get(name);
    if (!tensor) return;
    if (tensor.shape[axis] !== order.length) {
      throw new RefusedLayer(
        `it makes an image of ${order.length} elements from ${tensor.shape[axis]} features`,
      );
    }
    constants.set(name!, gathered(tensor, axis, order));
  });
}

const notPermutable = () =>
  new RefusedLayer(
    "it makes an image with channels last of features that no fully connected layer makes alone",
    "a fully connected layer directly before it",
  );
