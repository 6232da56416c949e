import { each } from "../../diagnostics/alias.js";
/**
 * The values of settings that take one call: `average`, `stop`, `precision`, `weights` and others.
 */
import type {
  BestRule,
  EarlyStopping,
  LossScale,
  Precision,
  Sampling,
  WeightAverage,
} from "../../../program/recipe.js";
import {
  float,
  floats,
  integer,
  steps,
  string,
  valueName,
  valueOr,
} from "../../calls/argument-types.js";
import { optional, required, withDefault } from "../../calls/signature.js";
import { define, type Registry } from "./definition.js";
import { type Pattern, patterns } from "./patterns.js";
import { renamings, type Renaming } from "./renamings.js";

export const averages: Registry<WeightAverage> = {
  noun: "weight average",
  example: "ema(0.999)",
  unknown: "NET3056",
  planned: [],
  definitions: [
    define<WeightAverage>()({
      name: "ema",
      example: "ema(0.999)",
      aliases: [
        ...["EMA", "ExponentialMovingAverage"],
        { name: "ModelEmaV2", defaults: { decay: "0.9999" } },
        {
          name: "polyak",
          differs: "all steps count alike there; `ema` keeps a share at each step",
        },
      ],
      summary: "exponential moving average of the weights, updated after each step",
      positional: ["decay"],
      arguments: {
        decay: withDefault(
          float({ above: 0, below: 1 }),
          0.999,
          "share of the average that is kept each time",
        ),
        every: withDefault(
          integer({ minimum: 1 }),
          1,
          "steps from one time that the average moves to the next",
        ),
      },
      resolve: ({ decay, every }) => ({
        kind: "ema",
        decay,
        every: every > 1 ? every : undefined,
      }),
    }),
    define<WeightAverage>()({
      name: "swa",
      example: "swa(start=8000 steps, every=100 steps, lr=0.005)",
      aliases: [
        ...["SWA", "stochastic_weight_averaging", "StochasticWeightAveraging"],
        ...each(["AveragedModel", "SWALR"], {
          differs: "`swa` counts steps, and the mean includes no weights before its first interval",
        }),
      ],
      summary:
        "stochastic weight averaging: the mean of the weights at the ends of intervals " +
        "(arXiv:1803.05407). `batchnorm` is measured again for the mean, on training batches, as " +
        "`update_bn` of PyTorch does",
      positional: [],
      arguments: {
        start: required(steps(), "steps before the first interval; evaluations use the weights"),
        every: required(steps(), "steps of an interval, at whose end the weights join the mean"),
        lr: optional(
          float({ above: 0 }),
          "learning rate from `start` on, as SWALR has it; that of the schedule if left out",
        ),
        anneal: optional(
          steps(),
          "steps from the schedule's rate to `lr`, along half a cosine; none if left out",
        ),
        batches: optional(
          integer({ minimum: 1 }),
          "training batches on which `batchnorm` is measured; all of an epoch if left out",
        ),
      },
      resolve: ({ start, every, lr, anneal = 0, batches }) => ({
        kind: "swa",
        start,
        every,
        learningRate: lr,
        anneal,
        batches,
      }),
    }),
  ],
};

export const samplings: Registry<Sampling> = {
  noun: "way of sampling",
  example: "balanced",
  unknown: "NET3056",
  planned: [],
  definitions: [
    define<Sampling>()({
      name: "balanced",
      example: "balanced",
      aliases: ["class_balanced", "balance", "BalancedSampler", "oversample"],
      summary:
        "each image of an epoch is of any class with the same probability, and drawn with " +
        "replacement from its images",
      positional: [],
      arguments: {},
      resolve: () => ({ kind: "balanced" }),
    }),
    define<Sampling>()({
      name: "weighted",
      example: "weighted([1, 1, 1, 1, 1, 1, 1, 1, 4, 4])",
      aliases: each(["WeightedRandomSampler", "weighted_random"], {
        differs: "PyTorch takes a weight for each image, `weighted` one for each class",
      }),
      summary:
        "images are drawn with replacement, each with a probability by its class, as by " +
        "PyTorch's `WeightedRandomSampler`",
      positional: ["weights"],
      arguments: {
        weights: required(
          floats({ minimum: 0 }),
          "how likely an image of each class is, compared with the others",
        ),
      },
      resolve: ({ weights }) => ({ kind: "weighted", weights }),
    }),
  ],
};

export const stops: Registry<EarlyStopping> = {
  noun: "stopping rule",
  example: "early_stopping(patience=5)",
  unknown: "NET3056",
  planned: [],
  definitions: [
    define<EarlyStopping>()({
      name: "early_stopping",
      example: "early_stopping(patience=5)",
      aliases: ["EarlyStopping", "patience", "early_stop"],
      summary: "ends the run when evaluations stop improving",
      positional: [],
      arguments: {
        patience: required(integer({ minimum: 1 }), "evaluations without a better one"),
        min_delta: withDefault(
          float({ minimum: 0 }),
          0,
          "by how much an evaluation must be better to count",
        ),
        metric: withDefault(
          valueName(),
          "loss",
          "what is watched: the loss, or a metric of the model",
        ),
      },
      resolve: ({ patience, min_delta, metric }) => ({
        kind: "early_stopping",
        patience,
        minimumChange: min_delta,
        metric,
      }),
    }),
  ],
};

