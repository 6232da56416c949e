import { each } from "../../diagnostics/alias.js";
import type { Setting, TrainDeclaration } from "../../../grammar/ast.js";
import { type ArgumentType } from "../../calls/signature.js";
import { float, integer } from "../../calls/argument-types.js";
import { withoutDuplicates } from "../duplicates.js";
import type { Environment } from "../../calls/environment.js";
import {
  type AbsentNames,
  adviseName,
  listNames,
  type Named,
  nearestName,
} from "../../calls/suggestion.js";

const REQUIRED = ["epochs", "batch", "optimizer"] as const;

/** A setting of a training recipe. */
export interface SettingDefinition extends Named {
  /** How a recipe writes it. */
  readonly example: string;
  /** What it means, in a few words, for documentation and completion. */
  readonly meaning: string;
}

/** Every setting of a training recipe. */
export const trainSettings: readonly SettingDefinition[] = [
  {
    name: "epochs",
    example: "epochs = 90",
    aliases: ["epoch", "num_epochs", "max_epochs"],
    meaning: "passes over the training data",
  },
  {
    name: "batch",
    example: "batch = 128",
    aliases: ["batch_size", "batchsize", "bs"],
    meaning: "examples per step",
  },
  {
    name: "drop_last",
    example: "drop_last = true",
    aliases: ["dropLast", "drop_remainder", "drop_incomplete"],
    meaning: "whether an epoch leaves out the last batch where it is smaller than the others",
  },
  {
    name: "sampling",
    example: "sampling = balanced",
    aliases: ["sampler", "WeightedRandomSampler", "weighted_sampling", "oversampling"],
    meaning: "how an epoch draws its images: all once if left out, or by classes: `balanced`",
  },
  {
    name: "evaluate_every",
    example: "evaluate_every = 5 epochs",
    aliases: [
      ...["eval_every", "check_val_every_n_epoch", "validation_freq", "eval_interval"],
      ...each(["val_interval", "eval_freq", "eval_steps", "val_check_interval"], {
        differs: "it may count steps: write `500 steps`, or `5 epochs`",
      }),
    ],
    meaning: "from one evaluation to the next: `5 epochs`, `500 steps`; runs end with one",
  },
  {
    name: "optimizer",
    example: "optimizer = sgd(lr=0.01, momentum=0.9)",
    aliases: ["optimiser", "solver", "optim"],
    meaning: "the rule that updates the weights",
  },
  {
    name: "schedule",
    example: "schedule = warmup(5 epochs) -> cosine",
    aliases: ["scheduler", "lr_schedule", "lr_policy"],
    meaning: "how the learning rate changes over the run; constant if left out",
  },
  {
    name: "clip_norm",
    example: "clip_norm = 1",
    aliases: [
      ...["global_clipnorm", "clip_gradients", "clip_grad_norm", "max_grad_norm"],
      ...["gradient_clip_val", "gradient_clip_norm"],
      ...each(["clip", "grad_clip", "max_norm"], {
        differs: "`clip_norm` limits the norm of all gradients, `clip_value` each number",
      }),
      { name: "clipnorm", differs: "Keras limits each weight's norm by itself, netc all together" },
    ],
    meaning: "gradient clipping by the norm of all gradients together",
  },
  {
    name: "clip_value",
    example: "clip_value = 0.5",
    aliases: ["clipvalue", "clip_grad_value", "gradient_clip_value"],
    meaning: "gradient clipping by value: the largest magnitude of an element",
  },
  {
    name: "freeze",
    example: "freeze = [features.*]",
    aliases: ["frozen", "freeze_layers"],
    meaning: "weights that are not trained, by name: `[features.*]`",
  },
  {
    name: "unfreeze",
    example: "unfreeze = after(5 epochs, [features.*])",
    aliases: ["thaw", "unfreeze_after"],
    meaning: "when to train frozen weights again: `after(5 epochs, [features.conv5])`",
  },
  {
    name: "freeze_statistics",
    example: "freeze_statistics = [kind(batchnorm)]",
    aliases: ["freeze_bn", "norm_eval", "bn_eval", "freeze_batchnorm", "frozen_bn"],
    meaning: "`batchnorm` layers that keep their running statistics and normalize by them",
  },
  {
    name: "weights",
    example: 'weights = load("pretrained.safetensors", except=[logits.*])',
    aliases: [
      ...["pretrained", "init_from", "load"],
      ...each(["checkpoint", "resume_from"], {
        differs: "`weights` begins a new run; `netc train --resume` continues one",
      }),
    ],
    meaning: 'pretrained weights to start from: `load("FILE.safetensors", except=[classifier.*])`',
  },
  {
    name: "teacher",
    example: 'teacher = load("runs/big/best.safetensors", into=big)',
    aliases: ["teacher_model", "distill_from", "teacher_weights"],
    meaning: 'a section that is a trained teacher, for distillation: `load("FILE", into=big)`',
  },
  {
    name: "lr_factors",
    example: "lr_factors = [(features.*, 0.1)]",
    aliases: ["lr_mult", "param_groups", "layer_lr", "lr_multipliers"],
    meaning: "learning rates of single weights, as factors: `[(features.*, 0.1)]`",
  },
  {
    name: "no_decay",
    example: "no_decay = [*.bias, kind(batchnorm)]",
    aliases: ["no_weight_decay", "exclude_from_weight_decay"],
    meaning: "weights without weight decay, by name or kind of layer: `[*.bias]`",
  },
  {
    name: "accumulate",
    example: "accumulate = 4",
    aliases: each(
      [
        ...["accumulation", "gradient_accumulation_steps", "accumulate_grad_batches"],
        ...["accumulation_steps", "iter_size"],
      ],
      { differs: "elsewhere it multiplies the batch; here `batch` counts all images of an update" },
    ),
    meaning: "gradient accumulation: slices of the batch, with one update for all, to save memory",
  },
  {
    name: "sync_batchnorm",
    example: "sync_batchnorm = true",
    aliases: ["sync_bn", "syncbn", "SyncBatchNorm", "convert_sync_batchnorm"],
    meaning: "under `mpirun`: batch normalization over the images of all ranks",
  },
  {
    name: "average",
    example: "average = ema(0.999)",
    aliases: [
      "weight_average",
      ...each(["ema", "model_ema", "ema_decay"], {
        differs: "it holds a rule: `average = ema(0.999)`",
      }),
    ],
    meaning: "weight averaging for evaluation and the saved weights: `ema(0.999)`, or `swa`",
  },
  {
    name: "stop",
    example: "stop = early_stopping(patience=5)",
    aliases: each(["early_stopping", "early_stop", "patience", "early_stopping_patience"], {
      differs: "it holds a rule: `stop = early_stopping(patience=5)`",
    }),
    meaning: "early stopping: `early_stopping(patience=5)`",
  },
  {
    name: "best",
    example: "best = max(top1)",
    aliases: [
      ...["monitor", "metric_for_best_model", "greater_is_better", "save_best_only"],
      ...["checkpoint_metric"],
    ],
    meaning: "which evaluation is the best: `max(METRIC)`, `min(METRIC)`; if left out, by `stop`",
  },
  {
    name: "precision",
    example: "precision = f16",
    aliases: [
      "dtype",
      ...each(["mixed_precision", "amp", "fp16", "half"], {
        differs: "it has a name: `precision = f16` is mixed precision",
      }),
    ],
    meaning: "`f32`, or `f16` for mixed precision",
  },
  {
    name: "seed",
    example: "seed = 1",
    aliases: ["random_seed", "rng"],
    meaning: "seed of initial weights, dropout and shuffling",
  },
];

