import type { OpAttributes } from "../ir/graph.js";
import {
  channelAxis,
  formatShape,
  imageShape,
  isSequence,
  sameShape,
  spaceOf,
  stridesOf,
  withChannels,
  type Shape,
} from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

type SpaceAxis = NonNullable<OpAttributes["concatenate"]["axis"]>;

/** The axes of a logical shape along which space is joined. */
const AXES: Readonly<Record<SpaceAxis, number>> = { tokens: 1, rows: 2, columns: 3 };

/**
 * Values of one batch and space, their channels one after the other, or values that agree in all
 * but one axis of space, one after the other along it. Its gradient is cut into the same parts.
 */
export const concatenate: OpDefinition<"concatenate"> = {
  outputs(inputs, { axis }) {
    const [first, ...others] = inputs.map(({ shape }) => shape);
    ensure(first !== undefined, () => "concatenate needs an input");
    for (const shape of others) {
      const fits = axis ? differOnlyIn(axis, [first, shape]) : haveOneSpace(first, shape);
      ensure(fits, () => `cannot concatenate ${formatShape(first)} and ${formatShape(shape)}`);
    }
    const sum = (countOf: (shape: Shape) => number) =>
      inputs.reduce((total, { shape }) => total + countOf(shape), 0);
    if (!axis) {
      const channels = sum((shape) => imageShape(shape).channels);
      return [{ shape: withChannels(first, channels), type: "f32" }];
    }
    const size = sum((shape) => Number(shape[AXES[axis]]));
    return [{ shape: first.map((own, at) => (at === AXES[axis] ? size : own)), type: "f32" }];
  },

  gradient(builder, { inputs, attributes: { axis }, origin }, [dy], wanted) {
    let start = 0;
    return inputs.map(({ shape }, index) => {
      const first = start;
      const at = axis ? AXES[axis] : channelAxis(shape);
      start += Number(shape[at]);
      if (!wanted[index]) return undefined;
      const strides = stridesOf(dy!.shape);
      const part = { shape, start: first * strides[at - 1]!, strides };
      return builder.add("rearrange", [dy!], part, origin);
    });
  },

  reference(inputs, { axis }) {
    if (axis) return [joinSpace(inputs, axis)];
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

function differOnlyIn(axis: SpaceAxis, [a, b]: readonly [Shape, Shape]): boolean {
  if (axis === "tokens") return isSequence(a) && isSequence(b) && a[2] === b[2];
  const isOther = (size: Shape[number], at: number) => at === AXES[axis] || size === b[at];
  return a.length === 4 && b.length === 4 && a.every(isOther);
}

/** Planes, or else their rows of pixels, one after the other. Tokens are columns. */
function joinSpace(inputs: readonly Tensor[], axis: SpaceAxis): Tensor {
  const sizes = inputs.map(({ shape }) => imageSizes(shape));
  const { images, channels, height, width } = sizes[0]!;
  const isRows = axis === "rows";
  const counts = sizes.map((size) => (isRows ? size.pixels : size.width));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const lines = images * channels * (isRows ? 1 : height);
  const space = isRows ? [total / width, width] : [height, total];
  const result = zeros([images, channels, ...space]);
  for (let line = 0; line < lines; line++) {
    let at = line * total;
    inputs.forEach(({ data }, index) => {
      const count = counts[index]!;
      for (let i = 0; i < count; i++) result.data[at++] = data[line * count + i]!;
    });
  }
  return result;
}
