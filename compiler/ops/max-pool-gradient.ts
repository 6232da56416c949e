import { NO_WINNER } from "../ir/graph.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, resolveShape, zeros } from "./tensors.js";
import { pooledShape, windowedSize } from "./windows.js";

/** dx: each output's gradient goes to the element that won its window. */
export const maxPoolGradient: OpDefinition<"maxPoolGradient"> = {
  outputs([dy, code], attributes) {
    const { inputShape } = attributes;
    const pooled = pooledShape(inputShape, windowedSize(inputShape, attributes));
    requireShape(dy!, pooled);
    requireShape(code!, pooled);
    return [{ shape: inputShape, type: "f32" }];
  },

  reference(inputs, attributes, _, [output]) {
    const [dy, codes] = inputs;
    const { kernel, stride, padding } = attributes;
    const pooled = imageSizes(dy!.shape);
    const dx = zeros(resolveShape(output!.shape, pooled.images));
    const { width, pixels } = imageSizes(dx.shape);
    dy!.data.forEach((gradient, index) => {
      const code = codes!.data[index]!;
      if (code === NO_WINNER) return;
      const plane = Math.floor(index / pooled.pixels) * pixels;
      const outputRow = Math.floor((index % pooled.pixels) / pooled.width);
      const row = outputRow * stride[0] - padding.top + Math.floor(code / kernel[1]);
      const column = (index % pooled.width) * stride[1] - padding.left + (code % kernel[1]);
      dx.data[plane + row * width + column]! += gradient;
    });
    return [dx];
  },
};
