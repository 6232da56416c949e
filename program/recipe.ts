/** The data and the training recipe of a spec, checked and resolved: plain data, like Program. */
import type { OptimizerSettings, SourceLocation } from "./program.js";
import { isMixing, type Transform } from "./transforms.js";
import type { TupleKind } from "./tuples.js";

export type { Transform } from "./transforms.js";

export type DataSource = {
  /** Of what the files hold; `tar` and `parquet`: a pattern of files. */
  readonly path: string;
  /** The examples of the split where both splits read the same files; all if absent. */
  readonly holdout?: Holdout;
  /** Examples of several pictures are drawn from it; each picture is one if absent. */
  readonly tuples?: TupleKind;
} & (
  | {
      readonly kind: "folder";
      /**
       * The class folders that are read, in the order of their labels; all of them, sorted, if
       * absent.
       */
      readonly classes?: readonly string[];
    }
  | { readonly kind: "cifar10" | "idx" | "tar" }
  | {
      /** Images at `path`, and masks of the same names. */
      readonly kind: "pairs";
      readonly masks: string;
      /** Names of the classes, in the order of their labels. */
      readonly classes?: readonly string[];
    }
  | {
      /** Images at `path`, and their boxes: a folder of YOLO's text files, or COCO's JSON file. */
      readonly kind: "boxes";
      readonly labels: string;
      /** Names of the classes, in the order of their numbers. */
      readonly classes?: readonly string[];
    }
  | {
      readonly kind: "parquet";
      /** Names of the columns. */
      readonly image: string;
      readonly label: string;
    }
  | {
      readonly kind: "csv";
      /**
       * The column that names the image file of each row, relative to the table's folder; the rows
       * hold the input if absent.
       */
      readonly files?: string;
      /** Which column holds the label, or which ones the target's numbers. */
      readonly label: LabelColumn;
      /** How many numbers a target has that are in the label's columns; a class if absent. */
      readonly numbers?: number;
      /** Whether numbers of inputs are standardized, or in which columns. */
      readonly standardize?: boolean | readonly string[];
      /** Which columns hold which input and target, in the model's order. */
      readonly fields?: readonly TableField[];
      /** Columns that are not read: their names, or their numbers from 1 without a header. */
      readonly ignore?: readonly string[];
      /** What the labels say, in the order of the classes; else numbers from 0, or sorted names. */
      readonly classes?: readonly string[];
      /**
       * What the other columns are: pixels in the order channels, rows, columns (if absent), or any
       * numbers.
       */
      readonly holds?: "pixels" | "features";
      /** Divides the values, so that pixels come to 0..1: 255 by default, and 1 for features. */
      readonly maximum: number;
    }
);

/** A table. */
export type CsvSource = Extract<DataSource, { readonly kind: "csv" }>;

/** An input or a target, and the columns of a table that hold it. */
export interface TableField {
  readonly name: string;
  readonly role: "input" | "target";
  /**
   * Pixels are at least 0 and at most the source's `maximum`; a class is a number or a name; a file
   * is the path of an image.
   */
  readonly holds: "numbers" | "pixels" | "integers" | "class" | "file";
  /** Names, or patterns with `*`, in the order of the shape; all other columns if absent. */
  readonly columns?: "first" | "last" | readonly string[];
  /** How many columns it has; as many as there are if absent. */
  readonly size?: number;
  /** Integers are below it. */
  readonly count?: number;
  /** Of integers: another one, of tokens that count in no score. */
  readonly ignore?: number | undefined;
  /** Of integers: names of them that cells hold, in their order. */
  readonly says?: readonly string[] | undefined;
  /** Whether its numbers are from 0 to 1: tags, or how probable they are. */
  readonly isShare?: boolean;
  readonly standardize?: Standardizing | undefined;
}

/** Numbers that come with mean 0 and deviation 1, as measured on the rows that are trained on. */
export interface Standardizing {
  /** The columns' names, or patterns with `*`; all of the field's if absent. */
  readonly columns?: readonly string[];
  /** How many means there are: of features one each, of signals and sequences one a channel. */
  readonly channels: number;
  /** Whether a channel's numbers lie apart, one in each step, rather than one after the other. */
  readonly isLast: boolean;
}

/** A column of a table: an end of its rows, or by its name. */
export type OneColumn = "first" | "last" | { readonly column: string };

/** One column, or several by their names. */
export type LabelColumn = OneColumn | { readonly columns: readonly string[] };

/** A seeded fraction of the examples that is kept apart for evaluation. */
export interface Holdout {
  /** Above 0, below 1; examples are assigned by a seeded shuffle. */
  readonly share: number;
  /** Whether this split takes the examples held out or the others. */
  readonly takes: "holdout" | "rest";
  /**
   * Which examples stay in one split: those with the same value in this column of a table, or those
   * in whose path this regular expression finds the same (its first group, or all of it).
   */
  readonly by?: string;
}

