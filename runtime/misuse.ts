/** Arrays that are probably not what the network reads. Loaded with a network's first array. */
import type { Program } from "../program/program.js";

/**
 * Warns of images whose values look like bytes, 0 to 255, or like RGBA pixels, one after the other.
 * `values` are the first of the first input.
 */
export function warnOfMisuse(
  program: Program,
  values: Float32Array,
  warn: (message: string) => unknown,
): void {
  // Inputs are first.
  const [{ name, shape, axes }] = program.tensors as [Program["tensors"][number]];
  if (axes.length < 3) return;
  const size = shape.join(" x ");
  if (areBytes(values) && largestOf(values) > largestInput(program)) {
    warn(
      `\`${name}\` holds whole numbers up to ${largestOf(values)}, like bytes of pixels: ` +
        "expected values from 0 to 1, after the transforms of the eval split " +
        "(pass pictures, which netc prepares itself)",
    );
  }
  if (!areRgba(values)) return;
  warn(
    `every fourth value of \`${name}\` is ${values[3]}, like the alpha of RGBA pixels: expected ` +
      `${size} values an image, all rows of the first channel, then those of the next (NCHW)`,
  );
}

const largestOf = (values: Float32Array) => values.reduce((a, b) => Math.max(a, b), 0);

const areBytes = (values: Float32Array) =>
  values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255);

/** What white becomes by the eval split; twice that, for other normalizations of the user. */
function largestInput({ preparations }: Program): number {
  const normalize = preparations?.eval?.transforms.find(({ kind }) => kind === "normalize");
  if (normalize?.kind !== "normalize") return 2;
  const white = normalize.mean.map((mean, channel) => (1 - mean) / normalize.std[channel]!);
  return 2 * Math.max(1, ...white);
}

/** Whether the fourth of four values alone is always that of an opaque pixel. */
function areRgba(values: Float32Array): boolean {
  const alpha = values[3];
  if (alpha !== 1 && alpha !== 255) return false;
  const varies = [0, 1, 2].every((channel) =>
    values.some((value, index) => index % 4 === channel && value !== alpha),
  );
  return varies && values.every((value, index) => index % 4 < 3 || value === alpha);
}
