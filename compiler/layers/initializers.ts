import { each } from "../diagnostics/alias.js";
import type { CallExpression, Expression } from "../../grammar/ast.js";
import type { Initializer } from "../../program/program.js";
import { type ArgumentReader, type ArgumentType } from "../calls/signature.js";
import { choice, float, mismatch } from "../calls/argument-types.js";
import { bind } from "../calls/bind.js";
import { callText } from "../calls/call-text.js";
import {
  type ArgumentDeclarations,
  type ArgumentValues,
  type CallValues,
  type Described,
  optional,
  required,
  withDefault,
} from "../calls/signature.js";
import { type AbsentNames, adviseCall, listNames } from "../calls/suggestion.js";

/** What random initial values depend on: connections into and out of one unit. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** What a layer's initial values are for its size. */
export type InitializerRule = (fans: Fans) => Initializer;

/** An initializer as written, with its defaults: `kaiming(mode=fan_out)`. */
export interface WrittenInitializer {
  readonly name: string;
  readonly values: CallValues;
}

interface InitializerDefinition<
  Declarations extends ArgumentDeclarations = ArgumentDeclarations,
> extends Described<Declarations> {
  /** How an argument `init` writes it. */
  readonly example: string;
  resolve(values: ArgumentValues<Declarations>, fans: Fans): Initializer;
}

function define<const Declarations extends ArgumentDeclarations>(
  definition: InitializerDefinition<Declarations>,
): InitializerDefinition {
  return definition;
}

const normalOf = (deviation: number, mean = 0): Initializer => ({
  kind: "normal",
  mean,
  deviation,
});
const uniformOf = (bound: number): Initializer => ({ kind: "uniform", low: -bound, high: bound });

/**
 * PyTorch's default for weights and biases of conv and linear: U(-1 / sqrt(fan in), 1 / sqrt(fan
 * in)).
 */
export const defaultRule: InitializerRule = ({ fanIn }) => uniformOf(1 / Math.sqrt(fanIn));

/** Factors that keep a signal's variance through a nonlinearity (torch.nn.init.calculate_gain). */
const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2 } as const;

/** A normal or uniform distribution of the given deviation. */
function distributed(distribution: "normal" | "uniform", deviation: number): Initializer {
  // A uniform distribution over -a..a has the deviation a / sqrt(3).
  return distribution === "normal" ? normalOf(deviation) : uniformOf(deviation * Math.sqrt(3));
}

const distribution = choice(["normal", "uniform"]);

export const initializers: readonly InitializerDefinition[] = [
  define({
    name: "default",
    example: "default",
    aliases: ["pytorch", "torch"],
    summary: "PyTorch's: uniform over -1/sqrt(fan in) .. 1/sqrt(fan in)",
    positional: [],
    arguments: {},
    resolve: (_, fans) => defaultRule(fans),
  }),
  define({
    name: "constant",
    example: "constant(0)",
    aliases: [
      ...["const", "fill", "value", "Constant", "constant_"],
      ...each(["zeros", "zeros_", "Zeros", "zero"], { defaults: { value: "0" } }),
      ...each(["ones", "ones_", "Ones"], { defaults: { value: "1" } }),
    ],
    summary: "all elements have the same value",
    positional: ["value"],
    arguments: { value: required(float(), "every element's value") },
    resolve: ({ value }) => ({ kind: "constant", value }),
  }),
  define({
    name: "normal",
    example: "normal(0.01)",
    aliases: [
      "gaussian",
      { name: "randn", defaults: { std: "1" } },
      { name: "RandomNormal", positional: ["mean", "std"], defaults: { std: "0.05" } },
      { name: "normal_", positional: ["mean", "std"], defaults: { std: "1" } },
    ],
    summary: "a normal distribution",
    positional: ["std"],
    arguments: {
      std: required(float({ minimum: 0 }), "standard deviation"),
      mean: withDefault(float(), 0, "mean"),
    },
    resolve: ({ std, mean }) => normalOf(std, mean),
  }),
  define({
    name: "uniform",
    example: "uniform(0.1)",
    aliases: each(["rand", "RandomUniform", "uniform_"], {
      differs: "elsewhere the ends are given; `uniform(x)` goes from -x to x",
    }),
    summary: "a uniform distribution around 0",
    positional: ["bound"],
    arguments: { bound: required(float({ minimum: 0 }), "values lie in -bound..bound") },
    resolve: ({ bound }) => uniformOf(bound),
  }),
  // He et al., "Delving deep into rectifiers", ICCV 2015.
  define({
    name: "kaiming",
    example: "kaiming(mode=fan_out)",
    aliases: [
      ...["he", "msra", "kaiming_normal", "kaiming_normal_"],
      ...each(["kaiming_uniform", "kaiming_uniform_", "he_uniform", "HeUniform"], {
        defaults: { distribution: "uniform" },
      }),
      ...each(["he_normal", "HeNormal"], {
        differs:
          "Keras cuts the normal distribution off at twice its deviation, `kaiming` does not",
      }),
    ],
    summary: "keeps the variance through ReLU (He et al., 2015)",
    positional: [],
    arguments: {
      mode: withDefault(choice(["fan_in", "fan_out"]), "fan_in", "which connections are counted"),
      nonlinearity: withDefault(
        choice(["relu", "tanh", "sigmoid", "linear"]),
        "relu",
        "what follows the layer",
      ),
      distribution: withDefault(distribution, "normal", "shape of the distribution"),
    },
    resolve({ mode, nonlinearity, distribution }, { fanIn, fanOut }) {
      const fan = mode === "fan_in" ? fanIn : fanOut;
      return distributed(distribution, gains[nonlinearity] / Math.sqrt(fan));
    },
  }),
  // Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
  // AISTATS 2010.
  define({
    name: "xavier",
    example: "xavier",
    aliases: [
      ...["glorot", "xavier_uniform", "xavier_uniform_", "glorot_uniform", "GlorotUniform"],
      ...each(["xavier_normal", "xavier_normal_"], { defaults: { distribution: "normal" } }),
      ...each(["glorot_normal", "GlorotNormal"], {
        differs: "Keras cuts the normal distribution off at twice its deviation, `xavier` does not",
      }),
    ],
    summary: "keeps the variance forward and backward (Glorot and Bengio, 2010)",
    positional: [],
    arguments: {
      distribution: withDefault(distribution, "uniform", "shape of the distribution"),
      gain: optional(float({ above: 0 }), "factor of the deviation, 1 if left out"),
    },
    resolve: ({ distribution, gain = 1 }, { fanIn, fanOut }) =>
      distributed(distribution, gain * Math.sqrt(2 / (fanIn + fanOut))),
  }),
];

