import { portsOf } from "../../compiler/ir/graph.js";
import { gainsOf } from "../../compiler/ops/attention.js";
import { predictions } from "../../compiler/ops/builder.js";
import { GraphBuilder } from "../../compiler/ops/builder.js";
import {
  add,
  binary,
  channel,
  constant,
  keep,
  multiply,
  operand,
  unary,
  type Dropped,
  type Expression,
  type UnaryOperator,
} from "../../compiler/ir/expression.js";
import type {
  AttentionAttributes,
  ExtendAttributes,
  RearrangeAttributes,
  ReduceAttributes,
  AverageAttributes,
  ConvolutionAttributes,
  GradientShape,
  Graph,
  Pair,
  ParameterRole,
  PoolAttributes,
  ResampleAttributes,
  Value,
} from "../../compiler/ir/graph.js";
import type { Origin } from "../../compiler/ir/origin.js";
import { BATCH, elementCount, imageShape, type Shape } from "../../compiler/ir/shape.js";
import type { ReferenceContext } from "../../compiler/ops/op.js";
import type { ScoreDefinition } from "../../compiler/layers/scores.js";
import type { Numbers } from "../../compiler/ops/run-graph.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";

/** An origin for graphs that stem from no spec. */
export function nowhere(name: string): Origin {
  const start = { offset: 0, line: 1, column: 1 };
  return { name, span: { file: "test.net", start, end: start } };
}

const NO_PADDING = { top: 0, bottom: 0, left: 0, right: 0 };

export const CONTEXT: ReferenceContext = {
  seed: 7,
  step: 3,
  training: true,
  optimizer: {
    kind: "sgd",
    learningRate: 0.1,
    momentum: 0.9,
    weightDecay: 0.01,
    nesterov: false,
    convention: "pytorch",
  },
};

/** Builds small classifiers layer by layer, as the layers of a spec would. */
export class Chain {
  readonly builder = new GraphBuilder("test");
  value: Value;
  readonly images: Value;
  private readonly labels: Value;
  private layers = 0;

  constructor(shape: Shape = [BATCH, 2, 6, 6]) {
    this.images = this.value = this.builder.input("image", shape, nowhere("image"));
    this.labels = this.builder.labels("label", nowhere("label"));
  }

  private layer(kind: string): Origin {
    this.layers++;
    return nowhere(`${kind}${this.layers}`);
  }

  parameter(
    name: string,
    shape: Shape,
    settings: { readonly trainable: boolean; readonly role?: ParameterRole },
  ): Value {
    const initializer = { kind: "constant", value: 0 } as const;
    return this.builder.parameter(
      name,
      shape,
      { role: "weight", initializer, learningRateFactor: 1, decayFactor: 1, ...settings },
      nowhere(name),
    );
  }

  convolution(
    outputs: number,
    {
      trainable = true,
      ...given
    }: Partial<ConvolutionAttributes> & { readonly trainable?: boolean } = {},
  ): this {
    const origin = this.layer("conv");
    const attributes: ConvolutionAttributes = {
      kernel: [3, 3],
      stride: [1, 1],
      padding: NO_PADDING,
      dilation: [1, 1],
      groups: 1,
      ...given,
    };
    const { channels } = imageShape(this.value.shape);
    const shape = [outputs, channels / attributes.groups, ...attributes.kernel];
    const w = this.parameter(`${origin.name}.weight`, shape, { trainable });
    this.value = this.builder.add("convolution", [this.value, w], attributes, origin);
    return this;
  }

  /**
   * A transposed convolution: from the output of a convolution of these attributes to its input of
   * the given size.
   */
  transposed(outputs: number, size: Pair, given: Partial<ConvolutionAttributes> = {}): this {
    const origin = this.layer("transposed");
    const { channels } = imageShape(this.value.shape);
    const attributes = {
      kernel: [3, 3],
      stride: [1, 1],
      padding: NO_PADDING,
      dilation: [1, 1],
      groups: 1,
      ...given,
      inputShape: [BATCH, outputs, ...size],
    } as ConvolutionAttributes & GradientShape;
    const shape = [channels, outputs / attributes.groups, ...attributes.kernel];
    const w = this.parameter(`${origin.name}.weight`, shape, { trainable: true });
    this.value = this.builder.add("convolutionInputGradient", [this.value, w], attributes, origin);
    return this;
  }

  resample(attributes: ResampleAttributes): this {
    this.value = this.builder.add("resample", [this.value], attributes, this.layer("resample"));
    return this;
  }

