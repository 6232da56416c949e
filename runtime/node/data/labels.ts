/** What a label in a file means. All sources follow this one rule. */
import type { TableFacts } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";

/** What labels must agree with. */
export interface LabelRules {
  /** Class names of training, in the order of their numbers. */
  readonly classes?: readonly string[] | undefined;
  /** How many classes the network has. */
  readonly classCount?: number | undefined;
  /** What the columns of the table that is trained on are. */
  readonly table?: TableFacts | undefined;
  /** Whether it is not a table that is trained on. */
  readonly isEvaluation?: boolean;
  /** Receives what the user should know although nothing is wrong. */
  readonly onNotice?: ((notice: string) => void) | undefined;
}

/** Labels as they were found, and what messages say of them. */
export interface FoundLabels {
  /** The data set. */
  readonly name: string;
  readonly texts: readonly string[];
  /** Where a label was found. */
  readonly placeOf: (index: number) => string;
  /** Names that the source gives to class numbers. */
  readonly names?: readonly string[] | undefined;
}

export interface NumberedLabels {
  /** Class names in the order of their numbers. */
  readonly classes: readonly string[];
  /** A class number for each label. */
  readonly numbers: Uint32Array;
}

/**
 * Class numbers for labels.
 *
 * - Labels that are all numbers (`3`, `3.0`, `03`) are class numbers, which count from 0.
 * - Other labels are names, numbered in sorted order.
 * - Where training has class names, labels follow those: a name by its name, a number by its name
 *   or, where no class of training has a number for its name, by its position.
 *
 * Throws a DataError, which says where, for a label that is empty, negative or a fraction, a number
 * that is too large, and a class that training does not have.
 */
export function numberLabels(found: FoundLabels, rules: LabelRules): NumberedLabels {
  refuseNoLabel(found);
  const numbers = found.texts.map(Number);
  if (!found.texts.every(isNumber)) return byName(found, rules);
  refuseWrongNumbers(found, numbers, rules);
  if (found.names) return byGivenNames(found, numbers, { ...rules, names: found.names });
  if (rules.classes) return byClassesOfTraining(found, numbers, rules.classes, rules);
  return { classes: countedNames(numbers), numbers: Uint32Array.from(numbers) };
}

/**
 * Class numbers for labels that a spec lists, in this order; numbers are the same in another form
 * (`1`, `1.0`). Throws a DataError, which says where, for a label that is not in the list.
 */
export function numberListed(
  { name, texts, placeOf }: FoundLabels,
  listed: readonly string[],
  { classes = listed }: LabelRules,
): NumberedLabels {
  refuseUnknownClasses(name, listed, classes);
  const numberOf = new Map(listed.map((each) => [canonical(each), classes.indexOf(each)]));
  const numbers = texts.map((text) => numberOf.get(canonical(text)) ?? -1);
  const wrong = numbers.indexOf(-1);
  if (wrong >= 0) {
    throw new DataError(
      `${placeOf(wrong)}: the label is ${texts[wrong]}, which is not in the list of classes`,
      `\`classes\` lists ${listed.slice(0, 5).join(", ")}${listed.length > 5 ? ", ..." : ""}`,
    );
  }
  return { classes, numbers: Uint32Array.from(numbers) };
}

const canonical = (text: string) => (isNumber(text) ? String(Number(text)) : text);

/** Class numbers for names, whatever they look like. Throws a DataError as `numberLabels` does. */
export function numberNames(
  name: string,
  names: readonly string[],
  classes: readonly string[] | undefined,
): NumberedLabels {
  const texts = names;
  return byName({ name, texts, placeOf: () => name }, { classes: classes ?? names });
}

/** More classes than this are reported as a mistake: an identifier in the place of a label. */
const MOST_CLASSES = 1_000_000;

const isNumber = (text: string) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);

/** Empty labels and negative numbers, which mean "no label". */
function refuseNoLabel({ texts, placeOf }: FoundLabels): void {
  const index = texts.findIndex((text) => text === "" || /^-\d*[1-9]\d*(\.0*)?$/.test(text));
  if (index < 0) return;
  const text = texts[index]!;
  throw new DataError(
    `${placeOf(index)}: the label is ${text === "" ? "empty" : `${text}, which means "no label"`}`,
    text === ""
      ? "give each example a class number or a class name"
      : "test sets are often published without labels: evaluate on another split",
  );
}

function refuseWrongNumbers(
  { texts, placeOf, names }: FoundLabels,
  numbers: readonly number[],
  { classCount }: LabelRules,
): void {
  const fraction = numbers.findIndex((number) => !Number.isInteger(number));
  if (fraction >= 0) {
    throw new DataError(
      `${placeOf(fraction)}: the label is ${texts[fraction]}, which is not a whole number`,
      "class numbers are whole numbers from 0",
    );
  }
  const most = names?.length ?? Math.min(MOST_CLASSES, classCount ?? MOST_CLASSES);
  const large = numbers.findIndex((number) => number >= most);
  if (large < 0) return;
  const reason = names
    ? `the file names ${most} classes`
    : most === classCount
      ? `the network has ${most} classes`
      : `at most ${MOST_CLASSES} classes are possible`;
  throw new DataError(
    `${placeOf(large)}: the label is ${texts[large]}, but ${reason}: 0 to ${most - 1}`,
    tooLargeHint(numbers, names === undefined && most === classCount),
  );
}

