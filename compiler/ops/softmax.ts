import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/** Visits each pixel's channels: index of the first, distance between them. */
export function forEachPixel(
  tensor: Tensor,
  visit: (channels: readonly number[], index: (channel: number) => number) => void,
): void {
  const { images, channels, pixels } = imageSizes(tensor.shape);
  for (let pixel = 0; pixel < images * pixels; pixel++) {
    const first = Math.floor(pixel / pixels) * channels * pixels + (pixel % pixels);
    const index = (channel: number) => first + channel * pixels;
    visit(
      Array.from({ length: channels }, (_, channel) => tensor.data[index(channel)]!),
      index,
    );
  }
}

/** exp(x) over its sum; the maximum is subtracted first, so that nothing overflows. */
export function softmaxOf(logits: readonly number[]): readonly number[] {
  const maximum = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - maximum));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Softmax over channels, at each pixel. */
export const softmax: OpDefinition<"softmax"> = {
  outputs([x]) {
    return [{ shape: x!.shape, type: "f32" }];
  },

  gradient(builder, node, [dy]) {
    return [builder.add("softmaxGradient", [node.outputs[0]!, dy!], {}, node.origin)];
  },

  reference(inputs) {
    const y = zeros(inputs[0]!.shape);
    forEachPixel(inputs[0]!, (logits, index) => {
      softmaxOf(logits).forEach((share, channel) => (y.data[index(channel)] = share));
    });
    return [y];
  },
};
