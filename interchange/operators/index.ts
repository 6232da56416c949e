/** Which layers an operator of the shared set becomes: one table for all formats. */
import type { Known } from "../known.js";
import type { NodeContext } from "../node-context.js";
import {
  cast,
  celu,
  clip,
  dropout,
  spatialDropout,
  elu,
  gelu,
  hardSigmoid,
  leakyRelu,
  passes,
  plain,
  selu,
  softmax,
} from "./activations.js";
import { add, concat, divide, multiply, negate, subtract, sum } from "./arithmetic.js";
import { conv, convTranspose, gemm, matMul } from "./convolution.js";
import {
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  lrn,
} from "./normalizations.js";
import { FORMULAS } from "./formulas.js";
import { depthToSpace, preLu, split } from "./parts.js";
import {
  adaptiveAveragePool,
  averagePool,
  globalAveragePool,
  globalMaxPool,
  maxPool,
  reduce,
  reduceTo,
} from "./pools.js";
import {
  arithmeticOnSizes,
  concatSizes,
  expand,
  flatten,
  gather,
  nearestPixels,
  pad,
  reshape,
  resize,
  shape,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from "./shapes.js";

/** Adds the layers of a node and returns what is then known of its output, or of its outputs. */
export type OperatorMapping = (context: NodeContext) => Known | readonly Known[];

/**
 * Operators as opset 17 of ONNX means them, and some that files have in pieces (patterns/):
 * `Silu`, `Mish`, `Gelu`, `AdaptiveAveragePool` and `NearestPixels`. `Softmax` has one attribute
 * more, see there.
 */
export const operators: Readonly<Record<string, OperatorMapping>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: gemm,
  MatMul: matMul,

  Relu: plain("relu"),
  Sigmoid: plain("sigmoid"),
  Tanh: plain("tanh"),
  Softplus: plain("softplus"),
  HardSwish: plain("hardswish"),
  Mish: plain("mish"),
  Silu: plain("silu"),
  Gelu: gelu,
  Clip: clip,
  LeakyRelu: leakyRelu,
  Elu: elu,
  Celu: celu,
  Selu: selu,
  PRelu: preLu,
  Softsign: plain("softsign"),
  HardSigmoid: hardSigmoid,
  Softmax: softmax,

  Identity: passes,
  Cast: cast,
  Dropout: dropout,
  SpatialDropout: spatialDropout,

  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LayerNormalization: layerNormalization,
  LRN: lrn,

  MaxPool: maxPool,
  AveragePool: averagePool,
  AdaptiveAveragePool: adaptiveAveragePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  ReduceMean: reduce("avgpool"),
  ReduceMax: reduce("maxpool"),
  ReduceMin: reduceTo("min"),
  ReduceSum: reduceTo("sum"),
  ReduceLogSumExp: reduceTo("logsumexp"),

  Add: onSizes(add, "Add", (a, b) => a + b),
  Sub: onSizes(subtract, "Sub", (a, b) => a - b),
  Mul: onSizes(multiply, "Mul", (a, b) => a * b),
  Div: onSizes(divide, "Div", (a, b) => Math.trunc(a / b)),
  ...FORMULAS,
  Neg: negate,
  Sum: sum,
  Concat: (context) => (hasSizes(context) ? concatSizes(context) : concat(context)),

  Flatten: flatten,
  Reshape: reshape,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Pad: pad,
  Resize: resize,
  Shape: shape,
  Gather: gather,
  NearestPixels: nearestPixels,
  Slice: slice,
  Split: split,
  DepthToSpace: depthToSpace,
  Expand: expand,
};

function hasSizes({ inputs }: NodeContext): boolean {
  return inputs.some((input) => input?.is === "sizes");
}

/** An operator that files also use in the arithmetic of shapes. */
function onSizes(
  mapping: OperatorMapping,
  operator: string,
  compute: (a: number, b: number) => number,
): OperatorMapping {
  const arithmetic = arithmeticOnSizes(operator, compute);
  return (context) => (hasSizes(context) ? arithmetic(context) : mapping(context));
}
