import { BOX_NUMBERS } from "../../program/boxes.js";
import type {
  Identifier,
  Expression,
  InputDeclaration,
  IntegerRange,
  ModelDeclaration,
  TargetDeclaration,
} from "../../grammar/ast.js";
import type { Distribution } from "../../program/noise.js";
import { adviseName, type Named } from "../calls/suggestion.js";
import { withoutDuplicates } from "./duplicates.js";
import { BATCH, MOST_AXES, ROW, type Shape } from "../ir/shape.js";
import { describeConstant, formatConstant } from "../calls/constant.js";
import { type Environment } from "../calls/environment.js";
import { evaluate } from "../calls/evaluate.js";

/** The model's inputs, each name once, noise last; none after a report. */
export function findInputs(
  model: ModelDeclaration,
  { reporter }: Environment,
): readonly InputDeclaration[] {
  const inputs = model.members.filter((member) => member.kind === "input");
  const known = [...withoutDuplicates(inputs, "input", reporter).values()];
  const isNoise = ({ distribution }: InputDeclaration) => distribution !== undefined;
  if (inputs.length > 0) {
    const sorted = [...known.filter((each) => !isNoise(each)), ...known.filter(isNoise)];
    if (isNoise(sorted[0]!)) checkNothingGiven(model, sorted[0]!, { reporter });
    return sorted;
  }
  reporter.report("NET2011", {
    message: `model \`${model.name.name}\` has no input`,
    span: model.name.span,
    notes: ["say what it receives, for instance `input image: f32[N, 3, 224, 224]`"],
  });
  return [];
}

/** Examples of noise alone have no number. */
function checkNothingGiven(
  { members, name }: ModelDeclaration,
  { span }: InputDeclaration,
  { reporter }: Pick<Environment, "reporter">,
): void {
  const loss = members.find((member) => member.kind === "loss");
  if (!loss) return;
  reporter.report("NET2080", {
    message: `model \`${name.name}\` has a loss, but no input that data are read into`,
    span,
    label: "noise, which the device draws",
    related: [{ span: loss.span, message: "needs examples" }],
    notes: ["a discriminator sees real images, too: `input image: f32[N, 1, 32, 32]`"],
  });
}

const DISTRIBUTIONS: readonly (Named & { readonly name: Distribution })[] = [
  { name: "normal", aliases: ["gaussian", "randn", "gauss", "standard_normal"] },
  { name: "uniform", aliases: ["rand", "random"] },
];

/** `of normal`; undefined for an input that is given, and after a report. */
export function readDistribution(
  { distribution, type }: InputDeclaration,
  { reporter }: Environment,
): Distribution | undefined {
  if (distribution && type.element.name !== "f32" && !isOfSignal(type)) {
    return reporter.report("NET2080", {
      message: `noise is numbers: an input of noise holds \`f32\`, not \`${type.element.name}\``,
      span: type.element.span,
    });
  }
  const found = DISTRIBUTIONS.find(({ name }) => name === distribution?.name);
  if (!distribution || found) return found?.name;
  const vocabulary = {
    known: DISTRIBUTIONS,
    otherwise: ["noise is `normal`, with mean 0 and deviation 1, or `uniform` in -1..1"],
  };
  const { question, ...advice } = adviseName(distribution, vocabulary);
  return reporter.report("NET2080", {
    message: `there is no noise \`${distribution.name}\`${question}`,
    span: distribution.span,
    ...advice,
  });
}

/** What an input holds: numbers, or tokens where there is a vocabulary. */
export interface InputKind {
  readonly shape: Shape;
  readonly vocabulary?: number;
}

/** `f32[N, 3, 224, 224]`, or `u32[N, 16] in 0..1000`; undefined after a report. */
export function readInput(
  declaration: InputDeclaration,
  environment: Environment,
): InputKind | undefined {
  const { type, range } = declaration;
  const isOfTokens = type.element.name === "u32" && type.dimensions.length <= 2;
  if (isOfTokens || (range && type.element.name === "u32")) {
    return readTokens(declaration, environment);
  }
  if (range) reportRange(declaration, range, environment);
  if (isOfSignal(type)) {
    const shape = readSignal(type, environment, "NET2013");
    return shape && { shape };
  }
  if (type.element.name !== "f32") reportElement(type, environment);
  const shape = readShape(type, environment);
  return shape && { shape };
}

