import { asImage, BATCH, elementCount, formatShape, MOST_AXES, type Shape } from "../ir/shape.js";
import { integer, integers } from "../calls/argument-types.js";
import { type ArgumentValues, optional } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";

const size = integer({ minimum: -1 });

const reshapeArguments = {
  shape: optional(
    integers({ minimum: -1 }),
    "`[features]`, `[tokens, channels]`, `[channels, height, width]` or more sizes; " +
      "one may be -1",
  ),
  tokens: optional(size, "of a sequence, with `channels`"),
  channels: optional(size, "of features, a sequence or an image"),
  rows: optional(size, "of an image, with `channels` and `columns`"),
  columns: optional(size, "of an image, with `channels` and `rows`"),
};

type ReshapeValues = ArgumentValues<typeof reshapeArguments>;

/** The sizes that are given together by name, in the order of their shape. */
const NAMED_SHAPES = [
  ["channels"],
  ["tokens", "channels"],
  ["channels", "rows", "columns"],
] as const;

const NAMES = ["tokens", "channels", "rows", "columns"] as const;

export const reshape = defineLayer({
  name: "reshape",
  aliases: [
    ...["Unflatten", "unflatten"],
    { name: "Reshape", differs: "Keras' shape ends with the channels, here they come first" },
  ],
  summary: "reshapes a value, with the same elements",
  documentation: `
The elements in the order channels, rows, columns, as in PyTorch, read in another shape. The batch
axis stays and is not written. One of the sizes may be \`-1\`: it is computed from the others.

- input any shape, output \`[N, ...shape]\` of as many elements: \`[features]\`,
  \`[tokens, channels]\` or \`[channels, height, width]\`. A sequence's elements are in the order
  tokens, channels; \`tokens\` and \`transpose\` change the order
- more sizes, up to ${MOST_AXES}, make a value of more axes, which activations and layers that
  reorder, cut, join and reduce take. Others work on its last axis, as on the channels of a
  sequence: the list of all layers says which
- by name the sizes are the same in any order: \`reshape(channels=8, rows=4, columns=4)\` is
  \`reshape([8, 4, 4])\`, \`reshape(tokens=16, channels=8)\` is \`reshape([16, 8])\`, and
  \`reshape(channels=128)\` is \`reshape([128])\`
`,
  saysShape: true,
  takesWide: true,
  positional: ["shape"],
  arguments: reshapeArguments,
  samples: [
    { spec: "reshape([16, 4, 4])", input: [256], output: [16, 4, 4] },
    { spec: "reshape([8, -1, 6])", input: [4, 6, 8], output: [8, 4, 6] },
    { spec: "reshape([6, 4])", input: [3, 8], output: [6, 4] },
    { spec: "reshape([-1])", input: [3, 2, 2], output: [12] },
    { spec: "reshape(channels=8, rows=4, columns=-1)", input: [256], output: [8, 4, 8] },
    { spec: "reshape(tokens=6, channels=4)", input: [3, 8], output: [6, 4] },
  ],

  infer(input, values, context) {
    const sizes = sizesOf(values);
    if (!sizes) return reportNames(values, context);
    const wanted = resolve(sizes, elementCount(input));
    if (wanted && elementCount(wanted) === elementCount(input)) {
      if (!givenNames(values).length) warnOfBatch(input, sizes, context);
      return wanted;
    }
    return reportSizes(input, sizes, values, context);
  },

  lower(input, values, { builder, origin }) {
    const shape = asImage(resolve(sizesOf(values)!, elementCount(input.shape))!);
    return builder.add("reshape", [input], { shape }, origin);
  },
});

/** The names by which sizes are given. */
const givenNames = (values: ReshapeValues) => NAMES.filter((name) => values[name] !== undefined);

const namesOf = (values: ReshapeValues) =>
  NAMED_SHAPES.find((names) => {
    const given = givenNames(values);
    return names.length === given.length && names.every((name) => given.includes(name));
  });

