import { NO_WINNER } from "../ir/graph.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, resolveShape, zeros } from "./tensors.js";
import { maximaAxes, maximaSize, pooledShape } from "./windows.js";

/** dx: each output's gradient goes to the element that won its window. */
export const maxPoolGradient: OpDefinition<"maxPoolGradient"> = {
  outputs([dy, code], attributes) {
    const { inputShape } = attributes;
    const pooled = pooledShape(inputShape, maximaSize(inputShape, attributes));
    requireShape(dy!, pooled);
    requireShape(code!, pooled);
    return [{ shape: inputShape, type: "f32" }];
  },

  reference(inputs, attributes, _, [output]) {
    const [dy, codes] = inputs;
    const { kernel } = attributes;
    const pooled = imageSizes(dy!.shape);
    const dx = zeros(resolveShape(output!.shape, pooled.images));
    const { width, height, pixels } = imageSizes(dx.shape);
    const [rows, columns] = maximaAxes(attributes, { height, width });
    dy!.data.forEach((gradient, index) => {
      const code = codes!.data[index]!;
      if (code === NO_WINNER) return;
      const plane = Math.floor(index / pooled.pixels) * pixels;
      const outputRow = Math.floor((index % pooled.pixels) / pooled.width);
      const row = rows.place(outputRow, Math.floor(code / kernel[1]))!;
      const column = columns.place(index % pooled.width, code % kernel[1])!;
      dx.data[plane + row * width + column]! += gradient;
    });
    return [dx];
  },
};
