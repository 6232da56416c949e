// Numbers that look random and are the same for everyone.

export function mix(word) {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}

/** Values in [-scale, scale), from a hash of the stream and the index. */
export function uniform(stream, length, scale) {
  const key = mix(stream);
  const values = new Float32Array(length);
  for (let index = 0; index < length; index++) {
    values[index] = (mix((mix(index) + key) >>> 0) / 2 ** 31 - 1) * scale;
  }
  return values;
}
