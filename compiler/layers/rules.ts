import type { Fix } from "../diagnostics/diagnostic.js";
import type { Pair } from "../ir/graph.js";
import {
  broadcastShape,
  formatShape,
  type ImageShape,
  imageShape,
  isSequence,
  isSignal,
  type Shape,
  sizeText,
} from "../ir/shape.js";
import type { InferenceContext } from "./layer.js";
import { floorOutput, paddedSize, spanOf, type Windows } from "./windows.js";

/** Shape rules that several layers share. */

/** The input as an image, or undefined after reporting that it is flat. */
export function requireImage(input: Shape, context: InferenceContext): ImageShape | undefined {
  if (input.length === 4) return imageShape(input);
  return context.report("NET2001", {
    message:
      `${context.title} needs an image [N, C, H, W] or a signal [N, C, L], ` +
      `but receives ${isSequence(input) ? "the sequence " : ""}${formatShape(input)}`,
    label: isSequence(input) ? "a sequence [N, T, C]" : `expected 4 axes, got ${input.length}`,
    axis: "rank",
    notes: [
      isSequence(input)
        ? "tokens have their channels last; channels come first in `input x: signal[N, C, L]`, " +
          "and `signal` turns a sequence into one"
        : "a flat value has no rows and columns: put convolutions and pools before `flatten`",
    ],
    fixes: isSequence(input)
      ? [context.declareSignal(), context.insertBefore("signal -> ", "insert `signal` before it")]
      : [],
  });
}

/** The input as an image with rows, or undefined after reporting that it has none. */
export function requireRows(input: Shape, context: InferenceContext): ImageShape | undefined {
  if (!isSignal(input)) return requireImage(input, context);
  return context.report("NET2001", {
    message:
      `${context.title} needs an image [N, C, H, W] ` +
      `but receives the signal ${formatShape(input)}`,
    label: "a signal has no rows",
    axis: "rank",
    notes: ["`reshape([C, H, W])` makes an image of a signal with as many numbers"],
  });
}

/** A sequence's tokens and channels, or undefined after reporting another value. */
export function requireSequence(
  input: Shape,
  context: InferenceContext,
): { readonly tokens: number; readonly channels: number } | undefined {
  if (isSequence(input)) return { tokens: Number(input[1]), channels: Number(input[2]) };
  return context.report("NET2025", {
    message: `${context.title} needs a sequence [N, T, C] but receives ${formatShape(input)}`,
    label: isSignal(input) ? "channels first" : `expected 3 axes, got ${input.length}`,
    axis: "rank",
    notes: ["`tokens` makes a sequence of an image's pixels, `patches(16)` one of its patches"],
    fixes:
      input.length === 4 ? [context.insertBefore("tokens -> ", "insert `tokens` before it")] : [],
  });
}

/** False after reporting that a layer of numbered axes receives a signal. */
export function refuseSignal(input: Shape, context: InferenceContext): boolean {
  if (!isSignal(input)) return true;
  context.report("NET2028", {
    message: `${context.title} does not reorder the signal ${formatShape(input)}`,
    label: "channels come first in a signal",
    axis: "rank",
    notes: ["`tokens` makes it a sequence [N, L, C], and `signal` makes a signal of a sequence"],
  });
  return false;
}

/** False after reporting that a layer of images and features receives a sequence. */
export function refuseSequence(input: Shape, context: InferenceContext): boolean {
  if (!isSequence(input)) return true;
  context.report("NET2001", {
    message:
      `${context.title} normalizes images [N, C, H, W] and features [N, C], ` +
      `but receives ${formatShape(input)}`,
    label: "a sequence",
    axis: "rank",
    notes: ["`layernorm` normalizes the channels of each token"],
  });
  return false;
}

