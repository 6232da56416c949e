/**
 * What the compiler hands the runtime: plain data, serialized into the generated module. This is
 * the only file, with its neighbors in program/, that both sides import.
 *
 * Sizes are affine functions of the batch, so that one program serves every batch.
 */

import type { Distribution } from "./noise.js";
import type { OptimizerSettings } from "./optimizers.js";
import type { Transform } from "./transforms.js";

export type { Clipping, OptimizerSettings } from "./optimizers.js";

export const PROGRAM_FORMAT = 10;

/** `fixed + perImage * batch`. */
export interface Affine {
  readonly fixed: number;
  readonly perImage: number;
}

/** Bytes that grow with the batch, but no fewer than `least`, if given. */
export interface BufferSize extends Affine {
  readonly least?: number;
}

// Tensors

/** What a prediction holds. */
export type Gives = "logits" | "probabilities" | "values";

/**
 * What a tensor is to a program. `noise` is an input that only predictions are given: the device
 * draws it in training and evaluation. Of training data that mix two examples, `partner` is the
 * other one's label and `share` what the first counts, 0 to 1. `metrics` is what `Program.sums`
 * say, and behind it counts of examples (`summedWords`).
 */
export type TensorRole =
  "input" | "noise" | "target" | "partner" | "share" | "metrics" | "prediction";

/** What an axis counts; features and images have channels. */
export type Axis = "channel" | "row" | "column";

/** A tensor that crosses the border in a call. */
export interface ProgramTensor {
  readonly name: string;
  readonly role: TensorRole;
  readonly dtype: "f32" | "u32";
  /** Of one example, with an axis each; row-major. */
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  /** Of a signal, `[channels, length]`, which is an image of one row here. */
  readonly isSignal?: true;
  /** Of more axes than an image has: their sizes. Here it is a row of as many numbers. */
  readonly sizes?: readonly number[];
  readonly buffer: number;
  /** Of a prediction: floats from one example to the next. */
  readonly pitch?: number;
  /**
   * Of labels: integers in 0 .. count - 1, or `ignore` where a pixel counts in no score. Of inputs
   * with tokens: how many different ones there are.
   */
  readonly classes?: { readonly count: number; readonly ignore?: number };
  /**
   * Of boxes: how many classes they have. Each is five numbers, its class, or -1 where there is no
   * box, and its middle and size as shares of the image.
   */
  readonly boxClasses?: number;
  /** Of noise, and of an input in its place: what is drawn. */
  readonly distribution?: Distribution | undefined;
  /** Of a prediction, where it is known. */
  readonly gives?: Gives;
}

/**
 * The lists of a training step's later turns: `train1` is the second one's. Each minimizes another
 * loss by other weights.
 */
export type TurnList = `${"train" | "accumulate" | "update"}${number}`;

/** The lists that a call's tensors go into or come from. */
export type ListWithTensors = "train" | "accumulate" | "evaluate" | "predict";

/** What a list reads of a call and what it leaves: indices in `Program.tensors`. */
export interface ListTensors {
  readonly reads: readonly number[];
  readonly gives: readonly number[];
}

/** A place in the spec, for messages, profiles and comments. Lines and columns count from 1. */
export interface SourceLocation {
  readonly line: number;
  readonly column: number;
}

/**
 * What a program's kernels assume of the adapter. `lanes4`, `lanes8`: subgroups of at least this
 * many lanes, tiles for software adapters; `gpu`: nothing, tiles for hardware.
 */
export type Target = "gpu" | "lanes8" | "lanes4";

// Parameters

/**
 * How a parameter starts. Random values come from the counter-based generator of random.ts, keyed
 * by seed and stream.
 */
export type Initializer = (
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly mean: number; readonly deviation: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
) & {
  /** Elements that are 0 whatever the others are. */
  readonly zeros?: { readonly first: number; readonly count: number };
};

