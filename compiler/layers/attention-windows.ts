/** Attention in the windows of an image: borders, and the gains of scores. */
import type { AttentionWindow, Pair, Value } from "../ir/graph.js";
import { BATCH, imageShape, stridesOf, type Shape } from "../ir/shape.js";
import type { InferenceContext, LayerContext } from "./layer.js";
import { requireImage } from "./rules.js";

/** What a spec says of windows. */
export interface WindowValues {
  readonly window?: Pair | undefined;
  readonly shift: Pair;
  readonly causal: boolean;
}

/** Whether a layer with windows can work on its input; reports it otherwise. */
export function checkWindows(
  input: Shape,
  { window, shift, causal }: WindowValues & { readonly window: Pair },
  context: InferenceContext,
): boolean {
  if (!requireImage(input, context)) return false;
  if (causal) {
    context.report("NET1010", {
      message: `${context.title} cannot be causal: the pixels of a window have no order`,
      at: "causal",
      label: "without windows only",
      fixes: [context.removeArgument("causal", "drop `causal`")],
    });
    return false;
  }
  if (shift.every((each, axis) => each < window[axis]!)) return true;
  const half = window.map((size) => Math.floor(size / 2)) as [number, number];
  const text = half[0] === half[1] ? `${half[0]}` : `[${half.join(", ")}]`;
  context.report("NET1010", {
    message:
      `${context.title} shifts windows of ${window.join("x")} by ${shift.join("x")}, ` +
      "which must be less than a window",
    at: "shift",
    label: `at most ${window.map((size) => size - 1).join("x")}`,
    fixes: [context.replaceArgument("shift", `shift=${text}`, `write \`shift=${text}\``)],
  });
  return false;
}

/** Reports a shift of windows that there are none of. */
export function refuseShift(shift: Pair, context: InferenceContext): boolean {
  if (shift.every((each) => each === 0)) return true;
  context.report("NET1010", {
    message: `${context.title} has a \`shift\` and no \`window\` to shift`,
    at: "shift",
    label: "of which windows?",
    notes: ["windows of Swin Transformers are 7x7 pixels, shifted in every second layer"],
    fixes: [
      context.setArgument("window", "window=7", "give it `window=7`"),
      context.removeArgument("shift", "drop `shift`"),
    ],
  });
  return false;
}

/** Zeros below and on the right of an image, up to whole windows. */
export function padToWindows(input: Value, window: Pair, { builder, origin }: LayerContext): Value {
  const { height, width } = imageShape(input.shape);
  const [bottom, right] = [height, width].map((size, axis) => missing(size, window[axis]!));
  if (bottom === 0 && right === 0) return input;
  // The means of windows of one element, of which those in the padding are 0.
  const padding = { top: 0, left: 0, bottom: bottom!, right: right! };
  const windows = { kernel: [1, 1], stride: [1, 1], padding } as const;
  const attributes = { windows: "sliding", countPadding: true, ...windows } as const;
  return builder.add("averagePool", [input], attributes, origin);
}

const missing = (size: number, window: number) => (window - (size % window)) % window;

/** The upper left of an image in the size of another one. */
export function cropTo(input: Value, shape: Shape, { builder, origin }: LayerContext): Value {
  const [from, to] = [imageShape(input.shape), imageShape(shape)];
  if (from.height === to.height && from.width === to.width) return input;
  const wanted = [BATCH, from.channels, to.height, to.width] as const;
  const order = { shape: wanted, start: 0, strides: stridesOf(input.shape) };
  return builder.add("rearrange", [input], order, origin);
}

/** Windows of an image that they fill. An axis with a single window has nothing to shift. */
export function windowsOf(image: Shape, size: Pair, shift: Pair): AttentionWindow {
  const { height, width } = imageShape(image);
  const down = size[0] >= height ? 0 : shift[0];
  const across = size[1] >= width ? 0 : shift[1];
  return { size, shift: [down, across] };
}

/** Adds `NAME.relative_position_bias_table`, the same for each example. */
export function addGains(
  [rows, columns]: Pair,
  heads: number,
  { builder, origin, weights }: LayerContext,
): Value {
  const shape = [(2 * rows - 1) * (2 * columns - 1), heads];
  const settings = {
    role: "weight",
    initializer: { kind: "normal", mean: 0, deviation: 0.02 },
    learningRateFactor: 1,
    decayFactor: 1,
    trainable: true,
  } as const;
  const name = `${weights}.relative_position_bias_table`;
  const table = builder.parameter(name, shape, settings, origin);
  return builder.add("broadcast", [table], {}, origin);
}
