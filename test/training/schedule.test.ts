import { expect, test } from "vitest";
import { dependsOnLength } from "../../cli/training/schedule-change.js";
import type { LearningRateRecipe } from "../../runtime/training/schedule.js";
import { RECIPE } from "./fake.js";
import { learningRateAt, learningRateFactor } from "../../runtime/training/schedule.js";

/** 10 epochs of 10 steps. */
const RUN = { stepsPerEpoch: 10, steps: 100 };

const epochs = (count: number) => ({ count, unit: "epochs" }) as const;
const steps = (count: number) => ({ count, unit: "steps" }) as const;

/** [step, factor] as PyTorch 1.13 gives them for an SGD of learning rate 1, stepped once a step. */
const cases: readonly (readonly [
  string,
  LearningRateRecipe,
  readonly (readonly [number, number])[],
])[] = [
  [
    "StepLR(30, 0.1)",
    { schedule: { kind: "step", every: epochs(3), gamma: 0.1 } },
    [
      [0, 1],
      [29, 1],
      [30, 0.1],
      [59, 0.1],
      [60, 0.01],
      [99, 0.001],
    ],
  ],
  [
    "MultiStepLR([30, 80], 0.1)",
    { schedule: { kind: "multistep", at: [epochs(3), steps(80)], gamma: 0.1 } },
    [
      [0, 1],
      [29, 1],
      [30, 0.1],
      [79, 0.1],
      [80, 0.01],
      [99, 0.01],
    ],
  ],
  [
    "ExponentialLR(0.9)",
    { schedule: { kind: "exponential", gamma: 0.9, every: steps(1) } },
    [
      [0, 1],
      [1, 0.9],
      [2, 0.81],
      [10, 0.34867844010000015],
      [19, 0.13508517176729928],
    ],
  ],
  [
    "ExponentialLR(0.9), stepped once an epoch",
    { schedule: { kind: "exponential", gamma: 0.9, every: epochs(1) } },
    [
      [0, 1],
      [10, 0.9],
      [20, 0.81],
    ],
  ],
  [
    "Caffe's inv, gamma 0.01, power 0.75: (1 + 0.01 t)^-0.75",
    { schedule: { kind: "inverse", gamma: 0.01, power: 0.75, every: steps(1) } },
    [
      [0, 1],
      [50, 0.7377879464668811],
      [99, 0.5968431209785913],
    ],
  ],
  [
    "TensorFlow's InverseTimeDecay(decay_steps=10, decay_rate=0.5)",
    { schedule: { kind: "inverse", gamma: 0.5, power: 1, every: epochs(1) } },
    [
      [0, 1],
      [20, 0.5],
      [60, 0.25],
    ],
  ],
  [
    "PolynomialLR(100, 2)",
    { schedule: { kind: "polynomial", power: 2, to: 0 } },
    [
      [0, 1],
      [1, 0.9801],
      [50, 0.25],
      [99, 0.0001],
    ],
  ],
  [
    "CosineAnnealingLR(100, eta_min=0.1)",
    { schedule: { kind: "cosine", to: 0.1 } },
    [
      [0, 1],
      [1, 0.9997779521645792],
      [25, 0.8681980515339464],
      [50, 0.55],
      [75, 0.231801948466054],
      [99, 0.10022204783542078],
    ],
  ],
  [
    "OneCycleLR(1, total_steps=100)",
    { schedule: { kind: "onecycle", peak: 0.3, from: 0.04, to: 4e-6 } },
    [
      [0, 0.04],
      [10, 0.29516394846410077],
      [28, 0.9971862194340926],
      [29, 1],
      [30, 0.9994965352845243],
      [60, 0.5892800902855287],
      [98, 0.0005074647154757879],
      [99, 4e-6],
    ],
  ],
  [
    "LinearLR(0.1, 1, 20)",
    { schedule: { kind: "constant" }, warmup: { duration: epochs(2), from: 0.1 } },
    [
      [0, 0.1],
      [1, 0.145],
      [10, 0.55],
      [19, 0.955],
      [20, 1],
      [29, 1],
    ],
  ],
  [
    "SequentialLR([LinearLR(0.1, 1, 20), CosineAnnealingLR(80)], [20])",
    { schedule: { kind: "cosine", to: 0 }, warmup: { duration: steps(20), from: 0.1 } },
    [
      [0, 0.1],
      [10, 0.55],
      [19, 0.955],
      [20, 1],
      [21, 0.9996145181203615],
      [60, 0.5],
      [99, 0.0003854818796385495],
    ],
  ],
  [
    "SequentialLR([LinearLR(0.25, 1, 20), StepLR(30, 0.1)], [20])",
    {
      schedule: { kind: "step", every: epochs(3), gamma: 0.1 },
      warmup: { duration: epochs(2), from: 0.25 },
    },
    [
      [0, 0.25],
      [19, 0.9625],
      [20, 1],
      [49, 1],
      [50, 0.1],
      [79, 0.1],
      [80, 0.01],
      [99, 0.01],
    ],
  ],
  [
    "CosineAnnealingWarmRestarts(10, T_mult=2, eta_min=0.1)",
    { schedule: { kind: "cosine_restarts", first: epochs(1), growth: 2, to: 0.1 } },
    [
      [0, 1],
      [5, 0.55],
      [9, 0.12202456766718092],
      [10, 1],
      [20, 0.55],
      [29, 0.10554024673218806],
      [30, 1],
      [69, 0.10138719982009242],
      [70, 1],
    ],
  ],
  [
    "CosineAnnealingWarmRestarts(30)",
    { schedule: { kind: "cosine_restarts", first: epochs(3), growth: 1, to: 0 } },
    [
      [15, 0.5],
      [30, 1],
      [45, 0.5],
      [60, 1],
    ],
  ],
  [
    "SequentialLR([LinearLR(0.1, 1, 20), ConstantLR(1), StepLR(10, 0.5), CosineAnnealingLR(40)])",
    {
      warmup: { duration: epochs(2), from: 0.1 },
      schedule: {
        kind: "sequence",
        parts: [
          { schedule: { kind: "constant" }, until: epochs(3) },
          { schedule: { kind: "step", every: epochs(1), gamma: 0.5 }, until: steps(60) },
        ],
        last: { kind: "cosine", to: 0 },
      },
    },
    [
      [10, 0.55],
      [20, 1],
      [30, 1],
      [40, 0.5],
      [59, 0.25],
      [60, 1],
      [80, 0.5],
      [99, 0.0015413331334360185],
    ],
  ],
];

