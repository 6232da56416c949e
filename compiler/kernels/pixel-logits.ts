/** Parts of kernels that read logits [N, C, H, W] and labels of pixels. */
import { block, code, frame, lane, LOWEST, text, type Code } from "./code.js";
import type { PlaceCode } from "./constants.js";
import { REDUCE_LANES } from "./reduce.js";

export const PIXELS = { width: "u32", height: "u32", channels: "u32", input: "place" } as const;

/** A workgroup a row: `image` and `y` of it, and the loop over its pixels. */
export const rowStart = (k: Readonly<Record<"height", Code>>): Code => code`
  if (${block} >= ${frame.batch} * ${k.height}) {
    return;
  }
  let image = ${block} / ${k.height};
  let y = ${block} % ${k.height};`;

export const eachPixel = (width: Code): Code =>
  code`for (var x = ${lane}; x < ${width}; x += ${REDUCE_LANES})`;

export const [IMAGE, Y, X, CHANNEL, FIRST] = ["image", "y", "x", "channel", "first"].map(text) as [
  Code,
  Code,
  Code,
  Code,
  Code,
];

export const eachChannel = (channels: Code): Code =>
  code`for (var channel = 0u; channel < ${channels}; channel++)`;

/** `first`: where a pixel's logits begin; `label`. */
export const pixelStart = (
  k: Readonly<Record<"height" | "width", Code>> & { readonly input: PlaceCode },
  labels: { readonly load: (at: Code) => Code },
): Code => code`
  let ${FIRST} = ${k.input.at(IMAGE, Y, X)};
  let label = ${labels.load(code`(${IMAGE} * ${k.height} + ${Y}) * ${k.width} + ${X}`)};`;

/** The largest logit of a pixel, `most`, and what their exponentials without it come to. */
export const exponentials = (channels: Code, logit: Code): Code => code`
  var most = ${LOWEST};
  ${eachChannel(channels)} {
    most = max(most, ${logit});
  }
  var exponentials = 0f;
  ${eachChannel(channels)} {
    exponentials += exp(${logit} - most);
  }`;
