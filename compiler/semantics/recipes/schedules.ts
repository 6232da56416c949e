import { absentSchedules } from "./absent.js";
import { each } from "../../diagnostics/alias.js";
import type { Duration, PlateauSchedule, TimedSchedule, Warmup } from "../../../program/recipe.js";
import { duration, durations, float, integer } from "../../calls/argument-types.js";
import { optional, required, withDefault } from "../../calls/signature.js";
import { define, type RecipeDefinition, type Registry } from "./definition.js";

/** A schedule, which may be one of a sequence. */
export interface ScheduledPart {
  readonly kind: "part";
  readonly schedule: TimedSchedule | PlateauSchedule;
  readonly until?: Duration | undefined;
}

export type ScheduleStage = ScheduledPart | ({ readonly kind: "warmup" } & Warmup);

const stage = define<ScheduleStage>();
const schedule = define<TimedSchedule>();

const until = optional(
  duration(),
  "where the next schedule of a sequence begins, counted from the start of the run",
);

function asPart(definition: RecipeDefinition<TimedSchedule>): RecipeDefinition<ScheduleStage> {
  return {
    ...definition,
    arguments: { ...definition.arguments, until },
    resolve: (values) => ({
      kind: "part",
      schedule: definition.resolve(values),
      until: values["until"] as Duration | undefined,
    }),
  };
}

/** A note on schedules that PyTorch moves once an epoch. */
const EVERY_STEP = "netc changes the rate at every step, PyTorch at every `scheduler.step()`";
const gamma = required(float({ above: 0, maximum: 1 }), "factor at each step");

/** Those that can be parts of a sequence. */
const timed: readonly RecipeDefinition<TimedSchedule>[] = [
  schedule({
    name: "constant",
    example: "constant",
    aliases: ["none", "fixed"],
    summary: "a constant learning rate",
    positional: [],
    arguments: {},
    resolve: () => ({ kind: "constant" }),
  }),
  schedule({
    name: "step",
    example: "step(every=30 epochs, gamma=0.1)",
    aliases: ["StepLR", "steps", "staircase"],
    summary: "multiplied by gamma after every interval",
    positional: [],
    arguments: { every: required(duration(), "from one step to the next"), gamma },
    resolve: ({ every, gamma }) => ({ kind: "step", every, gamma }),
  }),
  schedule({
    name: "multistep",
    example: "multistep(at=[30 epochs, 60 epochs], gamma=0.1)",
    aliases: ["MultiStepLR", "milestones", "piecewise"],
    summary: "multiplied by gamma at given points",
    positional: [],
    arguments: { at: required(durations(), "when"), gamma },
    resolve: ({ at, gamma }) => ({ kind: "multistep", at, gamma }),
  }),
  schedule({
    name: "exponential",
    example: "exponential(gamma=0.95)",
    aliases: [
      { name: "ExponentialLR", differs: EVERY_STEP },
      { name: "exp", differs: "`exp` of Caffe has its `gamma` for a step: `every=1 steps`" },
    ],
    summary: "decays exponentially: multiplied by gamma over each period",
    positional: [],
    arguments: {
      gamma,
      every: withDefault(duration(), { count: 1, unit: "epochs" }, "the period"),
    },
    resolve: ({ gamma, every }) => ({ kind: "exponential", gamma, every }),
  }),
  schedule({
    name: "inverse",
    example: "inverse(gamma=1e-4, power=0.75, every=1 steps)",
    aliases: [
      { name: "inv", differs: "`inv` of Caffe has its `gamma` for a step: `every=1 steps`" },
      { name: "InverseTimeDecay", differs: "its `decay_rate` is `gamma`, `decay_steps` `every`" },
    ],
    summary: "falls as (1 + gamma t)^-power, t the number of periods",
    positional: [],
    arguments: {
      gamma: required(float({ above: 0 }), "how fast"),
      power: withDefault(float({ above: 0 }), 1, "exponent"),
      every: withDefault(duration(), { count: 1, unit: "epochs" }, "the period"),
    },
    resolve: ({ gamma, power, every }) => ({ kind: "inverse", gamma, power, every }),
  }),
  schedule({
    name: "polynomial",
    example: "polynomial(power=2)",
    aliases: [
      "poly",
      { name: "PolynomialLR", differs: EVERY_STEP },
      { name: "linear", differs: "`polynomial` falls to `to`; `warmup` rises" },
    ],
    summary: "falls as (1 - t)^power",
    positional: [],
    arguments: {
      power: withDefault(float({ above: 0 }), 1, "exponent"),
      to: withDefault(float({ minimum: 0, maximum: 1 }), 0, "factor at the end"),
    },
    resolve: ({ power, to }) => ({ kind: "polynomial", power, to }),
  }),
  schedule({
    name: "cosine",
    example: "cosine(to=0.01)",
    aliases: ["cos", ...each(["CosineAnnealingLR", "cosine_annealing"], { differs: EVERY_STEP })],
    summary: "cosine annealing: falls along half a cosine",
    positional: [],
    arguments: { to: withDefault(float({ minimum: 0, maximum: 1 }), 0, "factor at the end") },
    resolve: ({ to }) => ({ kind: "cosine", to }),
  }),
  schedule({
    name: "cosine_restarts",
    example: "cosine_restarts(first=10 epochs, growth=2)",
    aliases: [
      { name: "CosineAnnealingWarmRestarts", differs: EVERY_STEP },
      ...["sgdr", "cosine_annealing_warm_restarts", "CosineDecayRestarts"],
      ...["warm_restarts", "restarts"],
    ],
    summary: "cosine annealing with warm restarts (SGDR, arXiv:1608.03983)",
    positional: [],
    arguments: {
      first: required(duration(), "how long the first cosine takes"),
      growth: withDefault(
        integer({ minimum: 1 }),
        1,
        "how many times as long each is as the one before it",
      ),
      to: withDefault(float({ minimum: 0, maximum: 1 }), 0, "factor at the end of each"),
    },
    resolve: ({ first, growth, to }) => ({ kind: "cosine_restarts", first, growth, to }),
  }),
  schedule({
    name: "onecycle",
    example: "onecycle",
    aliases: [
      ...["one_cycle", "1cycle", "superconvergence"],
      {
        name: "OneCycleLR",
        differs: "PyTorch's moves the momentum, too, unless `cycle_momentum=False`",
      },
    ],
    summary:
      "rises along half a cosine to the learning rate, " +
      "then falls along another (arXiv:1708.07120)",
    positional: [],
    arguments: {
      peak: withDefault(float({ above: 0, below: 1 }), 0.3, "share of the run that it rises"),
      from: withDefault(float({ above: 0, maximum: 1 }), 0.04, "factor at the first step"),
      to: withDefault(float({ minimum: 0, maximum: 1 }), 4e-6, "factor at the end"),
    },
    resolve: ({ peak, from, to }) => ({ kind: "onecycle", peak, from, to }),
  }),
];

