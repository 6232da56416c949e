import { axesOf, channelAxisOf, channelsOf, type Feature, type Known } from "../known.js";
import { axisOf, inStoredOrder, type NodeContext } from "../node-context.js";
import type { ForeignTensor } from "../foreign-graph.js";
import { formatShape } from "../../compiler/ir/shape.js";
import { floats, reshaped } from "../tensors.js";
import { overRest, resolvedShape } from "./shapes.js";
import { requireImage } from "./convolution.js";
import { shortest } from "./activations.js";

/**
 * `BatchNormalization`: input, scale, bias, mean, variance. ONNX's momentum is the share that is
 * kept, netc's how far the statistics move.
 */
export function batchNormalization(context: NodeContext): Known {
  const { attributes } = context;
  const x = context.channelsAt(context.feature(0), 1);
  if (attributes.flag("training_mode", false)) {
    context.refuse("it normalizes by the batch, as in training", "export the model for inference");
  }
  if (attributes.number("spatial", 1) !== 1) context.refuse("spatial=0 has weights for each pixel");
  const channels = channelsOf(x);
  const [weight, bias, mean, variance] = ["scale", "bias", "mean", "variance"].map(
    (what, index) => {
      const tensor = reshaped(context.constant(index + 1, what), [channels]);
      return inStoredOrder(tensor, 0, x.order);
    },
  ) as [ForeignTensor, ForeignTensor, ForeignTensor, ForeignTensor];
  const epsilon = shortest(attributes.number("epsilon", 1e-5));
  if (epsilon === 0) return scaled(context, x, { weight, bias, mean, variance });
  const momentum = shortest(1 - shortest(attributes.number("momentum", 0.9)));
  const values = { eps: epsilon, momentum };
  const tensors = { weight, bias, running_mean: mean, running_var: variance };
  return { ...context.layer("batchnorm", [x], values, { tensors }), order: x.order };
}

interface Statistics {
  readonly weight: ForeignTensor;
  readonly bias: ForeignTensor;
  readonly mean: ForeignTensor;
  readonly variance: ForeignTensor;
}

/** Without an epsilon, which netc's `batchnorm` needs, it is a line for each channel. */
function scaled(context: NodeContext, x: Feature, statistics: Statistics): Known {
  const { weight, bias, mean, variance } = statistics;
  context.attributes.ignore("momentum");
  const factors = weight.values.map((each, at) => each / Math.sqrt(variance.values[at]!));
  const offsets = bias.values.map((each, at) => each - factors[at]! * mean.values[at]!);
  if (![...factors, ...offsets].every(Number.isFinite)) {
    context.refuse("it divides by a variance of 0 and has no epsilon");
  }
  const channels = [weight.values.length];
  const tensors = { weight: floats(channels, factors), bias: floats(channels, offsets) };
  return { ...context.layer("scale", [x], {}, { tensors }), order: x.order };
}

/** `InstanceNormalization`: each channel of each example by itself. */
export function instanceNormalization(context: NodeContext): Known {
  const image = requireImage(context);
  const groups = Number(image.stored[1]);
  return grouped(context, groups);
}

/**
 * `GroupNormalization` with one weight a channel, as from opset 21; with `per_group` one a group,
 * as before; without weights as patterns find it. Those say by `apart` and `together` what shapes
 * the file gives the value before and after, which must be groups of channels and the value's own.
 */
export function groupNormalization(context: NodeContext): Known {
  const { attributes } = context;
  attributes.ignore("stash_type");
  const x = context.stored(0);
  const [apart, together] = [attributes.numbers("apart"), attributes.numbers("together")];
  if (apart) resolvedShape(context, filledShape(apart, x), x.stored);
  const back = together && resolvedShape(context, filledShape(together, x), x.stored);
  if (back && formatShape(back) !== formatShape(x.stored)) {
    context.refuse(`it makes ${formatShape(back)} of ${formatShape(x.stored)}`);
  }
  return grouped(context, attributes.number("num_groups", 1));
}

/** Zeros of a `Reshape` are sizes that stay. */
const filledShape = (wanted: readonly number[], { stored }: Feature) =>
  wanted.map((size, axis) => (size === 0 ? (stored[axis] ?? 0) : size));

function grouped(context: NodeContext, groups: number): Known {
  const x = context.stored(0);
  const { attributes } = context;
  const eps = shortest(attributes.number("epsilon", 1e-5));
  const isOfGroups = attributes.flag("per_group", false);
  if (!context.has(1)) return context.layer("groupnorm", [x], { groups, eps, affine: false });
  const channels = Number(x.stored[1]);
  const [weight, bias] = ["scale", "bias"].map((what, index) => {
    const tensor = context.constant(index + 1, what);
    return reshaped(isOfGroups ? repeated(tensor, channels / groups) : tensor, [channels]);
  }) as [ForeignTensor, ForeignTensor];
  return context.layer("groupnorm", [x], { groups, eps }, { tensors: { weight, bias } });
}

/** Every number several times. */
function repeated({ values }: ForeignTensor, times: number): ForeignTensor {
  const length = Math.floor(values.length * times);
  return floats(
    [length],
    Float32Array.from({ length }, (_, at) => values[Math.floor(at / times)]!),
  );
}

/**
 * `LayerNormalization` over the channels: the last axis of features and of sequences, or of an
 * image turned to NHWC. Over other axes, these become the channels of a sequence.
 */
export function layerNormalization(context: NodeContext): Known {
  const { attributes } = context;
  const x = context.feature(0);
  attributes.ignore("stash_type");
  const axis = axisOf(attributes.number("axis", -1), x.stored.length);
  const isOverChannels = axis === x.stored.length - 1 && axesOf(x)[axis] === channelAxisOf(x);
  const normalize = (rows: Feature) => normalized(context, rows);
  return isOverChannels ? normalize(x) : overRest(context, x, axis, normalize);
}

function normalized(context: NodeContext, x: Feature): Feature {
  const { attributes } = context;
  const channels = channelsOf(x);
  const weight = reshaped(context.constant(1, "scale"), [channels]);
  const bias = context.optionalConstant(2, "bias");
  const zeros = { ...weight, values: new Float32Array(channels) };
  const tensors = {
    weight: inStoredOrder(weight, 0, x.order),
    bias: inStoredOrder(bias ? reshaped(bias, [channels]) : zeros, 0, x.order),
  };
  const eps = shortest(attributes.number("epsilon", 1e-5));
  return { ...context.layer("layernorm", [x], { eps }, { tensors }), order: x.order };
}

/**
 * `LRN` across channels: alpha is divided by the size. Patterns say in `before` where their windows
 * begin, and in `channels` what they take for channels.
 */
export function lrn(context: NodeContext): Known {
  const { attributes } = context;
  const size = attributes.number("size", 5);
  const image = requireImage(context);
  const [before, channels] = [attributes.number("before", 0), attributes.number("channels", 0)];
  if (channels > 0 && channels !== image.stored[1]) {
    context.refuse(`it sums over ${channels} channels, and its input has ${image.stored[1]}`);
  }
  if (size % 2 === 0 && before !== size / 2) {
    // ONNX starts an even window floor((size - 1) / 2) channels before, netc floor(size / 2).
    context.refuse(`its window of ${size} channels has no middle`, "an odd `size`");
  }
  return context.layer("lrn", [image], {
    size,
    alpha: shortest(attributes.number("alpha", 1e-4)),
    beta: shortest(attributes.number("beta", 0.75)),
    k: shortest(attributes.number("bias", 1)),
  });
}