export interface DataSplitRecipe {
  readonly source: DataSource;
  readonly transforms: readonly Transform[];
  readonly location: SourceLocation;
}

/** Whether images of a split come with two labels. */
export function mixesImages(split: DataSplitRecipe | undefined): boolean {
  return split?.transforms.some(isMixing) ?? false;
}

export interface DataRecipe {
  readonly name: string;
  readonly train?: DataSplitRecipe;
  readonly eval?: DataSplitRecipe;
}

/** A span of training. */
export interface Duration {
  readonly count: number;
  readonly unit: "epochs" | "steps";
}

/**
 * The learning rate over time, as a factor of the optimizer's. Epochs count in fractions between
 * steps.
 */
export type Schedule = TimedSchedule | ScheduleSequence | PlateauSchedule;

/** A schedule that follows from the step alone. */
export type TimedSchedule =
  | { readonly kind: "constant" }
  | { readonly kind: "step"; readonly every: Duration; readonly gamma: number }
  | { readonly kind: "multistep"; readonly at: readonly Duration[]; readonly gamma: number }
  | { readonly kind: "exponential"; readonly gamma: number; readonly every: Duration }
  /** factor = (1 + gamma t)^-power, t the number of periods. */
  | {
      readonly kind: "inverse";
      readonly gamma: number;
      readonly power: number;
      readonly every: Duration;
    }
  /** factor = (1 - t)^power towards `to`, t the share of the run. */
  | { readonly kind: "polynomial"; readonly power: number; readonly to: number }
  /** Half a cosine from 1 to `to`. */
  | { readonly kind: "cosine"; readonly to: number }
  /**
   * Half a cosine from `from` to 1 over the share `peak` of the run, and another from 1 to `to`
   * (PyTorch's OneCycleLR).
   */
  | {
      readonly kind: "onecycle";
      readonly peak: number;
      readonly from: number;
      readonly to: number;
    }
  /**
   * Half cosines from 1 to `to`, one after the other. The first takes `first`, and each of the
   * others `growth` times as long as the one before it (Loshchilov and Hutter, arXiv:1608.03983;
   * PyTorch's CosineAnnealingWarmRestarts).
   */
  | {
      readonly kind: "cosine_restarts";
      readonly first: Duration;
      readonly growth: number;
      readonly to: number;
    };

/**
 * Schedules one after the other, as in PyTorch's SequentialLR: each starts to count at its
 * beginning, and what spans the run spans the schedule's part of it.
 */
export interface ScheduleSequence {
  readonly kind: "sequence";
  /** The end of each is counted from the start of the run. */
  readonly parts: readonly { readonly schedule: TimedSchedule; readonly until: Duration }[];
  /** What the rest of the run has. */
  readonly last: TimedSchedule;
}

/**
 * PyTorch's ReduceLROnPlateau: times `factor`, down to `to`, once more than `patience` evaluations
 * in a row have no loss below (1 - threshold) of the smallest. The `cooldown` evaluations after
 * that are not counted.
 */
export interface PlateauSchedule {
  readonly kind: "reduce_on_plateau";
  readonly factor: number;
  readonly patience: number;
  readonly threshold: number;
  readonly to: number;
  /** 0 if absent. */
  readonly cooldown?: number;
}

export interface Warmup {
  readonly duration: Duration;
  /** Factor at the first step; grows linearly to 1. */
  readonly from: number;
}

/** A file of weights that a run starts from. */
export interface InitialWeights {
  /** Relative to the spec's folder. */
  readonly path: string;
  /** Names of the model's weights that keep their initial values. */
  readonly except: readonly string[];
  /** Patterns of the file's names, and what replaces them, for files of other names. */
  readonly rename?: readonly { readonly from: string; readonly to: string }[];
  readonly location: SourceLocation;
}

/**
 * Layers of a trained model in a section, whose values losses compare with: they run as in
 * predictions, are not trained, and are left out of what a run gives.
 */
export interface Teacher {
  readonly section: string;
  /** The file of the trained model, whose names get the section in front. */
  readonly weights: InitialWeights;
}

/**
 * Weights that `freeze` holds at first and that are trained from some time on: another phase of
 * training.
 */
export interface Unfreezing {
  readonly after: Duration;
  readonly names: readonly string[];
}

/**
 * A second set of weights that follows the trained ones more steadily: evaluations use it, and it
 * is what a run gives.
 */
export type WeightAverage = ExponentialAverage | StochasticAverage;

/**
 * Stochastic weight averaging (arXiv:1803.05407), PyTorch's AveragedModel: the mean of the weights
 * at the end of each interval after `start`; before the first of these, the weights themselves.
 */
