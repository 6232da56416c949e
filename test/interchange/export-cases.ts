/** Networks for tests of exporters: every sample of every layer, and where formats differ. */
import { build } from "../../compiler/network/build.js";
import type { ResolvedNetwork } from "../../compiler/network/resolved.js";
import { portsOf } from "../../compiler/ir/graph.js";
import { isSequence } from "../../compiler/ir/shape.js";
import { layers } from "../../compiler/layers/index.js";
import { runGraph, type Numbers } from "../../compiler/ops/run-graph.js";
import { forInference } from "../../compiler/passes/inference.js";
import { analyze } from "../../compiler/semantics/index.js";
import type { ExportModel, ExportTensor } from "../../interchange/export/model.js";
import { neededFor } from "../../interchange/export/needed.js";
import { inputType } from "../layers/others.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { TRANSFORMER } from "../runtime/transformer.js";

export interface ExportCase {
  readonly name: string;
  readonly text: string;
}

const shapeText = (sizes: readonly number[]) => inputType(sizes);

/** Layers that only ONNX and PyTorch have: others refuse them at their line of the spec. */
const OF_GRAPHS = new Set([
  ...["prelu", "selu", "celu", "softsign", "softshrink", "hardshrink", "threshold", "logsigmoid"],
  ...["glu", "lp_pool", "crop", "instancenorm", "softmin", "log_softmax", "logsumexp", "sum"],
  ...["mean", "max", "min", "slice", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle"],
  ...["adaptive_maxpool", "signal"],
]);

/** Samples of other layers that only these have. */
const FOR_GRAPHS = new RegExp(
  [
    ...["mode=(reflect|replicate|circular)", "value=0.5", "dilation=\\[2, 1\\], ceil"],
    ...["divisor", "axis=", "threshold=1\\)", "window="],
  ].join("|"),
);

/** The longest side of an image in a case: the reference computes each pixel in JavaScript. */
const LONGEST = 48;

const smallShape = (sizes: readonly number[]) =>
  sizes.length === 3
    ? [sizes[0]!, ...sizes.slice(1).map((side) => Math.min(side, LONGEST))]
    : sizes;

/**
 * Every sample of a layer's documentation, of small images, with its other values as further
 * inputs.
 */
const samplesOf = ({ name, samples: each }: (typeof layers)[number]): readonly ExportCase[] =>
  each.map(({ spec, input, vocabulary, others = [] }, index) => {
    const given = /\(([^)]*)\)/.exec(spec)?.[1]?.split(", ") ?? [];
    const names = given.filter((argument) => /^[a-z]+$/.test(argument));
    const inputs = others.map((shape, at) => `input ${names[at]}: ${shapeText(shape)}`);
    const shape = others.length === 0 ? smallShape(input) : input;
    const lines = [`input x: ${inputType(shape, vocabulary)}`, ...inputs, `from x -> ${spec}`];
    const text = `model M {\n${lines.join("\n")}\n}`;
    return { name: `${name} ${index + 1}: ${spec}`, text };
  });

/** Layers that no format has: `refused-layers.test.ts` has those. */
const NOT_EXPORTED = new Set(["max_unpool"]);

const allSamples = layers.filter(({ name }) => !NOT_EXPORTED.has(name)).flatMap(samplesOf);

/** Whether only ONNX and PyTorch have what a sample says. */
const isOfGraphs = ({ name }: ExportCase) =>
  OF_GRAPHS.has(name.split(" ")[0]!) || FOR_GRAPHS.test(name);

const samples = allSamples.filter((sample) => !isOfGraphs(sample));

/** One for each sample of what only ONNX and PyTorch have. */
export const graphSamples = allSamples.filter(isOfGraphs);

const single = (size: string, ...bodies: readonly string[]): readonly ExportCase[] =>
  bodies.map((body) => ({
    name: body.replaceAll("\n", " "),
    text: `model M {\ninput x: f32[N, ${size}]\n${body}\n}`,
  }));

