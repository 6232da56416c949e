/** Which nodes each class of Keras' layers becomes. */
import {
  requireChannelAxis,
  type ChannelsLast,
  type Sides,
  type Tensor,
  type Window,
} from "../channels-last.js";
import type { ForeignTensor } from "../foreign-graph.js";
import { RefusedLayer } from "../graph-writer.js";
import { isList, type Json, type JsonObject, type Settings } from "../settings.js";
import { floats } from "../tensors.js";
import { applyActivation, reluLayer, softmaxLayer, type KerasVersion } from "./activations.js";

export interface LayerCall {
  readonly build: ChannelsLast;
  readonly settings: Settings;
  readonly inputs: readonly Tensor[];
  readonly constants: JsonObject;
  readonly version: KerasVersion;
  /** The layer's weights in this order. */
  readonly weights: (names: readonly string[]) => readonly ForeignTensor[];
}

export type LayerMapping = (call: LayerCall) => Tensor;

const conv2D: LayerMapping = (call) => {
  const { build, settings } = call;
  const [kernel, bias] = call.weights(["kernel", ...biasOf(settings)]);
  return activated(call, build.conv(inputOf(call), kernel!, bias, windowOf(settings)));
};

const depthwiseConv2D: LayerMapping = (call) => {
  const { build, settings } = call;
  const [kernel, bias] = call.weights(["depthwise_kernel", ...biasOf(settings)]);
  return activated(call, build.depthwise(inputOf(call), kernel!, bias, windowOf(settings)));
};

const separableConv2D: LayerMapping = (call) => {
  const { build, settings } = call;
  const names = ["depthwise_kernel", "pointwise_kernel", ...biasOf(settings)];
  const [depthwise, pointwise, bias] = call.weights(names);
  const between = build.depthwise(inputOf(call), depthwise!, undefined, windowOf(settings));
  const pixel: Window = { strides: [1, 1], padding: "valid" };
  return activated(call, build.conv(between, pointwise!, bias, pixel));
};

const conv2DTranspose: LayerMapping = (call) => {
  const { build, settings } = call;
  const [kernel, bias] = call.weights(["kernel", ...biasOf(settings)]);
  if (settings.find("output_padding") !== undefined) {
    throw new RefusedLayer("it has an `output_padding`", "one without, or UpSampling2D and Conv2D");
  }
  return activated(call, build.convTranspose(inputOf(call), kernel!, bias, windowOf(settings)));
};

const dense: LayerMapping = (call) => {
  const [kernel, bias] = call.weights(["kernel", ...biasOf(call.settings)]);
  return activated(call, call.build.dense(inputOf(call), kernel!, bias));
};

const batchNormalization: LayerMapping = (call) => {
  const { build, settings } = call;
  const x = inputOf(call);
  requireChannelAxis(axisOf(settings), x.rank);
  const [scale, center] = [settings.flag("scale", true), settings.flag("center", true)];
  const names = [
    ...(scale ? ["gamma"] : []),
    ...(center ? ["beta"] : []),
    ...["moving_mean", "moving_variance"],
  ];
  const tensors = Object.fromEntries(
    call.weights(names).map((each, index) => [names[index]!, each]),
  );
  const { gamma, beta, moving_mean: mean, moving_variance: variance } = tensors;
  const statistics = { gamma, beta, mean: mean!, variance: variance! };
  const [epsilon, momentum] = [settings.number("epsilon", 1e-3), settings.number("momentum", 0.99)];
  return build.batchNormalization(x, statistics, epsilon, momentum);
};

/** `axis` is a number, or a list of one. */
function axisOf(settings: Settings): number {
  const axis = settings.find("axis") ?? -1;
  const only = isList(axis) && axis.length === 1 ? axis[0] : axis;
  if (typeof only === "number") return only;
  throw new RefusedLayer("it normalizes several axes", "one axis, the channels");
}

const layerNormalization: LayerMapping = (call) => {
  const { build, settings } = call;
  const x = inputOf(call);
  requireChannelAxis(axisOf(settings), x.rank);
  const [scale, center] = [settings.flag("scale", true), settings.flag("center", true)];
  if (!scale || !center) throw new RefusedLayer("it has no scale or no center", "both of them");
  const weights = call.weights(["gamma", "beta"]).map((each) => build.writer.constant(each));
  const attributes = { epsilon: settings.number("epsilon", 1e-3), axis: -1 };
  const { writer } = build;
  if (x.rank === 2) {
    const value = writer.node("LayerNormalization", [x.value, ...weights], attributes);
    return { ...x, value };
  }
  const turned = writer.node("Transpose", [x.value], { perm: [0, 2, 3, 1] });
  const normal = writer.node("LayerNormalization", [turned, ...weights], attributes);
  return { ...x, value: writer.node("Transpose", [normal], { perm: [0, 3, 1, 2] }) };
};

