import {
  type Alias,
  type ArgumentTranslation,
  each,
  literalNumber,
  literalNumbers,
} from "../diagnostics/alias.js";
import {
  asImage,
  BATCH,
  formatShape,
  isSignal,
  isWide,
  type Shape,
  sizeText,
} from "../ir/shape.js";
import { nameOrNumber } from "../calls/axis-types.js";
import { choice, float, mismatch, padding } from "../calls/argument-types.js";
import {
  type ArgumentType,
  type ArgumentValues,
  optional,
  required,
  withDefault,
} from "../calls/signature.js";
import type { Padding, Value } from "../ir/graph.js";
import { AXES } from "./channel-parts.js";
import {
  type ChosenAxis,
  elementsAlong,
  numberOfAxis,
  placeOfAxis,
  reportAbsentAxis,
} from "./chosen-axes.js";
import { defineLayer, type InferenceContext, type LayerContext } from "./layer.js";
import { type AddedSides, addedSides } from "./padded-axes.js";
import { requireImage } from "./rules.js";
import { imageOfTokens, tokensOfImage } from "./token-order.js";
import { aroundAxis } from "./wide-axes.js";

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

const around = padding();

/** Along one axis, a pair is what comes in front and behind. */
const sides: ArgumentType<Padding> = {
  ...around,
  read(expression, reader) {
    const isOfAxis = reader.sibling?.("axis") !== undefined;
    const isPair = expression.kind !== "list" || expression.elements.length === 2;
    if (!isOfAxis || isPair) return around.read(expression, reader);
    return mismatch(expression, reader, "an integer, or [before, after], with `axis`");
  },
};

const padArguments = {
  size: required(sides, "pixels around the image, or elements along `axis`"),
  axis: optional(nameOrNumber(AXES), "the one axis along which it pads"),
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

With \`axis\` it pads any value along one axis, in front and behind: \`pad([0, 8], axis=channels)\`
adds 8 channels of zeros to an image, \`pad([1, 1], axis=tokens)\` a token at each end of a sequence
\`[N, T, C]\`, \`pad([0, 2], axis=channels)\` two channels to a signal. All modes are there.
Along the channels, and along an axis of a value of more than four, it copies the value.
`,
  takesWide: true,
  positional: ["size"],
  arguments: padArguments,
  samples: [
    { spec: "pad(1)", input: [3, 8, 8], output: [3, 10, 10] },
    { spec: "pad([0, 1, 2, 0])", input: [3, 8, 8], output: [3, 9, 10] },
    { spec: "pad([2, 1, 0, 3], mode=reflect)", input: [3, 4, 5], output: [3, 7, 8] },
    { spec: "pad([1, 3, 2, 0], mode=replicate)", input: [3, 4, 5], output: [3, 8, 7] },
    { spec: "pad([2, 4, 5, 1], mode=circular)", input: [3, 4, 5], output: [3, 10, 11] },
    { spec: "pad([1, 2], value=0.5)", input: [5, 4, 3], output: [5, 6, 7] },
    { spec: "pad([0, 2], axis=channels)", input: [5, 4, 3], output: [7, 4, 3] },
    { spec: "pad([1, 2], axis=-1, mode=reflect)", input: [5, 4, 3], output: [5, 4, 6] },
    { spec: "pad([1, 3], axis=tokens, mode=replicate)", input: [5, 8], output: [9, 8] },
    { spec: "pad(1, axis=channels, value=2)", input: [10], output: [12] },
  ],

  infer(input, values, context) {
    const { axis } = values;
    if (axis === undefined && isWide(input)) return reportNoAxis(input, context);
    if (axis === undefined && !requireImage(input, context)) return undefined;
    if (axis !== undefined && placeOfAxis(axis, input) === undefined) {
      return reportAbsentAxis(axis, input, context, "axis");
    }
    const added = addedSides(values, input);
    return checkMode(input, added, values, context)
      ? paddedShape(isWide(input) ? input : asImage(input), added)
      : undefined;
  },

  lower(input, values, context) {
    const added = addedSides(values, context.shape);
    if (added.every(({ axis }) => axis === "rows" || axis === "columns")) {
      return padImage(input, imagePadding(added), values, context);
    }
    const [{ axis, before, after }] = added as [AddedSides];
    return axis === "tokens"
      ? padTokens(input, { ...NOTHING, left: before, right: after }, values, context)
      : padAlong(input, { axis, before, after }, values, context);
  },
});