/** What only ONNX and PyTorch have, where several meet. */
export const graphCases: readonly ExportCase[] = [
  ...graphSamples,
  ...single(
    "3, 8, 7",
    "prelu(start=0.1) -> slice(rows, -5, -1, step=2) -> crop(size=[1, 4])",
    "identity as y -> sigmoid -> add(y) -> slice(rows, 1) -> selu as z -> add(z) -> crop(2)",
    "identity as y -> mean(channels) -> add(y)",
    "attention(3, window=[4, 3], shift=[1, 2], bias=false) -> conv(4, kernel=1)",
    "attention(1, window=4, scale=0.3) -> conv(4, kernel=1)",
    "relu as y -> max(rows) -> multiply(y) -> sum([columns, rows]) -> flatten -> linear(2)",
    "relu -> lp_pool(1.5, [2, 3], stride=[2, 1], ceil=true)",
    "pad([5, 5, 6, 6], mode=reflect) -> maxpool(3, dilation=3)",
    "pad([8, 0, 0, 7], mode=circular) -> pad([0, 0, 2, 0], mode=circular)",
    "pad([1, 0, 2, 1], value=-1.5) -> avgpool(2, padding=[1, 0, 0, 1], divisor=3)",
    "pad([1, 2], axis=channels, mode=circular) -> pad([3, 0], axis=2, mode=reflect)",
    "identity as y -> pad(2, axis=rows, value=0.5) -> pad([0, 3], axis=-1, mode=circular)",
    "relu as y -> max([2, -1]) -> multiply(y)",
    "reshape([3, 2, 4, 7]) -> linear(6) -> layernorm -> glu as y -> softmin -> add(y) -> flatten",
    "reshape([3, 2, 2, 2, 7]) -> linear(4, bias=false) -> softmin -> softmax -> reshape([-1])",
    "reshape([3, 2, 2, 2, 7]) as y -> max([1, -1]) -> multiply(y) -> logsumexp(2) -> reshape([-1])",
    "adaptive_maxpool(1) -> pad(2, mode=replicate)",
    "adaptive_maxpool([4, 3]) -> softplus(0.5, threshold=0.1)",
    "adaptive_maxpool([4, 1])",
    "upsample(2, mode=bicubic) -> upsample(size=[5, 3], mode=bicubic, align_corners=true)",
    "split(axis=columns, sizes=[2, 5]) { branch { relu } branch { sigmoid } }",
    "stage { instancenorm(affine=true) -> celu(2) -> channel_shuffle(3) -> softmin }",
    "stage { prelu(per_channel=true) -> conv(8, kernel=1) -> pixel_shuffle(2) -> glu }",
  ),
  ...single(
    "6, 8",
    "prelu(per_channel=true) -> slice(tokens, 1, -1) -> logsumexp([tokens, channels])",
    "softsign as y -> min(channels) -> multiply(y) -> add(x)",
  ),
];