export interface StochasticAverage {
  readonly kind: "swa";
  /** Steps before the first interval, and of each. */
  readonly start: number;
  readonly every: number;
  /** The learning rate that is held from `start` on; the schedule's if absent (SWALR). */
  readonly learningRate?: number | undefined;
  /** Steps from the schedule's rate to that one, along half a cosine. */
  readonly anneal: number;
  /**
   * Training batches on which batch normalization is measured for the mean; an epoch's if absent.
   */
  readonly batches?: number | undefined;
}

export interface ExponentialAverage {
  readonly kind: "ema";
  /** Share of the average that is kept each time. */
  readonly decay: number;
  /** Steps from one time that the average moves to the next; 1 if absent. */
  readonly every?: number | undefined;
}

/**
 * Which examples an epoch draws, with replacement, as PyTorch's WeightedRandomSampler does: as many
 * as there are. Without it, an epoch goes through all of them once.
 */
export type Sampling =
  /** All classes are equally likely. */
  | { readonly kind: "balanced" }
  /** How likely an example of each class is, compared with the others. */
  | { readonly kind: "weighted"; readonly weights: readonly number[] };

/**
 * What the loss's gradient is multiplied by, so that small gradients do not vanish in 16 bits; what
 * parameters follow is divided by it again. A dynamic one is PyTorch's GradScaler: after a step
 * with gradients that are not finite, which changes nothing, it is multiplied by `backoff`, and
 * after `interval` good steps in a row by `growth`.
 */
export type LossScale =
  | { readonly kind: "static"; readonly scale: number }
  | {
      readonly kind: "dynamic";
      readonly initial: number;
      readonly growth: number;
      readonly backoff: number;
      readonly interval: number;
    };

/** Activations and their gradients in 16 bits, sums and what is trained in 32. */
export interface MixedPrecision {
  readonly kind: "f16";
  readonly lossScale: LossScale;
}

/** What numbers are kept in. */
export type Precision = { readonly kind: "f32" } | MixedPrecision;

/**
 * Ends the run after `patience` evaluations in a row that did not improve on the best by more than
 * `minimumChange`.
 */
export interface EarlyStopping {
  readonly kind: "early_stopping";
  readonly patience: number;
  readonly minimumChange: number;
  /** `loss`, or the name of a metric. */
  readonly metric: string;
}

/** Which evaluation of a run is the best one. */
export interface BestRule {
  /** `loss`, or the name of a metric. */
  readonly metric: string;
  /** Whether a larger value is better. */
  readonly rises: boolean;
}

/**
 * A part of each training step, in which some of the weights follow the gradient of a separate
 * loss: those of a generator, or of its discriminator.
 */
export interface TrainStep {
  /** The loss's. */
  readonly name: string;
  /** Names of the weights, in the model's order. */
  readonly update: readonly string[];
  readonly optimizer: OptimizerSettings;
}

/** A recipe of the spec, as plain data: settings of training. */
export interface TrainRecipe {
  readonly name: string;
  readonly model: string;
  readonly data?: DataRecipe;
  readonly epochs: number;
  readonly batch: number;
  /**
   * Slices that a step's images come in, with one update for all; 1 if absent, more where the
   * device needs them.
   */
  readonly accumulate?: number;
  readonly seed: number;
  /** Whether an epoch leaves out a last batch that is not whole; false if absent. */
  readonly dropLast?: boolean;
  readonly sampling?: Sampling;
  /**
   * A whole number of epochs or steps from one evaluation to the next; the run's end has one in any
   * case. 1 epoch if absent.
   */
  readonly evaluateEvery?: Duration;
  /**
   * What the best evaluation is chosen by. If absent, what `stop` watches, or else the first
   * metric, of which larger shares and smaller other numbers are better.
   */
  readonly best?: BestRule | undefined;
  /**
   * Whether ranks that train together take the statistics of batch normalization over the images of
   * all of them; false if absent.
   */
  readonly syncBatchnorm?: boolean;
  readonly weights?: InitialWeights;
  readonly teacher?: Teacher | undefined;
  /**
   * Names of the weights that training leaves as they are, at least at first; they are compiled in.
   */
  readonly freeze?: readonly string[];
  /**
   * Names of the running statistics that stay as they are and that training normalizes by, too;
   * compiled in.
   */
  readonly freezeStatistics?: readonly string[];
  /** In the order in which they happen. */
  readonly unfreeze?: readonly Unfreezing[];
  /**
   * Factors of the learning rate by the names of weights, in addition to those of the layers;
   * compiled in.
   */
  readonly learningRateFactors?: Readonly<Record<string, number>>;
  /** Names of the weights that do not decay; compiled in. */
  readonly noDecay?: readonly string[];
  /** That of the first of `steps`, where there are several. */
  readonly optimizer: OptimizerSettings;
  /** The parts of a step, one after the other, where there are several. */
  readonly steps?: readonly TrainStep[] | undefined;
  readonly schedule: Schedule;
  readonly warmup?: Warmup;
  readonly average?: WeightAverage;
  readonly stop?: EarlyStopping;
  readonly precision?: Precision;
  readonly location: SourceLocation;
}