/** Every setting of a step of a recipe. */
export const stepSettings: readonly SettingDefinition[] = [
  {
    name: "update",
    example: "update = discriminator",
    aliases: ["updates", "params", "parameters", "trains", "weights"],
    meaning: "the weights that the step trains, by name: `[generator.*]`",
  },
  ...trainSettings.filter(({ name }) => ["optimizer", "clip_norm", "clip_value"].includes(name)),
];

const exampleOf = (name: string) => trainSettings.find((each) => each.name === name)!.example;

/** Whether all steps of a recipe have a setting. */
const isInSteps = ({ steps }: TrainDeclaration, setting: string): boolean =>
  steps.length > 0 &&
  steps.every(({ settings }) => settings.some(({ name }) => name.name === setting));

/** The settings of a train declaration by name; reports unknown, repeated and missing ones. */
export function readSettings(
  declaration: TrainDeclaration,
  { reporter }: Environment,
): ReadonlyMap<string, Setting> {
  for (const { name } of declaration.settings) checkName(name, { reporter });
  const settings = withoutDuplicates(declaration.settings, "setting", reporter);
  // A setting with a misspelled name is not also reported as missing.
  const meant = declaration.settings.map(({ name }) => nearestName(name.name, trainSettings));
  const missing = REQUIRED.filter(
    (name) => !settings.has(name) && !meant.includes(name) && !isInSteps(declaration, name),
  );
  if (missing.length > 0) {
    reporter.report("NET3004", {
      message: `train \`${declaration.name.name}\` does not say ${listNames(missing)}`,
      span: declaration.name.span,
      notes: missing.map((name) => `for instance \`${exampleOf(name)}\``),
    });
  }
  return settings;
}

