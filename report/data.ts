/**
 * What a run's report shows: plain data, which the page draws. It is embedded in report.html, and
 * served during a run.
 */
import type {
  Calibration,
  ClassResult,
  ConfusionMatrix,
  CountedTokens,
  PrecisionRecallCurve,
} from "../runtime/evaluation/index.js";
import type { ClassPrecision } from "../runtime/detection/average-precision.js";
import type { DetectedBox, LabeledBox } from "../runtime/detection/boxes.js";
import type { MetricsRecord } from "../runtime/training/records.js";

/** `completed`: by its recipe or its steps; `stopped`: by the user, to be resumed. */
export type RunStatus = "running" | "completed" | "stopped";

export type Facts = readonly (readonly [name: string, value: string])[];

export interface ReportData {
  /** `AlexNet, recipe Base`. */
  readonly title: string;
  readonly status: RunStatus;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Adapter, times, versions, the command. */
  readonly facts: Facts;
  readonly recipe: Facts;
  readonly spec: HighlightedText;
  /** Lines of metrics.jsonl. */
  readonly records: readonly MetricsRecord[];
  /** Metrics that are shares of something, shown as percentages. */
  readonly fractions: readonly string[];
  /** Which weights the figures, the examination and the filters are of; the last ones if absent. */
  readonly best?: ReportedBest;
  /** What looked wrong during the run. */
  readonly hints?: readonly ReportedHint[];
  readonly examination?: ReportedExamination;
  /** Of a model with a class for each pixel. */
  readonly segmentation?: ReportedSegmentation;
  /** Of a model that makes images of noise. */
  readonly generated?: ReportedGenerated;
  /** Of a model that predicts boxes. */
  readonly detection?: ReportedDetection;
  /** Of a model that tells which tags an example has; at the end of a run. */
  readonly tags?: readonly ReportedTag[];
  /** Of a model that predicts numbers; at the end of a run. */
  readonly regression?: ReportedRegression;
  readonly filters?: Filters;
  readonly timings?: Timings;
  /** During a run: after which epoch the examination, the examples and the filters were made. */
  readonly lookedAt?: number;
  /** During a run: a few examples with their predictions. */
  readonly samples?: readonly ReportedSample[];
}

/** Images that a model makes of noise, always of the same noise. */
export interface ReportedGenerated {
  /** After which the picture was made. */
  readonly epoch: number;
  /** Samples in the picture. */
  readonly count: number;
  /** Of the noise. */
  readonly seed: number;
  /** A `data:` address. */
  readonly picture: string;
  /** The first of the samples, after some epochs. */
  readonly strips: readonly ReportedStrip[];
}

export interface ReportedStrip {
  readonly epoch: number;
  /** A `data:` address. */
  readonly picture: string;
}

/** An example with its prediction. */
export interface ReportedSample {
  readonly actual: string;
  /** Undefined where a score is not finite. */
  readonly predicted: string | undefined;
  /** Of the prediction. */
  readonly probability: number | undefined;
  /** A `data:` address of the picture before it was normalized. */
  readonly picture: string;
  /** The path of its file, or its place in one. */
  readonly name: string | undefined;
}

export interface ReportedHint {
  /** `stuck-loss`. */
  readonly name: string;
  readonly text: string;
  /** What to try. */
  readonly advice: string;
}

/** The best evaluation of a run. */
export interface ReportedBest {
  readonly epoch: number;
  readonly step: number;
  /** What it is the best by. */
  readonly metric: string;
  /** The weights, in the run's folder. */
  readonly file: string;
}

/** A text in pieces, each with what it is; their concatenation is the text. */
export interface HighlightedText {
  readonly path: string;
  readonly pieces: readonly (readonly [text: string, kind: TextKind])[];
}

export type TextKind =
  "plain" | "keyword" | "function" | "parameter" | "number" | "string" | "comment";

