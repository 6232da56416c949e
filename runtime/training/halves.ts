/** Numbers to 16 bits and back, many at a time. */
import { floatOf } from "../../program/half.js";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * The 16 bits of a number of a magnitude below the largest half, rounded to the nearest, halfway to
 * the even one.
 */
export function encodeHalf(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const size = word & 0x7fffffff;
  // Below 2^-14 halves are whole multiples of 2^-24, which the sum with 0.5 rounds to.
  if (size < 0x38800000) {
    float[0] = Math.abs(value) + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  const odd = (size >>> 13) & 1;
  return sign | ((size - 0x38000000 + 0xfff + odd) >>> 13);
}

let table: Float32Array | undefined;

/** The numbers that halves represent. */
export function decodeHalves(halves: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 2 ** 16 }, (_, code) => floatOf(code));
  const floats = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) floats[index] = table[halves[index]!]!;
  return floats;
}