const UNCUT = "`normal(0.02)` is the distribution without the cut at twice its deviation";

/**
 * Initializers of other frameworks that netc does not have, in plain letters, and what to do
 * instead.
 */
export const absentInitializers: AbsentNames = {
  truncatednormal: UNCUT,
  truncnormal: UNCUT,
  truncnormal_: UNCUT,
  orthogonal: "`xavier` keeps the variance, too",
  identity: "`constant(1)` is the nearest",
  lecunnormal: "`kaiming(nonlinearity=linear)` has its variance",
  lecununiform: "`kaiming(nonlinearity=linear, distribution=uniform)` has its variance",
  variancescaling: "`kaiming` and `xavier` scale the variance",
  eye: "`constant(1)` is the nearest",
  dirac: "`kaiming` starts at random",
};

/** An initializer: `normal(0.01)`, `kaiming`, `xavier(distribution=normal)`. */
export function initializer(): ArgumentType<WrittenInitializer> {
  const description = "an initializer such as `normal(0.01)`, `constant(0)` or `kaiming`";
  return {
    description,
    accepts: { kind: "call", signatures: initializers },
    write: ({ name, values }) => callText(definitionOf(name)!, values),
    read(expression, reader) {
      const call = asCall(expression);
      return call ? readInitializer(call, reader) : mismatch(expression, reader, description);
    },
  };
}

/** `init=kaiming` is short for `init=kaiming()`. */
function asCall(expression: Expression): CallExpression | undefined {
  if (expression.kind === "call") return expression;
  if (expression.kind !== "name") return undefined;
  const { name, span } = expression;
  const callee = { kind: "identifier", name, span } as const;
  return { kind: "call", callee, arguments: [], hasParentheses: false, span };
}

function readInitializer(
  call: CallExpression,
  reader: ArgumentReader,
): WrittenInitializer | undefined {
  const { name, span } = call.callee;
  const definition = definitionOf(name);
  if (!definition) {
    const otherwise = [`initializers are ${listNames(initializers.map((each) => each.name))}`];
    const vocabulary = { known: initializers, absent: absentInitializers, otherwise };
    const { question, ...advice } = adviseCall(call, vocabulary);
    return reader.reporter.report("NET1018", {
      message: `there is no initializer \`${name}\`${question}`,
      span,
      ...advice,
    });
  }
  const bound = bind(call, definition, reader);
  return bound && { name, values: bound.values };
}

const definitionOf = (name: string) => initializers.find((each) => each.name === name);

/** The rule of a written initializer. */
export function ruleOf({ name, values }: WrittenInitializer): InitializerRule {
  return (fans) => definitionOf(name)!.resolve(values, fans);
}
