/** Which nodes each operator of TensorFlow becomes. */
import {
  type ChannelsLast,
  type Sides,
  type Tensor,
  type Window,
  type WindowPadding,
} from "../channels-last.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import { RefusedLayer } from "../graph-writer.js";
import { floats } from "../tensors.js";
import type { NodeAttributes } from "./attributes.js";

/** A value of the network, or a constant. */
export type GraphValue = Tensor | ForeignTensor;

export interface Operation {
  readonly build: ChannelsLast;
  readonly inputs: readonly GraphValue[];
  readonly attributes: NodeAttributes;
}

export type OperationMapping = (operation: Operation) => GraphValue;

const conv: OperationMapping = (operation) => {
  const [, kernel] = operation.inputs;
  return fused(operation, (bias) =>
    operation.build.conv(
      imageOf(operation),
      constantOf(kernel, "kernel"),
      bias,
      windowOf(operation),
    ),
  );
};

const depthwise: OperationMapping = (operation) => {
  const [, kernel] = operation.inputs;
  return fused(operation, (bias) =>
    operation.build.depthwise(
      imageOf(operation),
      constantOf(kernel, "kernel"),
      bias,
      windowOf(operation),
    ),
  );
};

const matMul: OperationMapping = (operation) => {
  const { build, inputs, attributes } = operation;
  const isTurned = attributes.flag("transpose_a", false) || attributes.flag("transpose_b", false);
  if (isTurned) throw new RefusedLayer("it transposes its inputs");
  const kernel = constantOf(inputs[1], "weight");
  return fused(operation, (bias) => build.dense(imageOf(operation), kernel, bias));
};

/** What the converter fuses into a convolution or a product: `fused_ops` names it in order. */
function fused(
  { build, inputs, attributes }: Operation,
  make: (bias: ForeignTensor | undefined) => Tensor,
): Tensor {
  const names = attributes.texts("fused_ops");
  const isBiased = names.includes("BiasAdd");
  const bias = isBiased ? constantOf(inputs[2], "bias") : undefined;
  const rest = names.filter((name) => name !== "BiasAdd");
  return rest.reduce((x, name) => fusedActivation(build, x, name, attributes), make(bias));
}

function fusedActivation(
  build: ChannelsLast,
  x: Tensor,
  name: string,
  attributes: NodeAttributes,
): Tensor {
  if (name === "LeakyRelu") {
    return build.elementwise(name, x, { alpha: attributes.number("leakyrelu_alpha", 0.2) });
  }
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (activation) return activation(build, x);
  throw new RefusedLayer(`\`${name}\` is fused into it, which netc has no layer for`);
}

type Activation = (build: ChannelsLast, x: Tensor) => Tensor;

const plain =
  (operator: string): Activation =>
  (build, x) =>
    build.elementwise(operator, x);

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  Relu: plain("Relu"),
  Relu6: (build, x) => build.elementwise("Clip", x, {}, [floats([], [0]), floats([], [6])]),
  Elu: plain("Elu"),
  Sigmoid: plain("Sigmoid"),
  Tanh: plain("Tanh"),
  Softplus: plain("Softplus"),
};

const activation =
  (apply: Activation): OperationMapping =>
  (operation) =>
    apply(operation.build, imageOf(operation));

const pool =
  (kind: "max" | "average"): OperationMapping =>
  (operation) => {
    const { build, attributes } = operation;
    const kernel = spatial(attributes.numbers("ksize"), "ksize");
    return build.pool(imageOf(operation), kind, kernel, windowOf(operation));
  };

/** Inputs: x, scale, offset, mean, variance. */
const batchNormalization: OperationMapping = (operation) => {
  const { build, inputs, attributes } = operation;
  requireFormat(attributes);
  if (attributes.flag("is_training", true)) throw new RefusedLayer("it normalizes by the batch");
  const [gamma, beta, mean, variance] = ["scale", "offset", "mean", "variance"].map((what, index) =>
    constantOf(inputs[index + 1], what),
  );
  const statistics = { gamma, beta, mean: mean!, variance: variance! };
  const epsilon = attributes.number("epsilon", 1e-4);
  return build.batchNormalization(imageOf(operation), statistics, epsilon, 0.99);
};

const binary =
  (operator: "Add" | "Mul" | "Sub"): OperationMapping =>
  ({ build, inputs }) => {
    const [a, b] = inputs as [GraphValue, GraphValue];
    if ("rank" in a && "rank" in b) return build.binary(operator, a, b);
    if ("rank" in a) return build.withConstant(operator, a, constantOf(b, "other input"));
    if ("rank" in b && operator !== "Sub") return build.withConstant(operator, b, a);
    throw new RefusedLayer("its first input is a constant");
  };

const divide: OperationMapping = (operation) => {
  const divisor = constantOf(operation.inputs[1], "divisor");
  return operation.build.withConstant("Div", imageOf(operation), divisor);
};

/** Over rows and columns. */
const reduce =
  (kind: "max" | "average"): OperationMapping =>
  (operation) => {
    const { build, inputs, attributes } = operation;
    const x = imageOf(operation);
    const given = [...constantOf(inputs[1], "axes").values];
    const axes = given.map((axis) => (axis < 0 ? axis + x.rank : axis)).sort();
    if (x.rank !== 4 || axes.join() !== "1,2") {
      throw new RefusedLayer(`it reduces axes [${given.join(", ")}]`, "rows and columns");
    }
    return build.globalPool(x, kind, attributes.flag("keep_dims", false));
  };

