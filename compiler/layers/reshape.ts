import { BATCH, elementCount, formatShape, type Shape } from "../ir/shape.js";
import { integers } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { defineLayer } from "./layer.js";

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
`,
  saysShape: true,
  positional: ["shape"],
  arguments: {
    shape: required(
      integers({ minimum: -1 }),
      "`[features]`, `[tokens, channels]` or `[channels, height, width]`; one may be -1",
    ),
  },
  samples: [
    { spec: "reshape([16, 4, 4])", input: [256], output: [16, 4, 4] },
    { spec: "reshape([8, -1, 6])", input: [4, 6, 8], output: [8, 4, 6] },
    { spec: "reshape([6, 4])", input: [3, 8], output: [6, 4] },
    { spec: "reshape([-1])", input: [3, 2, 2], output: [12] },
  ],

  infer(input, { shape }, context) {
    const wanted = resolve(shape, elementCount(input));
    if (wanted && elementCount(wanted) === elementCount(input)) return wanted;
    return context.report("NET2033", {
      message: wanted
        ? `${context.title} cannot make ${formatShape(wanted)} (${elementCount(wanted)} ` +
          `elements) of ${formatShape(input)} (${elementCount(input)} elements)`
        : `${context.title} cannot make [${[BATCH, ...shape].join(", ")}] ` +
          `of ${formatShape(input)}, which has ${elementCount(input)} elements`,
      at: "shape",
      label: describeWanted(shape),
      axis: input.length === 2 ? "channels" : "space",
      fixes: shape
        .map((_, axis) => shape.map((size, index) => (index === axis ? -1 : size)))
        .filter((sizes) => resolve(sizes, elementCount(input)))
        .slice(0, 1)
        .map((sizes) => {
          const text = `[${sizes.join(", ")}]`;
          return context.replaceArgument("shape", text, `write \`${text}\``);
        }),
    });
  },

  lower(input, { shape }, { builder, origin }) {
    const wanted = resolve(shape, elementCount(input.shape))!;
    return builder.add("reshape", [input], { shape: wanted }, origin);
  },
});

/** The shape with its -1 computed; undefined where it cannot be. */
function resolve(sizes: readonly number[], elements: number): Shape | undefined {
  const open = sizes.filter((size) => size === -1).length;
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  if (sizes.length === 0 || sizes.length > 3 || open > 1 || known === 0) return undefined;
  if (open === 1 && elements % known !== 0) return undefined;
  return [BATCH, ...sizes.map((size) => (size === -1 ? elements / known : size))];
}

function describeWanted(sizes: readonly number[]): string {
  if (sizes.length === 0 || sizes.length > 3) return "expected 1 to 3 sizes, without the batch";
  if (sizes.filter((size) => size === -1).length > 1) return "only one size may be -1";
  return sizes.includes(-1)
    ? "does not divide the elements"
    : `${sizes.reduce((a, b) => a * b, 1)} elements`;
}
