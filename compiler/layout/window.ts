import type { Place } from "../ir/place.js";
import { roundUpTo4, type ActivationLayout, type Steps } from "./activation-layout.js";
import type { ConvolutionGeometry } from "./geometry.js";

/** The runs of a window over an input, and the step from one group's channels to the next's. */
export interface Window {
  readonly segments: number;
  readonly segments_per_row: number;
  readonly segment_row: number;
  readonly segment_column: number;
  readonly run: number;
  readonly input_group: number;
  readonly input: Place;
}

/** What lies in one run. */
export const oneRun = (run: number) => ({
  segments: 1,
  segments_per_row: 1,
  segment_row: 0,
  segment_column: 0,
  run,
});

/** The whole image of a matrix product is one run. */
export function productWindow(layout: ActivationLayout): Window {
  const run = layout.imagePitch / 4;
  return { ...oneRun(run), input_group: 0, input: { image: run, row: 0, column: 0, base: 0 } };
}

/** The windows over the channels of some groups, of which the first is given. */
export const ofGroups = (windows: Window, first: number): Window => ({
  ...windows,
  input: { ...windows.input, base: windows.input.base + first * windows.input_group },
});

/** How a forward convolution's windows move over its input. */
export const windowSteps = ({ corner, attributes }: ConvolutionGeometry): Steps => ({
  offset: [-corner[0], -corner[1]],
  stride: attributes.stride,
});

/**
 * The runs of a window over an activation: with one group and no dilation across, a kernel row is
 * one run, unless other channels are in between; else each tap is one. The kernel and the groups
 * are the geometry's, also where the activation is an output gradient.
 */
export function window(
  layout: ActivationLayout,
  dilation: readonly [number, number],
  { attributes }: ConvolutionGeometry,
  steps: Steps,
): Window {
  const { kernel, groups } = attributes;
  const groupPitch = groups === 1 ? layout.pixelFloats : layout.channels / groups;
  const isRow = groups === 1 && dilation[1] === 1 && !layout.isPart;
  const columns = isRow ? 1 : kernel[1];
  const run = (isRow ? roundUpTo4(kernel[1] * layout.pitch) : groupPitch) / 4;
  return {
    segments: kernel[0] * columns,
    segments_per_row: columns,
    segment_row: (dilation[0] * layout.rowPitch) / 4,
    segment_column: isRow ? 0 : (dilation[1] * layout.pitch) / 4,
    run,
    input_group: groups === 1 ? 0 : groupPitch / 4,
    input: layout.inQuads(steps),
  };
}
