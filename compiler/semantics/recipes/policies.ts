/** What may stand behind the settings that take one call: `average`, `stop`, `precision`, `weights`. */
import type { EarlyStopping, Precision, WeightAverage } from "../../../program/recipe.js";
import { float, integer, string, valueName } from "../argument-types.js";
import { optional, required, withDefault } from "../signature.js";
import { define, type Registry } from "./definition.js";
import { type Pattern, patterns } from "./patterns.js";

export const averages: Registry<WeightAverage> = {
  noun: "average of weights",
  example: "ema(0.999)",
  unknown: "NET3056",
  planned: ["swa"],
  definitions: [
    define<WeightAverage>()({
      name: "ema",
      aliases: ["EMA", "ModelEmaV2", "ExponentialMovingAverage", "AveragedModel", "polyak"],
      summary: "the exponential moving average: after each step, the average keeps a share",
      positional: ["decay"],
      arguments: {
        decay: withDefault(
          float({ above: 0, below: 1 }),
          0.999,
          "share of the average that is kept at each step",
        ),
      },
      resolve: ({ decay }) => ({ kind: "ema", decay }),
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
      aliases: ["EarlyStopping", "patience", "early_stop"],
      summary: "ends the run where evaluations do not get better any more",
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
        ...{ patience, minimumChange: min_delta, metric },
      }),
    }),
  ],
};

export const precisions: Registry<Precision> = {
  noun: "precision",
  example: "f16(loss_scale=65536)",
  unknown: "NET3056",
  planned: ["bf16", "f8"],
  definitions: [
    define<Precision>()({
      name: "f32",
      aliases: ["float32", "full"],
      summary: "every number in 32 bits",
      positional: [],
      arguments: {},
      resolve: () => ({ kind: "f32" }),
    }),
    define<Precision>()({
      name: "f16",
      aliases: ["float16", "half", "amp", "mixed"],
      summary: "activations in 16 bits, sums and master weights in 32, with a dynamic loss scale",
      positional: [],
      arguments: {
        loss_scale: withDefault(
          float({ above: 0 }),
          65536,
          "what the loss is multiplied by at first; halved where a gradient overflows",
        ),
      },
      resolve: ({ loss_scale }) => ({ kind: "f16", lossScale: loss_scale }),
    }),
  ],
};

/** `load("alexnet.safetensors", except=[classifier.logits.*])` as written. */
export interface Load {
  readonly path: string;
  readonly except: readonly Pattern[];
}

export const loads: Registry<Load> = {
  noun: "weights source",
  example: 'load("weights.safetensors")',
  unknown: "NET3056",
  planned: [],
  definitions: [
    define<Load>()({
      name: "load",
      aliases: ["file", "load_state_dict", "load_weights", "pretrained", "from_file"],
      summary: "weights from a safetensors file, by their names",
      positional: ["path"],
      arguments: {
        path: required(string(), "the file, relative to the spec's folder"),
        except: optional(patterns(), "names of weights that keep their initial values"),
      },
      resolve: ({ path, except = [] }) => ({ path, except }),
    }),
  ],
};
