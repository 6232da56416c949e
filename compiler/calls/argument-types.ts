import type { Expression, NumberLiteral } from "../../grammar/ast.js";
import type { DiagnosticDetails } from "../diagnostics/create.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import type { Padding, Pair } from "../ir/graph.js";
import type { Duration } from "../../program/recipe.js";
import {
  type Constant,
  describeConstant,
  formatConstant,
  isNumeric,
  writeConstant,
} from "./constant.js";
import { evaluate } from "./evaluate.js";
import { isFunction } from "./functions.js";
import type { ArgumentReader, ArgumentType } from "./signature.js";
import { didYouMean, listNames, type Named, renameFixes } from "./suggestion.js";

/** What a number may be; both ends belong to the range unless `above` or `below` says otherwise. */
export interface NumberRange {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly above?: number;
  readonly below?: number;
}

// Scalars

export function integer(range: NumberRange = {}): ArgumentType<number> {
  const description = describeRange("an integer", range);
  return {
    description,
    accepts: { kind: "number" },
    write: String,
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) =>
        constant.kind === "integer" ? inRange(constant.value, range) : MISMATCH,
      ),
  };
}

export function float(range: NumberRange = {}): ArgumentType<number> {
  const description = describeRange("a number", range);
  return {
    description,
    accepts: { kind: "number" },
    write: String,
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) =>
        isNumeric(constant) ? inRange(constant.value, range) : MISMATCH,
      ),
  };
}

export function boolean(): ArgumentType<boolean> {
  const description = "`true` or `false`";
  return {
    description,
    accepts: { kind: "word", words: ["true", "false"] },
    write: String,
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) =>
        constant.kind === "boolean" ? constant.value : MISMATCH,
      ),
  };
}

export function string(): ArgumentType<string> {
  const description = "a string in double quotes";
  return {
    description,
    accepts: { kind: "string" },
    write: (value) => JSON.stringify(value),
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) =>
        constant.kind === "string" ? constant.value : MISMATCH,
      ),
  };
}

/** Several strings, each once. */
export function strings(): ArgumentType<readonly string[]> {
  const description = "a list of different strings in double quotes";
  return {
    description,
    accepts: { kind: "string" },
    write: (values) => writeList(values.map((value) => JSON.stringify(value))),
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        if (constant.kind !== "list") return MISMATCH;
        const values = constant.elements.flatMap((each) =>
          each.kind === "string" ? [each.value] : [],
        );
        const isWhole = values.length > 0 && values.length === constant.elements.length;
        return isWhole && new Set(values).size === values.length ? values : MISMATCH;
      }),
  };
}

/** Whether an argument is a list, written there or as the name of a constant. */
export const isList = (expression: Expression, { scope }: Pick<ArgumentReader, "scope">): boolean =>
  expression.kind === "list" ||
  (expression.kind === "name" && scope.use(expression.name)?.value?.kind === "list");

/** All of something, none, or some by their names: `true`, or `["age", "x*"]`. */
export function allOrNames(): ArgumentType<boolean | readonly string[]> {
  const all = boolean();
  const list = strings();
  return {
    description: `${all.description}, or ${list.description}`,
    accepts: all.accepts,
    write: (value) => (typeof value === "boolean" ? all.write(value) : list.write(value)),
    read: (expression, reader) =>
      isList(expression, reader) ? list.read(expression, reader) : all.read(expression, reader),
  };
}

/**
 * One of a few names, written without quotes: `divide=size`. `known` also has what others call
 * them.
 */
export function choice<const Name extends string>(
  names: readonly Name[],
  known: readonly (string | Named)[] = names,
): ArgumentType<Name> {
  const description = `one of ${listNames(names)}`;
  return {
    description,
    accepts: { kind: "word", words: names },
    write: (name) => name,
    read(expression, reader) {
      if (expression.kind !== "name") return mismatch(expression, reader, description);
      const found = names.find((name) => name === expression.name);
      if (found) return found;
      return reader.reporter.report("NET1011", {
        message:
          `${reader.subject} must be ${description}, ` +
          `not \`${expression.name}\`${didYouMean(expression.name, known)}`,
        span: expression.span,
        fixes: renameFixes(expression.span, expression.name, known),
      });
    },
  };
}

