/**
 * Numbers that are the same here and in make_expected.py, bit for bit, without being stored: each
 * element of a tensor comes from an integer hash of the tensor's name and the element's index.
 */

/** Mixes the bits of a 32-bit word (Wellons' "lowbias32", a bijection). */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}

/** FNV-1a of a name: the key of a tensor. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** A 32-bit word for an element of a stream. */
export function wordAt(stream: number, index: number): number {
  return mix((mix(index) + stream) >>> 0);
}

/** Values in [-scale, scale): 24 random bits times the scale, rounded once to f32. */
export function uniformValues(name: string, length: number, scale: number): Float32Array {
  const stream = streamOf(name);
  const factor = Math.fround(scale);
  return Float32Array.from({ length }, (_, index) => {
    const unit = ((wordAt(stream, index) >>> 8) - 8388608) / 8388608;
    return unit * factor;
  });
}

/** Scales and running variances are vectors that lie around 1. */
const isAroundOne = (name: string, shape: readonly number[]) =>
  shape.length === 1 && /\.(weight|running_var)$/.test(name);

/**
 * Weights with He's bound sqrt(6 / fan in), so that activations keep their size; small biases;
 * scales in [0.5, 1.5).
 */
export function parameterValues(name: string, shape: readonly number[]): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  if (isAroundOne(name, shape)) return uniformValues(name, length, 0.5).map((value) => 1 + value);
  const scale = shape.length === 1 ? 0.1 : Math.sqrt(6 / (length / shape[0]!));
  return uniformValues(name, length, scale);
}

export function labelValues(name: string, count: number, classes: number): Uint32Array {
  const stream = streamOf(name);
  return Uint32Array.from({ length: count }, (_, index) => wordAt(stream, index) % classes);
}