const isOfSignal = ({ element }: InputDeclaration["type"]): boolean => element.name === SIGNAL;

const SIGNAL = "signal";

/** `signal[N, 2, 1000]`, channels first as in PyTorch's `Conv1d`; undefined after a report. */
function readSignal(
  type: InputDeclaration["type"],
  environment: Environment,
  code: "NET2013" | "NET2014",
): Shape | undefined {
  const [batch, ...sizes] = type.dimensions;
  const hasBatch = batch?.kind === "name" && batch.name === BATCH;
  if (!hasBatch || sizes.length !== 2) {
    return environment.reporter.report(code, {
      message: "a signal's shape must be [N, channels, length]",
      span: type.span,
      label: hasBatch ? `has ${type.dimensions.length} axes` : "does not start with N",
      notes: ["one number at each place is one channel: `signal[N, 1, 1000]`"],
    });
  }
  const [channels, length] = sizes.map((size) => readSize(size, environment));
  return channels && length ? [BATCH, channels, ROW, length] : undefined;
}

function reportElement({ element }: InputDeclaration["type"], { reporter }: Environment): void {
  reporter.report("NET1019", {
    message:
      "an input holds `f32`, a `signal[N, channels, length]`, or tokens, `u32[N, T]`; " +
      `not \`${element.name}\``,
    span: element.span,
    fixes: [{ title: "write `f32`", edits: [{ span: element.span, newText: "f32" }] }],
  });
}

function reportRange(
  { type }: InputDeclaration,
  { span }: IntegerRange,
  { reporter }: Environment,
): void {
  const { element } = type;
  reporter.report("NET2013", {
    message: "an input of numbers has no range: `in 0..count` is for tokens, `u32[N, T]`",
    span,
    fixes: [
      { title: "write `u32`", edits: [{ span: element.span, newText: "u32" }] },
      {
        title: "remove the range",
        edits: [{ span: { ...span, start: type.span.end }, newText: "" }],
      },
    ],
  });
}

/** `u32[N]` or `u32[N, 16]`, with how many different tokens there are. */
function readTokens(
  { type, range, name }: InputDeclaration,
  environment: Environment,
): InputKind | undefined {
  const [batch, ...sizes] = type.dimensions;
  const hasBatch = batch?.kind === "name" && batch.name === BATCH;
  if (!hasBatch || sizes.length > 1) {
    return environment.reporter.report("NET2013", {
      message: "tokens are `u32[N, T]`, T of each example, or `u32[N]`, one of each",
      span: type.span,
      label: hasBatch ? `has ${type.dimensions.length} axes` : "does not start with N",
      notes: ["`N` is the batch size, which is chosen when training starts"],
    });
  }
  if (!range) {
    const numbers = { title: "write `f32`", edits: [{ span: type.element.span, newText: "f32" }] };
    return environment.reporter.report("NET2015", {
      message: `\`${name.name}\` holds tokens, but does not say how many different ones there are`,
      span: type.span,
      notes: ["with 1,000 of them: `in 0..1000`; numbers, whose order means something, are `f32`"],
      fixes: sizes.length > 0 ? [numbers] : [],
    });
  }
  const dimensions = sizes.map((size) => readSize(size, environment));
  const vocabulary = readClasses(range, environment, { least: 1, noun: "tokens" });
  if (vocabulary === undefined || !dimensions.every((size) => size !== undefined)) return undefined;
  return { shape: [BATCH, ...dimensions], vocabulary };
}

function readShape(type: InputDeclaration["type"], environment: Environment): Shape | undefined {
  const [batch, ...sizes] = type.dimensions;
  const hasBatch = batch?.kind === "name" && batch.name === BATCH;
  if (!hasBatch || sizes.length < 1 || sizes.length > MOST_AXES) {
    return environment.reporter.report("NET2013", {
      message:
        "an input's shape must be [N, channels, height, width], [N, tokens, channels] " +
        "or [N, features]",
      span: type.span,
      label: hasBatch ? `has ${type.dimensions.length} axes` : "does not start with N",
      notes: [
        "`N` is the batch size, which is chosen when training starts",
        "a signal, channels first, is `signal[N, channels, length]`",
        `values of other axes, such as clips of images, have up to ${MOST_AXES} behind the batch`,
      ],
    });
  }
  const dimensions = sizes.map((size) => readSize(size, environment));
  return dimensions.every((size) => size !== undefined) ? [BATCH, ...dimensions] : undefined;
}