function tooLargeHint(numbers: readonly number[], mayAddClasses: boolean): string | undefined {
  const lowest = numbers.reduce((least, number) => Math.min(least, number));
  const highest = numbers.reduce((most, number) => Math.max(most, number));
  if (highest >= MOST_CLASSES) {
    return "if these are names rather than numbers, start each with a letter";
  }
  const more = `give the model ${highest + 1} classes: \`of Model(classes=${highest + 1})\``;
  if (lowest === 0) return mayAddClasses ? more : undefined;
  const counting = `class numbers count from 0, but these are ${lowest} to ${highest}`;
  return `${counting}: subtract ${lowest} from each${mayAddClasses ? `, or ${more}` : ""}`;
}

/** `0`, `1` and so on, up to the highest number. */
function countedNames(numbers: readonly number[]): string[] {
  const highest = numbers.reduce((most, number) => Math.max(most, number), -1);
  return Array.from({ length: highest + 1 }, (_, number) => String(number));
}

const isCounted = (classes: readonly string[]) =>
  classes.every((name, number) => name === String(number));

function byName({ name, texts }: FoundLabels, { classes }: LabelRules): NumberedLabels {
  const found = [...new Set(texts)].sort();
  const known = classes ?? found;
  refuseUnknownClasses(name, found, known);
  const numberOf = new Map(known.map((each, number) => [each, number]));
  return { classes: known, numbers: Uint32Array.from(texts, (text) => numberOf.get(text)!) };
}

/** Numbers that the source names follow training's names, if those are not mere numbers. */
function byGivenNames(
  { name }: FoundLabels,
  numbers: readonly number[],
  { names, classes }: LabelRules & { readonly names: readonly string[] },
): NumberedLabels {
  const known = classes ?? names;
  if (isCounted(known) && names.length <= known.length) {
    return { classes: known, numbers: Uint32Array.from(numbers) };
  }
  refuseUnknownClasses(name, names, known);
  const positions = names.map((each) => known.indexOf(each));
  return { classes: known, numbers: Uint32Array.from(numbers, (number) => positions[number]!) };
}

function byClassesOfTraining(
  found: FoundLabels,
  numbers: readonly number[],
  classes: readonly string[],
  rules: LabelRules,
): NumberedLabels {
  const positions = new Map<number, number>();
  classes.forEach((name, at) => {
    if (isNumber(name)) positions.set(Number(name), at);
  });
  const names = countedNames(numbers);
  if (isCounted(classes)) {
    const longer = names.length > classes.length ? names : classes;
    return { classes: longer, numbers: Uint32Array.from(numbers) };
  }
  if (positions.size === 0) return byPosition(found, numbers, classes, rules);
  const unknown = [...new Set(numbers)].filter((number) => !positions.has(number));
  refuseUnknownClasses(found.name, unknown.sort((a, b) => a - b).map(String), []);
  return { classes, numbers: Uint32Array.from(numbers, (number) => positions.get(number)!) };
}

function byPosition(
  { name, texts, placeOf }: FoundLabels,
  numbers: readonly number[],
  classes: readonly string[],
  { onNotice }: LabelRules,
): NumberedLabels {
  const beyond = numbers.findIndex((number) => number >= classes.length);
  if (beyond >= 0) {
    const known = `${classes.length} classes: 0 to ${classes.length - 1}`;
    throw new DataError(
      `${placeOf(beyond)}: the label is ${texts[beyond]}, but training has ${known}`,
      "the classes of all splits need the same numbers or names",
    );
  }
  onNotice?.(
    `${name} has numbers for labels where training has names: ${examplesOf(classes)} are assumed`,
  );
  return { classes, numbers: Uint32Array.from(numbers) };
}

function examplesOf(classes: readonly string[]): string {
  const shown = classes.slice(0, 3).map((name, number) => `${number} = ${name}`);
  return shown.join(", ") + (classes.length > shown.length ? " and so on" : "");
}

/** Throws a DataError for classes that training does not have. */
function refuseUnknownClasses(
  name: string,
  found: readonly string[],
  classes: readonly string[],
): void {
  const known = new Set(classes);
  const unknown = found.filter((each) => !known.has(each));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).join(", ") + (unknown.length > 5 ? ", ..." : "");
  const many = unknown.length === 1 ? "a class" : `${unknown.length} classes`;
  throw new DataError(
    `${name} has ${many} that training does not have: ${names}`,
    "the classes of all splits need the same names",
  );
}
