import { expect, test } from "vitest";
import { sampled } from "../adapters.js";
import { compareWithPyTorch, describeWrong, readExpected, type Expected } from "./harness.js";

/** Layers of a signal between a convolution, whose gradient shows theirs, and a linear layer. */
interface SignalCase extends Expected {
  readonly layer: string;
}

function specFor({ layer, imageShape, classes }: SignalCase): string {
  const [channels, length] = imageShape;
  return `
model Case {
  input  wave: signal[N, ${channels}, ${length}]
  target label: u32[N] in 0..${classes}
  conv(${channels}, kernel=1) as first
  ${layer}
  flatten
  linear(${classes}) as logits
  loss cross_entropy(logits, label)
}
`;
}

test.for(sampled(readExpected<SignalCase[]>("signals"), 4))(
  "$layer of a signal as in PyTorch",
  async (expected) => {
    const differences = await compareWithPyTorch(specFor(expected), expected);
    expect(describeWrong(differences)).toBe("");
  },
);
