import type { LabelRule, PixelRule, Value } from "../ir/graph.js";
import { BATCH, formatShape, imageShape, isSequence } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import { logSumOfPowers, targetsOf } from "./cross-entropy.js";
import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * Logits are [N, C, H, W], labels [N, H, W] integers, or [N] where an image is one pixel; or logits
 * [N, T, C] and labels [N, T], a row of T pixels. Labels of C and more are ignored.
 */
export function requirePixelLogits([logits, labels]: readonly Value[]): {
  readonly classes: number;
  readonly height: number;
} {
  const { shape } = logits!;
  const isOfTokens = isSequence(shape);
  ensure(shape.length === 4 || isOfTokens, () => {
    return `expected logits [N, classes, H, W] or [N, T, classes], got ${formatShape(shape)}`;
  });
  const { channels: classes, height, width } = imageShape(shape);
  const isOnePixel = height * width === 1 && labels!.shape.length === 1;
  requireShape(labels!, isOnePixel ? [BATCH] : [BATCH, ...(isOfTokens ? [] : [height]), width]);
  return { classes, height };
}

/** A pixel that counts. */
export interface LabeledPixel {
  readonly logits: readonly number[];
  readonly label: number;
  readonly image: number;
  readonly row: number;
  /** Places of its logits among all of the tensor. */
  readonly places: readonly number[];
}

/** Visits each pixel whose label is one of the classes. */
export function forEachPixel(
  [logits, labels]: readonly Tensor[],
  visit: (pixel: LabeledPixel) => void,
): void {
  const { channels, width, pixels, steps } = pixelSizes(logits!.shape);
  labels!.data.forEach((label, index) => {
    if (label >= channels) return;
    const [image, pixel] = [Math.floor(index / pixels), index % pixels];
    const places = Array.from(
      { length: channels },
      (_, channel) => image * channels * pixels + channel * steps.channel + pixel * steps.pixel,
    );
    const values = places.map((place) => logits!.data[place]!);
    visit({ logits: values, label, image, row: Math.floor(pixel / width), places });
  });
}

/** Sizes of logits [N, C, H, W] or [N, T, C], and the steps between channels and pixels. */
export function pixelSizes(shape: readonly number[]) {
  const [images = 1, tokens = 1, classes = 1] = shape;
  const isOfTokens = shape.length === 3;
  const sizes = imageSizes(isOfTokens ? [images, classes, 1, tokens] : shape);
  const steps = isOfTokens ? { channel: 1, pixel: classes } : { channel: sizes.pixels, pixel: 1 };
  return { ...sizes, steps };
}

/** What the classes of a pixel with this label count. */
export const pixelTargets = (label: number, classes: number, rule: LabelRule): readonly number[] =>
  targetsOf({ shape: [1], data: Uint32Array.of(label) }, classes, rule)(0);

/** Of a pixel's label: its probability, the rest, and the logarithm of the probability. */
function certaintyOf({ logits, label }: LabeledPixel) {
  const logarithm = logits[label]! - logSumOfPowers(logits);
  return { logarithm, probability: Math.exp(logarithm), rest: -Math.expm1(logarithm) };
}

/** What a pixel's cross-entropy counts: (1 - p)^focus. */
export function focusOf(pixel: LabeledPixel, { focus = 0 }: PixelRule): number {
  return focus === 0 ? 1 : certaintyOf(pixel).rest ** focus;
}

/** What its gradient counts, since its focus changes with p, too. */
export function focusOfGradient(pixel: LabeledPixel, { focus = 0 }: PixelRule): number {
  if (focus === 0) return 1;
  const { logarithm, probability, rest } = certaintyOf(pixel);
  // log(p) / (1 - p) comes to -1 where p is 1.
  const ratio = rest === 0 ? -1 : logarithm / rest;
  return rest ** focus * (1 - focus * probability * ratio);
}

/**
 * What the pixels of each row add to the loss's sum: - sum over classes of target * log
 * softmax(logits), as of whole images (cross-entropy.ts), times its focus. PyTorch's mean is the
 * sum over all pixels that are not ignored, divided by the weights of their labels.
 */
export const pixelCrossEntropy: OpDefinition<"pixelCrossEntropy"> = {
  keepsOrder: true,

  outputs(inputs) {
    const { height } = requirePixelLogits(inputs);
    return [{ shape: [BATCH, height], type: "f32" }];
  },

  reference(inputs, rule) {
    const { images, height, channels } = pixelSizes(inputs[0]!.shape);
    const losses = zeros([images, height]);
    forEachPixel(inputs, (pixel) => {
      const { logits, label, image, row } = pixel;
      const total = logSumOfPowers(logits);
      const targets = pixelTargets(label, channels, rule);
      const focus = focusOf(pixel, rule);
      logits.forEach((logit, index) => {
        losses.data[image * height + row]! += focus * targets[index]! * (total - logit);
      });
    });
    return [losses];
  },
};
