import type { Shape } from "../ir/shape.js";
import type { Value } from "../ir/graph.js";
import { BATCH, formatShape, imageShape, isSequence } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { pixelSizes } from "./pixel-cross-entropy.js";
import { resolveShape, zeros } from "./tensors.js";

/**
 * Labels [N, H, W] are of the pixels of x [N, C, H, W], labels [N, T] of the tokens of x [N, T, C].
 * Those of `classes` or more are ignored.
 */
function requireLabels(labels: Value, x: Shape): { readonly height: number } {
  const isOfTokens = isSequence(x);
  ensure(x.length === 4 || isOfTokens, () => {
    return `expected pixels [N, C, H, W] or tokens [N, T, C], got ${formatShape(x)}`;
  });
  const { height, width } = imageShape(x);
  requireShape(labels, [BATCH, ...(isOfTokens ? [] : [height]), width]);
  return { height };
}

/**
 * The sums over each row of what its pixels have as mean over their channels. Pixels that are
 * ignored are not read.
 */
export const labelMean: OpDefinition<"labelMean"> = {
  keepsOrder: true,

  outputs([x, labels]) {
    const { height } = requireLabels(labels!, x!.shape);
    return [{ shape: [BATCH, height], type: "f32" }];
  },

  reference([x, labels], { classes }) {
    const { images, height, width, channels, pixels, steps } = pixelSizes(x!.shape);
    const sums = zeros([images, height]);
    labels!.data.forEach((label, index) => {
      if (label >= classes) return;
      const [image, pixel] = [Math.floor(index / pixels), index % pixels];
      for (let channel = 0; channel < channels; channel++) {
        const place = image * channels * pixels + channel * steps.channel + pixel * steps.pixel;
        const value = x!.data[place]!;
        sums.data[image * height + Math.floor(pixel / width)]! += value / channels;
      }
    });
    return [sums];
  },
};

/** `weight` times the gradient of the mean over the pixels that are not ignored. */
export const labelMeanGradient: OpDefinition<"labelMeanGradient"> = {
  keepsOrder: true,

  outputs([labels], { inputShape }) {
    requireLabels(labels!, inputShape);
    return [{ shape: inputShape, type: "f32" }];
  },

  reference([labels], { classes, weight, inputShape }) {
    const gradient = zeros(resolveShape(inputShape, labels!.shape[0]!));
    const { channels, pixels, steps } = pixelSizes(gradient.shape);
    const counted = Array.from(labels!.data).filter((label) => label < classes).length;
    labels!.data.forEach((label, index) => {
      if (label >= classes) return;
      const [image, pixel] = [Math.floor(index / pixels), index % pixels];
      for (let channel = 0; channel < channels; channel++) {
        const place = image * channels * pixels + channel * steps.channel + pixel * steps.pixel;
        gradient.data[place] = weight / (channels * counted);
      }
    });
    return [gradient];
  },
};
