/** Which nodes each type of Caffe's layers becomes. */
import { create } from "@bufbuild/protobuf";
import type { ForeignTensor } from "../foreign-graph.js";
import { RefusedLayer, type GraphWriter } from "../graph-writer.js";
import { floats, integers, reshaped, transposed } from "../tensors.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import {
  BatchNormParameterSchema,
  ConcatParameterSchema,
  ConvolutionParameterSchema,
  DropoutParameterSchema,
  EltwiseParameter_EltwiseOp as EltwiseOp,
  EltwiseParameterSchema,
  ELUParameterSchema,
  FlattenParameterSchema,
  InnerProductParameterSchema,
  LRNParameter_NormRegion as NormRegion,
  LRNParameterSchema,
  PoolingParameter_PoolMethod as PoolMethod,
  PoolingParameter_RoundMode as RoundMode,
  PoolingParameterSchema,
  PowerParameterSchema,
  ReLUParameterSchema,
  ScaleParameterSchema,
  SoftmaxParameterSchema,
  type ConvolutionParameter,
  type LayerParameter,
  type PoolingParameter,
} from "./generated/caffe_pb.js";
import { isSet, type CaffeBlob } from "./network.js";

/** A value: images have rank 4, rows of features have rank 2. */
export interface Blob {
  readonly value: string;
  readonly rank: number;
}

export interface LayerCall {
  readonly writer: GraphWriter;
  readonly layer: LayerParameter;
  readonly inputs: readonly Blob[];
  readonly blobs: readonly CaffeBlob[];
}

export type LayerMapping = (call: LayerCall) => Blob;

const convolution: LayerMapping = (call) => {
  const settings = call.layer.convolutionParam ?? create(ConvolutionParameterSchema);
  const [weight, bias] = weightsOf(call, settings.biasTerm ? 2 : 1);
  const image = imageOf(call);
  const attributes = { ...windowOf(settings), group: settings.group };
  return { ...image, value: weighted(call, "Conv", image, { weight, bias, attributes }) };
};

const deconvolution: LayerMapping = (call) => {
  const settings = call.layer.convolutionParam ?? create(ConvolutionParameterSchema);
  const [weight, bias] = weightsOf(call, settings.biasTerm ? 2 : 1);
  const image = imageOf(call);
  const attributes = { ...windowOf(settings), group: settings.group };
  return { ...image, value: weighted(call, "ConvTranspose", image, { weight, bias, attributes }) };
};