/**
 * How a parameter lies in its buffers. Logical values are PyTorch's, row-major.
 *
 * - `vector`: [C], padded with zeros to a multiple of 4
 * - `contraction`: [O, C/groups, kh, kw] as [group][kernel row][run][output channel], where a run
 *   is (kernel column, input channel), each pixel's channels padded to `inputPitch`, the run padded
 *   to a multiple of 4, output channels of a group padded to a multiple of 4. Padding is zero and
 *   stays zero. A piece holds some output channels of one group, or whole groups (pieces.ts).
 * - `plain`: the logical order itself
 */
export type ParameterLayout =
  | { readonly kind: "vector"; readonly length: number }
  | {
      readonly kind: "contraction";
      readonly groups: number;
      /** Output channels and input channels of one group. */
      readonly outputs: number;
      readonly inputs: number;
      readonly kernel: readonly [height: number, width: number];
      /** Floats from one pixel to the next within a run. */
      readonly inputPitch: number;
    }
  | { readonly kind: "plain"; readonly length: number };

/**
 * One buffer of a parameter that is split to respect the binding limit: its rows [start, start +
 * count), which are output channels.
 */
export interface ParameterPiece {
  readonly start: number;
  readonly count: number;
  readonly buffer: number;
  /**
   * What the optimizer keeps of the parameter, laid out alike, in the order of `stateNames`; absent
   * in a program without training.
   */
  readonly states?: readonly number[];
  /**
   * Its average over the steps of training, laid out alike, which evaluations and predictions read
   * instead; only where the recipe keeps one.
   */
  readonly average?: number;
  /**
   * The gradient, laid out alike, of the whole step; only if the program was compiled with
   * `keepGradients`, or with `exchange`, where the list `train` leaves none.
   */
  readonly gradient?: number;
}

export interface ProgramParameter {
  /** `features.conv1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly layout: ParameterLayout;
  readonly pieces: readonly ParameterPiece[];
  readonly initializer: Initializer;
  /** Stream of the random generator, unique in the program. */
  readonly stream: number;
  /** `statistic`: measured while training, not trained (a running mean). A weight if absent. */
  readonly role?: "statistic";
  /** Present for a statistic that training leaves as it is. */
  readonly kept?: true;
  readonly trainable: boolean;
  /** Present if only losses need it: files of the trained weights leave it out. */
  readonly teacher?: true;
  readonly location: SourceLocation;
}

// Buffers, kernels, steps

export interface ProgramBuffer {
  readonly name: string;
  /**
   * `images`: the batch as uploaded, NCHW f32. `labels`: u32 [N], or f32 targets as uploaded.
   * `partners` (u32 [N]) and `shares` (f32 [N]): of images that are mixtures of two, the other
   * label and what the first counts, 0 to 1. `folded`: what the list of that name makes. `metrics`:
   * f32, what the list's `Program.sums` say, and behind them, for each SUMS_AT_ONCE of them, the
   * number of examples of which one of their values is not finite. `prediction`: f32 [N,
   * predictionPitch]. `staged` and `draws`: what a preparation makes images from. `scratch` holds
   * activations and gradients; several values share one over time. All buffers start as zeros, and
   * a list finds its scratch as its last run left it, or zeros where another list has used it
   * since: the halos of activations rely on it.
   */
  readonly purpose:
    | "parameter"
    | "state"
    | "folded"
    | "gradient"
    | "images"
    | "labels"
    | "partners"
    | "shares"
    | "metrics"
    | "prediction"
    | "staged"
    | "draws"
    | "scratch";
  readonly bytes: BufferSize;
  /** The largest batch for which a step binds it; any if absent. */
  readonly largestBatch?: number;
  /** Of scratch: the layer of the largest value in it, which has given it its name. */
  readonly location?: SourceLocation;
}

