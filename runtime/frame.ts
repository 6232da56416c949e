/** What the frame of a step holds. */
import { FRAME, frameWords, TOTALS_AT } from "../program/frame.js";
import { optimizerWords } from "../program/optimizers.js";
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
  const { batch, step, since = 0, seed, optimizer, totals = [] } = frame;
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
    ...optimizerWords(optimizer, step - since + 1),
  };
  const bytes = packWords(FRAME, words, frameWords(totals.length));
  new Float32Array(bytes).set(totals, TOTALS_AT);
  return bytes;
}
