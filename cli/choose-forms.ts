/** The smallest form of each weight with which a network loses no more accuracy than is allowed. */
import type { Form } from "../interchange/weights/shrink.js";

/** What an evaluation says of a choice: a share, 0 to 1, and the loss. */
export interface Score {
  readonly accuracy: number;
  readonly loss: number;
}

export interface ChoiceOptions {
  /** Of the weights that can be made smaller: numbers in each. */
  readonly weights: ReadonlyMap<string, number>;
  /** With the f32 weights. */
  readonly original: Score;
  /** Points of accuracy, 0 to 100, that may be lost. */
  readonly target: number;
  /** Evaluates the network with these forms. */
  readonly measure: (forms: Forms, what: string) => Promise<Score>;
}

/** By the weight's name. */
export type Forms = ReadonlyMap<string, Form>;

const SMALLER: Readonly<Record<Form, Form | undefined>> = {
  f32: "f16",
  f16: "u8",
  u8: "u4",
  u4: undefined,
};
const BITS: Readonly<Record<Form, number>> = { f32: 32, f16: 16, u8: 8, u4: 4 };

/**
 * All weights get the smallest form that keeps to the target when they all have it. Then those that
 * raise the loss the least for what they save get the next smaller one, as many as keep to the
 * target when measured together.
 */
export async function chooseForms(options: ChoiceOptions): Promise<Forms> {
  const { weights } = options;
  const { form, score } = await smallestForAll(options);
  const smaller = SMALLER[form];
  const all = allAs(weights, form);
  if (!smaller) return all;
  const order = await bySensitivity(options, { all, smaller, loss: score.loss });
  const withFirst = (count: number): Forms =>
    new Map([...all, ...order.slice(0, count).map((name) => [name, smaller] as const)]);
  // All of them are known to be too many: `smallestForAll` has measured that.
  let [most, tooMany] = [0, order.length];
  while (tooMany - most > 1) {
    const count = (most + tooMany) >> 1;
    const score = await options.measure(withFirst(count), `${count} weights as ${smaller}`);
    if (isWithin(options, score)) most = count;
    else tooMany = count;
  }
  return withFirst(most);
}

const allAs = (weights: ReadonlyMap<string, number>, form: Form): Forms =>
  new Map([...weights.keys()].map((name) => [name, form]));

async function smallestForAll(
  options: ChoiceOptions,
): Promise<{ readonly form: Form; readonly score: Score }> {
  for (const form of ["u4", "u8", "f16"] as const) {
    const score = await options.measure(allAs(options.weights, form), `all as ${form}`);
    if (isWithin(options, score)) return { form, score };
  }
  return { form: "f32", score: options.original };
}

/** Rounded, so that a share of examples equal to the target keeps to it. */
const isWithin = ({ original, target }: ChoiceOptions, { accuracy }: Score): boolean =>
  100 * (original.accuracy - accuracy) <= target + 1e-9;

interface Base {
  readonly all: Forms;
  readonly smaller: Form;
  /** With the forms of `all`. */
  readonly loss: number;
}

/** Names of the weights, that first which raises the loss the least for the bits that it saves. */
async function bySensitivity(
  { weights, measure }: ChoiceOptions,
  { all, smaller, loss: before }: Base,
): Promise<readonly string[]> {
  const costs: (readonly [name: string, cost: number])[] = [];
  for (const [name, numbers] of weights) {
    const { loss } = await measure(new Map([...all, [name, smaller]]), `${name} as ${smaller}`);
    const saved = numbers * (BITS[all.get(name)!] - BITS[smaller]);
    costs.push([name, (loss - before) / saved]);
  }
  return costs.toSorted(([, a], [, b]) => a - b).map(([name]) => name);
}
