import { BATCH, formatShape } from "../ir/shape.js";
import type { Value } from "../ir/graph.js";
import { ensure } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { zeros } from "./tensors.js";

/**
 * One minus the mean over the classes of (2 I + smooth) / (S + smooth), of each example: I is what
 * `diceSums` has for a class, summed over the rows, and S what it has behind all of these
 * (Milletari et al., "V-Net", 2016, without squares; MONAI's DiceLoss with `softmax`).
 */
export const dice: OpDefinition<"dice"> = {
  keepsOrder: true,

  outputs([sums]) {
    requireSums(sums!);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference([sums], { smooth }) {
    const [images] = sums!.shape as readonly [number];
    const losses = zeros([images]);
    for (let image = 0; image < images; image++) {
      const classes = classSums(sums!, image);
      const scores = classes.map(({ both, either }) => (2 * both + smooth) / (either + smooth));
      losses.data[image] = 1 - scores.reduce((sum, each) => sum + each, 0) / classes.length;
    }
    return [losses];
  },
};

/** `weight` times the gradient of the step's mean, the same in each row. */
export const diceGradient: OpDefinition<"diceGradient"> = {
  keepsOrder: true,

  outputs([sums]) {
    requireSums(sums!);
    return [{ shape: sums!.shape, type: "f32" }];
  },

  reference([sums], { smooth, weight }) {
    const gradient = zeros(sums!.shape);
    const [images, rows, width] = sums!.shape as readonly [number, number, number];
    for (let image = 0; image < images; image++) {
      classSums(sums!, image).forEach(({ both, either }, label, { length: classes }) => {
        const share = weight / (images * classes * (either + smooth));
        for (let row = 0; row < rows; row++) {
          const place = (image * rows + row) * width + label;
          gradient.data[place] = -2 * share;
          gradient.data[place + classes] = (share * (2 * both + smooth)) / (either + smooth);
        }
      });
    }
    return [gradient];
  },
};

function requireSums({ shape }: Value): void {
  ensure(shape.length === 3 && Number(shape[2]) % 2 === 0, () => {
    return `expected sums [N, H, 2 * classes], got ${formatShape(shape)}`;
  });
}

/** An image's sums over its rows, by class. */
function classSums({ shape, data }: Tensor, image: number) {
  const [, rows, width] = shape as readonly [number, number, number];
  const sumOf = (column: number) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += data[(image * rows + row) * width + column]!;
    return sum;
  };
  return Array.from({ length: width / 2 }, (_, label) => {
    return { both: sumOf(label), either: sumOf(width / 2 + label) };
  });
}
