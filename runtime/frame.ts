/** What the frame of a step holds. */
import { FRAME, frameWords } from "../program/frame.js";
import type { OptimizerSettings } from "../program/program.js";
import { packWords, wordCount, type ValuesOf } from "../program/words.js";

export interface Frame {
  /** Images in this slice of the step. */
  readonly batch: number;
  /**
   * Which of the step's images is the slice's first, and how many the step has; those of a step in
   * one slice if absent.
   */
  readonly slice?: { readonly first: number; readonly images: number };
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
  const { batch, step, seed, training, optimizer, totals = [] } = frame;
  const { learningRate, weightDecay, clip } = optimizer;
  const { first, images } = frame.slice ?? { first: 0, images: batch };
  const words: ValuesOf<typeof FRAME> = {
    batch,
    step,
    seed,
    training: Number(training),
    learning_rate: learningRate,
    weight_decay: weightDecay,
    clip_norm: clip?.norm ?? UNLIMITED,
    clip_value: clip?.value ?? UNLIMITED,
    first_image: first,
    step_images: images,
    ...UNKNOWN,
    ...optimizerWords(frame),
  };
  const bytes = packWords(FRAME, words, frameWords(totals.length));
  new Float32Array(bytes).set(totals, wordCount(FRAME));
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