/** Whether the window fits; reports it otherwise. */
export function requireFit(
  image: ImageShape,
  windows: Windows,
  context: InferenceContext,
  fixes: readonly (Fix | undefined)[] = [],
): boolean {
  const [height, width] = paddedSize(image, windows);
  const [spanHeight, spanWidth] = spanOf(windows);
  if (height >= spanHeight && width >= spanWidth) return true;
  const inputs = context.inputsWhere((shape) => {
    const size = paddedSize(imageShape(shape), windows);
    return size[0] >= spanHeight && size[1] >= spanWidth;
  });
  context.report("NET2004", {
    message:
      `${context.title}: its ${windowText(image, [spanHeight, spanWidth])} is larger than its ` +
      (image.isSignal ? `input of length ${width}` : `${height}x${width} input`) +
      describePadding(image, windows),
    at: "kernel",
    label: describeSpan(image, windows),
    axis: "space",
    notes: inputs ? [`${inputs} would be large enough`] : [],
    fixes: [...fixes, paddingFix(image, windows, context)],
  });
  return false;
}

/** The least padding that makes the window fit, if it is no more than half of the kernel. */
function paddingFix(
  { height, width, isSignal: isOfSignal }: ImageShape,
  windows: Windows,
  context: InferenceContext,
): Fix | undefined {
  const span = spanOf(windows);
  const missing = Math.max(span[0] - height, span[1] - width);
  const padding = Math.ceil(missing / 2);
  const [rows, columns] = windows.kernel;
  const smallest = isOfSignal ? columns : Math.min(rows, columns);
  if (padding > Math.floor(smallest / 2)) return undefined;
  return context.setArgument("padding", `padding=${padding}`, `give it padding=${padding}`);
}

/**
 * Warns of windows with gaps between them: what lies there is never read. The projections of
 * ResNets, 1x1 convolutions with a stride, are known to do so, and meant.
 */
export function warnOfGaps(image: ImageShape, windows: Windows, context: InferenceContext): void {
  const span = spanOf(windows);
  const { stride } = windows;
  const count = floorOutput(image, windows);
  const isApart = (axis: 0 | 1) => count[axis] > 1 && stride[axis] > span[axis];
  if ((span[0] === 1 && span[1] === 1) || !(isApart(0) || isApart(1))) return;
  const least = [Math.min(stride[0], span[0]), Math.min(stride[1], span[1])] as const;
  const read = Math.min(1, span[0] / stride[0]) * Math.min(1, span[1] / stride[1]);
  context.report("NET2050", {
    message:
      `${context.title}: its stride of ${pairText(image, stride)} exceeds ` +
      `its ${windowText(image, span)}, ` +
      `so ${Math.round(100 * (1 - read))}% of its input is never read`,
    at: "stride",
    label: `at most ${pairText(image, least)} leaves no gaps`,
  });
}

/** `3x3 window`, and `window of 3` of a signal. */
const windowText = (image: ImageShape, size: Pair): string =>
  image.isSignal ? `window of ${size[1]}` : `${sizeText(image, size)} window`;

const pairText = (image: ImageShape, size: Pair): string =>
  size[0] === size[1] ? `${size[0]}` : sizeText(image, size);

function describePadding(image: ImageShape, windows: Windows): string {
  const { height, width, isSignal: isOfSignal } = image;
  const { top, bottom, left, right } = windows.padding;
  if (top + bottom + left + right === 0) return "";
  if (isOfSignal) return ` (${width} with padding: ${width}+${left}+${right})`;
  return (
    ` (${height}x${width} with padding: ` +
    `${height}+${top}+${bottom} by ${width}+${left}+${right})`
  );
}

function describeSpan(image: ImageShape, windows: Windows): string {
  const { kernel, dilation } = windows;
  const [height, width] = spanOf(windows);
  if (dilation[0] === 1 && dilation[1] === 1) return `spans ${sizeText(image, [height, width])}`;
  if (image.isSignal) return `spans ${dilation[1]}*(${kernel[1]}-1)+1 = ${width}`;
  if (height === width) return `spans ${dilation[0]}*(${kernel[0]}-1)+1 = ${height}`;
  return (
    `spans ${dilation[0]}*(${kernel[0]}-1)+1 = ${height} ` +
    `by ${dilation[1]}*(${kernel[1]}-1)+1 = ${width}`
  );
}