/** Where two tools that have the same layer do not mean the same by it. */
const corners: readonly ExportCase[] = [
  ...single(
    "3, 8, 7",
    "maxpool(3, stride=2, padding=[0, 1, 0, 1])",
    "maxpool(3, stride=2, padding=1, ceil=true)",
    "maxpool([2, 3], stride=[3, 2], ceil=true)",
    "maxpool(2, stride=2, padding=1, ceil=true)",
    "avgpool(3, stride=2, padding=1)",
    "avgpool(3, stride=2, padding=1, count_padding=false)",
    "avgpool(3, stride=2, ceil=true)",
    "avgpool(3, stride=2, padding=1, ceil=true)",
    "avgpool(3, stride=2, padding=[0, 1, 1, 0])",
    "avgpool(3, stride=2, padding=[0, 1, 1, 0], count_padding=false)",
    "avgpool(3, stride=2, padding=[1, 0, 0, 1], ceil=true)",
    "avgpool(3, stride=2, padding=[1, 0, 0, 1], ceil=true, count_padding=false)",
    "avgpool(3, stride=1, padding=1, count_padding=false)",
    "maxpool(3, stride=1, padding=1)",
    "relu -> maxpool(3, stride=2, padding=1)",
    "adaptive_avgpool(3)",
    "adaptive_avgpool([8, 7])",
    "adaptive_avgpool([10, 4])",
    "conv(4, kernel=3, stride=2, padding=[0, 1, 1, 0])",
    "conv(6, kernel=[3, 2], stride=[1, 2], dilation=[2, 1], groups=3)",
    "conv(6, kernel=3, padding=1, groups=3, bias=false)",
    "conv(3, kernel=3, padding=1, stride=2, groups=3)",
    "conv_transpose(4, kernel=3, stride=2, padding=1, output_padding=1)",
    "conv_transpose(3, kernel=[2, 3], stride=[2, 1], groups=3, bias=false)",
    "conv_transpose(4, kernel=3, dilation=2, padding=1)",
    "pad([1, 0, 2, 1]) -> conv(2, kernel=3)",
    "upsample(2, mode=bilinear)",
    "upsample([2, 3], mode=bilinear, align_corners=true)",
    "upsample(size=[13, 11])",
    "upsample(size=[11, 9], mode=bilinear)",
    "upsample(size=[11, 9], mode=bilinear, align_corners=true)",
    "conv(6, kernel=3) -> groupnorm(2) -> relu",
    "conv(4, kernel=1) -> groupnorm(4)",
    "conv(4, kernel=1) -> groupnorm(4, affine=false)",
    "layernorm(eps=1e-3)",
    "batchnorm(eps=1e-3, momentum=0.25)",
    "scale -> scale(bias=false)",
    "flatten -> linear(5) -> batchnorm -> relu -> linear(3, bias=false)",
    "flatten -> batchnorm -> linear(3)",
    "flatten -> dropout -> relu -> linear(3)",
    "conv(4, kernel=1) -> reshape([2, 16, 7]) -> conv(2, kernel=1)",
    "flatten -> linear(12) -> reshape([3, 2, 2]) -> conv(2, kernel=1)",
    "softmax",
    "dropout",
    "dropout(0.3, channels=true) -> stochastic_depth(0.1)",
    "flatten -> dropout(0.3, channels=true) -> stochastic_depth(0.1) -> linear(3)",
    "identity as y -> sigmoid -> multiply(y)",
    "identity as y -> global_avgpool -> conv(3, kernel=1) -> hardsigmoid -> multiply(y)",
    "residual { conv(3, kernel=3, padding=1) -> batchnorm } -> relu",
    "identity as y -> conv(1, kernel=1) -> sigmoid -> multiply(y)",
    "identity as y -> maxpool([8, 1]) -> add(y)",
    "concat { branch { conv(2, kernel=1) } branch { maxpool(3, stride=1, padding=1) } } -> relu",
  ),
  ...single(
    "8, 5, 4",
    "lrn(4)",
    "lrn(5, alpha=0.5, k=2, divide=none)",
    "lrn(3, alpha=0.3)",
    "lrn(12, alpha=0.3)",
    "elu(0)",
    "leaky_relu(1.5)",
    "gelu",
    "gelu(approximate=tanh)",
    "softplus(3)",
    "relu -> stop",
    "hardswish",
    "hardsigmoid(slope=0.2)",
    "clip(min=-0.2)",
    "clip(max=0.2)",
    "upsample(size=[9, 7])",
  ),
  {
    name: "two inputs that share weights",
    text: `model M {
      input left: f32[N, 3, 6, 6]
      input right: f32[N, 3, 6, 6]
      share tower { conv(4, kernel=3) -> batchnorm -> relu -> flatten }
      from left -> tower as a
      from right -> tower as b
      concat(a) -> linear(3) as logits
    }`,
  },
  {
    // Columns in the order of channels last are right for one of its uses only.
    name: "a shared linear of a flattened image and of features",
    text: `model M {
      input picture: f32[N, 2, 3, 4]
      input features: f32[N, 24]
      share head { linear(5) }
      from picture -> relu -> flatten -> head as a
      from features -> head as b
      concat(a) -> linear(3) as logits
    }`,
  },
  {
    name: "two outputs",
    text: `model M {
      input x: f32[N, 3, 6, 6]
      target kind: u32[N] in 0..3
      target size: f32[N, 2]
      features { conv(4, kernel=3) -> relu -> flatten as flat }
      from features.flat -> linear(3) as logits
      from features.flat -> linear(2) as measured
      loss cross_entropy(logits, kind) + mse(measured, size)
    }`,
  },
  {
    name: "a classifier that only helps to train",
    text: `model M {
      input x: f32[N, 3, 6, 6]
      target label: u32[N] in 0..3
      conv(4, kernel=3) -> relu as trunk -> conv(5, kernel=3) -> relu -> flatten
      linear(3) as logits
      from trunk -> flatten -> linear(3) as helper
      loss cross_entropy(logits, label) + 0.3 * cross_entropy(helper, label)
    }`,
  },
  {
    name: "sections, blocks and loops",
    text: `
    block basic(width: int, stride: int = 1) {
      residual {
        conv(width, kernel=3, stride=stride, padding=1, bias=false) -> batchnorm -> relu
        conv(width, kernel=3, padding=1, bias=false) -> batchnorm
      } skip auto
      relu
    }
    model M {
      input x: f32[N, 3, 9, 9]
      stem { conv(4, kernel=3, padding=1, bias=false) -> batchnorm -> relu }
      for (width, stride, n) in [(4, 1, 2), (8, 2, 3)] {
        stage {
          basic(width, stride=stride)
          repeat n - 1 { basic(width) }
        }
      }
      adaptive_avgpool(1) -> flatten -> dropout(0.2) -> linear(5) as logits
    }`,
  },
];

/** Layers whose forms of images Keras and TensorFlow.js lack, too. */
const UNEXPORTED: readonly string[] = ["transpose", "permute", "matmul"];

