import { expect, test } from "vitest";
import { ImportError } from "../../interchange/error.js";
import { CONFIG, CONVOLUTION, darknetFiles, MATRIX, NUMBERS } from "./darknet-files.js";
import { imported, predicted, readForeign, relativeError, sourceIn } from "./foreign-model.js";

const import_ = (config: string, numbers: readonly number[]) =>
  readForeign(sourceIn(darknetFiles(config, numbers), ["a.cfg", "a.weights"]));

test("a network of Darknet gives what its rules say", async () => {
  const images = Float32Array.from({ length: 60 }, (_, index) => Math.cos(index * 0.9));
  const model = imported(await import_(CONFIG, NUMBERS));
  expect(relativeError(predicted(model, images), expectedOf(images))).toBeLessThan(1e-5);
});

/** The same by hand. The pool pads one row and column, at the bottom and right. */
function expectedOf(images: Float32Array): number[] {
  const [bias, scale, mean, variance] = [0, 2, 4, 6].map((at) => CONVOLUTION.slice(at, at + 2));
  const convolved = (channel: number, pixel: number) => {
    const kernel = CONVOLUTION.slice(8 + 2 * channel, 10 + 2 * channel);
    const sum = kernel[0]! * images[pixel]! + kernel[1]! * images[30 + pixel]!;
    const normal = (sum - mean![channel]!) / Math.sqrt(variance![channel]! + 1e-5);
    const value = normal * scale![channel]! + bias![channel]!;
    return value > 0 ? value : 0.1 * value;
  };
  const pooled: number[] = [];
  for (let place = 0; place < 18; place++) {
    const [channel, row, column] = [Math.floor(place / 9), Math.floor(place / 3) % 3, place % 3];
    const window = [0, 1].flatMap((y) => [0, 1].map((x) => [2 * row + y, 2 * column + x] as const));
    const inside = window.filter(([y, x]) => y < 6 && x < 5);
    pooled.push(Math.max(...inside.map(([y, x]) => convolved(channel, y * 5 + x))));
  }
  const logits = [0.5, 0, -0.5].map((start, row) =>
    pooled.reduce((sum, value, index) => sum + value * MATRIX[row * 18 + index]!, start),
  );
  const powers = logits.map((each) => Math.exp(each));
  const total = powers.reduce((sum, each) => sum + each, 0);
  return powers.map((each) => each / total);
}

test.each([
  [CONFIG, NUMBERS.slice(0, 40), "a.weights ends before the weights of a.cfg:16"],
  [CONFIG, [...NUMBERS, 1], "4 bytes more than the network has weights"],
  [CONFIG.replace("[softmax]", "[yolo]"), NUMBERS, "[yolo] (a.cfg:20): netc has no layer"],
  [CONFIG.replace("leaky", "loggy"), NUMBERS, "netc has no activation `loggy`"],
  [CONFIG.replace("size=1", "size=x"), NUMBERS, "its `size` must be an integer, and is `x`"],
  [CONFIG.replace("[net]", "[conv]"), NUMBERS, "does not begin with [net]"],
])("a wrong network of Darknet is refused (%#)", async (config, numbers, message) => {
  const refusal = import_(config, numbers);
  await expect(refusal).rejects.toThrow(ImportError);
  await expect(refusal).rejects.toThrow(message);
});