const groupNormalization: LayerMapping = (call) => {
  const { build, settings } = call;
  const x = inputOf(call);
  requireChannelAxis(axisOf(settings), x.rank);
  const [gamma, beta] = call.weights(["gamma", "beta"]);
  const groups = settings.number("groups", 32);
  return build.elementwise(
    "GroupNormalization",
    x,
    { num_groups: groups < 0 ? gamma!.values.length : groups, epsilon: epsilonOf(settings) },
    [gamma, beta],
  );
};

const epsilonOf = (settings: Settings) => settings.number("epsilon", 1e-3);

const pooling =
  (kind: "max" | "average"): LayerMapping =>
  (call) => {
    const { build, settings } = call;
    const kernel = settings.pair("pool_size", 2);
    const window = { ...windowOf(settings), strides: settings.pair("strides", kernel) };
    return build.pool(inputOf(call), kind, kernel, window);
  };

const globalPooling =
  (kind: "max" | "average"): LayerMapping =>
  (call) => {
    requireLast(call.settings);
    return call.build.globalPool(inputOf(call), kind, call.settings.flag("keepdims", false));
  };

const flatten: LayerMapping = (call) => {
  requireLast(call.settings);
  return call.build.flatten(inputOf(call));
};

const reshape: LayerMapping = (call) => {
  const shape = call.settings.list("target_shape") ?? [];
  const sizes = shape.filter((size) => typeof size === "number");
  return call.build.reshape(inputOf(call), sizes);
};

const permute: LayerMapping = (call) => {
  const dims = (call.settings.list("dims") ?? []).map(Number);
  return call.build.permute(inputOf(call), dims);
};

const cropping: LayerMapping = (call) => {
  requireLast(call.settings);
  return call.build.crop(inputOf(call), sidesOf(call.settings.find("cropping") ?? 0, "cropping"));
};

const zeroPadding: LayerMapping = (call) => {
  requireLast(call.settings);
  return call.build.pad(inputOf(call), sidesOf(call.settings.find("padding") ?? 1));
};

/** One number, two (rows and columns), or two pairs. */
function sidesOf(given: Json, name = "padding"): Sides {
  const list = isList(given) ? given : [given, given];
  const sides = list.map((each) => (isList(each) ? each : [each, each]));
  const isWhole = (size: Json | undefined) =>
    typeof size === "number" && Number.isSafeInteger(size) && size >= 0;
  if (sides.length === 2 && sides.every((pair) => pair.length === 2 && pair.every(isWhole))) {
    return sides as unknown as Sides;
  }
  throw new RefusedLayer(`its \`${name}\` is not that of an image`);
}

const upSampling: LayerMapping = (call) => {
  const { settings } = call;
  requireLast(settings);
  const mode = settings.text("interpolation", "nearest");
  if (mode !== "nearest" && mode !== "bilinear") {
    throw new RefusedLayer(`its interpolation is \`${mode}\``, "nearest or bilinear");
  }
  const size = settings.pair("size", 2);
  return call.build.upsample(inputOf(call), size, mode === "nearest" ? mode : "linear");
};

const activation: LayerMapping = ({ build, settings, version, ...call }) =>
  applyActivation(build, inputOf(call), settings.find("activation"), version);

const dropout: LayerMapping = (call) => {
  const ratio = call.settings.number("rate", 0.5);
  return call.build.elementwise("Dropout", inputOf(call), { ratio });
};

/** What does nothing while a model predicts, and has no layer in netc. */
const onlyInTraining =
  (what: string): LayerMapping =>
  (call) => {
    call.build.writer.remark(`The Keras model has ${what} here and there, only while it trains.`);
    return inputOf(call);
  };

const spatialDropout: LayerMapping = (call) => {
  const ratio = call.settings.number("rate", 0.5);
  return call.build.elementwise("SpatialDropout", inputOf(call), { ratio });
};

/** Sums and products of any number of values. */
const merge =
  (operator: "Add" | "Mul" | "Sub"): LayerMapping =>
  ({ build, inputs }) => {
    const [first, ...others] = inputs;
    if (!first) throw new RefusedLayer("it has no inputs");
    return others.reduce((sum, each) => build.binary(operator, sum, each), first);
  };

