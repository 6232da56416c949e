import { formatShape, imageShape, sameShape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, zeros } from "./tensors.js";

/**
 * Values of one batch and space, their channels one after the other. Its gradient is cut into the
 * same parts.
 */
export const concatenate: OpDefinition<"concatenate"> = {
  outputs(inputs) {
    const [first, ...others] = inputs.map(({ shape }) => shape);
    ensure(first !== undefined, () => "concatenate needs an input");
    for (const shape of others) {
      const fits = shape.length === first.length && sameShape(shape.slice(2), first.slice(2));
      ensure(fits, () => `cannot concatenate ${formatShape(first)} and ${formatShape(shape)}`);
    }
    const channels = inputs.reduce((sum, { shape }) => sum + imageShape(shape).channels, 0);
    return [{ shape: [first[0]!, channels, ...first.slice(2)], type: "f32" }];
  },

  gradient(builder, { inputs, origin }, [dy], wanted) {
    let start = 0;
    return inputs.map(({ shape }, index) => {
      const count = imageShape(shape).channels;
      const part = { start, count };
      start += count;
      return wanted[index] ? builder.add("slice", [dy!], part, origin) : undefined;
    });
  },

  reference(inputs) {
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
