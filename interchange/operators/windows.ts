/** Windows of convolutions and pools as ONNX says them. */
import type { Padding, Pair } from "../../compiler/ir/graph.js";
import type { Feature } from "../known.js";
import type { NodeContext } from "../node-context.js";

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
}

/**
 * The window over an image. `kernel` is that of the weights, where there are any: a node need not
 * repeat it. SAME_UPPER pads the odd element at the bottom and right, SAME_LOWER at the top and
 * left.
 */
export function windowOf(context: NodeContext, image: Feature, kernel?: Pair): Window {
  const { attributes } = context;
  const named = pairOf(context, "kernel_shape") ?? kernel;
  if (!named) return context.refuse("it has no `kernel_shape`");
  if (kernel && (named[0] !== kernel[0] || named[1] !== kernel[1])) {
    context.refuse(`its kernel_shape [${named.join(", ")}] is not that of its weights`);
  }
  const stride = pairOf(context, "strides") ?? [1, 1];
  const dilation = pairOf(context, "dilations") ?? [1, 1];
  const [height, width] = image.stored.slice(2).map(Number) as [number, number];
  const rule = attributes.text("auto_pad", "NOTSET");
  const window = { kernel: named, stride, dilation };
  const explicit = attributes.numbers("pads");
  if (rule === "NOTSET") return { ...window, padding: explicitPadding(context, explicit) };
  if (rule === "VALID") return { ...window, padding: sides([0, 0], [0, 0]) };
  if (rule !== "SAME_UPPER" && rule !== "SAME_LOWER") context.refuse(`auto_pad=${rule} is unknown`);
  const vertical = samePadding(height, named[0], stride[0], dilation[0]);
  const horizontal = samePadding(width, named[1], stride[1], dilation[1]);
  const isUpper = rule === "SAME_UPPER";
  return {
    ...window,
    padding: sides(halves(vertical, { isUpper }), halves(horizontal, { isUpper })),
  };
}

/** Two integers of at least 1; one or three axes are not an image. */
export function pairOf(context: NodeContext, name: string): Pair | undefined {
  const values = context.attributes.numbers(name);
  if (!values || values.length === 0) return undefined;
  if (values.length !== 2) {
    context.refuse(`its ${name} [${values.join(", ")}] is not that of an image`);
  }
  if (!values.every((each) => Number.isSafeInteger(each) && each >= 1)) {
    context.refuse(`its ${name} [${values.join(", ")}] has sizes below 1`);
  }
  return values as unknown as Pair;
}

function explicitPadding(context: NodeContext, pads: readonly number[] | undefined): Padding {
  if (!pads) return sides([0, 0], [0, 0]);
  const [top, left, bottom, right, ...rest] = pads;
  if (right === undefined || rest.length > 0 || pads.some((each) => !(each >= 0))) {
    context.refuse(`its pads [${pads.join(", ")}] are not four sizes of at least 0`);
  }
  return sides([top!, bottom!], [left!, right]);
}

const sides = ([top, bottom]: Pair, [left, right]: Pair): Padding => ({ top, bottom, left, right });

/** Zeros for an output of ceil(size / stride). */
export function samePadding(size: number, kernel: number, stride: number, dilation: number) {
  const span = dilation * (kernel - 1) + 1;
  return Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size);
}

function halves(total: number, { isUpper }: { readonly isUpper: boolean }): Pair {
  const less = Math.floor(total / 2);
  return isUpper ? [less, total - less] : [total - less, less];
}
