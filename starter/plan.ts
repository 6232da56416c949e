/** What a first spec is made of, and why: chosen by what was found, before any text is written. */
import type { HeightAndWidth } from "../program/transforms.js";
import { multiplyAdds } from "./cost.js";
import {
  type ListedTable,
  type PictureSurvey,
  type Survey,
  type TableSurvey,
  trainCount,
} from "./survey.js";

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
  /** Whether the first convolution has a stride of 2, because the input is large. */
  readonly isStrided: boolean;
  readonly dropout: number;
  readonly mean: readonly number[];
  readonly std: Choice<readonly number[]>;
  /** The call of the source without its path and holdout: `csv("...", label=first)`. */
  readonly source: {
    readonly name: "folder" | "csv";
    readonly arguments: readonly string[];
    readonly why: string;
  };
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
  const examples = trainCount(survey);
  const batch = batchFor(examples);
  const specific = survey.kind === "table" ? planTable(survey) : planPictures(survey);
  const heldOut = holdoutFor(survey);
  const trained = Math.round(examples * (1 - (heldOut.holdout?.value ?? 0)));
  return {
    ...specific,
    ...heldOut,
    ...weightsFor(survey),
    epochs: epochsFor({ examples, trained, batch, multiplyAdds: multiplyAdds(specific) }),
    batch,
  };
}

type Specific = Omit<Plan, "holdout" | "classWeights" | "epochs" | "batch">;

// Pictures

function planPictures(survey: PictureSurvey): Specific {
  const { input, statistics, isGray, decoded } = survey;
  const channels = isGray ? 1 : 3;
  const some = decoded < trainCount(survey) ? `${count(decoded)} of the pictures` : "the pictures";
  const [height, width] = input;
  return {
    input: { value: [channels, ...input], why: whySize(survey) },
    ...stagesFor(input, trainCount(survey)),
    dropout: trainCount(survey) < 5000 ? 0.2 : 0,
    mean: statistics.mean.slice(0, channels),
    std: {
      value: statistics.std.slice(0, channels).map(aboveZero),
      why: `Measured on ${some}, scaled to ${Math.min(height, width)} pixels.`,
    },
    source: survey.table ? listedSource(survey.table) : { name: "folder", arguments: [], why: "" },
    augmentation: augmentationFor(survey),
    evaluation: evaluationFor(survey),
    learningRate: 3e-3,
  };
}

function listedSource(table: ListedTable): Plan["source"] {
  const files = `files=${JSON.stringify(table.files)}`;
  const why = `The images are in the column ${table.files}. ${whyColumns(table)}`;
  return { name: "csv", arguments: [files, ...csvArguments(table)], why };
}

/** Whether pictures have the input's size already. */
const isExact = ({ oneSize, input: [height, width] }: PictureSurvey) =>
  oneSize?.width === width && oneSize.height === height;

const isSquare = ([height, width]: HeightAndWidth) => height === width;

/** A square of wide pictures loses much of them: it keeps the whole of their shorter side. */
const WIDE = 1.6;

function evaluationFor(survey: PictureSurvey): readonly string[] {
  if (isExact(survey)) return [];
  if (!isSquare(survey.input)) return [bothSides(survey.input)];
  const [size] = survey.input;
  const larger = survey.aspect.median >= WIDE ? size : Math.round((size * 9) / 8);
  return [`resize(${larger})`, `center_crop(${size})`];
}

const bothSides = ([height, width]: HeightAndWidth) => `resize([${height}, ${width}])`;

function whySize(survey: PictureSurvey): string {
  const { shorterSide, input, isGray, aspect } = survey;
  const channels = isGray ? "No picture has a color: one channel." : "Three channels: RGB.";
  const shape = input.join(" x ");
  if (isExact(survey)) return `All pictures are ${shape}. ${channels}`;
  const { least, median, most } = shorterSide;
  const found =
    least === most
      ? `The shorter sides are ${least} pixels`
      : `The shorter sides are ${least} to ${most} pixels, half of them up to ${median}`;
  const side = Math.min(...input);
  const sides = `${found}: ${side} is quick to train; a larger input shows more details.`;
  if (!isSquare(input)) {
    const ratio = Number(aspect.median.toFixed(1));
    const shape = `Most pictures are ${ratio} times as long as short: the input is, too.`;
    return `${shape} ${sides} ${channels}`;
  }
  const lost = Math.round(100 * (1 - 1 / aspect.median));
  const square =
    aspect.median < WIDE
      ? ""
      : ` The input is square: a crop of a typical picture loses ${lost}% of its longer side.`;
  return `${sides} ${channels}${square}`;
}

/** Inputs of more pixels start with a stride. */
const MOST_WITHOUT_STRIDE = 64 * 64;

