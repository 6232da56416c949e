import { stateCount, type OpAttributes, type UpdateAttributes } from "../ir/graph.js";
import { channelSum } from "./channel-sum.js";
import { requireShape } from "./checks.js";
import { convolvedShape } from "./convolution.js";
import type { OpDefinition, ReferenceContext, Tensor } from "./op.js";
import { channelRun, forEachTap } from "./taps.js";
import { resolveShape, stored, zeros } from "./tensors.js";
import { descend } from "./update.js";

const trainedTensors = (update: UpdateAttributes) => 1 + stateCount(update);

/** The bias follows the channelSum of dy; it and its states come last. */
function updateBias(
  dy: Tensor,
  trained: readonly Tensor[],
  { biasUpdate }: OpAttributes["convolutionWeightGradient"],
  context: ReferenceContext,
): void {
  if (!biasUpdate) return;
  const tensors = trained.slice(-trainedTensors(biasUpdate));
  channelSum.reference([dy, ...tensors], { update: biasUpdate }, context, []);
}

/** dw, summed over the batch and all places where a weight is used; or, with `update`, the step that it makes, and the bias's with it. */
export const convolutionWeightGradient: OpDefinition<"convolutionWeightGradient"> = {
  outputs([x, dy], attributes) {
    requireShape(dy!, convolvedShape(x!.shape, attributes.weightShape, attributes));
    return attributes.update ? [] : [{ shape: attributes.weightShape, type: "f32" }];
  },

  reference(inputs, attributes, context) {
    const [x, dy, ...trained] = inputs;
    const dw = zeros(resolveShape(attributes.weightShape, x!.shape[0]!));
    const { count, xStep, wStep } = channelRun(x!.shape, attributes);
    forEachTap({ x: x!.shape, y: dy!.shape }, attributes, (yAt, xAt, wAt) => {
      const gradient = dy!.data[yAt]!;
      for (let channel = 0; channel < count; channel++)
        dw.data[wAt + channel * wStep]! += gradient * x!.data[xAt + channel * xStep]!;
    });
    const { update } = attributes;
    if (!update) return [stored(dw, inputs)];
    const [w, ...states] = trained.slice(0, trainedTensors(update));
    descend({ w: w!, dw, states }, update, context);
    updateBias(dy!, trained, attributes, context);
    return [];
  },
};
