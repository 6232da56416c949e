import type { ConvolutionAttributes } from "../ir/graph.js";
import { imageSizes } from "./tensors.js";

/**
 * Where the input channels of one tap lie: `count` of them, with these distances in elements of x
 * and of w.
 */
export interface ChannelRun {
  readonly count: number;
  readonly xStep: number;
  readonly wStep: number;
}

/**
 * Indices of an output element and of the first channel of what one kernel tap multiplies for it.
 */
export type TapVisitor = (y: number, x: number, w: number) => void;

export function channelRun(
  xShape: readonly number[],
  { groups, kernel }: ConvolutionAttributes,
): ChannelRun {
  const { channels, pixels } = imageSizes(xShape);
  return { count: channels / groups, xStep: pixels, wStep: kernel[0] * kernel[1] };
}

/**
 * Visits every pair of an output element and a kernel tap that falls inside the image. The
 * convolution and both its gradients are sums over the same triples (y, x, w); each of them adds to
 * another member.
 */
export function forEachTap(
  shapes: { readonly x: readonly number[]; readonly y: readonly number[] },
  attributes: ConvolutionAttributes,
  visit: TapVisitor,
): void {
  const x = imageSizes(shapes.x);
  const y = imageSizes(shapes.y);
  const run = channelRun(shapes.x, attributes);
  const outputsPerGroup = y.channels / attributes.groups;
  for (let image = 0; image < y.images; image++) {
    for (let output = 0; output < y.channels; output++) {
      const group = Math.floor(output / outputsPerGroup);
      const xPlane = (image * x.channels + group * run.count) * x.pixels;
      const yPlane = (image * y.channels + output) * y.pixels;
      const wPlane = output * run.count * run.wStep;
      forEachPlaneTap(x, y, attributes, (yPixel, xPixel, tap) => {
        visit(yPlane + yPixel, xPlane + xPixel, wPlane + tap);
      });
    }
  }
}

interface PlaneSize {
  readonly height: number;
  readonly width: number;
}

function forEachPlaneTap(
  x: PlaneSize,
  y: PlaneSize,
  { kernel, stride, padding, dilation }: ConvolutionAttributes,
  visit: TapVisitor,
): void {
  for (let row = 0; row < y.height; row++) {
    for (let column = 0; column < y.width; column++) {
      for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
        const kernelRow = Math.floor(tap / kernel[1]);
        const kernelColumn = tap % kernel[1];
        const xRow = row * stride[0] - padding.top + kernelRow * dilation[0];
        const xColumn = column * stride[1] - padding.left + kernelColumn * dilation[1];
        if (xRow < 0 || xRow >= x.height || xColumn < 0 || xColumn >= x.width) continue;
        visit(row * y.width + column, xRow * x.width + xColumn, tap);
      }
    }
  }
}
