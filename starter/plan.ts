/** What a first spec is made of, and why: chosen by what was found, before any text is written. */
import { type PictureSurvey, type Survey, type TableSurvey, trainCount } from "./survey.js";

/** A part of the spec with the reason that a comment gives. */
export interface Choice<Value> {
  readonly value: Value;
  readonly why: string;
}

export interface Plan {
  /** `f32[N, 3, 96, 96]` without the batch. */
  readonly input: Choice<readonly number[]>;
  /** Widths of the stages; those of the hidden layers for features. */
  readonly widths: Choice<readonly number[]>;
  readonly dropout: number;
  readonly mean: readonly number[];
  readonly std: Choice<readonly number[]>;
  /** The call of the source without its path and holdout: `csv("...", label=first)`. */
  readonly source: { readonly name: "folder" | "csv"; readonly arguments: readonly string[] };
  /** Undefined where the data has a split for evaluation. */
  readonly holdout?: Choice<number>;
  readonly augmentation: Choice<readonly string[]>;
  readonly evaluation: readonly string[];
  readonly classWeights?: Choice<readonly number[]>;
  readonly epochs: Choice<number>;
  readonly batch: number;
  readonly learningRate: number;
}

/** The parts of a first spec. */
export function planFor(survey: Survey): Plan {
  const batch = batchFor(trainCount(survey));
  const specific = survey.kind === "table" ? planTable(survey) : planPictures(survey);
  return {
    ...specific,
    ...holdoutFor(survey),
    ...weightsFor(survey),
    epochs: epochsFor(trainCount(survey), batch),
    batch,
  };
}

type Specific = Omit<Plan, "holdout" | "classWeights" | "epochs" | "batch">;

// Pictures

function planPictures(survey: PictureSurvey): Specific {
  const { size, statistics, isGray, decoded } = survey;
  const channels = isGray ? 1 : 3;
  const some = decoded < trainCount(survey) ? `${count(decoded)} of the pictures` : "the pictures";
  return {
    input: { value: [channels, size, size], why: whySize(survey) },
    widths: stagesFor(size, trainCount(survey)),
    dropout: trainCount(survey) < 5000 ? 0.2 : 0,
    mean: statistics.mean.slice(0, channels),
    std: {
      value: statistics.std.slice(0, channels).map(aboveZero),
      why: `Measured on ${some}, scaled to ${size} pixels.`,
    },
    source: { name: "folder", arguments: [] },
    augmentation: augmentationFor(survey),
    evaluation: isExact(survey) ? [] : [`resize(${enlarged(survey)})`, `center_crop(${size})`],
    learningRate: 3e-3,
  };
}

/** Whether pictures have the input's size already. */
const isExact = ({ isOneSize, size, shorterSide, longerSide }: PictureSurvey) =>
  isOneSize && shorterSide.most === size && longerSide.most === size;

/** Wide pictures lose much to a square: they keep the whole of their shorter side. */
const WIDE = 1.6;

function enlarged({ size, aspect }: PictureSurvey): number {
  return aspect.median >= WIDE ? size : Math.round((size * 9) / 8);
}

function whySize(survey: PictureSurvey): string {
  const { shorterSide, size, isGray, aspect } = survey;
  const channels = isGray ? "No picture has a color: one channel." : "Three channels: RGB.";
  if (isExact(survey)) return `All pictures are ${size} x ${size}. ${channels}`;
  const { least, median, most } = shorterSide;
  const sides =
    `The shorter sides are ${least} to ${most} pixels, half of them up to ${median}: ` +
    `${size} is quick to train; a larger side shows more details.`;
  const lost = Math.round(100 * (1 - 1 / aspect.median));
  const square =
    aspect.median < WIDE
      ? ""
      : ` The input is square: a crop of a typical picture loses ${lost}% of its longer side.`;
  return `${sides} ${channels}${square}`;
}

