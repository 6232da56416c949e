/** What the frame of a step holds. */
import { FRAME, frameWords, TOTALS_AT } from "../program/frame.js";
import type { OptimizerSettings } from "../program/program.js";
import { packWords, type ValuesOf } from "../program/words.js";

export interface Frame {
  /** Images in this slice of the step. */
  readonly batch: number;
  /** Index of its first image among the images of the step, on all devices. */
  readonly first: number;
  /** Images of the step, on all devices. */
  readonly images: number;
  /** Whether it is the first, and the last, slice of the step on this device. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Training steps done before. */
  readonly step: number;
  /** The step before which the optimizer began; 0 if absent. */
  readonly since?: number;
  readonly seed: number;
  readonly training: boolean;
  readonly optimizer: OptimizerSettings;
  /** What the program's class totals come to over the whole step; none if absent. */
  readonly totals?: readonly number[];
}

/** The largest f32: no limit. */
const UNLIMITED = 3.4028234663852886e38;

export function packFrame(frame: Frame): ArrayBuffer {
  const { batch, step, seed, optimizer, totals = [] } = frame;
  const { learningRate, weightDecay, clip } = optimizer;
  const words: ValuesOf<typeof FRAME> = {
    batch,
    step,
    seed,
    training: Number(frame.training),
    learning_rate: learningRate,
    weight_decay: weightDecay,
    clip_norm: clip?.norm ?? UNLIMITED,
    clip_value: clip?.value ?? UNLIMITED,
    first_image: frame.first,
    step_images: frame.images,
    is_first_slice: Number(frame.isFirst),
    is_last_slice: Number(frame.isLast),
    ...UNKNOWN,
    ...optimizerWords(frame),
  };
  const bytes = packWords(FRAME, words, frameWords(totals.length));
  new Float32Array(bytes).set(totals, TOTALS_AT);
  return bytes;
}

type OptimizerWord =
  | "momentum"
  | "nesterov"
  | "convention"
  | "beta1"
  | "beta2"
  | "epsilon"
  | "correction1"
  | "correction2"
  | "rest1"
  | "rest2";

/** What an optimizer does not know. */
const UNKNOWN: Readonly<Record<OptimizerWord, number>> = {
  momentum: 0,
  nesterov: 0,
  convention: 0,
  beta1: 0,
  beta2: 0,
  epsilon: 0,
  correction1: 0,
  correction2: 0,
  rest1: 0,
  rest2: 0,
};

function optimizerWords({
  optimizer,
  step,
  since = 0,
}: Frame): Partial<Record<OptimizerWord, number>> {
  switch (optimizer.kind) {
    case "sgd": {
      const { momentum, nesterov, convention } = optimizer;
      return {
        momentum,
        nesterov: Number(nesterov),
        convention: Number(convention === "caffe"),
      };
    }
    case "rmsprop": {
      const { momentum, alpha, epsilon } = optimizer;
      return { momentum, beta2: alpha, epsilon, rest1: 1, rest2: 1 - alpha };
    }
    default: {
      const { beta1, beta2, epsilon } = optimizer;
      // Averages that start at zero are too small at first. Steps count from 1.
      const time = step - since + 1;
      return {
        beta1,
        beta2,
        epsilon,
        correction1: 1 - beta1 ** time,
        correction2: 1 - beta2 ** time,
        rest1: 1 - beta1,
        rest2: 1 - beta2,
      };
    }
  }
}