  linear(outputs: number): this {
    const origin = this.layer("linear");
    const { channels } = imageShape(this.value.shape);
    const w = this.parameter(`${origin.name}.weight`, [outputs, channels], { trainable: true });
    const attributes = {
      kernel: [1, 1],
      stride: [1, 1],
      padding: NO_PADDING,
      dilation: [1, 1],
      groups: 1,
    } as const;
    this.value = this.builder.add("convolution", [this.value, w], attributes, origin);
    return this;
  }

  bias(): this {
    const origin = this.layer("bias");
    const { channels } = imageShape(this.value.shape);
    const b = this.parameter(`${origin.name}.bias`, [channels], { trainable: true });
    return this.pointwise(add(operand(0), channel(1)), b);
  }

  pointwise(expression: Expression, ...others: readonly Value[]): this {
    const inputs = [this.value, ...others];
    this.value = this.builder.add("pointwise", inputs, { expression }, this.layer("pointwise"));
    return this;
  }

  /** The channels of other values behind the current one's. */
  concatenate(...others: readonly Value[]): this {
    const inputs = [this.value, ...others];
    this.value = this.builder.add("concatenate", inputs, {}, this.layer("concat"));
    return this;
  }

  /** Elements in another order, or some of them. */
  rearrange(attributes: RearrangeAttributes): this {
    this.value = this.builder.add("rearrange", [this.value], attributes, this.layer("rearrange"));
    return this;
  }

  /** Pixels around the image. */
  extend(attributes: ExtendAttributes): this {
    this.value = this.builder.add("extend", [this.value], attributes, this.layer("extend"));
    return this;
  }

  /** Elements along some axes as one, and that at each of their places again. */
  reduce(attributes: ReduceAttributes): this {
    const { shape } = this.value;
    const origin = this.layer("reduce");
    const reduced = this.builder.add("reduce", [this.value], attributes, origin);
    this.value = this.builder.add("spread", [reduced], { shape }, origin);
    return this;
  }

  matmul(other: Value, attributes: { readonly transposed: boolean }): this {
    const inputs = [this.value, other];
    this.value = this.builder.add("matmul", inputs, attributes, this.layer("matmul"));
    return this;
  }

  /** Five tokens of another input, in the place of the current value. */
  embedding(vocabulary: number, width: number): this {
    const origin = this.layer("embedding");
    const words = this.builder.tokens("words", [BATCH, 5], nowhere("words"), vocabulary);
    const table = this.parameter(origin.name, [vocabulary, width], { trainable: true });
    this.value = this.builder.add("embedding", [words, table], {}, origin);
    return this;
  }

  attention(attributes: AttentionAttributes): this {
    this.value = this.builder.add("attention", [this.value], attributes, this.layer("attention"));
    return this;
  }

  /** Attention in windows, with trained gains. */
  windows(attributes: AttentionAttributes): this {
    const origin = this.layer("attention");
    const gains = this.parameter(origin.name, [gainsOf(attributes)], { trainable: true });
    const row = this.builder.add("broadcast", [gains], {}, origin);
    this.value = this.builder.add("attention", [this.value, row], attributes, origin);
    return this;
  }

  /** Tokens before the current value's, the same for each example. */
  prepend(tokens: number): this {
    const origin = this.layer("prepend");
    const { channels } = imageShape(this.value.shape);
    const shape = [tokens, channels];
    const numbers = this.parameter(origin.name, shape, { trainable: true });
    const row = this.builder.add("broadcast", [numbers], {}, origin);
    const sequence = this.builder.add("reshape", [row], { shape: [BATCH, ...shape] }, origin);
    const inputs = [sequence, this.value];
    this.value = this.builder.add("concatenate", inputs, { axis: "tokens" }, origin);
    return this;
  }

  unary(operator: UnaryOperator): this {
    return this.pointwise(unary(operator, operand(0)));
  }

  dropout(rate: number, dropped?: Dropped): this {
    return this.pointwise(multiply(operand(0), keep(rate, this.layers + 1, dropped)));
  }

  maxPool(given: Partial<PoolAttributes> = {}): this {
    const pool = { kernel: [2, 2], stride: [2, 2], padding: NO_PADDING, ...given } as const;
    const attributes = { ...pool, relu: false };
    this.value = this.builder.add("maxPool", [this.value], attributes, this.layer("maxpool"));
    return this;
  }

  /** A pooling, tanh, and the pooling undone. */
  maxUnpool(given: Partial<PoolAttributes> = {}): this {
    const pool = { kernel: [2, 2], stride: [2, 2], padding: NO_PADDING, ...given } as const;
    const inputShape = this.value.shape;
    const origin = this.layer("max_unpool");
    const inputs = [this.value];
    const made = this.builder.addAll("maxPool", inputs, { ...pool, relu: false }, origin);
    this.value = made[0]!;
    this.unary("tanh");
    const attributes = { ...pool, inputShape };
    this.value = this.builder.add("maxUnpool", [this.value, made[1]!], attributes, origin);
    return this;
  }