/** The last input is the axis. */
const concat: OperationMapping = ({ build, inputs }) => {
  const axis = constantOf(inputs.at(-1), "axis").values[0]!;
  const parts = inputs.slice(0, -1).map((input) => featureOf(input));
  return build.concat(parts, axis);
};

const reshape: OperationMapping = (operation) => {
  const { build, inputs } = operation;
  const wanted = constantOf(inputs[1], "shape");
  const [input] = inputs as [GraphValue];
  if (!("rank" in input)) return { ...input, shape: wholeShape(input, [...wanted.values]) };
  const [, ...shape] = wanted.values;
  return build.reshape(input, shape);
};

function wholeShape({ values }: ForeignTensor, shape: readonly number[]): readonly number[] {
  const known = sizeOf(shape.filter((size) => size !== -1));
  const whole = shape.map((size) => (size === -1 ? values.length / known : size));
  if (sizeOf(whole) === values.length) return whole;
  throw new RefusedLayer(`it makes [${shape.join(", ")}] of ${values.length} elements`);
}

const squeeze: OperationMapping = (operation) => {
  const x = imageOf(operation);
  const isPixel = x.rank === 4 && x.sizes?.[0] === 1 && x.sizes[1] === 1;
  if (isPixel) return operation.build.flatten(x);
  throw new RefusedLayer("it drops other axes than rows and columns of size 1");
};

/** Pairs for batch, rows, columns and channels. */
const pad: OperationMapping = (operation) => {
  const { build, inputs } = operation;
  const pads = [...constantOf(inputs[1], "pads").values];
  const value = inputs[2] ? constantOf(inputs[2], "fill value").values[0] : 0;
  const [b0, b1, top, bottom, left, right, c0, c1] = pads;
  if (value !== 0 || pads.length !== 8 || b0 || b1 || c0 || c1) {
    throw new RefusedLayer("it does not pad rows and columns with zeros");
  }
  const sides = [
    [top!, bottom!],
    [left!, right!],
  ] as const;
  return build.pad(imageOf(operation), sides);
};

const softmax: OperationMapping = (operation) => operation.build.softmax(imageOf(operation));

const identity: OperationMapping = ({ inputs }) => inputs[0]!;

export const operations: Readonly<Record<string, OperationMapping>> = {
  Conv2D: conv,
  _FusedConv2D: conv,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  MatMul: matMul,
  _FusedMatMul: matMul,
  BiasAdd: binary("Add"),

  Relu: activation(ACTIVATIONS["Relu"]!),
  Relu6: activation(ACTIVATIONS["Relu6"]!),
  Elu: activation(ACTIVATIONS["Elu"]!),
  Sigmoid: activation(ACTIVATIONS["Sigmoid"]!),
  Tanh: activation(ACTIVATIONS["Tanh"]!),
  Softplus: activation(ACTIVATIONS["Softplus"]!),
  LeakyRelu: (operation) =>
    operation.build.elementwise("LeakyRelu", imageOf(operation), {
      alpha: operation.attributes.number("alpha", 0.2),
    }),
  Softmax: softmax,

  MaxPool: pool("max"),
  AvgPool: pool("average"),
  Mean: reduce("average"),
  Max: reduce("max"),

  FusedBatchNorm: batchNormalization,
  FusedBatchNormV2: batchNormalization,
  FusedBatchNormV3: batchNormalization,

  Add: binary("Add"),
  AddV2: binary("Add"),
  Sub: binary("Sub"),
  Mul: binary("Mul"),
  RealDiv: divide,
  ConcatV2: concat,

  Reshape: reshape,
  Squeeze: squeeze,
  Pad: pad,
  PadV2: pad,
  Identity: identity,
  StopGradient: identity,
};

function windowOf({ attributes }: Operation): Window {
  requireFormat(attributes);
  const strides = spatial(attributes.numbers("strides"), "strides");
  const given = attributes.numbers("dilations");
  const dilations = given.length === 0 ? ([1, 1] as const) : spatial(given, "dilations");
  const isDilated = dilations.some((each) => each !== 1);
  return { strides, padding: paddingOf(attributes), dilations: isDilated ? dilations : undefined };
}

function paddingOf(attributes: NodeAttributes): WindowPadding {
  const padding = attributes.text("padding", "");
  if (padding === "SAME") return "same";
  if (padding === "VALID") return "valid";
  const [, , top, bottom, left, right] = attributes.numbers("explicit_paddings");
  if (padding === "EXPLICIT" && right !== undefined) {
    return [
      [top!, bottom!],
      [left!, right],
    ] as Sides;
  }
  throw new RefusedLayer(`its padding \`${padding}\` is unknown`);
}

/** Of four numbers those for rows and columns. */
function spatial(numbers: readonly number[], what: string): readonly [number, number] {
  const [batch, rows, columns, channels] = numbers;
  if (batch === 1 && channels === 1 && rows! >= 1 && columns! >= 1) return [rows!, columns!];
  throw new RefusedLayer(`its ${what} are [${numbers.join(", ")}]`);
}

function requireFormat(attributes: NodeAttributes): void {
  const format = attributes.text("data_format", "NHWC");
  if (format !== "NHWC") throw new RefusedLayer(`its data_format is ${format}`, "NHWC");
}

const imageOf = ({ inputs }: Operation) => featureOf(inputs[0]);

function featureOf(value: GraphValue | undefined): Tensor {
  if (value && "rank" in value) return value;
  throw new RefusedLayer("one of its inputs is a constant");
}

function constantOf(value: GraphValue | undefined, what: string): ForeignTensor {
  if (value && !("rank" in value)) return value;
  throw new RefusedLayer(`its ${what} is computed from the network's input`);
}