const isOfSequences = ({ text }: ExportCase): boolean => {
  const network = resolved(text, "case.net");
  const types = [...network.inputs, ...network.layers].map(({ type }) => type);
  const isLayer = network.layers.some(
    ({ definition: { readsNothing, readsTokens, name } }) =>
      readsNothing || readsTokens || UNEXPORTED.includes(name),
  );
  return isLayer || types.some(({ shape }) => isSequence(shape));
};

/** Samples of a whole vision transformer's size, which take minutes in plain loops. */
const LARGE = /^(attention|patches) 1:/;

/** Sequences of tokens and the layers that come with them: ONNX and PyTorch have them. */
export const sequenceCases: readonly ExportCase[] = [
  ...samples.filter((sample) => isOfSequences(sample) && !LARGE.test(sample.name)),
  ...single(
    "6, 8",
    "scale -> gelu -> dropout -> linear(5, bias=false) -> linear(4) -> flatten -> linear(2)",
    "layernorm(affine=false) -> softmax -> global_avgpool -> linear(3)",
    "residual { layernorm -> attention(4, causal=true, bias=false) } -> reshape([12, 4])",
    "attention(2, scale=0.9, bias=false) -> attention(4, causal=true, scale=0.1)",
    "relu as a -> permute([0, 2, 1]) -> matmul(a) -> transpose",
    "reshape([3, 4, 4]) as a -> tanh -> matmul(a, transposed=true) -> matmul(a) -> flatten",
    "pad([2, 0], axis=tokens, mode=circular) -> pad([1, 0], axis=channels, value=2)",
    "relu as a -> linear(8) -> multiply(a) as b\nlet c = a * sigmoid(b)",
    "parameter p: f32[2, 8] init normal(1)\nfrom p -> linear(8) -> concat(x, axis=tokens)",
    "parameter p: f32[6, 8] init normal(1)\nfrom x -> multiply(p) -> concat(p) -> token(5)",
  ),
  ...single(
    "3, 8, 6",
    "permute([0, 2, 3, 1]) -> conv(4, kernel=1) -> transpose(1, 3)",
    "permute([columns, channels, rows]) -> conv(4, kernel=1) -> transpose(columns, 1)",
    "patches(2, 5, bias=false) -> attention(1) -> transpose -> reshape([5, 4, 3]) -> tokens",
    "reshape([3, 2, 4, 2, 3]) -> gelu -> permute([0, 1, 3, 5, 2, 4]) -> reshape([18, 4, 2])",
    "reshape([3, 2, 4, 6]) -> leaky_relu(0.2) -> transpose(-4, 3) -> flatten -> linear(2)",
    "conv(4, kernel=1) -> reshape([2, 2, 8, 6]) -> identity -> transpose(2, 4) -> reshape([24, 8])",
  ),
  ...single("2, 3, 4, 2, 2", "linear(6) -> gelu -> mean([1, 3]) -> flatten -> linear(2)"),
  ...single("2, 3, 4, 2, 2", "permute([0, 3, 1, 2, 5, 4]) as a -> max(-1) -> multiply(a)"),
  ...single(
    "2, 3, 4, 2, 2",
    "slice(3, 1, -1) as a -> slice(-1, 1) -> concat(a, a, axis=5) -> slice(3, 0, 2)",
    "split(axis=2, sizes=[1, 2]) { branch { tanh } branch { linear(2) } }",
    "concat(axis=1) { branch { relu } branch { slice(1, 1) } }",
    "pad([1, 2], axis=3, value=0.5) -> pad([2, 1], axis=-2, mode=circular)",
    "pad([1, 2], axis=3, mode=reflect) -> pad([2, 0], axis=1, mode=replicate)",
    "tanh as a -> matmul(x, transposed=true) -> matmul(a)",
    "mean([1, 3]) as a\nfrom x -> matmul(a, transposed=true) -> matmul(a)",
  ),
  ...single("2, 3, 4, 2, 2", "parameter p: f32[1, 3, 1, 2, 1] init normal(1)\nadd(p) -> gelu"),
  { name: "a vision transformer", text: TRANSFORMER },
];

export const exportCases: readonly ExportCase[] = [
  ...samples.filter((sample) => !isOfSequences(sample)),
  ...corners,
];

const isSampled = (cases: readonly ExportCase[], name: string) =>
  cases.some((each) => each.name.startsWith(`${name} `));

/** The layers that every format must be able to say: those that are not of sequences alone. */
export const exportedLayers: readonly string[] = layers
  .map(({ name }) => name)
  .filter((name) => isSampled(exportCases, name));