/** A column: one of a few words, or any name in double quotes; or a list of such names. */
export function columns<const Word extends string>(
  words: readonly Word[],
): ArgumentType<Word | { readonly column: string } | { readonly columns: readonly string[] }> {
  const word = choice(words);
  const list = strings();
  const description = `${word.description}, a column's name in double quotes, or a list of names`;
  return {
    description,
    accepts: word.accepts,
    write(value) {
      if (typeof value === "string") return value;
      return "column" in value ? JSON.stringify(value.column) : list.write(value.columns);
    },
    read(expression, reader) {
      if (expression.kind === "name" && !reader.scope.has(expression.name))
        return word.read(expression, reader);
      if (isList(expression, reader)) {
        const several = list.read(expression, reader);
        return several && { columns: several };
      }
      const read = readConstant(expression, reader, description, (constant) =>
        constant.kind === "string" ? constant.value : MISMATCH,
      );
      return read === undefined ? undefined : { column: read };
    },
  };
}

/**
 * The name of a value of the network: `logits` in `cross_entropy(logits, label)`. Looked up by who
 * reads it.
 */
export function valueName(): ArgumentType<string> {
  const description = "the name of a value";
  return {
    description,
    accepts: { kind: "value" },
    write: (name) => name,
    read(expression, reader) {
      if (expression.kind === "name") return expression.name;
      if (expression.kind === "pattern") return expression.segments.join(".");
      return mismatch(expression, reader, description);
    },
  };
}

/** A number, or a word. */
export function valueOr<const Word extends string>(
  word: Word,
  range: NumberRange = {},
): ArgumentType<number | Word> {
  const number = float(range);
  return {
    description: `${number.description}, or \`${word}\``,
    accepts: { kind: "word", words: [word] },
    write: String,
    read: (expression, reader) =>
      expression.kind === "name" && expression.name === word
        ? word
        : number.read(expression, reader),
  };
}

// Lists

/** Height and width: `3`, or `[3, 5]`. */
export function pair(range: NumberRange = {}): ArgumentType<Pair> {
  const description = `${describeRange("an integer", range)}, or [height, width]`;
  return {
    description,
    accepts: { kind: "number" },
    write: ([height, width]) => (height === width ? `${height}` : `[${height}, ${width}]`),
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        const sizes = integersOf(constant);
        if (!sizes || sizes.length > 2) return MISMATCH;
        const [height, width = height] = sizes as [number, number?];
        return allInRange([height, width] as Pair, range);
      }),
    onSignal: alongSignal(range),
  };
}

/** The columns of a pair; of the one row there is the least that an argument may be. */
function alongSignal(range: NumberRange): ArgumentType<Pair> {
  const description = `${describeRange("an integer", range)}, for the one axis of a signal`;
  const row = range.minimum ?? 0;
  return {
    description,
    accepts: { kind: "number" },
    write: ([, length]) => `${length}`,
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        const sizes = integersOf(constant);
        return sizes?.length === 1 ? allInRange([row, sizes[0]!] as Pair, range) : MISMATCH;
      }),
  };
}

/** One side, from which the other follows, or both: `256`, or `[48, 192]`. */
export function sideOrBoth(range: NumberRange = {}): ArgumentType<number | Pair> {
  const description = `${describeRange("an integer", range)}, or [height, width]`;
  return {
    description,
    accepts: { kind: "number" },
    write: (size) => (typeof size === "number" ? `${size}` : writeList(size)),
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        if (constant.kind === "integer") return inRange(constant.value, range);
        const sizes = integersOf(constant);
        return sizes?.length === 2 ? allInRange(sizes as Pair, range) : MISMATCH;
      }),
  };
}

