import {
  type Alias,
  type ArgumentTranslation,
  each,
  literalNumber,
  literalNumbers,
} from "../diagnostics/alias.js";
import { BATCH, type ImageShape, sizeText } from "../ir/shape.js";
import { choice, float, padding } from "../calls/argument-types.js";
import { type ArgumentValues, required, withDefault } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { requireImage } from "./rules.js";
import { NO_DILATION, paddedSize } from "./windows.js";

/** PyTorch's order of sides: left, right, top, bottom. */
const torchSides: ArgumentTranslation = {
  value(value) {
    const [left, right, top, bottom, ...others] = literalNumbers(value) ?? [];
    if (bottom === undefined || others.length > 0) return literalNumber(value)?.toString();
    return `[${[top, bottom, left, right].join(", ")}]`;
  },
  note: "PyTorch has left, right, top, bottom; `pad` has top, bottom, left, right",
};

/** Left and right of a signal, as a list. */
const leftRight: ArgumentTranslation = {
  value(value) {
    const sides = literalNumbers(value);
    return sides ? `[${sides.join(", ")}]` : literalNumber(value)?.toString();
  },
  note: "PyTorch has (left, right), `pad` of a signal [left, right]",
};

const torchSidesOfSignal = { size: leftRight, padding: { name: "size", ...leftRight } } as const;

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

/** A layer of PyTorch that pads by a mode. */
const torchPad = (name: string, mode: string): Alias => ({
  name,
  positional: ["size"],
  defaults: { mode },
  translates: { size: torchSides, padding: { name: "size", ...torchSides } },
});

const padArguments = {
  size: required(padding(), "pixels around the image"),
  mode: withDefault(
    choice(["constant", "reflect", "replicate", "circular"]),
    "constant",
    "what these pixels are",
  ),
  value: withDefault(float(), 0, "the number of `mode=constant`"),
};

type PadValues = ArgumentValues<typeof padArguments>;

export const pad = defineLayer({
  name: "pad",
  aliases: [
    ...["zero_pad"],
    {
      name: "ZeroPad2d",
      positional: ["size"],
      translates: { size: torchSides, padding: { name: "size", ...torchSides } },
    },
    { name: "ZeroPad1d", positional: ["size"], translates: torchSidesOfSignal },
    { name: "ConstantPad1d", positional: ["size", "value"], translates: torchSidesOfSignal },
    ...Object.entries({
      Reflection: "reflect",
      Replication: "replicate",
      Circular: "circular",
    }).map(([name, mode]): Alias => ({
      name: `${name}Pad1d`,
      positional: ["size"],
      defaults: { mode },
      translates: torchSidesOfSignal,
    })),
    torchPad("ReflectionPad2d", "reflect"),
    torchPad("ReplicationPad2d", "replicate"),
    torchPad("CircularPad2d", "circular"),
    {
      name: "ConstantPad2d",
      positional: ["size", "value"],
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
  summary: "pads an image: with a number, or with pixels of the image",
  documentation: `
Adds rows and columns: \`pad(1)\` at every side, \`pad([1, 2])\` above and below, left and
right, \`pad([0, 1, 0, 1])\` top, bottom, left and right. netc merges zeros into the
padding of a convolution that follows, at no cost. \`padding\` of \`conv\` and of pools does the
same.

- \`mode=constant\`: \`value\`, by default 0
- \`mode=reflect\`: the image mirrored at its edge, which is not repeated; less than its size
- \`mode=replicate\`: the pixels of the edge
- \`mode=circular\`: the pixels of the other side; at most the image's size
- input \`[N, C, H, W]\`, output \`[N, C, H + top + bottom, W + left + right]\`
- a signal \`[N, C, L]\` is padded by one number or by \`[left, right]\`
`,
  positional: ["size"],
  arguments: padArguments,
  samples: [
    { spec: "pad(1)", input: [3, 8, 8], output: [3, 10, 10] },
    { spec: "pad([0, 1, 2, 0])", input: [3, 8, 8], output: [3, 9, 10] },
    { spec: "pad([2, 1, 0, 3], mode=reflect)", input: [3, 4, 5], output: [3, 7, 8] },
    { spec: "pad([1, 3, 2, 0], mode=replicate)", input: [3, 4, 5], output: [3, 8, 7] },
    { spec: "pad([2, 4, 5, 1], mode=circular)", input: [3, 4, 5], output: [3, 10, 11] },
    { spec: "pad([1, 2], value=0.5)", input: [5, 4, 3], output: [5, 6, 7] },
  ],

  infer(input, values, context) {
    const image = requireImage(input, context);
    if (!image || !checkMode(image, values, context)) return undefined;
    const windows = { kernel: NO_DILATION, stride: NO_DILATION, dilation: NO_DILATION };
    const size = paddedSize(image, { ...windows, padding: values.size });
    return [BATCH, image.channels, ...size];
  },

  lower(input, { size, mode, value }, { builder, origin }) {
    if (mode !== "constant") return builder.add("extend", [input], { padding: size, mode }, origin);
    if (value !== 0) {
      return builder.add("extend", [input], { padding: size, mode, value }, origin);
    }
    // The means of windows of one element, of which those in the padding are 0.
    const windows = { kernel: [1, 1], stride: [1, 1], padding: size } as const;
    const attributes = { windows: "sliding", countPadding: true, ...windows } as const;
    return builder.add("averagePool", [input], attributes, origin);
  },
});

/** Whether the mode allows that much, and takes a value if there is one. */
function checkMode(
  image: ImageShape,
  { size, mode, value }: PadValues,
  context: InferenceContext,
): boolean {
  if (mode !== "constant" && value !== 0) {
    context.report("NET1010", {
      message: `${context.title}: \`value\` is for \`mode=constant\`, and the mode is \`${mode}\``,
      at: "value",
      fixes: [context.removeArgument("value", "drop `value`")],
    });
    return false;
  }
  if (mode !== "reflect" && mode !== "circular") return true;
  const less = mode === "reflect" ? 1 : 0;
  const { height, width } = image;
  const axes = [
    { name: "rows", most: height - less, given: Math.max(size.top, size.bottom) },
    {
      name: image.isSignal ? "places" : "columns",
      most: width - less,
      given: Math.max(size.left, size.right),
    },
  ];
  const wrong = axes.find(({ most, given }) => given > most);
  if (!wrong) return true;
  context.report("NET2037", {
    message:
      `${context.title} with \`mode=${mode}\` adds ${wrong.given} ${wrong.name} at a side, ` +
      `but ${sizeText(image, [height, width])} ` +
      `${image.isSignal ? "places" : "pixels"} allow at most ${wrong.most}`,
    at: "size",
    label: `at most ${wrong.most}`,
    axis: "space",
  });
  return false;
}
