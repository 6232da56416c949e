import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  binary,
  channel,
  constant,
  multiply,
  operand,
  unary,
} from "../../compiler/ir/expression.js";
import {
  NO_WINNER,
  type AnyNode,
  type AverageAttributes,
  type Node,
  type OpAttributes,
  type OpKind,
  type Padding,
  type Pair,
  type Value,
} from "../../compiler/ir/graph.js";
import { BATCH, type Shape } from "../../compiler/ir/shape.js";
import { ops } from "../../compiler/ops/index.js";
import type { OpDefinition, ReferenceContext, Tensor } from "../../compiler/ops/op.js";
import { runNode } from "../../compiler/ops/run-node.js";
import { tensorSize } from "../../compiler/ops/tensors.js";
import { uniformValues } from "../oracle/values.js";
import { nowhere } from "../passes/chain.js";

interface Case {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly dx: readonly number[];
}

interface Expected {
  readonly convolution: readonly (Case & {
    readonly w: readonly number[];
    readonly dw: readonly number[];
    readonly stride: Pair;
    readonly padding: readonly [number, number, number, number];
    readonly dilation: Pair;
    readonly groups: number;
  })[];
  readonly maxPool: readonly (Case & {
    readonly kernel: Pair;
    readonly stride: Pair;
    readonly padding: readonly [number, number, number, number];
  })[];
  readonly averagePool: readonly (Case & { readonly attributes: AverageAttributes })[];
  readonly normalization: readonly (Case &
    Readonly<Record<"size" | "alpha" | "beta" | "k", number>>)[];
  readonly crossEntropy: readonly (Case & {
    readonly labels: readonly number[];
    readonly smoothing: number;
    readonly classWeights?: readonly number[];
    readonly partners?: readonly number[];
    readonly shares?: readonly number[];
  })[];
  readonly softmax: readonly Case[];
  readonly accuracy: readonly (Omit<Case, "dx"> & {
    readonly labels: readonly number[];
    readonly k: number;
  })[];
  readonly update: readonly {
    readonly name: string;
    readonly convention: "pytorch" | "caffe";
    readonly momentum: number;
    readonly nesterov: boolean;
    readonly decay: number;
    readonly rates: readonly number[];
    readonly w: readonly number[];
  }[];
}

const expected = JSON.parse(
  readFileSync(new URL("../fixtures/ops.json", import.meta.url), "utf8"),
) as Expected;

const CONTEXT: ReferenceContext = {
  seed: 1,
  step: 0,
  training: true,
  optimizer: {
    kind: "sgd",
    learningRate: 0.1,
    momentum: 0,
    weightDecay: 0,
    nesterov: false,
    convention: "pytorch",
  },
};

function hashed(name: string, shape: readonly number[]): Tensor {
  return { shape, data: Float64Array.from(uniformValues(name, tensorSize(shape), 1)) };
}

function numbers(values: readonly number[]): Tensor {
  return { shape: [values.length], data: Float64Array.from(values) };
}

function integers(values: readonly number[]): Tensor {
  return { shape: [values.length], data: Uint32Array.from(values) };
}

/**
 * Runs one op as a graph would; `batched` says which tensors have a batch axis, `join` which of
 * them the op itself reads and what is fused into it.
 */
function run<Kind extends OpKind>(
  kind: Kind,
  tensors: readonly Tensor[],
  attributes: OpAttributes[Kind],
  batched: readonly boolean[] = tensors.map(() => true),
  join: (values: readonly Value[]) => Pick<Node, "inputs" | "fusion"> = (inputs) => ({ inputs }),
): readonly Tensor[] {
  const definition: OpDefinition<Kind> = ops[kind];
  const values = tensors.map(({ shape, data }, index): Value => {
    const logical: Shape = batched[index] ? [BATCH, ...shape.slice(1)] : shape;
    const type = data instanceof Uint32Array ? "u32" : "f32";
    return { id: index, name: `input ${index}`, shape: logical, type, origin: nowhere("test") };
  });
  const joined = join(values);
  const origin = nowhere("test");
  const outputs = definition.outputs(joined.inputs, attributes).map((type, index) => {
    return { ...type, id: values.length + index, name: "output", origin };
  });
  const node = { ...joined, kind, outputs, attributes, origin } as unknown as AnyNode;
  return runNode(node, ({ id }) => tensors[id]!, CONTEXT);
}