/** An odd number for both axes, or [height, width] of odd numbers: what has a middle. */
export function oddSides(): ArgumentType<Pair> {
  const both = pair({ minimum: 1 });
  const description = `an odd ${both.description.replace(/^an? /, "")}`;
  return {
    ...both,
    description,
    onSignal: undefined,
    read(expression, reader) {
      const read = both.read(expression, reader);
      const isOdd = read?.every((side) => side % 2 === 1) ?? true;
      return isOdd ? read : mismatch(expression, reader, description);
    },
  };
}

/** A number, or the smallest and the largest of a range. */
export function valueOrRange(
  range: NumberRange = {},
): ArgumentType<readonly [low: number, high: number]> {
  const number = describeRange("a number", range);
  const description = `${number}, or a list of the smallest and the largest`;
  return {
    description,
    accepts: { kind: "number" },
    write: ([low, high]) => (low === high ? `${low}` : writeNumbers([low, high])),
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        const elements = constant.kind === "list" ? constant.elements : [constant, constant];
        if (elements.length !== 2 || !elements.every(isNumeric)) return MISMATCH;
        const [low, high] = elements.map(({ value }) => value) as [number, number];
        return low <= high ? allInRange([low, high] as const, range) : MISMATCH;
      }),
  };
}

/** Padding: `2` on every side, `[vertical, horizontal]`, or `[top, bottom, left, right]`. */
export function padding(): ArgumentType<Padding> {
  const description = "an integer, [vertical, horizontal], or [top, bottom, left, right]";
  return {
    description,
    accepts: { kind: "number" },
    write: writePadding,
    read(expression, reader) {
      const name = paddingName(expression, reader);
      if (name) return paddingByName(name, expression, reader, description);
      return readConstant(expression, reader, description, (constant) => {
        const sides = paddingSides(integersOf(constant) ?? []);
        if (!sides) return MISMATCH;
        const checked = allInRange(sides, { minimum: 0 });
        if (!Array.isArray(checked)) return checked;
        const [top, bottom, left, right] = checked;
        return { top, bottom, left, right };
      });
    },
    onSignal: PADDING_OF_SIGNAL,
  };
}

const PADDING_OF_SIGNAL: ArgumentType<Padding> = {
  description: "an integer, or [left, right], for the one axis of a signal",
  accepts: { kind: "number" },
  write: ({ left, right }) => (left === right ? `${left}` : writeList([left, right])),
  read(expression, reader) {
    const { description } = PADDING_OF_SIGNAL;
    const name = paddingName(expression, reader);
    if (name) return paddingByName(name, expression, reader, description);
    return readConstant(expression, reader, description, (constant) => {
      const sides = integersOf(constant);
      if (!sides || sides.length > 2) return MISMATCH;
      const checked = allInRange([sides[0]!, sides.at(-1)!], { minimum: 0 });
      if (!Array.isArray(checked)) return checked;
      const [left, right] = checked as [number, number];
      return { top: 0, bottom: 0, left, right };
    });
  },
};

/** What a padding is called, with quotes or without; undefined for what a spec can compute. */
function paddingName(expression: Expression, { scope }: ArgumentReader): string | undefined {
  if (expression.kind === "string") return expression.value;
  if (expression.kind !== "name" || scope.has(expression.name)) return undefined;
  if (scope.definedLater(expression.name)) return undefined;
  const plain = expression.name.toLowerCase();
  return plain === "same" || plain === "valid" ? plain : undefined;
}

/**
 * Keras and PyTorch have names for paddings; here the number is written, for which `"same"` needs
 * the kernel.
 */
function paddingByName(
  name: string,
  given: Expression,
  reader: ArgumentReader,
  description: string,
) {
  const found = describeExpression(given);
  const kernel = literalOf(reader.sibling?.("kernel"));
  const dilation = reader.sibling?.("dilation");
  const same = kernel && !dilation && kernel % 2 === 1 ? (kernel - 1) / 2 : undefined;
  const number = name === "valid" ? 0 : name === "same" ? same : undefined;
  return mismatch(given, reader, description, found, {
    notes:
      name === "same"
        ? ["with a stride of 1, dilation*(kernel - 1)/2 on every side keeps the size"]
        : [],
    fixes:
      number === undefined
        ? []
        : [{ title: `write \`${number}\``, edits: [{ span: given.span, newText: `${number}` }] }],
  });
}

