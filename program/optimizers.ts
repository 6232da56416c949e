/**
 * Optimizers: their settings, what they keep of each parameter, and what kernels read of them in
 * the frame. The step itself is in compiler/ops/update.ts (the reference) and
 * compiler/kernels/gradient-sink.ts (WGSL); what a spec may say is in
 * compiler/semantics/recipes/optimizers.ts.
 */
import type { FRAME } from "./frame.js";

interface CommonSettings {
  readonly learningRate: number;
  /**
   * Factor of the weights that is added to their gradient; with `adamw` and `lion`, of the weights
   * that are taken off them.
   */
  readonly weightDecay: number;
}

export interface SgdSettings extends CommonSettings {
  readonly kind: "sgd";
  readonly momentum: number;
  readonly nesterov: boolean;
  /**
   * Where the learning rate is applied: outside the velocity (PyTorch) or inside it (Caffe, and the
   * 2012 paper).
   */
  readonly convention: "pytorch" | "caffe";
}

export interface AdamSettings extends CommonSettings {
  readonly kind: "adam" | "adamw";
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export interface RmspropSettings extends CommonSettings {
  readonly kind: "rmsprop";
  readonly alpha: number;
  readonly momentum: number;
  readonly epsilon: number;
}

export interface AdagradSettings extends CommonSettings {
  readonly kind: "adagrad";
  readonly epsilon: number;
}

export interface AdadeltaSettings extends CommonSettings {
  readonly kind: "adadelta";
  readonly rho: number;
  readonly epsilon: number;
}

export interface LionSettings extends CommonSettings {
  readonly kind: "lion";
  readonly beta1: number;
  readonly beta2: number;
}

/** How gradients are kept from growing beyond all bounds, before the optimizer takes them. */
export interface Clipping {
  /** The largest norm of all gradients together: beyond it, all are scaled down alike. */
  readonly norm?: number;
  /** The largest magnitude of any element. */
  readonly value?: number;
}

type RuleSettings =
  SgdSettings | AdamSettings | RmspropSettings | AdagradSettings | AdadeltaSettings | LionSettings;

export type OptimizerSettings = RuleSettings & { readonly clip?: Clipping };

type Kind = OptimizerSettings["kind"];

interface OptimizerFacts<Settings> {
  /** Names of the tensors that it keeps of each parameter from step to step. */
  readonly states: readonly string[];
  /** Its words of the frame; the others are 0. `time` is the step, counted from 1. */
  words(settings: Settings, time: number): Partial<Readonly<Record<keyof typeof FRAME, number>>>;
}

const adam: OptimizerFacts<AdamSettings> = {
  states: ["exp_avg", "exp_avg_sq"],
  words: ({ beta1, beta2, epsilon }, time) => ({
    beta1,
    beta2,
    epsilon,
    // Averages that start at zero are too small at first.
    correction1: 1 - beta1 ** time,
    correction2: 1 - beta2 ** time,
    rest1: 1 - beta1,
    rest2: 1 - beta2,
  }),
};

const FACTS: {
  readonly [Each in Kind]: OptimizerFacts<Extract<OptimizerSettings, { readonly kind: Each }>>;
} = {
  sgd: {
    states: ["velocity"],
    words: ({ momentum, nesterov, convention }) => ({
      momentum,
      nesterov: Number(nesterov),
      convention: Number(convention === "caffe"),
    }),
  },
  adam,
  adamw: adam,
  rmsprop: {
    states: ["square_avg", "velocity"],
    words: ({ momentum, alpha, epsilon }) => ({
      momentum,
      beta2: alpha,
      epsilon,
      rest1: 1,
      rest2: 1 - alpha,
    }),
  },
  adagrad: { states: ["sum"], words: ({ epsilon }) => ({ epsilon }) },
  adadelta: {
    states: ["square_avg", "acc_delta"],
    words: ({ rho, epsilon }) => ({ beta2: rho, rest2: 1 - rho, epsilon }),
  },
  lion: {
    states: ["exp_avg"],
    words: ({ beta1, beta2 }) => ({
      beta1,
      beta2,
      rest1: 1 - beta1,
      rest2: 1 - beta2,
    }),
  },
};

/** What an optimizer keeps of each parameter from step to step, by name. */
export const stateNames = ({ kind }: Pick<OptimizerSettings, "kind">): readonly string[] =>
  FACTS[kind].states;

/** An optimizer's words of the frame in the step of this number, counted from 1. */
export function optimizerWords(optimizer: OptimizerSettings, time: number) {
  // Settings and facts agree by kind, which TypeScript cannot follow.
  const facts: OptimizerFacts<never> = FACTS[optimizer.kind];
  return facts.words(optimizer as never, time);
}