/** A part of a kernel's text that others may have as well: a struct, a function. */
export interface KernelSection {
  readonly name: string;
  readonly text: string;
  /** The first lines of the text, where other kernels' begin with the same. */
  readonly head?: string;
}

/** The text of a kernel with these sections. */
export const wgslOf = (sections: readonly KernelSection[]): string =>
  `${sections.map(({ text }) => text).join("\n\n")}\n`;

export interface ProgramKernel {
  readonly name: string;
  /**
   * Entry point `main`. Bindings of group 0: 0 the frame, 1 the step's constants (both uniform),
   * 2... storage.
   */
  readonly wgsl: string;
  /** The parts of `wgsl`, joined by blank lines: as the compiler made them, not in modules. */
  readonly sections?: readonly KernelSection[];
  /** Storage arrays, in order. */
  readonly bindings: readonly ProgramBinding[];
}

/** A storage array: what the kernel does with it, and what it holds. */
export interface ProgramBinding {
  readonly access: BindingAccess;
  readonly element: BindingElement;
}

export type BindingAccess = "read" | "read_write";

/** `f16` and `vec4h` are numbers of 16 bits. */
export type BindingElement = "f32" | "vec4f" | "f16" | "vec4h" | "u32" | "vec4u";

/**
 * A count of workgroups: ceil((fixed + perImage * batch) / tile). Only x may exceed 65,535; the
 * runtime folds it into y, and kernels read their block as
 * `workgroup_id.x + workgroup_id.y * num_workgroups.x`.
 */
export interface WorkgroupCount extends Affine {
  readonly tile: number;
}

/** One dispatch. */
export interface ProgramStep {
  readonly kernel: number;
  /** Buffers bound to the kernel's storage bindings. */
  readonly buffers: readonly number[];
  /** The kernel's constants, 32-bit integers in the order of its `Constants` struct. */
  readonly constants: readonly number[];
  readonly workgroups: { readonly x: WorkgroupCount; readonly z: number };
  /** What is computed: `features.conv1 forward`. */
  readonly label: string;
  readonly location: SourceLocation;
  /** Multiply-adds per image, for profiles. */
  readonly macs: number;
  /**
   * The batches, as chosen when the network is made, for which the step is part of its list; all if
   * absent.
   */
  readonly batches?: BatchRange;
  /**
   * What ranks that train together combine after the step, each having run it on its examples; a
   * single process leaves it as it is.
   */
  readonly shares?: SharedBuffer;
}

/**
 * A buffer of `words` f32 of which each rank has a part. `moments`: [C] means, [C] sums of squared
 * distances from them, and in the last four words the count of the values; `sums`: [C] sums twice,
 * and the count.
 */
export interface SharedBuffer {
  readonly buffer: number;
  readonly words: number;
  readonly as: "moments" | "sums";
}

