import {
  BATCH,
  elementCount,
  formatShape,
  imageShape,
  isSequence,
  sameShape,
  spaceOf,
  withChannels,
  type Shape,
} from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * Values of one batch and space, their channels one after the other, or sequences of one number of
 * channels, their tokens one after the other. Its gradient is cut into the same parts.
 */
export const concatenate: OpDefinition<"concatenate"> = {
  outputs(inputs, { axis }) {
    const [first, ...others] = inputs.map(({ shape }) => shape);
    ensure(first !== undefined, () => "concatenate needs an input");
    for (const shape of others) {
      const fits = axis === "tokens" ? areSequences(first, shape) : haveOneSpace(first, shape);
      ensure(fits, () => `cannot concatenate ${formatShape(first)} and ${formatShape(shape)}`);
    }
    const sum = (countOf: (shape: Shape) => number) =>
      inputs.reduce((total, { shape }) => total + countOf(shape), 0);
    return axis === "tokens"
      ? [{ shape: [BATCH, sum(([, tokens]) => Number(tokens)), first[2]!], type: "f32" }]
      : [
          {
            shape: withChannels(
              first,
              sum((shape) => imageShape(shape).channels),
            ),
            type: "f32",
          },
        ];
  },

  gradient(builder, { inputs, attributes, origin }, [dy], wanted) {
    let start = 0;
    return inputs.map(({ shape }, index) => {
      const { channels } = imageShape(shape);
      const first = start;
      start += attributes.axis === "tokens" ? elementCount(shape) : channels;
      if (!wanted[index]) return undefined;
      if (attributes.axis !== "tokens")
        return builder.add("slice", [dy!], { start: first, count: channels }, origin);
      const part = { shape, start: first, strides: [channels, 1] };
      return builder.add("rearrange", [dy!], part, origin);
    });
  },

  reference(inputs, { axis }) {
    if (axis === "tokens") return [joinTokens(inputs)];
    const sizes = inputs.map(({ shape }) => imageSizes(shape));
    const { images, pixels } = sizes[0]!;
    const channels = sizes.reduce((sum, size) => sum + size.channels, 0);
    const result = zeros([images, channels, ...inputs[0]!.shape.slice(2)]);
    for (let image = 0; image < images; image++) {
      let start = image * channels * pixels;
      for (const [index, { data }] of inputs.entries()) {
        const length = sizes[index]!.channels * pixels;
        for (let i = 0; i < length; i++) result.data[start + i] = data[image * length + i]!;
        start += length;
      }
    }
    return [result];
  },
};

const haveOneSpace = (a: Shape, b: Shape) =>
  a.length === b.length && sameShape(spaceOf(a), spaceOf(b));

const areSequences = (a: Shape, b: Shape) => isSequence(a) && isSequence(b) && a[2] === b[2];

/** Rows of pixels, one after the other. */
function joinTokens(inputs: readonly Tensor[]): Tensor {
  const { images, channels } = imageSizes(inputs[0]!.shape);
  const counts = inputs.map(({ shape }) => imageSizes(shape).pixels);
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  const result = zeros([images, channels, 1, tokens]);
  for (let plane = 0; plane < images * channels; plane++) {
    let at = plane * tokens;
    inputs.forEach(({ data }, index) => {
      const count = counts[index]!;
      for (let token = 0; token < count; token++) result.data[at++] = data[plane * count + token]!;
    });
  }
  return result;
}
