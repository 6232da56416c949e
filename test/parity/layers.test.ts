import { expect, test } from "vitest";
import { sampled } from "../adapters.js";
import { inputType } from "../layers/others.js";
import { compareWithPyTorch, describeWrong, readExpected, type Expected } from "./harness.js";

/** One layer between a 1x1 convolution, whose gradient shows the layer's, and a linear layer. */
interface LayerCase extends Expected {
  readonly layer: string;
}

function specFor({ layer, imageShape, classes, vocabulary }: LayerCase): string {
  const [channels] = imageShape;
  const first = vocabulary === undefined ? `conv(${channels}, kernel=1) as first` : "";
  const flatten = layer.startsWith("flatten") ? "" : "flatten";
  return `
model Case {
  input  image: ${inputType(imageShape, vocabulary)}
  target label: u32[N] in 0..${classes}
  ${first}
  ${layer}
  ${flatten}
  linear(${classes}) as logits
  loss cross_entropy(logits, label)
}
`;
}

test.for(sampled(readExpected<LayerCase[]>("layers"), 8))(
  "$layer as in PyTorch",
  async (expected) => {
    const differences = await compareWithPyTorch(specFor(expected), expected);
    expect(describeWrong(differences)).toBe("");
  },
);