export function readSize(expression: Expression, environment: Environment): number | undefined {
  const constant = evaluate(expression, environment);
  if (!constant) return undefined;
  if (constant.kind === "integer" && constant.value >= 1) return constant.value;
  return environment.reporter.report("NET2013", {
    message: `a size must be an integer of at least 1, not ${describeConstant(constant)}`,
    span: expression.span,
  });
}

/**
 * What a target holds: a class for each example, or for each of its pixels or tokens, or numbers,
 * or boxes with classes.
 */
export type TargetKind =
  | {
      readonly kind: "classes";
      readonly classes: number | undefined;
      readonly shape: Shape;
      /** The type was wrong, which is reported: classes are a guess. */
      readonly isGuess?: true | undefined;
    }
  | { readonly kind: "numbers"; readonly shape: Shape }
  | { readonly kind: "boxes"; readonly classes: number; readonly shape: Shape };

/**
 * `u32[N] in 0..classes`, `u32[N, H, W] in 0..classes`, `u32[N, T] in 0..classes`, `f32[N, 4]`,
 * or `boxes[N, 20] in 0..classes`; undefined after a report.
 */
export function readTarget(
  target: TargetDeclaration,
  environment: Environment,
): TargetKind | undefined {
  const { type, range } = target;
  const [batch, ...sizes] = type.dimensions;
  const hasBatch = batch?.kind === "name" && batch.name === BATCH;
  const isNumbers = type.element.name === "f32" && areNumbers(sizes.length);
  if (hasBatch && isNumbers && !range) return readNumbers(sizes, environment);
  if (isOfSignal(type) && !range) {
    const shape = readSignal(type, environment, "NET2014");
    return shape && { kind: "numbers", shape };
  }
  if (type.element.name === "boxes") return readBoxes(target, environment);
  const areLabels = type.element.name === "u32" && hasBatch;
  const isGuess = !areLabels || sizes.length > 2;
  if (isGuess) reportTargetType(target, environment);
  const dimensions =
    areLabels && sizes.length <= 2 ? sizes.map((size) => readSize(size, environment)) : [];
  const classes = range && readClasses(range, environment);
  if (range && classes === undefined) return undefined;
  if (!dimensions.every((size) => size !== undefined)) return undefined;
  return { kind: "classes", classes, shape: [BATCH, ...dimensions], isGuess: isGuess || undefined };
}

/** Whether a target of numbers may have this number of axes behind the batch. */
const areNumbers = (axes: number) => axes >= 1 && axes <= MOST_AXES;

/** What others call boxes, or nearly: `bboxes`, `box`, `rects`. */
const LIKE_BOXES = /box|^rects?$|^rectangles?$|^detections?$/i;

function reportTargetType(target: TargetDeclaration, { reporter }: Environment): void {
  const { type, range } = target;
  if (LIKE_BOXES.test(type.element.name)) return reportLikeBoxes(target, reporter);
  const write = (newText: string) => {
    return { title: `write \`${newText}\``, edits: [{ span: type.span, newText }] };
  };
  const [batch, most, ...others] = type.dimensions;
  const isOfBoxes = range && batch && most && others.length === 0;
  const boxes = isOfBoxes ? [toBoxes(type.element)] : [];
  const isScalar = type.element.name === "f32" && type.dimensions.length === 1 && !range;
  reporter.report("NET2014", {
    message: range
      ? "a target with classes is `u32[N]`, a class per example, or `boxes[N, 20]`"
      : "a target is `u32[N]`, a class per example, numbers (`f32[N, 1]`), or `boxes[N, 20]`",
    span: type.span,
    notes: ["`u32[N, height, width]` is a class per pixel, `u32[N, tokens]` a class per token"],
    fixes: isScalar ? [write("f32[N, 1]")] : [...boxes, write("u32[N]")],
  });
}

function reportLikeBoxes(
  { type: { element }, range }: TargetDeclaration,
  reporter: Environment["reporter"],
): void {
  const classes = "the range says how many classes there are: `boxes[N, 20] in 0..3`";
  reporter.report("NET2014", {
    message: `there is no target type \`${element.name}\`; did you mean \`boxes\`?`,
    span: element.span,
    notes: range ? [] : [classes],
    fixes: [{ ...toBoxes(element), isRename: true }],
  });
}