const average: LayerMapping = (call) => {
  const sum = merge("Add")(call);
  return call.build.withConstant("Mul", sum, floats([], [1 / call.inputs.length]));
};

const concatenate: LayerMapping = ({ build, settings, inputs }) =>
  build.concat(inputs, settings.number("axis", -1));

/** `x * scale + offset`. */
const rescaling: LayerMapping = (call) => {
  const { build, settings } = call;
  const [scale, offset] = [numbersIn(settings, "scale", 1), numbersIn(settings, "offset", 0)];
  const isOne = scale.values.every((each) => each === 1);
  const product = isOne ? inputOf(call) : build.withConstant("Mul", inputOf(call), scale);
  const isZero = offset.values.every((each) => each === 0);
  return isZero ? product : build.withConstant("Add", product, offset);
};

/** One number, or one for each channel. */
function numbersIn(settings: Settings, name: string, otherwise: number): ForeignTensor {
  const given = settings.find(name) ?? otherwise;
  const list = (isList(given) ? given : [given]).flat(4);
  if (!list.every((each) => typeof each === "number")) {
    throw new RefusedLayer(`its \`${name}\` is not numbers`);
  }
  return floats([list.length], list);
}

/** `(x - mean) / sqrt(variance)`. */
const normalization: LayerMapping = (call) => {
  const { build, settings } = call;
  const isGiven = settings.find("mean") !== undefined;
  const [mean, variance] = isGiven
    ? [numbersIn(settings, "mean", 0), numbersIn(settings, "variance", 1)]
    : (call.weights(["mean", "variance", "count"]) as [ForeignTensor, ForeignTensor]);
  const deviation = variance.values.map((each) => Math.max(Math.sqrt(each), 1e-7));
  const centered = build.withConstant("Sub", inputOf(call), vector(mean));
  const divisor = vector({ ...variance, values: deviation });
  return build.withConstant("Div", centered, divisor);
};

const vector = (tensor: ForeignTensor) => ({ ...tensor, shape: [tensor.values.length] });

/** `x + 1`, `x * y` and their like, as Keras 2 and 3 write them in functional models. */
const operation =
  (operator: "Add" | "Mul" | "Sub"): LayerMapping =>
  (call) => {
    const { build, inputs, constants } = call;
    if (inputs.length === 2) return build.binary(operator, inputs[0]!, inputs[1]!);
    const isReversed = typeof constants["argument 0"] === "number";
    const other =
      constants["y"] ?? constants["x2"] ?? constants["argument 1"] ?? constants["argument 0"];
    if (typeof other !== "number" || (isReversed && operator === "Sub")) {
      throw new RefusedLayer("its other argument is not a number", "a layer such as Rescaling");
    }
    return build.withConstant(operator, inputOf(call), floats([], [other]));
  };

/** Functions of TensorFlow in functional models of Keras 2. */
const tensorflowFunction: LayerMapping = (call) => {
  const name = call.settings.text("function", "");
  const mapping = FUNCTIONS[name];
  if (mapping) return mapping(call);
  throw new RefusedLayer(`it calls \`${name}\` of TensorFlow`, "a layer of Keras");
};

const FUNCTIONS: Readonly<Record<string, LayerMapping>> = {
  "__operators__.add": operation("Add"),
  "math.add": operation("Add"),
  "math.multiply": operation("Mul"),
  "math.subtract": operation("Sub"),
  "nn.relu": (call) => call.build.elementwise("Relu", inputOf(call)),
  "nn.relu6": (call) =>
    reluLayer(call.build, inputOf(call), { maximum: 6, slope: 0, threshold: 0 }),
  "nn.silu": (call) => call.build.elementwise("Silu", inputOf(call)),
  "math.sigmoid": (call) => call.build.elementwise("Sigmoid", inputOf(call)),
};

const refusing =
  (reason: string, instead?: string): LayerMapping =>
  () => {
    throw new RefusedLayer(reason, instead);
  };