/** The sizes in the order of the shape; undefined for names that make no shape. */
function sizesOf(values: ReshapeValues): readonly number[] | undefined {
  if (values.shape) return givenNames(values).length === 0 ? values.shape : undefined;
  return namesOf(values)?.map((name) => values[name]!);
}

function reportNames(values: ReshapeValues, context: InferenceContext): undefined {
  const given = givenNames(values);
  const of = `${context.title} has the sizes of ${given.join(", ")}`;
  return context.report("NET1010", {
    message: values.shape
      ? `${of}, and a shape`
      : given.length === 0
        ? `${context.title} needs a shape: \`[features]\`, or sizes by name`
        : `${of}, which make no shape`,
    at: given[0] ?? "shape",
    label: values.shape ? "one of them" : "expected a whole shape",
    notes: [
      "by name: `channels=`, or `tokens=` and `channels=`, " +
        "or `channels=`, `rows=` and `columns=`; one of them may be -1",
    ],
  });
}

/** A leading -1 that comes to 1 is the batch of `view(-1, 8, 36)` elsewhere. */
function warnOfBatch(input: Shape, sizes: readonly number[], context: InferenceContext): void {
  const [first, ...others] = sizes;
  if (first !== -1 || others.length === 0) return;
  if (elementCount([BATCH, ...others]) !== elementCount(input)) return;
  const given = [others, [1, ...others]].map((each) => `[${each.join(", ")}]`);
  const fixes = given.map((text) => context.replaceArgument("shape", text, `write \`${text}\``));
  context.report("NET2064", {
    message: `${context.title}: its -1 is not the batch, and gives an axis of one element`,
    at: "shape",
    label: `gives ${formatShape([BATCH, 1, ...others])}`,
    notes: ["sizes are those of one example: the batch is not among them"],
    fixes,
  });
}

function reportSizes(
  input: Shape,
  sizes: readonly number[],
  values: ReshapeValues,
  context: InferenceContext,
): undefined {
  const elements = elementCount(input);
  const wanted = resolve(sizes, elements);
  const names = values.shape ? undefined : namesOf(values);
  return context.report("NET2033", {
    message: wanted
      ? `${context.title} cannot make ${formatShape(wanted)} (${elementCount(wanted)} ` +
        `elements) of ${formatShape(input)} (${elements} elements)`
      : `${context.title} cannot make [${[BATCH, ...sizes].join(", ")}] ` +
        `of ${formatShape(input)}, which has ${elements} elements`,
    at: names?.[0] ?? "shape",
    label: describeWanted(sizes),
    axis: input.length === 2 ? "channels" : "space",
    fixes: sizes
      .map((_, axis) => ({ axis, sizes: sizes.with(axis, -1) }))
      .filter((changed) => resolve(changed.sizes, elements))
      .slice(0, 1)
      .map((changed) => {
        const name = names?.[changed.axis];
        const text = name ? `${name}=-1` : `[${changed.sizes.join(", ")}]`;
        const title = `write \`${text}\``;
        return name
          ? context.setArgument(name, text, title)
          : context.replaceArgument("shape", text, title);
      }),
  });
}

/** The shape with its -1 computed; undefined where it cannot be. */
function resolve(sizes: readonly number[], elements: number): Shape | undefined {
  const open = sizes.filter((size) => size === -1).length;
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  if (sizes.length === 0 || sizes.length > MOST_AXES || open > 1 || known === 0) return undefined;
  if (open === 1 && elements % known !== 0) return undefined;
  return [BATCH, ...sizes.map((size) => (size === -1 ? elements / known : size))];
}

function describeWanted(sizes: readonly number[]): string {
  if (sizes.length === 0 || sizes.length > MOST_AXES) {
    return `expected 1 to ${MOST_AXES} sizes, without the batch`;
  }
  if (sizes.filter((size) => size === -1).length > 1) return "only one size may be -1";
  return sizes.includes(-1)
    ? "does not divide the elements"
    : `${sizes.reduce((a, b) => a * b, 1)} elements`;
}