const toBoxes = ({ span }: Identifier) => {
  return { title: "write `boxes`", edits: [{ span, newText: "boxes" }] };
};

/** `boxes[N, 20] in 0..3`: up to 20 boxes an image, of three classes. */
function readBoxes(target: TargetDeclaration, environment: Environment): TargetKind | undefined {
  const { type, range } = target;
  const [batch, most, ...others] = type.dimensions;
  const hasBatch = batch?.kind === "name" && batch.name === BATCH;
  if (!hasBatch || !most || others.length > 0 || !range) {
    return environment.reporter.report("NET2014", {
      message: "boxes are `boxes[N, 20] in 0..classes`: how many an image has at most, and classes",
      span: range ? type.span : target.span,
      label: boxesMistake(target),
    });
  }
  const count = readSize(most, environment);
  const classes = readClasses(range, environment, { least: 1 });
  if (count === undefined || classes === undefined) return undefined;
  if (count > MOST_BOXES) return reportMany(count, most, environment);
  return { kind: "boxes", classes, shape: [BATCH, count, BOX_NUMBERS] };
}

/** More than any picture has; a batch of 16 examples takes 32 MB. */
const MOST_BOXES = 100_000;

/** Each example takes its room, however few boxes it has. */
function reportMany(count: number, { span }: Expression, { reporter }: Environment): undefined {
  const bytes = 4 * BOX_NUMBERS * count;
  const size =
    bytes >= 1e9 ? `${(bytes / 1e9).toPrecision(3)} GB` : `${Math.round(bytes / 1e6)} MB`;
  return reporter.report("NET2013", {
    message:
      `room for ${count.toLocaleString("en-US")} boxes takes ${size} an image, ` +
      `and at most ${MOST_BOXES.toLocaleString("en-US")} are possible`,
    span,
    notes: ["write the most boxes that an image of your data has: `boxes[N, 20]`"],
  });
}

function boxesMistake({ type, range }: TargetDeclaration): string {
  if (!range) return "does not say how many classes";
  const axes = type.dimensions.length;
  if (axes !== 2) return `has ${axes} ${axes === 1 ? "axis" : "axes"}, not 2`;
  return `its first axis is not the batch, \`${BATCH}\``;
}

function readNumbers(
  sizes: readonly Expression[],
  environment: Environment,
): TargetKind | undefined {
  const dimensions = sizes.map((size) => readSize(size, environment));
  if (!dimensions.every((size) => size !== undefined)) return undefined;
  return { kind: "numbers", shape: [BATCH, ...dimensions] };
}

function readClasses(
  range: IntegerRange,
  environment: Environment,
  { least, noun = "labels" }: { readonly least: 1 | 2; readonly noun?: string } = { least: 2 },
): number | undefined {
  const from = evaluate(range.from, environment);
  const to = evaluate(range.to, environment);
  if (!from || !to) return undefined;
  const isValid = from.kind === "integer" && from.value === 0 && to.kind === "integer";
  if (isValid && to.value === 1 && least > 1) return reportOneClass(range, environment);
  if (isValid && to.value >= least) return to.value;
  return environment.reporter.report("NET2015", {
    message:
      noun === "labels"
        ? "labels must lie in `0..classes`, with at least " +
          `${least} ${least === 1 ? "class" : "classes"}`
        : `${noun} must lie in \`0..count\`, with a count of at least ${least}`,
    span: range.span,
    label: `goes from ${formatConstant(from)} to ${formatConstant(to)}`,
    fixes: [{ title: "start at 0", edits: [{ span: range.from.span, newText: "0" }] }],
  });
}

/** `0..1` for yes and no: a range that ends before 1. */
function reportOneClass({ span, to }: IntegerRange, { reporter }: Environment): undefined {
  return reporter.report("NET2015", {
    message: "labels in `0..1` are all 0: the end of a range is not part of it",
    span,
    label: "one class",
    notes: ["with one class every answer is right and the loss is always 0"],
    fixes:
      to.kind === "number"
        ? [{ title: "write `2` for the classes 0 and 1", edits: [{ span: to.span, newText: "2" }] }]
        : [],
  });
}