  averagePool(attributes: AverageAttributes): this {
    this.value = this.builder.add("averagePool", [this.value], attributes, this.layer("avgpool"));
    return this;
  }

  /** Local response normalization, of which the window of channels may be lopsided. */
  lrn(window: { readonly before: number; readonly after: number }): this {
    const origin = this.layer("lrn");
    const x = this.value;
    this.pointwise(multiply(operand(0), operand(0)));
    const sums = this.builder.add("channelWindowSum", [this.value], window, origin);
    this.value = x;
    const scale = add(constant(2), multiply(constant(0.3), operand(1)));
    return this.pointwise(multiply(operand(0), binary("power", scale, constant(-0.75))), sums);
  }

  batchnorm({ affine = true, trainable = true, momentum = 0.1 } = {}): this {
    const origin = this.layer("batchnorm");
    const { channels } = imageShape(this.value.shape);
    const vector = (name: string, settings: Parameters<Chain["parameter"]>[2]) =>
      this.parameter(`${origin.name}.${name}`, [channels], settings);
    const names = affine ? ["weight", "bias"] : [];
    const vectors = names.map((name) => vector(name, { trainable }));
    const running = ["running_mean", "running_var"].map((name) =>
      vector(name, { trainable: false, role: "statistic" }),
    );
    const x = this.value;
    const read = [x, ...running];
    const statistics = this.builder.addAll("channelStatistics", read, { momentum }, origin);
    const inputs = [x, ...statistics, ...vectors];
    this.value = this.builder.add("normalize", inputs, { epsilon: 1e-5 }, origin);
    return this;
  }

  groupNormalize(groups: number, pixels: "together" | "apart"): this {
    const attributes = { groups, pixels, epsilon: 1e-5 };
    const origin = this.layer("groupnorm");
    this.value = this.builder.add("groupNormalize", [this.value], attributes, origin);
    return this;
  }

  softmax(): this {
    this.value = this.builder.add("softmax", [this.value], {}, this.layer("softmax"));
    return this;
  }

  flatten(): this {
    return this.reshape([BATCH, elementCount(this.value.shape)]);
  }

  reshape(shape: Shape): this {
    this.value = this.builder.add("reshape", [this.value], { shape }, this.layer("reshape"));
    return this;
  }

  /** Ends in a loss of the images themselves, and one of an early value, which counts half. */
  reconstruct(early: Value, loss: ScoreDefinition): Graph {
    const settings = Object.fromEntries(
      Object.entries(loss.arguments).map(([name, { defaultValue }]) => [name, defaultValue]),
    );
    const scores = [this.value, early].map((value) =>
      loss.lower([value, this.images], settings, this.builder, nowhere("loss")),
    );
    const terms = scores.map((value, index) => ({ value, factor: [1, 0.5][index]! }));
    const metrics = [{ name: "loss", terms }];
    return this.builder.finish({ outputs: predictions(this.value), metrics });
  }

  /** Ends in a linear layer of three classes, the loss and the accuracy. */
  classify({ smoothing = 0.1 } = {}): Graph {
    if (this.value.shape.length > 2) this.flatten();
    const logits = this.linear(3).value;
    const inputs = [logits, this.labels];
    const loss = this.builder.add("crossEntropy", inputs, { smoothing }, nowhere("loss"));
    const top1 = this.builder.add("accuracy", inputs, { k: 1 }, nowhere("top1"));
    const metrics = [
      { name: "loss", terms: [{ value: loss, factor: 1 }] },
      { name: "top1", isShare: true as const, terms: [{ value: top1, factor: 1 }] },
    ];
    return this.builder.finish({ outputs: predictions(logits), metrics });
  }
}

/** Hashed inputs for a graph in double precision, in which finite differences are exact enough. */
export function inputsFor(graph: Graph, batch = 2) {
  const parameters = new Map(
    graph.parameters.map(({ value }): [string, Numbers] => {
      const shape = value.shape as readonly number[];
      return [value.name, Float64Array.from(parameterValues(value.name, shape))];
    }),
  );
  const [images] = portsOf(graph, "input");
  const pixels = batch * elementCount(images!.shape);
  const tokens = graph.inputs.filter(({ role, value }) => role === "input" && value.type === "u32");
  const given = tokens.map(({ name, value, classes }) => {
    return [name, labelValues(name, batch * elementCount(value.shape), classes!)] as const;
  });
  return {
    given: Object.fromEntries(given),
    images: Float64Array.from(uniformValues("images", pixels, 1)),
    labels: labelValues("labels", batch, 3),
    parameters,
    context: CONTEXT,
  };
}
