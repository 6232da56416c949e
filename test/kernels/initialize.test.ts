import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { threefry, toUnit } from "../../program/random.js";
import { createNetwork } from "../../runtime/index.js";

/**
 * A convolution of five channels in two groups of kernels, and a linear layer: layouts with padding
 * everywhere.
 */
const SPEC = `
model Net {
  input  image: f32[N, 3, 6, 6]
  target label: u32[N] in 0..5
  conv(6, kernel=3) as first -> relu
  conv(10, kernel=3, groups=2, init=normal(0.5)) as second -> relu
  flatten
  linear(5, bias_init=constant(0.25)) as logits
  loss cross_entropy(logits, label)
}
`;

test("initial values are those of the counter-based generator, whatever the layout", async () => {
  const { programs, diagnostics } = compile(SPEC, { file: "net.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const seed = 9;
  const network = await createNetwork(programs, { batch: 1, seed });
  try {
    for (const { name, initializer, stream, shape } of programs[0]!.parameters) {
      const size = shape.reduce((product, length) => product * length, 1);
      const expected = Float32Array.from({ length: size }, (_, index) => {
        const [x, y] = threefry(seed, stream, index, 0xffffffff).map(toUnit) as [number, number];
        if (initializer.kind === "constant") return initializer.value;
        if (initializer.kind === "uniform") {
          return initializer.low + (initializer.high - initializer.low) * x;
        }
        const radius = Math.sqrt(-2 * Math.log(1 - x));
        return initializer.mean + initializer.deviation * radius * Math.cos(2 * Math.PI * y);
      });
      const actual = await network.read(name);
      // WGSL grants the cosine an absolute error of 2^-11; SwiftShader's is up to 3e-4 here.
      const tolerance = initializer.kind === "normal" ? 1e-3 : 1e-7;
      actual.forEach((value, index) => {
        expect(Math.abs(value - expected[index]!), `${name}[${index}]`).toBeLessThan(tolerance);
      });
    }
  } finally {
    network.destroy();
  }
});
