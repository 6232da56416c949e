import type { ExtendAttributes } from "../ir/graph.js";
import { imageShape, stridesOf, type Shape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, resolveShape, zeros } from "./tensors.js";
import { pooledShape } from "./windows.js";

/** The shape with its padding. */
export function extendedShape(x: Shape, { padding, mode }: ExtendAttributes): Shape {
  const { height, width } = imageShape(x);
  const { top, bottom, left, right } = padding;
  const most = mode === "reflect" ? 1 : 0;
  const isBounded = mode === "reflect" || mode === "circular";
  const fits = [
    ...[top, bottom].map((side) => side <= height - most),
    ...[left, right].map((side) => side <= width - most),
  ];
  ensure(!isBounded || fits.every(Boolean), () => `${mode} padding is larger than the image`);
  return pooledShape(x, [height + top + bottom, width + left + right]);
}

/** The pixel of the image that is at a place around it; undefined for a number. */
function sourceOf(place: number, size: number, mode: ExtendAttributes["mode"]): number | undefined {
  if (place >= 0 && place < size) return place;
  switch (mode) {
    case "reflect":
      return place < 0 ? -place : 2 * size - 2 - place;
    case "replicate":
      return place < 0 ? 0 : size - 1;
    case "circular":
      return (place + size) % size;
    case "constant":
      return undefined;
  }
}

/** Visits each output element with the input element that it is; undefined for a number. */
export function forEachExtended(
  shapes: { readonly x: readonly number[]; readonly y: readonly number[] },
  { padding, mode }: ExtendAttributes,
  visit: (y: number, x: number | undefined) => void,
): void {
  const x = imageSizes(shapes.x);
  const y = imageSizes(shapes.y);
  for (let index = 0; index < y.images * y.channels * y.pixels; index++) {
    const plane = Math.floor(index / y.pixels) * x.pixels;
    const row = Math.floor((index % y.pixels) / y.width) - padding.top;
    const from = sourceOf(row, x.height, mode);
    const column = sourceOf((index % y.width) - padding.left, x.width, mode);
    const isInside = from !== undefined && column !== undefined;
    visit(index, isInside ? plane + from * x.width + column : undefined);
  }
}

/** An image with pixels around it. */
export const extend: OpDefinition<"extend"> = {
  outputs: ([x], attributes) => [{ shape: extendedShape(x!.shape, attributes), type: "f32" }],

  gradient(builder, { inputs, attributes, origin }, [dy]) {
    const inputShape = inputs[0]!.shape;
    if (attributes.mode === "constant") {
      const { top, left } = attributes.padding;
      const strides = stridesOf(dy!.shape);
      const start = top * strides.at(-2)! + left;
      return [builder.add("rearrange", [dy!], { shape: inputShape, start, strides }, origin)];
    }
    return [builder.add("extendGradient", [dy!], { ...attributes, inputShape }, origin)];
  },

  reference([x], attributes, _, [output]) {
    const y = zeros(resolveShape(output!.shape, x!.shape[0]!));
    forEachExtended({ x: x!.shape, y: y.shape }, attributes, (yAt, xAt) => {
      y.data[yAt] = xAt === undefined ? (attributes.value ?? 0) : x!.data[xAt]!;
    });
    return [y];
  },
};