test.each(cases)("the learning rate is that of %s", (_, recipe, expected) => {
  for (const [step, factor] of expected) {
    expect(learningRateFactor(recipe, step, RUN)).toBeCloseTo(factor, 12);
  }
});

test("a constant schedule stays at 1, and a run beyond its length keeps the last value", () => {
  expect(learningRateFactor({ schedule: { kind: "constant" } }, 57, RUN)).toBe(1);
  expect(learningRateFactor({ schedule: { kind: "cosine", to: 0.1 } }, 250, RUN)).toBeCloseTo(0.1);
});

test("stochastic weight averaging leads to its own rate along a cosine, as SWALR does", () => {
  const average = { kind: "swa", start: 40, every: 10, learningRate: 0.05, anneal: 20 } as const;
  const recipe = { ...RECIPE, schedule: { kind: "constant" }, average } as const;
  const rates = [0, 39, 40, 50, 60, 99].map((step) => learningRateAt(recipe, step, RUN));
  const expected = [0.2, 0.2, 0.2, 0.125, 0.05, 0.05];
  rates.forEach((rate, index) => expect(rate).toBeCloseTo(expected[index]!, 12));
  const without = { ...recipe, average: { ...average, learningRate: undefined } };
  expect(learningRateAt(without, 99, RUN)).toBe(0.2);
});

test.each([
  ["constant", { kind: "constant" }, false],
  ["step", { kind: "step", every: epochs(3), gamma: 0.1 }, false],
  ["cosine", { kind: "cosine", to: 0 }, true],
] as const)(
  "%s: whether a longer run takes other steps from the start",
  (_, schedule, expected) => {
    const runs = [RUN, { ...RUN, steps: 150 }];
    expect(dependsOnLength({ ...RECIPE, schedule }, runs)).toBe(expected);
    expect(dependsOnLength({ ...RECIPE, schedule }, [RUN, RUN])).toBe(false);
  },
);

test("averaging from a step on is the same in a longer run, but for the schedule before it", () => {
  const runs = [RUN, { ...RUN, steps: 150 }];
  const average = { kind: "swa", start: 40, every: 10, learningRate: 0.05, anneal: 20 } as const;
  const constant = { ...RECIPE, schedule: { kind: "constant" }, average } as const;
  expect(dependsOnLength(constant, runs)).toBe(false);
  const without = { ...average, learningRate: undefined };
  expect(dependsOnLength({ ...constant, average: without }, runs)).toBe(false);
  const schedule = { kind: "cosine", to: 0 } as const;
  expect(dependsOnLength({ ...constant, schedule }, runs)).toBe(true);
});