const reportNoAxis = (input: Shape, context: InferenceContext): undefined =>
  context.report("NET2054", {
    message:
      `${context.title} without \`axis\` takes values of at most 4 axes ` +
      `but receives ${formatShape(input)}`,
    label: `has ${input.length} axes`,
    axis: "rank",
    notes: ["`pad([1, 1], axis=-1)` adds an element at each end of the last axis"],
  });

const NOTHING = { top: 0, bottom: 0, left: 0, right: 0 } as const;

/** The shape with what is added along its axes. */
const paddedShape = (shape: Shape, added: readonly AddedSides[]): Shape =>
  added.reduce((padded, { axis, before, after }) => {
    const at = numberOfAxis(axis, shape)!;
    return padded.with(at, Number(shape[at]) + before + after);
  }, shape);

/** What is added to rows and columns. */
function imagePadding(added: readonly AddedSides[]): Padding {
  const rows = added.find(({ axis }) => axis === "rows");
  const columns = added.find(({ axis }) => axis === "columns");
  return {
    top: rows?.before ?? 0,
    bottom: rows?.after ?? 0,
    left: columns?.before ?? 0,
    right: columns?.after ?? 0,
  };
}

type PaddingKind = Pick<PadValues, "mode" | "value">;

function padImage(
  image: Value,
  size: Padding,
  { mode, value }: PaddingKind,
  { builder, origin }: LayerContext,
): Value {
  if (mode !== "constant") return builder.add("extend", [image], { padding: size, mode }, origin);
  if (value !== 0) {
    return builder.add("extend", [image], { padding: size, mode, value }, origin);
  }
  // The means of windows of one element, of which those in the padding are 0.
  const windows = { kernel: [1, 1], stride: [1, 1], padding: size } as const;
  const attributes = { windows: "sliding", countPadding: true, ...windows } as const;
  return builder.add("averagePool", [image], attributes, origin);
}

/** Tokens are the columns of an image of one row. */
function padTokens(input: Value, size: Padding, kind: PaddingKind, context: LayerContext): Value {
  const { builder, origin } = context;
  const row = imageOfTokens(builder, input, [1, Number(input.shape[1])], origin);
  return tokensOfImage(builder, padImage(row, size, kind, context), origin);
}

/** An axis is the rows of an image, whose columns are all that comes behind. */
function padAlong(
  input: Value,
  { axis, before, after }: AddedSides,
  kind: PaddingKind,
  context: LayerContext,
): Value {
  const { builder, origin, shape } = context;
  const place = placeOfAxis(axis, shape)!;
  const rows = [BATCH, ...aroundAxis(shape, place)] as const;
  const image = builder.add("reshape", [input], { shape: rows }, origin);
  const padded = padImage(image, { ...NOTHING, top: before, bottom: after }, kind, context);
  const output = asImage(shape.with(place, Number(shape[place]) + before + after));
  return builder.add("reshape", [padded], { shape: output }, origin);
}

/** Whether the mode allows that much, and takes a value if there is one. */
function checkMode(
  input: Shape,
  added: readonly AddedSides[],
  { axis: chosen, mode, value }: PadValues,
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
  const image = isWide(input) ? input : asImage(input);
  const sizeOf = (axis: ChosenAxis) => Number(image[numberOfAxis(axis, image)!]);
  const wrong = added.find(
    ({ axis, before, after }) => Math.max(before, after) > sizeOf(axis) - less,
  );
  if (!wrong) return true;
  const { axis, before, after } = wrong;
  const most = sizeOf(axis) - less;
  const places = isSignal(input) ? "places" : undefined;
  const pixels = sizeText(places ? { isSignal: true } : {}, [Number(image[2]), Number(image[3])]);
  const noun = axis === "columns" && places ? places : elementsAlong(axis);
  const all = chosen === undefined ? `${pixels} ${places ?? "pixels"}` : `${sizeOf(axis)} ${noun}`;
  context.report("NET2037", {
    message:
      `${context.title} with \`mode=${mode}\` adds ${Math.max(before, after)} ` +
      `${noun} at a side, but ${all} allow at most ${most}`,
    at: "size",
    label: `at most ${most}`,
    axis: axis === "channels" || axis === "tokens" ? "channels" : "space",
  });
  return false;
}
