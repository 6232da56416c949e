import { imageShape } from "../ir/shape.js";
import { requireShape } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * The mean and the biased variance of each channel over batch and space (Ioffe and Szegedy, "Batch
 * normalization", ICML 2015). Moves the running statistics in place, the variance towards the
 * unbiased one, as PyTorch does; where a channel has a single value there is none, and the running
 * variance stays.
 *
 * It has no gradient: that of `normalize`, its only reader, includes it.
 */
export const channelStatistics: OpDefinition<"channelStatistics"> = {
  outputs([x, runningMean, runningVariance]) {
    const shape = [imageShape(x!.shape).channels];
    requireShape(runningMean!, shape);
    requireShape(runningVariance!, shape);
    return [
      { shape, type: "f32" },
      { shape, type: "f32" },
    ];
  },

  reference(inputs, { momentum }) {
    const [x, runningMean, runningVariance] = inputs;
    const { mean, squares, count } = channelMoments(x!);
    const divided = (divisor: number) => ({
      shape: mean.shape,
      data: squares.data.map((sum) => sum / divisor),
    });
    move(runningMean!, mean, momentum);
    if (count > 1) move(runningVariance!, divided(count - 1), momentum);
    return [mean, divided(count)];
  },
};

interface ChannelMoments {
  readonly mean: Tensor;
  /** Sums of squared distances from the mean. */
  readonly squares: Tensor & { readonly data: Float64Array };
  /** Values in each channel. */
  readonly count: number;
}

function channelMoments(x: Tensor): ChannelMoments {
  const { images, channels, pixels } = imageSizes(x.shape);
  const count = images * pixels;
  const [mean, squares] = [zeros([channels]), zeros([channels])];
  const channelOf = (index: number) => Math.floor(index / pixels) % channels;
  x.data.forEach((value, index) => (mean.data[channelOf(index)]! += value / count));
  x.data.forEach((value, index) => {
    squares.data[channelOf(index)]! += (value - mean.data[channelOf(index)]!) ** 2;
  });
  return { mean, squares, count };
}

function move(running: Tensor, towards: Tensor, momentum: number): void {
  running.data.forEach((value, index) => {
    running.data[index] = (1 - momentum) * value + momentum * towards.data[index]!;
  });
}
