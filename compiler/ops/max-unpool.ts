import { NO_WINNER } from "../ir/graph.js";
import { requireShape } from "./checks.js";
import { maxPoolGradient } from "./max-pool-gradient.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, resolveShape, zeros } from "./tensors.js";
import { maximaAxes, maximaSize, pooledShape } from "./windows.js";

/**
 * Each element where its window's winner was, zeros elsewhere. As windows share no winner, that is
 * what the gradient of their maximum does with gradients.
 */
export const maxUnpool: OpDefinition<"maxUnpool"> = {
  outputs: (inputs, attributes) => maxPoolGradient.outputs(inputs, attributes),

  gradient(builder, { inputs, attributes, origin }, [dy]) {
    return [builder.add("maxUnpoolGradient", [dy!, inputs[1]!], attributes, origin)];
  },

  reference: (...given) => maxPoolGradient.reference(...given),
};

/** Of each window, the gradient of the element that won it. */
export const maxUnpoolGradient: OpDefinition<"maxUnpoolGradient"> = {
  outputs([dy, code], attributes) {
    const { inputShape } = attributes;
    const shape = pooledShape(inputShape, maximaSize(inputShape, attributes));
    requireShape(dy!, inputShape);
    requireShape(code!, shape);
    return [{ shape, type: "f32" }];
  },

  reference([dy, codes], attributes, _, [output]) {
    const { width, height, pixels, images } = imageSizes(dy!.shape);
    const dx = zeros(resolveShape(output!.shape, images));
    const pooled = imageSizes(dx.shape);
    const [rows, columns] = maximaAxes(attributes, { height, width });
    codes!.data.forEach((code, index) => {
      if (code === NO_WINNER) return;
      const plane = Math.floor(index / pooled.pixels) * pixels;
      const outputRow = Math.floor((index % pooled.pixels) / pooled.width);
      const row = rows.place(outputRow, Math.floor(code / attributes.kernel[1]))!;
      const column = columns.place(index % pooled.width, code % attributes.kernel[1])!;
      dx.data[index] = dy!.data[plane + row * width + column]!;
    });
    return [dx];
  },
};