export const layers: Readonly<Record<string, LayerMapping>> = {
  Conv2D: conv2D,
  Convolution2D: conv2D,
  DepthwiseConv2D: depthwiseConv2D,
  SeparableConv2D: separableConv2D,
  Conv2DTranspose: conv2DTranspose,
  Dense: dense,

  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,

  MaxPooling2D: pooling("max"),
  MaxPool2D: pooling("max"),
  AveragePooling2D: pooling("average"),
  AvgPool2D: pooling("average"),
  GlobalMaxPooling2D: globalPooling("max"),
  GlobalAveragePooling2D: globalPooling("average"),

  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  ZeroPadding2D: zeroPadding,
  UpSampling2D: upSampling,

  Activation: activation,
  ReLU: ({ build, settings, ...call }) =>
    reluLayer(build, inputOf(call), {
      maximum:
        settings.find("max_value") === undefined ? undefined : settings.number("max_value", 0),
      slope: settings.number("negative_slope", 0),
      threshold: settings.number("threshold", 0),
    }),
  LeakyReLU: ({ build, settings, ...call }) =>
    build.elementwise("LeakyRelu", inputOf(call), {
      alpha: settings.number("negative_slope", settings.number("alpha", 0.3)),
    }),
  ELU: ({ build, settings, ...call }) =>
    build.elementwise("Elu", inputOf(call), { alpha: settings.number("alpha", 1) }),
  Softmax: ({ build, settings, ...call }) =>
    softmaxLayer(build, inputOf(call), settings.number("axis", -1)),
  PReLU: refusing("netc has no slope that is learned", "LeakyReLU"),
  ThresholdedReLU: refusing("netc has no threshold other than 0", "ReLU"),

  Add: merge("Add"),
  Multiply: merge("Mul"),
  Subtract: merge("Sub"),
  Average: average,
  Concatenate: concatenate,

  Dropout: dropout,
  SpatialDropout2D: spatialDropout,
  AlphaDropout: onlyInTraining("AlphaDropout"),
  GaussianDropout: onlyInTraining("GaussianDropout"),
  GaussianNoise: onlyInTraining("GaussianNoise"),
  ActivityRegularization: onlyInTraining("ActivityRegularization"),
  RandomFlip: onlyInTraining("RandomFlip: `hflip` among the data's transforms"),
  RandomRotation: onlyInTraining("RandomRotation"),
  RandomZoom: onlyInTraining("RandomZoom"),
  RandomContrast: onlyInTraining("RandomContrast"),
  RandomTranslation: onlyInTraining("RandomTranslation"),

  Rescaling: rescaling,
  Normalization: normalization,
  TFOpLambda: tensorflowFunction,
  SlicingOpLambda: refusing("netc has no layer that cuts a part out of a value"),
  Lambda: refusing("its function is Python's bytecode, which netc never runs", "layers of Keras"),
  Cropping2D: cropping,
  Resizing: refusing(
    "netc resizes images before the network",
    "`resize` among the data's transforms",
  ),
};

/** Functions of Keras 3 without a layer, by the name of their class. */
export const functions: Readonly<Record<string, LayerMapping>> = {
  Add: operation("Add"),
  Multiply: operation("Mul"),
  Subtract: operation("Sub"),
  Relu: (call) => call.build.elementwise("Relu", inputOf(call)),
  Relu6: (call) => reluLayer(call.build, inputOf(call), { maximum: 6, slope: 0, threshold: 0 }),
  Sigmoid: (call) => call.build.elementwise("Sigmoid", inputOf(call)),
  Silu: (call) => call.build.elementwise("Silu", inputOf(call)),
};

function inputOf({ inputs }: Pick<LayerCall, "inputs">): Tensor {
  const [input] = inputs;
  if (inputs.length === 1 && input) return input;
  throw new RefusedLayer(`it reads ${inputs.length} values, and must read one`);
}

function activated({ build, settings, version }: LayerCall, x: Tensor): Tensor {
  return applyActivation(build, x, settings.find("activation"), version);
}

const biasOf = (settings: Settings) => (settings.flag("use_bias", true) ? ["bias"] : []);

function windowOf(settings: Settings): Window {
  requireLast(settings);
  const padding = settings.text("padding", "valid").toLowerCase();
  if (padding !== "same" && padding !== "valid") {
    throw new RefusedLayer(`its padding \`${padding}\` is unknown`, "same or valid");
  }
  const dilations = settings.pair("dilation_rate", 1);
  const isDilated = dilations.some((each) => each !== 1);
  return {
    strides: settings.pair("strides", 1),
    padding,
    dilations: isDilated ? dilations : undefined,
  };
}

function requireLast(settings: Settings): void {
  const format = settings.text("data_format", "channels_last");
  if (format === "channels_last" || format === "channelsLast") return;
  throw new RefusedLayer(`its data_format is \`${format}\``, "a model with channels last");
}