function expectClose(actual: Tensor | undefined, wanted: readonly number[]): void {
  expect(actual?.data.length).toBe(wanted.length);
  wanted.forEach((value, index) => expect(actual!.data[index]).toBeCloseTo(value, 8));
}

const sides = ([top, bottom, left, right]: readonly [number, number, number, number]): Padding => ({
  top,
  bottom,
  left,
  right,
});

/** The shape in a graph, where the batch has no number. */
const logical = (shape: readonly number[]): Shape => [BATCH, ...shape.slice(1)];

describe("convolution and its gradients agree with PyTorch", () => {
  test.each(expected.convolution)("$name", (example) => {
    const { name, stride, dilation, groups } = example;
    const kernel = [example.w[2]!, example.w[3]!] as const;
    const attributes = { kernel, stride, padding: sides(example.padding), dilation, groups };
    const x = hashed(`${name}.x`, example.x);
    const w = hashed(`${name}.w`, example.w);
    const [y] = run("convolution", [x, w], attributes, [true, false]);
    expectClose(y, example.y);
    const dy = hashed(`${name}.dy`, y!.shape);
    const [dx] = run(
      "convolutionInputGradient",
      [dy, w],
      { ...attributes, inputShape: logical(x.shape) },
      [true, false],
    );
    expectClose(dx, example.dx);
    const [dw] = run("convolutionWeightGradient", [x, dy], { ...attributes, weightShape: w.shape });
    expectClose(dw, example.dw);
  });

  test("a weight of rank 2 is a linear layer, on features and on whole images", () => {
    const example = expected.convolution.find(({ name }) => name === "conv image")!;
    const w = { ...hashed("conv image.w", example.w), shape: [4, 18] };
    const image = hashed("conv image.x", example.x);
    const rest = {
      stride: [1, 1],
      padding: sides([0, 0, 0, 0]),
      dilation: [1, 1],
      groups: 1,
    } as const;
    const [onImage] = run("convolution", [image, w], { ...rest, kernel: [3, 3] }, [true, false]);
    const features = { ...image, shape: [2, 18] };
    const [onFeatures] = run("convolution", [features, w], { ...rest, kernel: [1, 1] }, [
      true,
      false,
    ]);
    expect(onImage!.shape).toEqual([2, 4]);
    expectClose(onImage, example.y);
    expect(onFeatures!.shape).toEqual([2, 4]);
    expectClose(onFeatures, example.y);
  });

  test("an epilogue works on each result, with operands and channel operands", () => {
    const x = hashed("x", [2, 2, 3, 3]);
    const w = hashed("w", [4, 2, 1, 1]);
    const bias = hashed("bias", [4]);
    const other = hashed("other", [2, 4, 3, 3]);
    const attributes = {
      kernel: [1, 1],
      stride: [1, 1],
      padding: sides([0, 0, 0, 0]),
      dilation: [1, 1],
      groups: 1,
    } as const;
    const expression = binary(
      "add",
      unary("relu", binary("add", operand(0), channel(1))),
      operand(2),
    );
    const [plain] = run("convolution", [x, w], attributes, [true, false]);
    const [fused] = run(
      "convolution",
      [x, w, bias, other],
      attributes,
      [true, false, false, true],
      ([image, weights, ...operands]) => ({
        inputs: [image!, weights!],
        fusion: { epilogue: { expression, operands } },
      }),
    );
    const [apart] = run("pointwise", [plain!, bias, other], { expression }, [true, false, true]);
    expect(fused!.data).toEqual(apart!.data);
  });
});

