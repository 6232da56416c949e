/** Examples for commands that run a network without its data. */
import type { Program } from "../program/program.js";
import { threefry, toUnit } from "../program/random.js";
import type { Targets } from "../runtime/examples.js";

export interface Examples {
  readonly images: Float32Array;
  readonly targets: Targets;
}

/**
 * Images, and numbers to compare with, of -1 to 1, and labels of all classes in turn: always the
 * same.
 */
export function randomExamples(program: Program, count: number): Examples {
  const { channels, height, width } = program.input;
  const images = randomValues(count * channels * height * width, 1);
  return { images, targets: randomTargets(program, count) };
}

function randomTargets({ targets, classes }: Program, count: number): Targets {
  if (targets)
    return randomValues(
      targets.shape.reduce((size, axis) => size * axis, count),
      2,
    );
  if (classes === undefined) return undefined;
  return Uint32Array.from({ length: count }, (_, index) => (index * 7) % classes);
}

function randomValues(count: number, stream: number): Float32Array {
  const values = new Float32Array(count);
  for (let index = 0; index < count; index += 2) {
    const [first, second] = threefry(stream, 0, index, 0);
    values[index] = 2 * toUnit(first) - 1;
    if (index + 1 < count) values[index + 1] = 2 * toUnit(second) - 1;
  }
  return values;
}