/** Bounds included; absent ones do not bound. */
export interface BatchRange {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/**
 * How the device makes a batch of images from bytes: the last of a split's transforms, as kernels.
 * Each image of the batch has a slot of `staged` bytes, which holds `views` images, interleaved
 * channels, rows from the top, one after the other, padded to whole words, and `views * words`
 * words of `draws`: first the factor that brings bytes to 0..1 (f32), then what the transforms
 * decided (`DECISIONS`).
 */
export interface Preparation {
  /** The split's, all of them. Those before `first` are applied where the bytes come from. */
  readonly transforms: readonly Transform[];
  readonly first: number;
  readonly staged: {
    readonly channels: number;
    readonly height: number;
    readonly width: number;
    readonly buffer: number;
    /** Bytes of an image of the batch. */
    readonly slot: number;
  };
  /** Images that `ten_crop` makes of each picture; absent where a picture stays one. */
  readonly crops?: number;
  /**
   * Images whose bytes and words follow each other: 2 where each image is mixed with another one,
   * else as many as `pictures`.
   */
  readonly views: number;
  /** Of examples of several pictures, each of which goes to an input; absent where it is one. */
  readonly pictures?: number;
  readonly draws: { readonly words: number; readonly buffer: number };
  /** Staged bytes to `images`, those of each input. */
  readonly steps: readonly ProgramStep[];
}

/** The parts of a data declaration. */
export type SplitName = "train" | "eval";

/**
 * What a preparation makes images for: a split, or its examples of several pictures where `eval`
 * prepares one.
 */
export type PreparationName = SplitName | "evalTuples";

/** The steps of a list for networks of a batch. */
export function stepsFor<Step extends Pick<ProgramStep, "batches">>(
  steps: readonly Step[],
  batch: number,
): readonly Step[] {
  return steps.filter(({ batches }) => {
    const { atLeast = 1, atMost = Infinity } = batches ?? {};
    return atLeast <= batch && batch <= atMost;
  });
}

/**
 * A sum over the examples of a step or a split: what the classes of their labels weigh, or of their
 * partners'.
 */
export interface ClassTotal {
  readonly of: "labels" | "partners";
  /** The name of the target with these labels, or with those that the partners are for. */
  readonly target: string;
  /** One for each class. */
  readonly weights: readonly number[];
}

/**
 * The most values that one kernel sums over the batch, and so with one count of examples that are
 * not finite.
 */
export const SUMS_AT_ONCE = 7;

/** Numbers that this many sums take in the buffer `metrics`, with the counts behind them. */
export const summedWords = (sums: number): number => sums + Math.ceil(sums / SUMS_AT_ONCE);

/**
 * A sum over examples that is a part of a metric: the metric is the sum of `factor` times their
 * means.
 */
export interface ProgramSum {
  /** By name. */
  readonly metric: string;
  readonly factor: number;
  /**
   * What makes a mean of it: the number of examples, what their classes weigh, or, of a class's
   * overlap, another sum, its union. The metric is then the mean over the classes with a union.
   */
  readonly mean: "examples" | "class weights" | "union";
  /** Which of `Program.classTotals` that is. */
  readonly total?: number;
  /** Which of the sums is the union. */
  readonly over?: number;
  /** Whether the metric is e to the power of the mean. */
  readonly isExponential?: true | undefined;
}

/** An adapter as it names itself. Browsers tell no more than vendor and architecture. */
export interface ProgramAdapter {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
}

/** What is measured for the mean of weights at the ends of intervals, of each layer. */
export interface MeasuredStatistics {
  /** Steps before the first interval, and of each. */
  readonly start: number;
  readonly every: number;
  /** In the order of the forward pass. Layers that share weights share their running statistics. */
  readonly layers: readonly MeasuredLayer[];
}

export interface MeasuredLayer {
  /** Running mean and running variance: indices in `Program.parameters`. */
  readonly parameters: readonly number[];
  /** Where a batch's mean and unbiased variance are left, laid out alike. */
  readonly buffers: readonly number[];
  /** Floats of each of these buffers. */
  readonly words: number;
  /** Values of a channel in an image. */
  readonly pixels: number;
}

/** A compiled network for one kind of adapter, as plain data. */
export interface Program {
  readonly format: typeof PROGRAM_FORMAT;
  readonly target: Target;
  /**
   * Present where kernels store numbers of 16 bits, for which the adapter must have `shader-f16`.
   */
  readonly precision?: "f16";
  /** Present where all that only training and evaluation need was left out. */
  readonly predictOnly?: true;
  /**
   * The buffer with the state of a dynamic loss scale, if there is one: eight f32, of which the
   * first is the scale.
   */
  readonly lossScale?: number;
  /**
   * The adapter on which its schedules were measured; absent in a program for every adapter of its
   * target.
   */
  readonly adapter?: ProgramAdapter;
  readonly model: string;
  /** The spec's file name, without folders, and a hash of its text. */
  readonly source: { readonly file: string; readonly hash: string };
  /** All that callers give and get: inputs first, predictions last. */
  readonly tensors: readonly ProgramTensor[];
  /** Whether some of the inputs are tokens. */
  readonly tokens?: true | undefined;
  readonly uses: { readonly [list in ListWithTensors]: ListTensors } & {
    readonly statistics?: ListTensors;
    readonly [turn: TurnList]: ListTensors;
  };
  /** `loss`, then the metrics by name. */
  readonly metrics: readonly string[];
  /** Those of the metrics that are shares of something, such as an accuracy. */
  readonly fractions: readonly string[];
  /** What is left in the buffer `metrics`: by `train` and `accumulate`, and by `evaluate`. */
  readonly sums: {
    readonly train: readonly ProgramSum[];
    readonly evaluate: readonly ProgramSum[];
    readonly [turn: TurnList]: readonly ProgramSum[];
  };
  /**
   * What means by class weights divide by; the runtime knows the labels of a whole step, a slice
   * does not.
   */
  readonly classTotals: readonly ClassTotal[];
  /** Of accuracies among the metrics: how many of the largest scores count. */
  readonly accuracies?: { readonly [metric in string]: number };
  /** Names of the classes, in the order of the outputs, where the compiler was given them. */
  readonly classes?: readonly string[];
  readonly parameters: readonly ProgramParameter[];
  readonly buffers: readonly ProgramBuffer[];
  readonly kernels: readonly ProgramKernel[];
  readonly steps: {
    /** Fills every parameter from its initializer. */
    readonly initialize: readonly ProgramStep[];
    /**
     * Images and labels to metrics, and the parameters updated. Where `accumulate` is empty, also
     * of a step in slices.
     */
    readonly train: readonly ProgramStep[];
    /**
     * A slice of a training step: metrics and gradients are added to those of the slices before.
     * Empty where the optimizer is linear in the gradient, so that it takes slices as they come and
     * no sum of gradients is kept.
     */
    readonly accumulate: readonly ProgramStep[];
    /** The update of the parameters after the last slice, by the sums of their gradients. */
    readonly update: readonly ProgramStep[];
    /**
     * What follows the update in a program that keeps averages of its parameters: with `training` 1
     * in the frame the averages move towards the parameters, with 0 they become them. Empty in
     * others.
     */
    readonly average: readonly ProgramStep[];
    /**
     * What `evaluate` and `predict` read in place of parameters, and which depends on nothing else:
     * batch normalization as a scale and a shift, or folded into weights. Run before either where
     * parameters may have changed.
     */
    readonly fold: readonly ProgramStep[];
    /** Images and labels to metrics and prediction, nothing changed. */
    readonly evaluate: readonly ProgramStep[];
    /** Images to prediction. */
    readonly predict: readonly ProgramStep[];
    /**
     * Images to the statistics of a batch, with averaged weights and else as in training:
     * `measured` says where they are left. Nothing else is changed. Present with `measured`.
     */
    readonly statistics?: readonly ProgramStep[];
    readonly [turn: TurnList]: readonly ProgramStep[];
  };
  readonly optimizer: OptimizerSettings;
  /**
   * Of a training step in turns: the optimizers of those behind the first, in their order. Each has
   * separate lists.
   */
  readonly turns?: readonly OptimizerSettings[] | undefined;
  /**
   * Of a program that keeps the mean of weights at the ends of intervals, where batches are
   * normalized by their statistics: for a mean, running statistics are measured again.
   */
  readonly measured?: MeasuredStatistics | undefined;
  /**
   * The most images at a time: a larger batch is split into slices, to keep to the budget of memory
   * that the program was compiled for.
   */
  readonly slice?: number;
  /**
   * For the splits whose images the device can prepare; a batch may always come as floats instead.
   */
  readonly preparations?: { readonly [name in PreparationName]?: Preparation };
  /**
   * The programs of later phases of training, in which more weights are trained; of the same
   * parameters.
   */
  readonly phases?: readonly Program[];
}