/** What other tools set for a run as a whole, in plain letters, and a spec says elsewhere. */
export const absentSettings: AbsentNames = {
  ...all(
    ["lr", "learningrate", "baselr", "initlr"],
    "the optimizer takes it: `optimizer = sgd(lr=0.01)`",
  ),
  momentum: "the optimizer takes it: `optimizer = sgd(lr=0.01, momentum=0.9)`",
  ...all(
    ["weightdecay", "decay", "l2"],
    "the optimizer takes it: `optimizer = sgd(lr=0.01, weight_decay=5e-4)`",
  ),
  ...all(
    ["warmup", "warmupepochs", "warmupsteps"],
    "the schedule begins with it: `schedule = warmup(5 epochs) -> cosine`",
  ),
  labelsmoothing:
    "the model's loss takes it: `loss cross_entropy(logits, label, label_smoothing=0.1)`",
  ...all(
    ["classweights", "classweight"],
    "the model's loss takes it: `loss cross_entropy(logits, label, class_weights=[...])`",
  ),
  ...all(["loss", "criterion"], "the model declares it: `loss cross_entropy(logits, label)`"),
  ...all(
    ["metric", "metrics"],
    "the model declares metrics: `metric top1 = accuracy(logits, label)`",
  ),
  ...all(
    ["mixup", "cutmix", "mixupalpha", "cutmixalpha"],
    "it is a transform of the train split: `train folder(...) { ... -> mixup(alpha=0.2) }`",
  ),
  dropout: "it is a layer of the model: `dropout(0.5)`",
  ...all(
    ["augmentation", "transforms", "transform", "imagesize", "normalize"],
    "the `data` declaration says what happens to images: " +
      "`train folder(...) { random_crop(32, padding=4) -> hflip(0.5) }`",
  ),
  ...all(
    ["validationsplit", "valsplit", "holdout"],
    "the data source takes it: `folder(..., holdout=0.1)` in both splits",
  ),
  ...all(["device", "gpu", "gpus", "accelerator"], "`netc train --adapter NAME` chooses it"),
  ...all(["workers", "numworkers"], "images are decoded on as many threads as there are cores"),
  shuffle: "examples are shuffled in training, and never in evaluation",
  ...all(["steps", "maxsteps", "iterations", "maxiter"], "`netc train --steps N` ends a run early"),
  swa: "`average = swa(start=8000 steps, every=100 steps)`",
  ...all(["out", "outputdir", "savedir"], "`netc train --out DIR` chooses the folder"),
  ...all(["resume"], "`netc train --resume` continues a run"),
};

function all(names: readonly string[], where: string): AbsentNames {
  return Object.fromEntries(names.map((name) => [name, where]));
}

function checkName(identifier: Setting["name"], { reporter }: Pick<Environment, "reporter">): void {
  const { name, span } = identifier;
  if (trainSettings.some((each) => each.name === name)) return;
  const otherwise = [`settings are ${listNames(trainSettings.map((each) => each.name))}`];
  const vocabulary = { known: trainSettings, absent: absentSettings, otherwise };
  const { question, ...advice } = adviseName(identifier, vocabulary);
  reporter.report("NET3003", {
    message: `train has no setting \`${name}\`${question}`,
    span,
    ...advice,
  });
}

/** A setting's value; undefined if it is left out or wrong, which is reported then. */
export function readSetting<Value>(
  setting: Setting | undefined,
  type: ArgumentType<Value>,
  environment: Environment,
): Value | undefined {
  return (
    setting && type.read(setting.value, { ...environment, subject: `\`${setting.name.name}\`` })
  );
}

export const count = integer({ minimum: 1 });
export const limitType = float({ above: 0 });
export const seedType = integer({ minimum: 0, maximum: 0xffffffff });
