import {
  type ArgumentTranslation,
  each,
  literalNumber,
  literalNumbers,
} from "../diagnostics/alias.js";
import { BATCH } from "../ir/shape.js";
import { padding } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineLayer } from "./layer.js";
import { requireImage } from "./rules.js";
import { NO_DILATION, paddedSize } from "./windows.js";

/** PyTorch's order of sides: left, right, top, bottom. */
const torchSides: ArgumentTranslation = {
  value(value) {
    const [left, right, top, bottom, ...others] = literalNumbers(value) ?? [];
    if (bottom === undefined || others.length > 0) return literalNumber(value)?.toString();
    return `[${[top, bottom, left, right].join(", ")}]`;
  },
  note: "`ZeroPad2d` has left, right, top, bottom; `pad` has top, bottom, left, right",
};

/** Keras' sides: `1`, `(vertical, horizontal)`, or `((top, bottom), (left, right))`. */
const kerasSides: ArgumentTranslation = {
  value(value) {
    if (value.kind !== "tuple" && value.kind !== "list") return literalNumber(value)?.toString();
    const sides = literalNumbers(value) ?? value.elements.flatMap((axis) => literalNumbers(axis));
    const isWhole = value.elements.length === 2 && sides.every((side) => side !== undefined);
    return isWhole ? `[${sides.join(", ")}]` : undefined;
  },
  note: "`ZeroPadding2D` has ((top, bottom), (left, right)), `pad` has [top, bottom, left, right]",
};

export const pad = defineLayer({
  name: "pad",
  aliases: [
    ...["zero_pad"],
    {
      name: "ZeroPad2d",
      positional: ["size"],
      translates: { size: torchSides, padding: { name: "size", ...torchSides } },
    },
    {
      name: "ZeroPadding2D",
      defaults: { size: "1" },
      translates: { size: kerasSides, padding: { name: "size", ...kerasSides } },
    },
    ...each(["Pad", "padding"], {
      differs: "the order of sides differs among frameworks; here it is top, bottom, left, right",
    }),
  ],
  summary: "pads an image with zeros",
  documentation: `
Adds rows and columns of zeros: \`pad(1)\` at every side, \`pad([1, 2])\` above and below, left and
right, \`pad([0, 1, 0, 1])\` top, bottom, left and right. netc merges it into the
padding of a convolution that follows, at no cost. \`padding\` of \`conv\` and of pools does the
same.

- input \`[N, C, H, W]\`, output \`[N, C, H + top + bottom, W + left + right]\`
`,
  positional: ["size"],
  arguments: { size: required(padding(), "zeros around the image") },
  samples: [
    { spec: "pad(1)", input: [3, 8, 8], output: [3, 10, 10] },
    { spec: "pad([0, 1, 2, 0])", input: [3, 8, 8], output: [3, 9, 10] },
  ],

  infer(input, { size }, context) {
    const image = requireImage(input, context);
    const windows = { kernel: NO_DILATION, stride: NO_DILATION, dilation: NO_DILATION };
    return image && [BATCH, image.channels, ...paddedSize(image, { ...windows, padding: size })];
  },

  lower(input, { size }, { builder, origin }) {
    // The means of windows of one element, of which those in the padding are 0.
    const windows = { kernel: [1, 1], stride: [1, 1], padding: size } as const;
    const attributes = { windows: "sliding", countPadding: true, ...windows } as const;
    return builder.add("averagePool", [input], attributes, origin);
  },
});