/** Stages of convolution and pooling, until 3 to 6 pixels are left of each side. */
function stagesFor(size: number, examples: number): Choice<readonly number[]> {
  const stages = Math.max(2, Math.floor(Math.log2(size / 3)));
  const first = size > 64 || examples < 1000 ? 16 : 32;
  const widths = Array.from({ length: stages }, (_, stage) => Math.min(256, first << stage));
  const few = first === 16 ? "few channels, which suit" : "more channels suit";
  return {
    value: widths,
    why:
      `Each stage halves the image: ${stages} leave ${size >> stages} x ${size >> stages}; ` +
      `${few} ${count(examples)} pictures.`,
  };
}

function augmentationFor(survey: PictureSurvey): Choice<readonly string[]> {
  const { size, isGray } = survey;
  const crop = isExact(survey)
    ? `random_crop(${size}, padding=${Math.max(1, size >> 3)})`
    : `random_resized_crop(${size}, scale=[0.4, 1])`;
  if (isGray) {
    return {
      value: [crop],
      why: "Gray pictures are often text or scans, which a mirror would spoil: no `hflip`.",
    };
  }
  return {
    value: [crop, "hflip"],
    why: "Random crops and mirror images; remove `hflip` if left and right matter.",
  };
}

// Tables

function planTable(survey: TableSurvey): Specific {
  const { columns, side, label, statistics, maximum } = survey;
  const isImage = side !== undefined;
  const where = label === "first" ? ["label=first"] : [];
  return {
    input: {
      value: isImage ? [1, side, side] : [columns],
      why: isImage
        ? `${columns} whole numbers from 0 to ${maximum} in a row: gray pixels, ${side} x ${side}.`
        : `${columns} features in a row.`,
    },
    widths: isImage
      ? stagesFor(side, trainCount(survey))
      : { value: [64, 64], why: "Two hidden layers." },
    dropout: trainCount(survey) < 5000 ? 0.2 : 0,
    mean: statistics.mean,
    std: {
      value: statistics.std.map(aboveZero),
      why: isImage ? "Measured on all pixels." : "Measured on each column.",
    },
    source: {
      name: "csv",
      arguments: [...where, ...(isImage && maximum !== 255 ? [`maximum=${maximum}`] : [])],
    },
    augmentation: { value: [], why: "" },
    evaluation: [],
    learningRate: isImage ? 3e-3 : 1e-2,
  };
}

// The rest is alike

/** What is always the same has no spread to divide by. */
const aboveZero = (std: number) => (std > 0 ? std : 1);

/** Few examples need a larger share for a figure that can be trusted. */
function holdoutFor(survey: Survey): Pick<Plan, "holdout"> {
  if (survey.evaluation !== undefined) return {};
  const share = trainCount(survey) < 10_000 ? 0.2 : 0.1;
  return {
    holdout: {
      value: share,
      why: `The data has no splits: ${100 * share}% of each class are held out for evaluation.`,
    },
  };
}

/** From this ratio of counts on, rare classes are weighed. */
const IMBALANCE = 3;
/** More weights than these make a line that is hard to read. */
const MOST_WEIGHTS = 50;

function weightsFor(survey: Survey): Pick<Plan, "classWeights"> {
  const counts = survey.classes.map(({ train }) => train);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (least === 0 || most / least < IMBALANCE || counts.length > MOST_WEIGHTS) return {};
  // The root of the inverse share: between no weights and full ones, which overfit rare classes.
  const weights = counts.map((each) => Math.round(100 * Math.sqrt(most / each)) / 100);
  return {
    classWeights: {
      value: weights,
      why:
        `The largest class has ${(most / least).toFixed(1)} times the examples ` +
        "of the smallest: rare classes count more.",
    },
  };
}

const batchFor = (examples: number) => (examples < 2000 ? 32 : examples < 20_000 ? 64 : 128);

/** Steps after which a small network has learned most of what it will. */
const STEPS = 1500;

function epochsFor(examples: number, batch: number): Choice<number> {
  const stepsAnEpoch = Math.max(1, examples / batch);
  const epochs = Math.min(60, Math.max(10, Math.round(STEPS / stepsAnEpoch)));
  const steps = Math.round(epochs * stepsAnEpoch);
  return {
    value: epochs,
    why: `About ${count(steps)} steps; more epochs help if the loss still falls.`,
  };
}

const count = (value: number) => value.toLocaleString("en-US");