/** A rule of `best`. */
const bestBy = (name: "max" | "min", word: string, alias: string) =>
  define<BestRule>()({
    name,
    example: `${name}(${name === "max" ? "top1" : "loss"})`,
    aliases: [alias],
    summary: `the evaluation with the ${word} value is the best: its weights are kept`,
    positional: ["metric"],
    arguments: { metric: required(valueName(), "the loss, or a metric of the model") },
    resolve: ({ metric }) => ({ metric, rises: name === "max" }),
  });

export const bests: Registry<BestRule> = {
  noun: "comparison",
  example: "max(top1)",
  unknown: "NET3056",
  planned: [],
  definitions: [bestBy("max", "largest", "maximize"), bestBy("min", "smallest", "minimize")],
};

export const precisions: Registry<Precision> = {
  noun: "precision",
  example: "f16",
  unknown: "NET3056",
  planned: ["bf16", "f8"],
  definitions: [
    define<Precision>()({
      name: "f32",
      example: "f32",
      aliases: ["float32", "full"],
      summary: "all numbers in 32 bits",
      positional: [],
      arguments: {},
      resolve: () => ({ kind: "f32" }),
    }),
    define<Precision>()({
      name: "f16",
      example: "f16(loss_scale=dynamic)",
      aliases: [
        ...["amp", "mixed"],
        ...each(["float16", "half"], {
          differs: "`f16` is mixed precision: weights and sums stay in 32 bits",
        }),
      ],
      summary:
        "activations and their gradients in 16 bits, " +
        "sums and weights in 32, where the adapter has `shader-f16`",
      positional: [],
      arguments: {
        loss_scale: withDefault(
          valueOr("dynamic", { above: 0, maximum: 2 ** 32 }),
          "dynamic",
          "what the loss is multiplied by: " +
            "a number alone stays as it is, `dynamic` starts at 65536",
        ),
        growth_factor: optional(
          float({ above: 1 }),
          "factor of a dynamic scale after good steps; 2",
        ),
        backoff_factor: optional(
          float({ above: 0, below: 1 }),
          "factor of a dynamic scale after a step whose gradients overflow; 0.5",
        ),
        growth_interval: optional(
          integer({ minimum: 1 }),
          "good steps in a row before a dynamic scale grows; 2000",
        ),
      },
      resolve: (given) => ({ kind: "f16", lossScale: resolveLossScale(given) }),
    }),
  ],
};

interface LossScaleArguments {
  readonly loss_scale: number | "dynamic";
  readonly growth_factor?: number | undefined;
  readonly backoff_factor?: number | undefined;
  readonly growth_interval?: number | undefined;
}

/**
 * A number with a growth rule is the start value of a dynamic scale. Defaults are PyTorch's.
 */
function resolveLossScale(given: LossScaleArguments): LossScale {
  const { loss_scale: scale, growth_factor, backoff_factor, growth_interval } = given;
  const rule = [growth_factor, backoff_factor, growth_interval];
  if (scale !== "dynamic" && rule.every((each) => each === undefined))
    return { kind: "static", scale };
  return {
    kind: "dynamic",
    initial: scale === "dynamic" ? 65536 : scale,
    growth: growth_factor ?? 2,
    backoff: backoff_factor ?? 0.5,
    interval: growth_interval ?? 2000,
  };
}

/** `load("alexnet.safetensors", except=[classifier.logits.*])` as written. */
export interface Load {
  readonly path: string;
  readonly except: readonly Pattern[];
  readonly rename: readonly Renaming[];
}

/** `load("teacher.safetensors", into=big)` as written. */
export interface TeacherLoad {
  readonly path: string;
  readonly into: string;
}

export const teachers: Registry<TeacherLoad> = {
  noun: "teacher",
  example: 'load("runs/big/best.safetensors", into=big)',
  unknown: "NET3056",
  planned: [],
  definitions: [
    define<TeacherLoad>()({
      name: "load",
      example: 'load("runs/big/best.safetensors", into=big)',
      aliases: ["file", "load_state_dict", "load_weights", "pretrained", "from_file"],
      summary: "loads the weights of a trained model into the section that has its layers",
      positional: ["path"],
      arguments: {
        path: required(string(), "the file, relative to the spec's folder"),
        into: required(
          valueName(),
          "a section with the layers of the file's model, not trained and not saved",
        ),
      },
      resolve: ({ path, into }) => ({ path, into }),
    }),
  ],
};

export const loads: Registry<Load> = {
  noun: "weights source",
  example: 'load("weights.safetensors")',
  unknown: "NET3056",
  planned: [],
  definitions: [
    define<Load>()({
      name: "load",
      example: 'load("pretrained.safetensors", except=[logits.*])',
      aliases: ["file", "load_state_dict", "load_weights", "pretrained", "from_file"],
      summary: "loads weights by name from a safetensors file, or from PyTorch's .pth (in Node)",
      positional: ["path"],
      arguments: {
        path: required(string(), "the file, relative to the spec's folder"),
        except: optional(patterns(), "names of weights that keep their initial values"),
        rename: optional(
          renamings(),
          "pairs of names, the file's and the model's, for files whose names say too little",
        ),
      },
      resolve: ({ path, except = [], rename = [] }) => ({ path, except, rename }),
    }),
  ],
};
