import { sizesOf, type RearrangeAttributes } from "../ir/graph.js";
import { elementCount, formatShape, hasBatch, type Shape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { resolveShape, tensorSize, zeros } from "./tensors.js";

/** Throws where an element of y is not in x. */
export function requireInside(x: Shape, attributes: RearrangeAttributes): void {
  const { shape, start, strides } = attributes;
  const sizes = sizesOf(attributes);
  const counted = sizes.reduce((product, size) => product * size, 1);
  ensure(hasBatch(shape) && sizes.length === strides.length, () => {
    return `${formatShape(shape)} does not have ${strides.length} axes behind the batch`;
  });
  ensure(counted === elementCount(shape), () => {
    return `${sizes.join(" * ")} are not the elements of ${formatShape(shape)}`;
  });
  const last = sizes.reduce((at, size, axis) => at + (size - 1) * strides[axis]!, start);
  ensure(start >= 0 && strides.every((stride) => stride > 0) && last < elementCount(x), () => {
    return `cannot take ${formatShape(shape)} from ${formatShape(x)}`;
  });
}

/** For each element of an image of y, in logical order, its place in the image of x. */
export function placesOf(attributes: RearrangeAttributes): readonly number[] {
  const { start, strides } = attributes;
  return sizesOf(attributes).reduce<readonly number[]>(
    (places, size, axis) =>
      places.flatMap((place) =>
        Array.from({ length: size }, (_, index) => place + index * strides[axis]!),
      ),
    [start],
  );
}

/** Elements in another order, or some of them: transposed axes, tokens of an image, parts. */
export const rearrange: OpDefinition<"rearrange"> = {
  keepsOrder: true,

  outputs([x], attributes) {
    requireInside(x!.shape, attributes);
    return [{ shape: attributes.shape, type: "f32" }];
  },

  gradient(builder, { inputs, attributes, origin }, [dy]) {
    const inputShape = inputs[0]!.shape;
    return [builder.add("rearrangeGradient", [dy!], { ...attributes, inputShape }, origin)];
  },

  reference([x], attributes) {
    const images = x!.shape[0]!;
    const y = zeros(resolveShape(attributes.shape, images));
    const places = placesOf(attributes);
    const size = tensorSize(x!.shape) / images;
    for (let image = 0; image < images; image++) {
      places.forEach((place, index) => {
        y.data[image * places.length + index] = x!.data[image * size + place]!;
      });
    }
    return [y];
  },
};
