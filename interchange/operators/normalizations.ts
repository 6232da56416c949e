import type { Known } from "../known.js";
import { axisOf, inStoredOrder, type NodeContext } from "../node-context.js";
import type { ForeignTensor } from "../foreign-graph.js";
import { reshaped } from "../tensors.js";
import { requireImage } from "./convolution.js";
import { shortest } from "./activations.js";

/**
 * `BatchNormalization`: input, scale, bias, mean, variance. ONNX's momentum is the share that is
 * kept, netc's how far the statistics move.
 */
export function batchNormalization(context: NodeContext): Known {
  const { attributes } = context;
  const x = context.feature(0);
  if (x.order.as === "axes") context.refuse("its input is transposed: channels are not axis 1");
  if (attributes.flag("training_mode", false)) {
    context.refuse("it normalizes by the batch, as in training", "export the model for inference");
  }
  if (attributes.number("spatial", 1) !== 1) context.refuse("spatial=0 has weights for each pixel");
  const channels = Number(x.stored[1]);
  const [weight, bias, mean, variance] = ["scale", "bias", "mean", "variance"].map(
    (what, index) => {
      const tensor = reshaped(context.constant(index + 1, what), [channels]);
      return inStoredOrder(tensor, 0, x.order);
    },
  ) as [ForeignTensor, ForeignTensor, ForeignTensor, ForeignTensor];
  const momentum = shortest(1 - shortest(attributes.number("momentum", 0.9)));
  const values = { eps: shortest(attributes.number("epsilon", 1e-5)), momentum };
  const tensors = { weight, bias, running_mean: mean, running_var: variance };
  return { ...context.layer("batchnorm", [x], values, { tensors }), order: x.order };
}

/** `InstanceNormalization`: each channel of each example by itself. */
export function instanceNormalization(context: NodeContext): Known {
  const image = requireImage(context);
  const groups = Number(image.stored[1]);
  return grouped(context, groups);
}

/** `GroupNormalization` with one weight a channel, as from opset 21. */
export function groupNormalization(context: NodeContext): Known {
  context.attributes.ignore("stash_type");
  return grouped(context, context.attributes.number("num_groups", 1));
}

function grouped(context: NodeContext, groups: number): Known {
  const x = context.stored(0);
  const channels = Number(x.stored[1]);
  const weight = reshaped(context.constant(1, "scale"), [channels]);
  const bias = reshaped(context.constant(2, "bias"), [channels]);
  const eps = shortest(context.attributes.number("epsilon", 1e-5));
  return context.layer("groupnorm", [x], { groups, eps }, { tensors: { weight, bias } });
}

/**
 * `LayerNormalization` over the channels: the last axis of features, or of an image turned to NHWC.
 */
export function layerNormalization(context: NodeContext): Known {
  const { attributes } = context;
  const x = context.feature(0);
  attributes.ignore("stash_type");
  const rank = x.stored.length;
  const axis = axisOf(attributes.number("axis", -1), rank);
  const storedAxis = x.order.as === "axes" ? x.order.axes[axis] : axis;
  if (axis !== rank - 1 || storedAxis !== 1) {
    context.refuse("it does not normalize the channels of each pixel alone");
  }
  const channels = Number(x.stored[1]);
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

/** `LRN` across channels: alpha is divided by the size. */
export function lrn(context: NodeContext): Known {
  const { attributes } = context;
  const size = attributes.number("size", 5);
  if (size % 2 === 0) {
    // ONNX starts an even window floor((size - 1) / 2) channels before, netc floor(size / 2).
    context.refuse(`its window of ${size} channels has no middle`, "an odd `size`");
  }
  return context.layer("lrn", [requireImage(context)], {
    size,
    alpha: shortest(attributes.number("alpha", 1e-4)),
    beta: shortest(attributes.number("beta", 0.75)),
    k: shortest(attributes.number("bias", 1)),
  });
}
