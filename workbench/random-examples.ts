/** Examples for commands that run a network without its data. */
import { BOX_NUMBERS } from "../program/boxes.js";
import type { Program, ProgramTensor } from "../program/program.js";
import { threefry, toUnit } from "../program/random.js";
import { sizeOf, tensorsOf } from "../program/tensors.js";
import type { Targets } from "../runtime/examples.js";

type NumbersOrTokens = Float32Array | Uint32Array;

export interface Examples {
  readonly images: NumbersOrTokens | Readonly<Record<string, NumbersOrTokens>>;
  readonly targets: Targets;
  /** What predictions are given in place of the images, where that is not the same. */
  readonly given?: NumbersOrTokens | Readonly<Record<string, NumbersOrTokens>> | undefined;
}

/** The examples for a list. */
export const examplesFor = (list: string, { given, ...examples }: Examples): Examples =>
  list === "predict" && given ? { ...examples, images: given } : examples;

/**
 * Inputs, and numbers to compare with, of -1 to 1, tokens of all kinds, and labels of all classes
 * in turn: always the same. By name where a program has several inputs or targets.
 */
export function randomExamples(program: Program, count: number): Examples {
  const inputs = tensorsOf(program, "input");
  const targets = tensorsOf(program, "target");
  const predicted = program.uses.predict.reads.map((index) => program.tensors[index]!);
  const isOther = predicted.some(({ role }) => role === "noise");
  return {
    images: onlyOrNamed(inputs, (tensor, place) => randomInput(tensor, count, 1 + 2 * place))!,
    targets: onlyOrNamed(targets, (tensor, place) => randomTarget(tensor, count, 2 + 2 * place)),
    given: isOther
      ? onlyOrNamed(predicted, (tensor, place) => randomInput(tensor, count, 101 + 2 * place))
      : undefined,
  };
}

function onlyOrNamed<Values>(
  tensors: readonly ProgramTensor[],
  make: (tensor: ProgramTensor, place: number) => Values,
): Values | Readonly<Record<string, Values>> | undefined {
  const made = tensors.map((tensor, place) => [tensor.name, make(tensor, place)] as const);
  return made.length > 1 ? Object.fromEntries(made) : made[0]?.[1];
}

const randomNumbers = ({ shape }: ProgramTensor, count: number, stream: number) =>
  randomValues(count * sizeOf(shape), stream);

function randomInput(tensor: ProgramTensor, count: number, stream: number): NumbersOrTokens {
  const numbers = randomNumbers(tensor, count, stream);
  const { classes, dtype } = tensor;
  if (dtype === "f32" || !classes) return numbers;
  const last = classes.count - 1;
  return Uint32Array.from(numbers, (value) => Math.round(((value + 1) / 2) * last));
}

function randomTarget(tensor: ProgramTensor, count: number, stream: number) {
  const { classes, shape } = tensor;
  if (tensor.boxClasses !== undefined) return randomBoxes(tensor, count, stream);
  if (!classes) return randomNumbers(tensor, count, stream);
  const { count: kinds, ignore } = classes;
  return Uint32Array.from({ length: count * sizeOf(shape) }, (_, index) =>
    ignore !== undefined && index % 11 === 5 ? ignore : (index * 7) % kinds,
  );
}

/** Boxes of all classes in turn, and no box in every fourth place. */
const randomBoxes = (tensor: ProgramTensor, count: number, stream: number) =>
  randomNumbers(tensor, count, stream).map((value, index) => {
    const place = Math.floor(index / BOX_NUMBERS);
    if (index % BOX_NUMBERS > 0) return Math.abs(value);
    return place % 4 === 3 ? -1 : place % tensor.boxClasses!;
  });

function randomValues(count: number, stream: number): Float32Array {
  const values = new Float32Array(count);
  for (let index = 0; index < count; index += 2) {
    const [first, second] = threefry(stream, 0, index, 0);
    values[index] = 2 * toUnit(first) - 1;
    if (index + 1 < count) values[index + 1] = 2 * toUnit(second) - 1;
  }
  return values;
}