const literalOf = (expression: Expression | undefined) =>
  expression?.kind === "number" ? expression.value : undefined;

function paddingSides(values: readonly number[]): [number, number, number, number] | undefined {
  const [first, second, third, fourth] = values as [number, number, number, number];
  if (values.length === 1) return [first, first, first, first];
  if (values.length === 2) return [first, first, second, second];
  return values.length === 4 ? [first, second, third, fourth] : undefined;
}

/** A list of integers; a lone integer is a list of one. */
export function integers(range: NumberRange = {}): ArgumentType<readonly number[]> {
  const description = `a list of integers${rangeText(range)}`;
  return {
    description,
    accepts: { kind: "number" },
    write: writeNumbers,
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        const values = integersOf(constant);
        return values ? allInRange(values, range) : MISMATCH;
      }),
  };
}

/** A list of numbers; a lone number is a list of one. `length` fixes how many. */
export function floats(
  options: NumberRange & { readonly length?: number } = {},
): ArgumentType<readonly number[]> {
  const count = options.length === undefined ? "" : `${options.length} `;
  const description = `a list of ${count}numbers${rangeText(options)}`;
  return {
    description,
    accepts: { kind: "number" },
    write: writeNumbers,
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        const elements = constant.kind === "list" ? constant.elements : [constant];
        if (!elements.every(isNumeric)) return MISMATCH;
        if (options.length !== undefined && elements.length !== options.length) return MISMATCH;
        const values = elements.map((element) => element.value);
        return allInRange(values, options);
      }),
  };
}

/**
 * What a factor is drawn from: a list of the smallest and the largest value, or a number by which
 * it differs from `around` at most. Never below `minimum`.
 */
export function spread(
  options: NumberRange & { readonly around: number },
): ArgumentType<readonly [low: number, high: number]> {
  const description = "a number, or a list of the smallest and the largest value";
  const { around, minimum = -Infinity } = options;
  return {
    description,
    accepts: { kind: "number" },
    write: writeNumbers,
    read: (expression, reader) =>
      readConstant(expression, reader, description, (constant) => {
        if (isNumeric(constant)) {
          const distance = inRange(constant.value, { ...options, minimum: 0 });
          if (distance instanceof OutOfRange) return distance;
          return [Math.max(minimum, around - distance), around + distance] as const;
        }
        if (constant.kind !== "list" || constant.elements.length !== 2) return MISMATCH;
        if (!constant.elements.every(isNumeric)) return MISMATCH;
        const [low, high] = constant.elements.map(({ value }) => value) as [number, number];
        return low <= high ? allInRange([low, high] as const, options) : MISMATCH;
      }),
  };
}

// Durations

/** A span of training: `5 epochs`, `1000 steps`. */
export function duration(): ArgumentType<Duration> {
  const description = "a number with a unit, such as `5 epochs` or `1000 steps`";
  return {
    description,
    accepts: { kind: "duration" },
    write: writeDuration,
    read: (expression, reader) => readDuration(expression, reader, description),
  };
}

/** A whole number of epochs or steps: `5 epochs`. */
export function interval(): ArgumentType<Duration> {
  const description = "a whole number of epochs or steps, such as `5 epochs` or `500 steps`";
  return {
    description,
    accepts: { kind: "duration" },
    write: writeDuration,
    read(expression, reader) {
      const read = readDuration(expression, reader, description);
      if (!read) return undefined;
      return Number.isSafeInteger(read.count) ? read : mismatch(expression, reader, description);
    },
  };
}