describe("pooling agrees with PyTorch", () => {
  test.each(expected.maxPool)("$name", (example) => {
    const { name, kernel, stride } = example;
    const attributes = { kernel, stride, padding: sides(example.padding) };
    const x = hashed(`${name}.x`, example.x);
    const [y, code] = run("maxPool", [x], { ...attributes, relu: false });
    expectClose(y, example.y);
    const dy = hashed(`${name}.dy`, y!.shape);
    const inputShape = logical(x.shape);
    expectClose(run("maxPoolGradient", [dy, code!], { ...attributes, inputShape })[0], example.dx);
  });

  test.each(expected.averagePool)("$name", ({ name, x: shape, attributes, y: wanted, dx }) => {
    const x = hashed(`${name}.x`, shape);
    const [y] = run("averagePool", [x], attributes);
    expectClose(y, wanted);
    const dy = hashed(`${name}.dy`, y!.shape);
    const inputShape = logical(shape);
    expectClose(run("averagePoolGradient", [dy], { ...attributes, inputShape })[0], dx);
  });

  const row = (values: readonly number[]): Tensor => ({
    shape: [1, 1, 1, values.length],
    data: Float32Array.from(values),
  });
  const pairs = { kernel: [1, 2], stride: [1, 2], padding: sides([0, 0, 0, 0]) } as const;

  test("ties go to the first", () => {
    const [, code] = run("maxPool", [row([3, 3, 1, 2])], { ...pairs, relu: false });
    expect([...code!.data]).toEqual([0, 1]);
  });

  test("with relu, an output of 0 has no winner", () => {
    const [y, code] = run("maxPool", [row([-3, -1, -1, 2, 0, -1])], { ...pairs, relu: true });
    expect([...y!.data]).toEqual([0, 2, 0]);
    expect([...code!.data]).toEqual([NO_WINNER, 1, NO_WINNER]);
    const dy: Tensor = { shape: [1, 1, 1, 3], data: Float32Array.of(5, 7, 9) };
    const inputShape: Shape = [BATCH, 1, 1, 6];
    const [dx] = run("maxPoolGradient", [dy, code!], { ...pairs, inputShape });
    expect([...dx!.data]).toEqual([0, 0, 0, 7, 0, 0]);
  });
});

describe("local response normalization agrees with PyTorch", () => {
  test.each(expected.normalization)("$name", ({ name, x: shape, size, alpha, beta, k, y }) => {
    const x = hashed(`${name}.x`, shape);
    const window = { before: Math.floor(size / 2), after: Math.floor((size - 1) / 2) };
    const square = multiply(operand(0), operand(0));
    const denominator = binary(
      "power",
      binary("add", constant(k), multiply(constant(alpha / size), operand(0))),
      constant(-beta),
    );
    const fusion = {
      prologue: { expression: square, operands: [] },
      epilogue: { expression: denominator, operands: [] },
    };
    const [factors] = run("channelWindowSum", [x], window, [true], (inputs) => ({
      inputs,
      fusion,
    }));
    const expression = multiply(operand(0), operand(1));
    expectClose(run("pointwise", [x, factors!], { expression })[0], y);
  });
});

/** What examples add to sums, as values whose plain mean is the mean of the losses. */
function losses(
  sums: readonly Tensor[],
  labels: readonly (readonly number[])[],
  weights: readonly number[] | undefined,
): Tensor {
  const [{ shape }] = sums as [Tensor];
  const scales = labels.map((each) => {
    const total = each.reduce((sum, label) => sum + (weights?.[label] ?? 1), 0);
    return each.length / total;
  });
  const data = Float64Array.from({ length: shape[0]! }, (_, example) =>
    sums.reduce((sum, { data: own }, part) => sum + scales[part]! * own[example]!, 0),
  );
  return { shape, data };
}

