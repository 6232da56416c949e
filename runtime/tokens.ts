/** Inputs of tokens. Loaded with a program that has some. */
import type { Program, ProgramTensor } from "../program/program.js";
import { sizeOf, tensorsOf } from "../program/tensors.js";
import { InputError } from "./errors.js";
import type { Inputs, Tokens } from "./examples.js";
import type { Given } from "./pictures/picture.js";

/**
 * Copies of what a program's calls are given, with tokens as the device takes them: the bits of
 * 32-bit integers in an array like those of numbers. Throws InputError for what is not a token.
 */
export const readerOf =
  (program: Pick<Program, "tensors">) =>
  (given: Given): Given => {
    const inputs = tensorsOf(program, "input");
    const [first, ...others] = inputs as [ProgramTensor, ...ProgramTensor[]];
    if (!isNamed(given) || (others.length === 0 && !(first.name in given))) {
      // Of several inputs, a call without names is refused by the checks of all inputs.
      return others.length > 0 ? given : readTokens(first, given);
    }
    const own = Object.entries(given).map(([name, values]) => {
      const tensor = inputs.find((each) => each.name === name);
      if (tensor?.dtype === "u32") return [name, readTokens(tensor, values)];
      return [name, values instanceof Float32Array ? values.slice() : values];
    });
    return Object.fromEntries(own) as Inputs;
  };

const isNamed = (given: unknown): given is Readonly<Record<string, unknown>> =>
  given instanceof Object && Object.getPrototypeOf(given) === Object.prototype;

/**
 * Throws InputError for a wrong length and for what is not a token. Tables of numbers give floats.
 */
function readTokens({ name, shape, classes }: ProgramTensor, given: unknown): Float32Array {
  if (!isArray(given)) {
    throw new InputError(
      `\`${name}\` must be a Uint32Array or an Int32Array, not ${kindOf(given)}`,
    );
  }
  const each = sizeOf(shape);
  if (given.length === 0 || given.length % each > 0) {
    throw new InputError(
      `\`${name}\` has ${given.length} tokens: expected ${each} for each example`,
    );
  }
  const { count } = classes!;
  for (let index = 0; index < given.length; index++) {
    const token = given[index]!;
    if (Number.isInteger(token) && token >= 0 && token < count) continue;
    const example = Math.floor(index / each);
    const place =
      shape.length > 0 ? `token ${index % each} of example ${example}` : `token ${index}`;
    throw new InputError(
      `\`${name}\`: ${place} is ${token}: tokens are integers from 0 to ${count - 1}`,
    );
  }
  return new Float32Array(Uint32Array.from(given).buffer);
}

const isArray = (given: unknown): given is Tokens | Float32Array =>
  given instanceof Uint32Array || given instanceof Int32Array || given instanceof Float32Array;

/** `describe` of other checks would be one more file that each page loads. */
const kindOf = (given: unknown): string => Object.prototype.toString.call(given).slice(8, -1);