interface Weighted {
  readonly weight: ForeignTensor | undefined;
  readonly bias: ForeignTensor | undefined;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

function weighted(
  { writer }: LayerCall,
  operator: string,
  { value }: Blob,
  { weight, bias, attributes = {} }: Weighted,
): string {
  const flat = bias && reshaped(bias, [bias.values.length]);
  const inputs = [value, writer.constant(weight!), flat && writer.constant(flat)];
  return writer.node(operator, inputs, attributes);
}

/** `kernel_size`, or `kernel_h` and `kernel_w`; one number is for both. */
function windowOf(settings: ConvolutionParameter) {
  const { kernelSize, kernelH, kernelW, stride, strideH, strideW, pad, padH, padW } = settings;
  if (settings.axis !== 1) throw new RefusedLayer(`its axis is ${settings.axis}`, "axis 1");
  const kernel = pairOf(kernelSize, [kernelH, kernelW], 0, "kernel_size");
  const strides = pairOf(stride, [strideH, strideW], 1, "stride");
  const dilations = pairOf(settings.dilation, [0, 0], 1, "dilation");
  const [rows, columns] = pairOf(pad, [padH, padW], 0, "pad");
  if (kernel.some((size) => size < 1)) throw new RefusedLayer("it has no `kernel_size`");
  return { kernel_shape: kernel, strides, dilations, pads: [rows, columns, rows, columns] };
}

function pairOf(
  both: readonly number[],
  each: readonly [number, number],
  otherwise: number,
  what: string,
): readonly [number, number] {
  if (each[0] > 0 || each[1] > 0) return each;
  const [first = otherwise, second = first, ...more] = both;
  if (more.length === 0) return [first, second];
  throw new RefusedLayer(`its \`${what}\` has ${both.length} numbers, and images have two axes`);
}

const innerProduct: LayerMapping = (call) => {
  const settings = call.layer.innerProductParam ?? create(InnerProductParameterSchema);
  if (settings.axis !== 1) throw new RefusedLayer(`its axis is ${settings.axis}`, "axis 1");
  const [given, bias] = weightsOf(call, settings.biasTerm ? 2 : 1);
  const weight = reshaped(given!, given!.shape.slice(-2));
  const kernel = settings.transpose ? weight : transposed(weight, [1, 0]);
  const rows = flat(call);
  return { rank: 2, value: weighted(call, "Gemm", rows, { weight: kernel, bias }) };
};

function flat(call: LayerCall): Blob {
  const input = inputOf(call);
  if (input.rank === 2) return input;
  return { rank: 2, value: call.writer.node("Flatten", [input.value]) };
}

const pooling: LayerMapping = (call) => {
  const { writer, layer } = call;
  const settings = layer.poolingParam ?? create(PoolingParameterSchema);
  const image = imageOf(call);
  if (settings.pool === PoolMethod.STOCHASTIC) {
    throw new RefusedLayer("it pools at random", "pool: MAX or AVE");
  }
  const isMax = settings.pool === PoolMethod.MAX;
  if (settings.globalPooling) {
    const operator = isMax ? "GlobalMaxPool" : "GlobalAveragePool";
    return { ...image, value: writer.node(operator, [image.value]) };
  }
  const attributes = {
    ...poolWindow(settings),
    ceil_mode: settings.roundMode === RoundMode.CEIL ? 1 : 0,
    // Caffe divides by the window with its padding, as far as that reaches.
    ...withoutUndefined({ count_include_pad: isMax ? undefined : 1 }),
  };
  return {
    ...image,
    value: writer.node(isMax ? "MaxPool" : "AveragePool", [image.value], attributes),
  };
};

function poolWindow(settings: PoolingParameter) {
  const { kernelSize, kernelH, kernelW, stride, strideH, strideW, pad, padH, padW } = settings;
  const kernel = pairOf(kernelSize > 0 ? [kernelSize] : [], [kernelH, kernelW], 0, "kernel_size");
  const strides = pairOf([stride], [strideH, strideW], 1, "stride");
  const [rows, columns] = pairOf([pad], [padH, padW], 0, "pad");
  if (kernel.some((size) => size < 1)) throw new RefusedLayer("it has no `kernel_size`");
  if (kernel.some((size, axis) => size < strides[axis]!)) {
    throw new RefusedLayer(
      `its stride [${strides.join(", ")}] is longer than its kernel [${kernel.join(", ")}]: ` +
        "Caffe rounds up, and may pool outside of the image",
      "a convolution with this stride",
    );
  }
  return { kernel_shape: kernel, strides, pads: [rows, columns, rows, columns] };
}

const lrn: LayerMapping = (call) => {
  const settings = call.layer.lrnParam ?? create(LRNParameterSchema);
  if (settings.normRegion === NormRegion.WITHIN_CHANNEL) {
    throw new RefusedLayer("it normalizes within channels", "norm_region: ACROSS_CHANNELS");
  }
  const { localSize: size, alpha, beta, k: bias } = settings;
  return elementwise(call, "LRN", { size, alpha, beta, bias });
};

/** Mean and variance, both times the third blob; scale and bias are a separate layer. */
const batchNorm: LayerMapping = (call) => batchNormWith(call, undefined);

/** @param scale the blobs of the Scale layer behind it */
export function batchNormWith(call: LayerCall, scale: readonly ForeignTensor[] | undefined): Blob {
  const { writer, layer } = call;
  const settings = layer.batchNormParam ?? create(BatchNormParameterSchema);
  if (isSet(settings, "useGlobalStats") && !settings.useGlobalStats) {
    throw new RefusedLayer("it normalizes by the batch", "use_global_stats: true");
  }
  const [sum, squares, factor] = weightsOf(call, 3) as [
    ForeignTensor,
    ForeignTensor,
    ForeignTensor,
  ];
  const divisor = factor.values[0]!;
  const divided = ({ values }: ForeignTensor) =>
    floats(
      [values.length],
      values.map((each) => (divisor === 0 ? 0 : each / divisor)),
    );
  const channels = sum.values.length;
  const [gamma, beta] = scale ?? [];
  const constants = [
    gamma ?? floats([channels], new Float32Array(channels).fill(1)),
    beta ?? floats([channels], new Float32Array(channels)),
    ...[divided(sum), divided(squares)],
  ].map((tensor) => writer.constant(reshaped(tensor, [channels])));
  const input = inputOf(call);
  const attributes = { epsilon: settings.eps, momentum: settings.movingAverageFraction };
  return {
    ...input,
    value: writer.node("BatchNormalization", [input.value, ...constants], attributes),
  };
}

const scale: LayerMapping = (call) => {
  const [gamma, beta] = scaleWeights(call);
  const input = inputOf(call);
  const product = perChannel(call, "Mul", input, gamma!);
  return beta ? perChannel(call, "Add", product, beta) : product;
};

/** Gamma, and beta where there is one. */
export function scaleWeights(call: LayerCall): readonly ForeignTensor[] {
  const settings = call.layer.scaleParam ?? create(ScaleParameterSchema);
  if (call.inputs.length > 1) {
    throw new RefusedLayer("it multiplies two values of different shapes", "Eltwise with PROD");
  }
  if (settings.axis !== 1 || settings.numAxes !== 1) {
    throw new RefusedLayer("it does not have one number for each channel", "axis: 1, num_axes: 1");
  }
  return weightsOf(call, settings.biasTerm ? 2 : 1);
}

const bias: LayerMapping = (call) => perChannel(call, "Add", inputOf(call), weightsOf(call, 1)[0]!);

function perChannel({ writer }: LayerCall, operator: string, x: Blob, tensor: ForeignTensor): Blob {
  const { length } = tensor.values;
  const shaped = reshaped(tensor, x.rank === 4 ? [length, 1, 1] : [length]);
  return { ...x, value: writer.node(operator, [x.value, writer.constant(shaped)]) };
}

const eltwise: LayerMapping = (call) => {
  const { writer, layer, inputs } = call;
  const { operation, coeff } = layer.eltwiseParam ?? create(EltwiseParameterSchema);
  if (operation === EltwiseOp.MAX) {
    throw new RefusedLayer("it takes the larger of its inputs", "operation: SUM");
  }
  const operator = operation === EltwiseOp.SUM ? "Add" : "Mul";
  if (coeff.length > 0 && (coeff.length !== inputs.length || operator === "Mul")) {
    throw new RefusedLayer(`it has ${coeff.length} coefficients for ${inputs.length} inputs`);
  }
  const terms = inputs.map((input, index) => {
    const factor = coeff[index] ?? 1;
    return factor === 1 ? input : { ...input, value: times(writer, input, factor) };
  });
  return terms.reduce((sum, term) => ({
    ...sum,
    value: writer.node(operator, [sum.value, term.value]),
  }));
};

const times = (writer: GraphWriter, { value }: Blob, factor: number) =>
  writer.node("Mul", [value, writer.constant(floats([], [factor]))]);

const concat: LayerMapping = ({ writer, layer, inputs }) => {
  const settings = layer.concatParam ?? create(ConcatParameterSchema);
  const axis = isSet(settings, "concatDim") ? settings.concatDim : settings.axis;
  const values = inputs.map(({ value }) => value);
  return { ...inputs[0]!, value: writer.node("Concat", values, { axis }) };
};

const relu: LayerMapping = (call) => {
  const { negativeSlope } = call.layer.reluParam ?? create(ReLUParameterSchema);
  return negativeSlope === 0
    ? elementwise(call, "Relu")
    : elementwise(call, "LeakyRelu", { alpha: negativeSlope });
};

/** `(shift + scale * x) ^ power`. */
const power: LayerMapping = (call) => {
  const settings = call.layer.powerParam ?? create(PowerParameterSchema);
  if (settings.power !== 1) throw new RefusedLayer(`its power is ${settings.power}`, "power: 1");
  const { writer } = call;
  const input = inputOf(call);
  const product =
    settings.scale === 1 ? input : { ...input, value: times(writer, input, settings.scale) };
  if (settings.shift === 0) return product;
  const shift = writer.constant(floats([], [settings.shift]));
  return { ...product, value: writer.node("Add", [product.value, shift]) };
};

const softmax: LayerMapping = (call) => {
  const { axis } = call.layer.softmaxParam ?? create(SoftmaxParameterSchema);
  return elementwise(call, "Softmax", { axis });
};

const flatten: LayerMapping = (call) => {
  const { axis, endAxis } = call.layer.flattenParam ?? create(FlattenParameterSchema);
  if (axis !== 1 || endAxis !== -1)
    throw new RefusedLayer("it flattens some of the axes", "axis: 1");
  return flat(call);
};

const reshape: LayerMapping = (call) => {
  const { writer, layer } = call;
  const settings = layer.reshapeParam;
  const dims = (settings?.shape?.dim ?? []).map(Number);
  if (!settings || settings.axis !== 0 || settings.numAxes !== -1) {
    throw new RefusedLayer("it reshapes some of the axes", "axis: 0");
  }
  const shape = writer.constant(integers([dims.length], dims));
  const value = writer.node("Reshape", [inputOf(call).value, shape]);
  return { rank: dims.length, value };
};

const dropout: LayerMapping = (call) => {
  const { dropoutRatio } = call.layer.dropoutParam ?? create(DropoutParameterSchema);
  return elementwise(call, "Dropout", { ratio: dropoutRatio });
};

function elementwise(call: LayerCall, operator: string, attributes = {}): Blob {
  const input = inputOf(call);
  return { ...input, value: call.writer.node(operator, [input.value], attributes) };
}

const plain =
  (operator: string): LayerMapping =>
  (call) =>
    elementwise(call, operator);

const refusing =
  (reason: string, instead?: string): LayerMapping =>
  () => {
    throw new RefusedLayer(reason, instead);
  };

export const layers: Readonly<Record<string, LayerMapping>> = {
  Convolution: convolution,
  Deconvolution: deconvolution,
  InnerProduct: innerProduct,

  Pooling: pooling,
  LRN: lrn,
  BatchNorm: batchNorm,
  Scale: scale,
  Bias: bias,

  ReLU: relu,
  Sigmoid: plain("Sigmoid"),
  TanH: plain("Tanh"),
  BNLL: plain("Softplus"),
  ELU: (call) =>
    elementwise(call, "Elu", { alpha: (call.layer.eluParam ?? create(ELUParameterSchema)).alpha }),
  Power: power,
  Softmax: softmax,
  PReLU: refusing("netc has no slope that is learned", "ReLU with negative_slope"),

  Eltwise: eltwise,
  Concat: concat,
  Flatten: flatten,
  Reshape: reshape,
  Dropout: dropout,
  Split: plain("Identity"),

  Slice: refusing("netc has no layer that cuts a part out of a value"),
  Crop: refusing("netc has no layer that crops", "a convolution without padding"),
  Python: refusing("its code is Python, which netc never runs"),
};

function inputOf({ inputs }: LayerCall): Blob {
  const [input] = inputs;
  if (inputs.length === 1 && input) return input;
  throw new RefusedLayer(`it reads ${inputs.length} values, and must read one`);
}

function imageOf(call: LayerCall): Blob {
  const input = inputOf(call);
  if (input.rank === 4) return input;
  throw new RefusedLayer("its input is not an image", "a Reshape to [N, C, H, W] before it");
}

function weightsOf({ blobs }: LayerCall, count: number): readonly ForeignTensor[] {
  if (blobs.length === count) return blobs.map((blob) => blob.read());
  throw new RefusedLayer(`it needs ${count} blobs, and the caffemodel has ${blobs.length}`);
}
