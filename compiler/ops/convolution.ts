import type { ConvolutionAttributes, Value } from "../ir/graph.js";
import {
  BATCH,
  elementCount,
  imageShape,
  isSequence,
  withChannels,
  type Shape,
} from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { channelRun, forEachTap } from "./taps.js";
import { resolveShape, zeros } from "./tensors.js";
import { windowedSize } from "./windows.js";

/**
 * The shape of x convolved with w; where w has rank 2, of rank 2, or a sequence if x is one.
 */
export function convolvedShape(x: Shape, w: Shape, attributes: ConvolutionAttributes): Shape {
  const { channels } = imageShape(x);
  const { groups, kernel } = attributes;
  const outputs = Number(w[0]);
  const perOutput = (channels / groups) * kernel[0] * kernel[1];
  ensure(channels % groups === 0 && outputs % groups === 0, () => {
    return `${channels} and ${outputs} channels do not divide into ${groups} groups`;
  });
  ensure(elementCount(w) === outputs * perOutput, () => {
    return `expected ${perOutput} weights for each of ${outputs} outputs, got ${elementCount(w)}`;
  });
  const size = windowedSize(x, attributes);
  if (isSequence(x)) {
    const isLinear = w.length === 2 && kernel[0] * kernel[1] === 1 && size[1] === x[1];
    ensure(isLinear, () => "a sequence needs a weight of rank 2, applied to each token");
    return withChannels(x, outputs);
  }
  if (w.length === 4) return [BATCH, outputs, ...size];
  ensure(size[0] === 1 && size[1] === 1, () => {
    return `a weight of rank 2 needs a single output pixel, got ${size.join(" x ")}`;
  });
  return [BATCH, outputs];
}

/**
 * y[n, o, i, j] = sum over c, k, l of x[n, c, i * stride + k * dilation - padding, ...] * w[o, c,
 * k, l].
 */
export const convolution: OpDefinition<"convolution"> = {
  outputs([x, w], attributes) {
    return [{ shape: convolvedShape(x!.shape, w!.shape, attributes), type: "f32" }];
  },

  gradient(builder, node, [dy], wanted) {
    const { attributes } = node;
    const [x, w] = node.inputs as readonly [Value, Value];
    const inputGradient = () =>
      builder.add(
        "convolutionInputGradient",
        [dy!, w],
        { ...attributes, inputShape: x.shape },
        node.origin,
      );
    const weightGradient = () =>
      builder.add(
        "convolutionWeightGradient",
        [x, dy!],
        { ...attributes, weightShape: w.shape },
        node.origin,
      );
    // The input's gradient first: it is the last to read w, which may then be updated as soon as dw
    // is known.
    return [wanted[0] ? inputGradient() : undefined, wanted[1] ? weightGradient() : undefined];
  },

  reference(inputs, attributes, _, [output]) {
    const [x, w] = inputs;
    const y = zeros(resolveShape(output!.shape, x!.shape[0]!));
    const { count, xStep, wStep } = channelRun(x!.shape, attributes);
    forEachTap({ x: x!.shape, y: y.shape }, attributes, (yAt, xAt, wAt) => {
      let sum = 0;
      for (let channel = 0; channel < count; channel++)
        sum += x!.data[xAt + channel * xStep]! * w!.data[wAt + channel * wStep]!;
      y.data[yAt]! += sum;
    });
    return [y];
  },
};
