import type { ChannelsLast, Tensor } from "../channels-last.js";
import { requireChannelAxis } from "../channels-last.js";
import { RefusedLayer } from "../graph-writer.js";
import { isObject, type Json } from "../settings.js";
import { floats } from "../tensors.js";

/** Which Keras the file is of: some names mean something else in each. */
export type KerasVersion = 2 | 3;

type Activation = (build: ChannelsLast, x: Tensor, version: KerasVersion) => Tensor;

const node =
  (operator: string, attributes = {}): Activation =>
  (build, x) =>
    build.elementwise(operator, x, attributes);

/** By the names that `activation=` and the classes of layers have. */
const activations: Readonly<Record<string, Activation>> = {
  linear: (_, x) => x,
  relu: node("Relu"),
  relu6: (build, x) => clip(build, x, 6),
  sigmoid: node("Sigmoid"),
  tanh: node("Tanh"),
  softplus: node("Softplus"),
  elu: node("Elu", { alpha: 1 }),
  swish: node("Silu"),
  silu: node("Silu"),
  gelu: node("Gelu"),
  mish: node("Mish"),
  hard_swish: node("HardSwish"),
  hard_silu: node("HardSwish"),
  leaky_relu: (build, x, version) => {
    // Keras 3 has 0.2 for the function and 0.3 for the layer.
    return build.elementwise("LeakyRelu", x, { alpha: version === 3 ? 0.2 : 0.3 });
  },
  /** 0.2 * x + 0.5 in Keras 2 and TensorFlow.js, relu6(x + 3) / 6 in Keras 3. */
  hard_sigmoid: (build, x, version) => {
    const alpha = version === 3 ? 1 / 6 : 0.2;
    return build.elementwise("HardSigmoid", x, { alpha, beta: 0.5 });
  },
  softmax: (build, x) => build.softmax(x),
};

const INSTEAD: Readonly<Record<string, string>> = {
  selu: "elu",
  exponential: "softplus",
  softsign: "tanh",
  log_softmax: "softmax",
};

/** Throws a RefusedLayer for an activation that netc has no layer for. */
export function applyActivation(
  build: ChannelsLast,
  x: Tensor,
  given: Json | undefined,
  version: KerasVersion,
): Tensor {
  const name = nameOf(given);
  const activation = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (activation) return activation(build, x, version);
  throw new RefusedLayer(`netc has no activation \`${name}\``, INSTEAD[name]);
}

/** TensorFlow.js writes `hardSigmoid`, Keras 3 an object for what is registered. */
function nameOf(given: Json | undefined): string {
  if (given === undefined || given === null) return "linear";
  const config = isObject(given) ? given["config"] : undefined;
  const text = isObject(given)
    ? typeof config === "string"
      ? config
      : given["class_name"]
    : given;
  if (typeof text !== "string") throw new RefusedLayer("its `activation` has no name");
  return text.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

export function clip(build: ChannelsLast, x: Tensor, maximum: number): Tensor {
  return build.elementwise("Clip", x, {}, [floats([], [0]), floats([], [maximum])]);
}

/** `ReLU(max_value, negative_slope, threshold)`. */
export function reluLayer(
  build: ChannelsLast,
  x: Tensor,
  { maximum, slope, threshold }: ReluSettings,
): Tensor {
  if (threshold !== 0) throw new RefusedLayer(`its threshold is ${threshold}`, "a threshold of 0");
  if (maximum === undefined) {
    return slope === 0
      ? build.elementwise("Relu", x)
      : build.elementwise("LeakyRelu", x, { alpha: slope });
  }
  if (slope !== 0) throw new RefusedLayer("it has a maximum and a slope below zero");
  return clip(build, x, maximum);
}

interface ReluSettings {
  readonly maximum: number | undefined;
  readonly slope: number;
  readonly threshold: number;
}

export function softmaxLayer(build: ChannelsLast, x: Tensor, axis: number): Tensor {
  requireChannelAxis(axis, x.rank);
  return build.softmax(x);
}
