import type { ResampleAttributes } from "./graph.js";

/** An input pixel along one axis, and how much of an output pixel it is. */
export interface ResampleTap {
  readonly at: number;
  readonly share: number;
}

/**
 * Where output pixels fall on the input: pixel i at max(0, i * ratio + shift), in input pixels, and
 * of bicubic without the limit. PyTorch's conventions.
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
): readonly (readonly ResampleTap[])[] {
  const { input, output } = sizes;
  const { mode } = attributes;
  return Array.from({ length: output }, (_, index) => {
    if (mode === "nearest") return [{ at: Math.floor((index * input) / output), share: 1 }];
    const { ratio, shift } = resamplePlace(sizes, attributes);
    const place = index * ratio + shift;
    return mode === "bicubic" ? cubicTaps(place, input) : linearTaps(Math.max(0, place), input);
  });
}

function linearTaps(place: number, size: number): readonly ResampleTap[] {
  const first = Math.min(Math.floor(place), size - 1);
  const share = place - first;
  return [
    { at: first, share: 1 - share },
    { at: Math.min(first + 1, size - 1), share },
  ];
}

/** Four pixels around a place, of which those outside are the edge (Keys, 1981, with a = -0.75). */
function cubicTaps(place: number, size: number): readonly ResampleTap[] {
  const first = Math.floor(place);
  const a = -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [-1, 0, 1, 2].map((step) => {
    const distance = Math.abs(first + step - place);
    const at = Math.min(Math.max(first + step, 0), size - 1);
    return { at, share: distance <= 1 ? near(distance) : far(distance) };
  });
}