/** Layers that ONNX and PyTorch have in addition. */
export const sequenceLayers: readonly string[] = [
  "parameter",
  ...OF_GRAPHS,
  ...layers
    .map(({ name }) => name)
    .filter((name) => !exportedLayers.includes(name) && isSampled(sequenceCases, name)),
];

/** Formulas, which formats of layers alone cannot say. */
export const formulaCases: readonly ExportCase[] = [
  ...single(
    "3, 6, 5",
    "identity as a\nlet y = a * sigmoid(1.5 * a) - abs(a) / 2 + a^3 * exp(-a^2)",
    "identity as a -> global_avgpool -> sigmoid as gate\nlet y = gate * a + max(a, 0.1 * gate)",
    "identity as a\nlet y = log(1 + exp(a)) / sqrt(a^2 + 0.5) - (abs(a) + 0.1)^1.3 + gelu(a)",
    "identity as a\nlet y = clamp(a, -0.3, 0.6) * positive(a - 0.2) - expm1(a) - min(a, -a, 2)",
    "identity as a -> relu as b -> tanh\nadd(b) as c\nlet d = (c - a)^2\nlet e = -d - (a - b)",
    "identity as a\nlet y = where(a > 0, log(a), -1) + (a >= 0.5) * 3 - where(a != 0.1, 2, 3)",
    "identity as a\nlet b = log(a)\nlet y = (b >= 0) + 2 * (b != b) + 4 * (b == a) + 8 * isnan(b)",
    "identity as a\nlet y = (a - mean(a, over=[rows, columns])) / (1 + sum(a^2, over=channels))",
    "reshape([3, 1, 2, 3, 5]) as a\nlet b = (a - mean(a, over=3)) / sum(a^2, over=-1)\nflatten",
    "identity as a\nlet y = max(0.5, 2^a) - tanh(softplus(a))",
    "identity as a\nlet y = a * stop(sigmoid(a)) - stop(a)",
  ),
];

/** The model of a spec, with weights that are the same in every run. */
export function exportModel(text: string, name = "case.net"): ExportModel {
  const network = resolved(text, name);
  return { network: neededFor(network).network, tensors: tensorsOf(network) };
}

function resolved(text: string, name: string): ResolvedNetwork {
  const { selected, diagnostics } = analyze(text, name);
  const network = selected?.model.network;
  if (!network) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return network;
}

/** Of 4 decimal digits for running means, so that nothing hides behind zeros. */
export function tensorsOf(network: ResolvedNetwork): ReadonlyMap<string, ExportTensor> {
  const tensors = build(network).parameters.map(({ value: { name, shape } }) => {
    const sizes = shape.map(Number);
    return [name, { shape: sizes, values: parameterValues(`export/${name}`, sizes) }] as const;
  });
  return new Map(tensors);
}

/** Random numbers for every input, by name. */
export function inputsOf({ network }: ExportModel, batch = 2): ReadonlyMap<string, Float32Array> {
  return new Map(
    network.inputs.map(({ name, type }) => {
      const length = batch * type.shape.slice(1).reduce<number>((n, size) => n * Number(size), 1);
      const { vocabulary } = type;
      return vocabulary === undefined
        ? [name, uniformValues(`export/${name}`, length, 2)]
        : [name, Float32Array.from(labelValues(`export/${name}`, length, vocabulary))];
    }),
  );
}

const CONTEXT = {
  seed: 0,
  step: 0,
  training: false,
  optimizer: { kind: "sgd", learningRate: 0, momentum: 0, weightDecay: 0, nesterov: false },
} as never;

/** What the network predicts by the references of its ops, in double precision. */
export function predictions(
  { network, tensors }: ExportModel,
  inputs: ReadonlyMap<string, Numbers>,
): readonly Numbers[] {
  const graph = forInference(build(network));
  const wide = (numbers: Numbers) => Float64Array.from(numbers);
  const parameters = new Map([...tensors].map(([name, { values }]) => [name, wide(values)]));
  const given = Object.fromEntries([...inputs].map(([name, values]) => [name, wide(values)]));
  const images = given[network.inputs[0]!.name]!;
  const values = runGraph(graph, { images, given, parameters, context: CONTEXT });
  return portsOf(graph, "prediction").map(({ id }) => values.get(id)!.data as Numbers);
}

/** Largest difference as a share of the largest expected number. */
export function largestError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  let [difference, size] = [0, 1e-6];
  for (let index = 0; index < got.length; index++) {
    const apart = Math.abs(got[index]! - expected[index]!);
    difference = Math.max(difference, apart >= 0 ? apart : Infinity);
    size = Math.max(size, Math.abs(expected[index]!));
  }
  return difference / size;
}
