/**
 * The frame: what every kernel may read of the present step, written by the runtime once a step, or
 * once a slice of it.
 */
import { wordCount, type WordTable } from "./words.js";

/**
 * What the optimizer does not know is 0. A batch that does not fit the device is split
 * into slices: what is a mean over the batch, or keyed by an image's place, is so
 * over the whole step. Kernels declare the words up to the last that they read, so those that many
 * of them read come first.
 */
export const FRAME = {
  /** Images in this slice. */
  batch: "u32",
  /**
   * Index of the slice's first image among all images of the step, those on other devices included.
   */
  first_image: "u32",
  /** Images of the whole step, on all devices. */
  step_images: "u32",
  /** Training steps done before. */
  step: "u32",
  seed: "u32",
  /** 1 or 0. */
  training: "u32",
  /** 1 in the first slice that this device computes of a step, where its sums start again; or 0. */
  is_first_slice: "u32",
  /** 1 in the last one, or 0. */
  is_last_slice: "u32",
  learning_rate: "f32",
  weight_decay: "f32",
  momentum: "f32",
  /** 1 or 0. */
  nesterov: "u32",
  /** 0 PyTorch, 1 Caffe. */
  convention: "u32",
  beta1: "f32",
  /** RMSprop's alpha, and Adadelta's rho. */
  beta2: "f32",
  /** 1 - beta1 and 1 - beta2: of beta in f32 the difference would have lost digits. */
  rest1: "f32",
  rest2: "f32",
  epsilon: "f32",
  /** Adam's bias corrections, 1 - beta^t. */
  correction1: "f32",
  correction2: "f32",
  /** The largest norm of all gradients together. */
  clip_norm: "f32",
  /** The largest magnitude of an element of a gradient. */
  clip_value: "f32",
} as const satisfies WordTable;

/** A word of the frame. */
export type FrameWord = keyof typeof FRAME;

const wholeVectors = (words: number): number => 4 * Math.ceil(words / 4);

/** Where the class totals (`Program.classTotals`) begin behind a frame: f32, in whole vec4. */
export const TOTALS_AT = wholeVectors(wordCount(FRAME));

/** The words of a frame with this many class totals. */
export const frameWords = (totals: number): number => TOTALS_AT + wholeVectors(totals);

/**
 * The frame as a kernel declares it that reads some of its words: up to the last of them. Class
 * totals come behind all words.
 */
export function frameStruct(read: ReadonlySet<FrameWord>, totals: number): string {
  const words = Object.keys(FRAME) as FrameWord[];
  const last = Math.max(...[...read].map((word) => words.indexOf(word)));
  const end = totals > 0 ? words.length : 1 + last;
  const declared = words.slice(0, end).map((word) => `  ${word}: ${FRAME[word]},`);
  const behind = totals > 0 ? [`  totals: array<vec4f, ${Math.ceil(totals / 4)}>,`] : [];
  return ["struct Frame {", ...declared, ...behind, "}"].join("\n");
}