describe("losses and metrics agree with PyTorch", () => {
  test.each(expected.crossEntropy)("$name", ({ name, x, y, dx, ...example }) => {
    const { labels, partners, shares, smoothing, classWeights } = example;
    const mixture = partners && shares ? [integers(partners), numbers(shares)] : [];
    const inputs = [hashed(`${name}.x`, x), integers(labels), ...mixture];
    const rule = { smoothing, classWeights };
    const sums = run("crossEntropy", inputs, rule);
    expect(sums.length).toBe(classWeights && partners ? 2 : 1);
    expectClose(losses(sums, inputs.length > 2 ? [labels, partners!] : [labels], classWeights), y);
    expectClose(run("crossEntropyGradient", inputs, { ...rule, weight: 1 })[0], dx);
  });

  test("large logits do not overflow", () => {
    const logits: Tensor = { shape: [1, 2], data: Float32Array.of(1000, -1000) };
    const [loss] = run("crossEntropy", [logits, integers([1])], { smoothing: 0 });
    expect(loss!.data[0]).toBe(2000);
  });

  test.each(expected.softmax)("$name", ({ name, x, y: wanted, dx }) => {
    const [y] = run("softmax", [hashed(`${name}.x`, x)], {});
    expectClose(y, wanted);
    expectClose(run("softmaxGradient", [y!, hashed(`${name}.dy`, x)], {})[0], dx);
  });

  test.each(expected.accuracy)("$name", ({ name, x, labels, k, y }) => {
    expectClose(run("accuracy", [hashed(`${name}.x`, x), integers(labels)], { k })[0], y);
  });

  test("of equal logits the first counts", () => {
    const logits: Tensor = { shape: [3, 3], data: new Float32Array(9) };
    const [hits] = run("accuracy", [logits, integers([0, 1, 2])], { k: 2 });
    expect([...hits!.data]).toEqual([1, 1, 0]);
  });

  test("classification is the loss, the hits and the gradient at once", () => {
    const inputs = [hashed("logits", [4, 6]), integers([5, 0, 3, 2])];
    const outputs = run("classification", inputs, {
      smoothing: 0.1,
      topK: [1, 3],
      gradient: true,
      weight: 0.3,
    });
    expect(outputs).toEqual([
      ...run("crossEntropy", inputs, { smoothing: 0.1 }),
      ...run("accuracy", inputs, { k: 1 }),
      ...run("accuracy", inputs, { k: 3 }),
      ...run("crossEntropyGradient", inputs, { smoothing: 0.1, weight: 0.3 }),
    ]);
  });

  test("sums are over the batch; shares have none of what is not finite, which is counted", () => {
    const losses: Tensor = { shape: [3], data: Float32Array.of(1, NaN, 2) };
    const hits: Tensor = { shape: [3], data: Float32Array.of(0, NaN, 1) };
    const good: Tensor = { shape: [3], data: Float32Array.of(Infinity, 1, 1) };
    const sums = run("batchSums", [losses, hits, good], { shares: [false, true, true] });
    expect([...sums[0]!.data]).toEqual([NaN, 1, 2, 2]);
  });
});

describe("SGD agrees with PyTorch and with Caffe", () => {
  test.each(expected.update)("$name", ({ name, rates, decay, w: wanted, ...settings }) => {
    const w = hashed(`${name}.w`, [6]);
    const velocity: Tensor = { shape: [6], data: new Float64Array(6) };
    rates.forEach((learningRate, step) => {
      const { convention, momentum, nesterov } = settings;
      // The factors of a layer: here they make up for the halved settings.
      const optimizer = {
        kind: "sgd",
        learningRate: learningRate / 2,
        weightDecay: decay / 4,
        convention,
        momentum,
        nesterov,
      } as const;
      const inputs = [w, hashed(`${name}.dw${step}`, [6]), velocity];
      const factors = {
        optimizer: "sgd",
        clipsValue: false,
        clipsNorm: false,
        learningRateFactor: 2,
        decayFactor: 4,
      } as const;
      ops.update.reference(inputs, factors, { ...CONTEXT, optimizer }, []);
    });
    expectClose(w, wanted);
  });
});
