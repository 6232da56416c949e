/** The frame: what every kernel may know of the present step (see FRAME_WORDS in program.ts). */
import { FRAME_WORDS, type OptimizerSettings } from "../program/program.js";

export interface Frame {
  /** Images in this slice of the step. */
  readonly batch: number;
  /** Which of the step's images is the slice's first, and how many the step has; those of a step in one slice if absent. */
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
  const { totals = [] } = frame;
  const bytes = new ArrayBuffer(4 * (FRAME_WORDS + 4 * Math.ceil(totals.length / 4)));
  const { learningRate, weightDecay, clip } = frame.optimizer;
  const own = optimizerWords(frame);
  new Uint32Array(bytes).set([frame.batch, frame.step, frame.seed, Number(frame.training)]);
  const limits = [clip?.norm ?? UNLIMITED, clip?.value ?? UNLIMITED];
  new Float32Array(bytes).set([learningRate, weightDecay, ...limits, own.momentum ?? 0], 4);
  new Uint32Array(bytes).set(own.flags ?? [], 9);
  new Float32Array(bytes).set(own.averages ?? [], 11);
  const { first, images } = frame.slice ?? { first: 0, images: frame.batch };
  new Uint32Array(bytes).set([first, images], 16);
  new Float32Array(bytes).set(own.rests ?? [], 18);
  new Float32Array(bytes).set(totals, FRAME_WORDS);
  return bytes;
}

interface OptimizerWords {
  readonly momentum?: number;
  /** Nesterov and convention. */
  readonly flags?: readonly [number, number];
  /** beta1, beta2, epsilon and the bias corrections. */
  readonly averages?: readonly number[];
  /** 1 - beta1 and 1 - beta2. */
  readonly rests?: readonly [number, number];
}

function optimizerWords({ optimizer, step, since = 0 }: Frame): OptimizerWords {
  switch (optimizer.kind) {
    case "sgd": {
      const { momentum, nesterov, convention } = optimizer;
      return { momentum, flags: [Number(nesterov), Number(convention === "caffe")] };
    }
    case "rmsprop": {
      const { momentum, alpha, epsilon } = optimizer;
      return { momentum, averages: [0, alpha, epsilon], rests: [1, 1 - alpha] };
    }
    default: {
      const { beta1, beta2, epsilon } = optimizer;
      // Averages that start at zero are too small at first. Steps count from 1.
      const time = step - since + 1;
      const corrections = [1 - beta1 ** time, 1 - beta2 ** time];
      return {
        averages: [beta1, beta2, epsilon, ...corrections],
        rests: [1 - beta1, 1 - beta2],
      };
    }
  }
}