/** Stages that each halve the image, until 3 to 6 pixels are left of the shorter side. */
function stagesFor(input: HeightAndWidth, examples: number): Pick<Plan, "widths" | "isStrided"> {
  const size = Math.min(...input);
  const isStrided = input[0] * input[1] > MOST_WITHOUT_STRIDE;
  const halvings = Math.max(2, Math.floor(Math.log2(size / 3)));
  const stages = isStrided ? halvings - 1 : halvings;
  const first = isStrided || examples < 1000 ? 16 : 32;
  const widths = Array.from({ length: stages }, (_, stage) => Math.min(256, first << stage));
  const few = first === 16 ? "few channels, which suit" : "more channels suit";
  const left = input.map((side) => side >> halvings).join(" x ");
  const stride = isStrided
    ? "The first convolution has a stride of 2, which makes training about 4 times as fast. "
    : "";
  return {
    isStrided,
    widths: {
      value: widths,
      why:
        `${stride}Each stage halves the image: ${left} are left; ` +
        `${few} ${count(examples)} pictures.`,
    },
  };
}

function augmentationFor(survey: PictureSurvey): Choice<readonly string[]> {
  const { input, isGray } = survey;
  const [size] = input;
  if (!isSquare(input)) {
    const both = isExact(survey) ? [] : [bothSides(input)];
    const light = "color_jitter(brightness=0.2, contrast=0.2)";
    return {
      value: isGray ? [...both, light] : [...both, light, "hflip"],
      why:
        "Other light" +
        (isGray ? "." : ", and mirror images; remove `hflip` if left and right matter."),
    };
  }
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

const TWO_HIDDEN_LAYERS = {
  widths: { value: [64, 64], why: "Two hidden layers." },
  isStrided: false,
} as const;

function planTable(survey: TableSurvey): Specific {
  const { columns, side, statistics, maximum } = survey;
  const isImage = side !== undefined;
  const examples = trainCount(survey);
  const network = isImage ? stagesFor([side, side], examples) : TWO_HIDDEN_LAYERS;
  return {
    ...network,
    input: {
      value: isImage ? [1, side, side] : [columns],
      why: isImage
        ? `${columns} whole numbers from 0 to ${maximum} in a row: gray pixels, ${side} x ${side}.`
        : `${columns} features in a row.`,
    },
    dropout: examples < 5000 ? 0.2 : 0,
    mean: statistics.mean,
    std: {
      value: statistics.std.map(aboveZero),
      why: isImage ? "Measured on all pixels." : "Measured on each column.",
    },
    source: { name: "csv", arguments: csvArguments(survey), why: whyColumns(survey) },
    augmentation: { value: [], why: "" },
    evaluation: [],
    learningRate: isImage ? 3e-3 : 1e-2,
  };
}

type ListedColumns = Omit<ListedTable, "files">;

function csvArguments({
  label,
  ignored,
  listed,
  by,
  side,
  maximum,
}: ListedColumns & Pick<TableSurvey, "side" | "maximum">): string[] {
  const strings = (texts: readonly string[]) =>
    `[${texts.map((text) => JSON.stringify(text)).join(", ")}]`;
  const column = typeof label === "string" ? label : JSON.stringify(label.column);
  return [
    ...(label === "last" ? [] : [`label=${column}`]),
    ...(ignored.length > 0 ? [`ignore=${strings(ignored.map(({ name }) => name))}`] : []),
    ...(listed ? [`classes=${strings(listed)}`] : []),
    ...(by === undefined ? [] : [`by=${JSON.stringify(by)}`]),
    ...(side !== undefined && maximum !== 255 ? [`maximum=${maximum}`] : []),
  ];
}

function whyColumns({ labelName, ignored, listed, by }: ListedColumns): string {
  return [
    `The label is in the column ${labelName}.`,
    ...(listed ? [`Its numbers are names: class 0 is ${listed[0]}.`] : []),
    ...ignored.map(({ name, why }) => `Not read: ${name} (${why}).`),
    ...(by === undefined ? [] : [`All rows of a ${by} are in one split.`]),
  ].join(" ");
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
const FEWEST_EPOCHS = 10;
const MOST_EPOCHS = 60;
/** Multiply-adds of a run: about two minutes on two CPU cores, at 10,000 million a second. */
const MOST_MULTIPLY_ADDS = 1.2e12;

interface Effort {
  readonly examples: number;
  /** Those that are not held out. */
  readonly trained: number;
  readonly batch: number;
  /** Of a training step, for each example. */
  readonly multiplyAdds: number;
}

function epochsFor({ examples, trained, batch, multiplyAdds }: Effort): Choice<number> {
  const stepsAnEpoch = Math.max(1, examples / batch);
  const wanted = Math.min(MOST_EPOCHS, Math.round(STEPS / stepsAnEpoch));
  const affordable = Math.floor(MOST_MULTIPLY_ADDS / (multiplyAdds * examples));
  const epochs = Math.max(FEWEST_EPOCHS, Math.min(wanted, affordable));
  const steps = `${count(epochs * Math.max(1, Math.ceil(trained / batch)))} steps`;
  return {
    value: epochs,
    why:
      epochs < wanted
        ? `${steps}, so that a CPU needs minutes only: ` +
          `with \`epochs = ${Math.min(wanted, 2 * epochs)}\` the accuracy is mostly higher.`
        : `${steps}; more epochs help if the loss still falls.`,
  };
}

const count = (value: number) => value.toLocaleString("en-US");
