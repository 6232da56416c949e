/**
 * Numbers of 16 bits (IEEE 754 binary16): a sign, five bits of exponent and ten of fraction. Node
 * 20 has no Float16Array.
 */

/** The largest of them that is finite. */
export const LARGEST_HALF = 65504;

/** The smallest that keeps all its digits; a device may take those below for 0. */
export const SMALLEST_NORMAL_HALF = 2 ** -14;

/**
 * Relative distance of one from the next: rounding to the nearest is wrong by half of it at most,
 * cutting off by all of it.
 */
export const HALF_EPSILON = 2 ** -10;

/** The numbers that halves represent. */
export function floatsOf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, floatOf);
}

/** The number that 16 bits represent. */
export function floatOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * A number as 16 bits store it, to the nearest, halfway to the even one; beyond the largest,
 * infinity.
 */
export function roundToHalf(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
  const unit = 2 ** (exponent - 10);
  const rounded = roundToEven(value / unit) * unit;
  return Math.abs(rounded) > LARGEST_HALF ? Math.sign(value) * Infinity : rounded;
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** The 16 bits of numbers, rounded to the nearest. */
export function halvesOf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, (value) => bitsOf(roundToHalf(value)));
}

/** Of a number that 16 bits hold exactly. */
function bitsOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  if (size < SMALLEST_NORMAL_HALF) return sign | (size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}
