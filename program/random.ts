/**
 * The counter-based random generator of kernels, initializers, shuffles and augmentation:
 * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
 * 2011). The same key and counter give the same bits on every machine, so nothing has to be stored
 * to resume a run. The WGSL twin is compiler/kernels/random.ts.
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Two 32-bit words for a key of two words and a counter of two words. */
export function threefry(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
): [number, number] {
  const keys = [key0, key1, (key0 ^ key1 ^ PARITY) >>> 0] as const;
  let x = (counter0 + key0) >>> 0;
  let y = (counter1 + key1) >>> 0;
  for (let round = 0; round < 20; round++) {
    const rotation = ROTATIONS[round % 8]!;
    x = (x + y) >>> 0;
    y = (((y << rotation) | (y >>> (32 - rotation))) ^ x) >>> 0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x = (x + keys[injection % 3]!) >>> 0;
      y = (y + keys[(injection + 1) % 3]! + injection) >>> 0;
    }
  }
  return [x, y];
}

/** The upper 24 bits of a word as a number in [0, 1). Exact in f32. */
export function toUnit(word: number): number {
  return (word >>> 8) / 16777216;
}
