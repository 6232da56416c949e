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
  const floats = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) floats[index] = floatOf(bits[index]!);
  return floats;
}

// One number as an f32 and as an f64, and the words of their bits: little-endian, as WebGPU is.
const SINGLE = /* @__PURE__ */ new Float32Array(1);
const SINGLE_WORD = /* @__PURE__ */ new Uint32Array(SINGLE.buffer);
const DOUBLE = /* @__PURE__ */ new Float64Array(1);
const DOUBLE_WORDS = /* @__PURE__ */ new Uint32Array(DOUBLE.buffer);

/** The number that 16 bits represent. */
export function floatOf(bits: number): number {
  // The same exponent means less by 2^112 in 32 bits; all ones mean infinity or NaN in both.
  const special = (bits & 0x7c00) === 0x7c00 ? 0x70000000 : 0;
  SINGLE_WORD[0] = ((bits & 0x8000) << 16) | ((bits & 0x7fff) << 13) | special;
  return SINGLE[0]! * 2 ** 112;
}

/**
 * A number as 16 bits store it, to the nearest, halfway to the even one; beyond the largest,
 * infinity.
 */
export const roundToHalf = (value: number): number => floatOf(halfOf(value));

/** The 16 bits of numbers, rounded to the nearest. */
export function halvesOf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) halves[index] = halfOf(values[index]!);
  return halves;
}

/** The 16 bits of a number, rounded to the nearest, halfway to the even one. */
function halfOf(value: number): number {
  DOUBLE[0] = value;
  const [low, high] = [DOUBLE_WORDS[0]!, DOUBLE_WORDS[1]!];
  const sign = (high >>> 16) & 0x8000;
  const exponent = ((high >>> 20) & 0x7ff) - 1023;
  const fraction = high & 0xfffff;
  if (exponent > 15) return Number.isNaN(value) ? 0x7e00 : sign | 0x7c00;
  if (exponent < -25) return sign;
  // Below the smallest normal number, the leading one is a digit as others.
  const isNormal = exponent >= -14;
  const significand = isNormal ? ((exponent + 15) << 20) | fraction : 0x100000 | fraction;
  const shift = isNormal ? 10 : -4 - exponent;
  const cut = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  const isUp = rest > middle || (rest === middle && (low !== 0 || (cut & 1) === 1));
  // A carry goes into the exponent, up to infinity.
  return sign | (cut + Number(isUp));
}