/** A whole number of steps: `500 steps`. */
export function steps(): ArgumentType<number> {
  const description = "a whole number of steps, such as `500 steps`";
  return {
    description,
    accepts: { kind: "duration" },
    write: (count) => writeDuration({ count, unit: "steps" }),
    read(expression, reader) {
      const read = readDuration(expression, reader, description);
      if (!read) return undefined;
      const isWhole = read.unit === "steps" && Number.isSafeInteger(read.count);
      return isWhole ? read.count : mismatch(expression, reader, description);
    },
  };
}

/** Several points in training: `[30 epochs, 60 epochs]`. */
export function durations(): ArgumentType<readonly Duration[]> {
  const description = "a list such as `[30 epochs, 60 epochs]`";
  return {
    description,
    accepts: { kind: "duration" },
    write: (durations) => writeList(durations.map(writeDuration)),
    read(expression, reader) {
      if (expression.kind !== "list" || expression.elements.length === 0) {
        return mismatch(expression, reader, description);
      }
      const element = "a number with a unit, such as `30 epochs`";
      const read = expression.elements.map((item) => readDuration(item, reader, element));
      return read.every((value) => value !== undefined) ? read : undefined;
    },
  };
}

function readDuration(
  expression: Expression,
  reader: ArgumentReader,
  description: string,
): Duration | undefined {
  if (expression.kind !== "number") return mismatch(expression, reader, description);
  const unit = unitOf(expression);
  if (!unit) return missingUnit(expression, reader, description);
  if (expression.value > 0) return { count: expression.value, unit };
  return reader.reporter.report("NET1010", {
    message: `${reader.subject} must be longer than 0 ${unit}`,
    span: expression.span,
  });
}

function unitOf({ unit }: NumberLiteral): Duration["unit"] | undefined {
  if (unit?.name === "epochs" || unit?.name === "epoch") return "epochs";
  return unit?.name === "steps" || unit?.name === "step" ? "steps" : undefined;
}

function missingUnit(literal: NumberLiteral, reader: ArgumentReader, description: string) {
  const written = literal.unit ? `${literal.value} ${literal.unit.name}` : `${literal.value}`;
  return reader.reporter.report("NET1009", {
    message: `${reader.subject} must be ${description}, not \`${written}\``,
    span: literal.span,
    fixes: (["epochs", "steps"] as const).map((unit) => ({
      title: `write \`${literal.value} ${unit}\``,
      edits: [{ span: literal.span, newText: `${literal.value} ${unit}` }],
    })),
  });
}

// As a spec writes them

export const writeList = (values: readonly (string | number)[]): string => `[${values.join(", ")}]`;

/** A list of one is written as its number. */
function writeNumbers(values: readonly number[]): string {
  return values.length === 1 ? `${values[0]}` : writeList(values);
}

function writePadding({ top, bottom, left, right }: Padding): string {
  if (top !== bottom || left !== right) return writeList([top, bottom, left, right]);
  return top === left ? `${top}` : writeList([top, left]);
}

function writeDuration({ count, unit }: Duration): string {
  return count === 1 ? `1 ${unit.slice(0, -1)}` : `${count} ${unit}`;
}

// Shared

const MISMATCH = Symbol("not of the argument's type");

/** A value that is of the type, but outside of its range. */
class OutOfRange {
  constructor(
    readonly value: number,
    readonly limit: string,
  ) {}
}

/** Evaluates a constant and hands it to `accept`; reports what that refuses. */
function readConstant<Value>(
  expression: Expression,
  reader: ArgumentReader,
  description: string,
  accept: (constant: Constant) => Value | OutOfRange | typeof MISMATCH,
): Value | undefined {
  if (!isConstant(expression)) return mismatch(expression, reader, description);
  const constant = evaluate(expression, reader);
  if (!constant) return undefined;
  const accepted = accept(constant);
  if (accepted === MISMATCH) {
    const asList: Constant = { ...constant, kind: "list" } as Constant;
    const isTuple = constant.kind === "tuple" && accept(asList) !== MISMATCH;
    const fixes = isTuple ? [replaceWith(expression, writeConstant(asList))] : [];
    return mismatch(expression, reader, description, describeConstant(constant), { fixes });
  }
  if (!(accepted instanceof OutOfRange)) return accepted;
  return reader.reporter.report("NET1010", {
    message: `${reader.subject} must be ${accepted.limit}, not ${formatConstant(constant)}`,
    span: expression.span,
  });
}