const plateau = stage({
  name: "reduce_on_plateau",
  example: "reduce_on_plateau(factor=0.1, patience=3)",
  aliases: [
    ...["plateau", "reduce_lr_on_plateau"],
    {
      name: "ReduceLROnPlateau",
      differs: "as in PyTorch, `threshold` is a share of the loss; Keras has a difference",
    },
  ],
  summary: "multiplied by a factor when the evaluation loss stops falling",
  positional: [],
  arguments: {
    factor: withDefault(float({ above: 0, below: 1 }), 0.1, "what it is multiplied by"),
    patience: withDefault(
      integer({ minimum: 0 }),
      10,
      "evaluations without a smaller loss that are let pass",
    ),
    threshold: withDefault(
      float({ minimum: 0, below: 1 }),
      1e-4,
      "share by which the loss must fall to count",
    ),
    to: withDefault(float({ minimum: 0, maximum: 1 }), 0, "least factor"),
    cooldown: withDefault(
      integer({ minimum: 0 }),
      0,
      "evaluations after a reduction that are not counted",
    ),
  },
  resolve: ({ factor, patience, threshold, to, cooldown }) => ({
    kind: "part",
    schedule: {
      kind: "reduce_on_plateau",
      factor,
      patience,
      threshold,
      to,
      cooldown: cooldown > 0 ? cooldown : undefined,
    },
  }),
});

export const schedules: Registry<ScheduleStage> = {
  noun: "schedule",
  example: "step(every=30 epochs, gamma=0.1)",
  unknown: "NET3006",
  planned: ["cyclic"],
  absent: absentSchedules,
  definitions: [
    stage({
      name: "warmup",
      example: "warmup(5 epochs) -> cosine",
      aliases: [
        ...["linear_warmup", "warm_up"],
        {
          name: "LinearLR",
          differs:
            "`LinearLR` starts at a third and lasts 5 epochs; `warmup(5 epochs)` starts at 0",
        },
      ],
      summary: "grows from a small factor to 1; precedes another schedule",
      positional: ["duration"],
      arguments: {
        duration: required(duration(), "how long it takes"),
        from: withDefault(float({ minimum: 0, maximum: 1 }), 0, "factor at the first step"),
      },
      resolve: ({ duration, from }) => ({ kind: "warmup", duration, from }),
    }),
    ...timed.map(asPart),
    plateau,
  ],
};
