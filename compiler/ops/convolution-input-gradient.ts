import type { Value } from "../ir/graph.js";
import { requireShape } from "./checks.js";
import { convolvedShape } from "./convolution.js";
import type { OpDefinition } from "./op.js";
import { channelRun, forEachTap } from "./taps.js";
import { resolveShape, zeros } from "./tensors.js";

/** dx: each output's gradient goes back along the taps it was made of. */
export const convolutionInputGradient: OpDefinition<"convolutionInputGradient"> = {
  outputs([dy, w], attributes) {
    requireShape(dy!, convolvedShape(attributes.inputShape, w!.shape, attributes));
    return [{ shape: attributes.inputShape, type: "f32" }];
  },

  /**
   * Linear in either input: of a transposed convolution, whose gradients are a convolution and its
   * weight's gradient.
   */
  gradient(builder, node, [gradient], wanted) {
    const { kernel, stride, padding, dilation, groups } = node.attributes;
    const attributes = { kernel, stride, padding, dilation, groups };
    const [dy, w] = node.inputs as readonly [Value, Value];
    const { origin } = node;
    const byInput = () => builder.add("convolution", [gradient!, w], attributes, origin);
    const byWeight = () =>
      builder.add(
        "convolutionWeightGradient",
        [gradient!, dy],
        { ...attributes, weightShape: w.shape },
        origin,
      );
    return [wanted[0] ? byInput() : undefined, wanted[1] ? byWeight() : undefined];
  },

  reference(inputs, attributes, _, [output]) {
    const [dy, w] = inputs;
    const dx = zeros(resolveShape(output!.shape, dy!.shape[0]!));
    const { count, xStep, wStep } = channelRun(dx.shape, attributes);
    forEachTap({ x: dx.shape, y: dy!.shape }, attributes, (yAt, xAt, wAt) => {
      const gradient = dy!.data[yAt]!;
      for (let channel = 0; channel < count; channel++)
        dx.data[xAt + channel * xStep]! += gradient * w!.data[wAt + channel * wStep]!;
    });
    return [dx];
  },
};