/**
 * The shape of two values joined element by element: along each axis they agree, or one of them
 * has a single element. Reported otherwise.
 */
export function joinedShape(
  input: Shape,
  other: Shape,
  context: InferenceContext,
): Shape | undefined {
  const joined = broadcastShape([input, other]);
  if (joined) return joined;
  const differs = input.findIndex((size, axis) => size !== other[axis]);
  return context.report("NET2031", {
    message:
      `${context.title} joins ${formatShape(input)} and ${formatShape(other)}, ` +
      "which must have one shape",
    axis: input.length !== other.length ? "rank" : differs === 1 ? "channels" : "space",
    notes: [broadcastNote([input, other])],
    fixes: [perChannelFix(input, other, context), axesFix([input, other], context)],
  });
}

const BROADCAST = "along each axis sizes must agree, or one of them must be 1, as in PyTorch";
const SAME_RANK = "both need as many axes: `reshape` gives a value others";
const ONE_IS_A_SIGNAL = "an image of one row is not a signal: `signal` makes one of it";

/** What gives values of fewer axes those that PyTorch's rules would; undefined where that fails. */
function alignedNote(shapes: readonly Shape[]): string | undefined {
  const { counts, aligned } = alignedShapes(shapes);
  const [sizes] = aligned.filter((_, index) => counts[index]! > 0);
  return sizes && broadcastShape(aligned)
    ? "both need as many axes: " +
        `\`reshape([${sizes.slice(1).join(", ")}])\` gives one axes of 1, as PyTorch has them`
    : undefined;
}

/**
 * Parameters of fewer axes than other values as PyTorch sees them: with axes of 1 in front. The
 * current value's shape is the first.
 */
export function axesFix(shapes: readonly Shape[], context: InferenceContext): Fix | undefined {
  const { counts, aligned } = alignedShapes(shapes);
  if (counts.every((count) => count === 0) || !broadcastShape(aligned)) return undefined;
  const written = [
    ...new Set(
      aligned.flatMap(([, ...sizes], index) =>
        counts[index] === 0 ? [] : [`\`f32[${sizes.join(", ")}]\``],
      ),
    ),
  ];
  const noun = counts.filter((count) => count > 0).length === 1 ? "parameter" : "parameters";
  return context.addAxes(counts, `declare the ${noun} as ${written.join(" and ")}`);
}

/** Shapes with as many axes as the longest, and how many each gains. */
function alignedShapes(shapes: readonly Shape[]) {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return {
    counts: shapes.map(({ length }) => rank - length),
    aligned: shapes.map((shape) => withAxes(shape, rank)),
  };
}

/** With axes of 1 behind the batch. */
export const withAxes = ([batch, ...sizes]: Shape, rank: number): Shape => [
  batch!,
  ...new Array<number>(rank - sizes.length - 1).fill(1),
  ...sizes,
];

/** Features as one number for each channel of an image. */
function perChannelFix(input: Shape, other: Shape, context: InferenceContext): Fix | undefined {
  const fits = input.length === 2 && other.length === 4 && input[1] === other[1];
  const text = isSignal(other) ? `signal(${input[1]})` : `reshape([${input[1]}, 1, 1])`;
  return fits ? context.insertBefore(`${text} -> `, `insert \`${text}\` before it`) : undefined;
}

/** What joins of values of several shapes say of the rule. */
export const broadcastNote = (shapes: readonly Shape[]): string =>
  shapes.some((shape) => shape.length !== shapes[0]!.length)
    ? (alignedNote(shapes) ?? SAME_RANK)
    : shapes.some((shape) => isSignal(shape) !== isSignal(shapes[0]!))
      ? ONE_IS_A_SIGNAL
      : BROADCAST;
