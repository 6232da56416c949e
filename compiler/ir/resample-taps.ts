import type { ResampleAttributes } from "./graph.js";

/**
 * What one output pixel is made of, along one axis: `first` and `second`, of which the second
 * counts `share`.
 */
export interface ResampleTaps {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

/**
 * Where output pixels fall on the input: pixel i at max(0, i * ratio + shift), in input pixels.
 * PyTorch's conventions.
 */
export function resamplePlace(
  { input, output }: { readonly input: number; readonly output: number },
  { alignCorners }: Pick<ResampleAttributes, "alignCorners">,
): { readonly ratio: number; readonly shift: number } {
  if (alignCorners) return { ratio: output > 1 ? (input - 1) / (output - 1) : 0, shift: 0 };
  const ratio = input / output;
  return { ratio, shift: 0.5 * ratio - 0.5 };
}

/** The taps of each output pixel along an axis. */
export function resampleTaps(
  sizes: { readonly input: number; readonly output: number },
  attributes: Pick<ResampleAttributes, "mode" | "alignCorners">,
): readonly ResampleTaps[] {
  const { input, output } = sizes;
  return Array.from({ length: output }, (_, index) => {
    if (attributes.mode === "nearest") {
      const only = Math.floor((index * input) / output);
      return { first: only, second: only, share: 0 };
    }
    const { ratio, shift } = resamplePlace(sizes, attributes);
    const place = Math.max(0, index * ratio + shift);
    const first = Math.min(Math.floor(place), input - 1);
    return { first, second: Math.min(first + 1, input - 1), share: place - first };
  });
}