const replaceWith = ({ span }: Expression, newText: string): Fix => ({
  title: `write \`${newText}\``,
  edits: [{ span, newText }],
});

function isConstant(expression: Expression): boolean {
  if (expression.kind === "call") return isFunction(expression.callee.name);
  return expression.kind !== "pattern" && expression.kind !== "sequence";
}

/** Reports an argument of the wrong type. */
export function mismatch(
  expression: Expression,
  reader: ArgumentReader,
  description: string,
  found = describeExpression(expression),
  help: Partial<Pick<DiagnosticDetails, "notes" | "fixes">> = {},
): undefined {
  return reader.reporter.report("NET1009", {
    message: `${reader.subject} must be ${description}, not ${found}`,
    span: expression.span,
    ...help,
  });
}

function describeExpression(expression: Expression): string {
  switch (expression.kind) {
    case "call":
      return `a call of \`${expression.callee.name}\``;
    case "name":
      return `the name \`${expression.name}\``;
    case "pattern":
      return `the name \`${expression.segments.join(".")}\``;
    case "number":
      return `the number ${expression.value}`;
    case "string":
      return describeConstant(expression);
    case "boolean":
      return `\`${expression.value}\``;
    case "list":
      return "a list";
    case "sequence":
      return "a sequence of calls";
    default:
      return "a computed number";
  }
}

function integersOf(constant: Constant): readonly number[] | undefined {
  const elements = constant.kind === "list" ? constant.elements : [constant];
  if (elements.length === 0) return undefined;
  const integers = elements.flatMap((item) => (item.kind === "integer" ? [item.value] : []));
  return integers.length === elements.length ? integers : undefined;
}

/** Kernels compute in 32 bits: what is beyond is infinite there, what is below may be 0. */
const LARGEST_FLOAT = 3.4028234663852886e38;
const SMALLEST_FLOAT = 1.1754943508222875e-38;

function inRange(value: number, range: NumberRange): number | OutOfRange {
  if (Math.abs(value) > LARGEST_FLOAT) {
    return new OutOfRange(value, "at most 3.4e38 in size, the largest 32-bit number");
  }
  if (range.above === 0 && value > 0 && value < SMALLEST_FLOAT) {
    return new OutOfRange(value, "at least 1.2e-38, the smallest 32-bit number");
  }
  const { minimum = -Infinity, maximum = Infinity, above = -Infinity, below = Infinity } = range;
  const isInside = value >= minimum && value <= maximum && value > above && value < below;
  return isInside || Number.isNaN(value) ? value : new OutOfRange(value, limitText(range));
}

function allInRange<Values extends readonly number[]>(
  values: Values,
  range: NumberRange,
): Values | OutOfRange {
  const wrong = values.map((value) => inRange(value, range)).find((v) => v instanceof OutOfRange);
  return wrong ?? values;
}

/** `at least 1`, `from 0 to 1`, `at least 0 and below 1`. */
function limitText({ minimum, maximum, above, below }: NumberRange): string {
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  const parts = [
    minimum === undefined ? undefined : `at least ${minimum}`,
    above === undefined ? undefined : `above ${above}`,
    maximum === undefined ? undefined : `at most ${maximum}`,
    below === undefined ? undefined : `below ${below}`,
  ];
  return parts.filter((part) => part !== undefined).join(" and ");
}

function rangeText(range: NumberRange): string {
  const text = limitText(range);
  return text ? ` ${text}` : "";
}

function describeRange(noun: string, range: NumberRange): string {
  const text = limitText(range);
  return noun + (text.startsWith("at") ? ` of ${text}` : rangeText(range));
}