export interface ReportedExamination {
  /** Number of examples that were examined. */
  readonly examples: number;
  readonly of: number;
  /** Where each token has a class: what the counts of classes are of. */
  readonly tokens?: CountedTokens | undefined;
  readonly classes: readonly ClassResult[];
  /** Examples of each class in the train split, where its labels are known. */
  readonly trained?: readonly number[];
  readonly confusion: ConfusionMatrix;
  readonly mistakes: readonly ReportedMistake[];
  readonly calibration?: Calibration;
  /** Of each class, where there are not too many. */
  readonly curves?: readonly PrecisionRecallCurve[];
}

export interface ReportedMistake {
  readonly actual: string;
  readonly predicted: string;
  readonly probability: number;
  readonly probabilityOfActual: number;
  /** A `data:` address of the picture before it was normalized. */
  readonly picture: string;
  /** The path of its file, or its place in one. */
  readonly name?: string;
  /** The address of its file, from the report's folder; undefined for a part of a file. */
  readonly link?: string;
}

export interface ReportedSegmentation {
  readonly classes: readonly {
    readonly name: string;
    /** As CSS has it: the one that masks have. */
    readonly color: string;
    /** Intersection over union; null where the class is neither a label nor predicted. */
    readonly overlap: number | null;
  }[];
  readonly examples: readonly ReportedMask[];
}

/** `data:` addresses of pictures of one size. */
export interface ReportedMask {
  readonly name: string | undefined;
  readonly picture: string;
  readonly truth: string | undefined;
  readonly predicted: string;
}

export interface ReportedDetection {
  /** Examples evaluated, and those of them without a box. */
  readonly examples: number;
  readonly withoutBoxes: number;
  readonly classes: readonly {
    readonly name: string;
    /** As CSS has it. */
    readonly color: string;
    /** Undefined of a class without a box. */
    readonly precision?: ClassPrecision;
  }[];
  /** The least score of a box that is drawn. */
  readonly threshold: number;
  readonly pictures: readonly ReportedBoxes[];
}

/** A picture with the boxes of the data, and those that the network finds. */
export interface ReportedBoxes {
  readonly name: string | undefined;
  /** A `data:` address. */
  readonly picture: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly truth: readonly LabeledBox[];
  readonly predicted: readonly DetectedBox[];
}

/** Shares from 0 to 1. A tag is predicted where its probability is above one half. */
export interface ReportedTag {
  readonly name: string;
  /** Examples that have it, by one half or more. */
  readonly support: number;
  /** Of all examples. */
  readonly accuracy: number;
  /** Null where it is predicted of no example. */
  readonly precision: number | null;
  /** Null where no example has it. */
  readonly recall: number | null;
}

export interface ReportedRegression {
  /** Examples that were predicted. */
  readonly examples: number;
  /** In the order of the outputs and their columns. */
  readonly numbers: readonly ReportedNumber[];
}

/** A number that a model predicts, in the units of the data. */
export interface ReportedNumber {
  /** Of its column, or of the target with its place: `y 1`. */
  readonly name: string;
  /** The mean absolute error over predictions that are finite; null where none is. */
  readonly error: number | null;
  /** Predictions that are not finite. */
  readonly notFinite: number;
  /** Of examples spread evenly over the split; only of the first few numbers. */
  readonly points?: readonly (readonly [truth: number, predicted: number])[];
}

/** The kernels of the first convolution as pictures. */
export interface Filters {
  /** The weight's name. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** 1 (gray) or 3 (RGB). */
  readonly channels: number;
  readonly count: number;
  /** Base64 of bytes, filter by filter, rows from the top, channels interleaved. */
  readonly pixels: string;
}

export interface Timings {
  /** What was measured and how. */
  readonly note: string;
  readonly kernels: readonly KernelTiming[];
}

export interface KernelTiming {
  readonly name: string;
  /** In the spec. */
  readonly line: number;
  readonly milliseconds: number;
  /** Undefined for kernels without multiply-adds worth counting. */
  readonly gflops?: number;
}
