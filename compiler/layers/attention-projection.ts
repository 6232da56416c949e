/** The linear layers around an attention. */
import type { Initializer } from "../../program/program.js";
import type { ArgumentValues } from "../calls/signature.js";
import { add, channel, operand } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import { imageShape, isSequence } from "../ir/shape.js";
import type { Fans } from "./initializers.js";
import type { LayerContext } from "./layer.js";
import { AS_CONVOLUTION } from "./linear.js";
import { addBias, addWeight, type weightArguments } from "./weights.js";

/** How a projection's weights are called, and how they start. */
export interface Projection {
  readonly weight: string;
  readonly bias: string;
  readonly rule?: (fans: Fans) => Initializer;
}

/** Glorot and Bengio's, uniform. */
const xavier = ({ fanIn, fanOut }: Fans): Initializer => {
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return { kind: "uniform", low: -bound, high: bound };
};

const zero = (): Initializer => ({ kind: "constant", value: 0 });

/** As PyTorch's `MultiheadAttention` has them. */
export const OF_SEQUENCES = {
  into: { weight: "in_proj_weight", bias: "in_proj_bias", rule: xavier },
  out: { weight: "out_proj.weight", bias: "out_proj.bias" },
} as const satisfies Record<string, Projection>;

/** As torchvision's `ShiftedWindowAttention` has them. */
export const OF_WINDOWS = {
  into: { weight: "qkv.weight", bias: "qkv.bias" },
  out: { weight: "proj.weight", bias: "proj.bias" },
} as const satisfies Record<string, Projection>;

/** A linear layer of each token, or of each pixel. */
export function project(
  input: Value,
  out: number,
  values: ArgumentValues<typeof weightArguments>,
  { context, weight: name, bias: biasName, rule }: Projection & { readonly context: LayerContext },
): Value {
  const { builder, origin } = context;
  const { channels } = imageShape(input.shape);
  const fans = { fanIn: channels, fanOut: out };
  // A matrix would make features of an image: its linear layers are convolutions of one pixel.
  const shape = isSequence(input.shape) ? [out, channels] : [out, channels, 1, 1];
  const weight = addWeight(shape, fans, values, context, { rule, name });
  const product = builder.add("convolution", [input, weight], AS_CONVOLUTION, origin);
  if (!values.bias) return product;
  const bias = addBias(out, fans, values, context, { rule: zero, name: biasName });
  const expression = add(operand(0), channel(1));
  return builder.add("pointwise", [product, bias], { expression }, origin);
}

/** With it, scores vary as little as one product does (Vaswani et al., section 3.2.1). */
export const scaleOfHeads = (channels: number, heads: number): number =>
  1 / Math.sqrt(channels / heads);
