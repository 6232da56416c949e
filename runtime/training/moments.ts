/** Means and variances of several parts of the same channels, put together. */

/**
 * Parts of the layout `moments` of `SharedBuffer`, one after the other, as one of them (Chan, Golub
 * and LeVeque, "Algorithms for computing the sample variance", 1983). A part of no values counts
 * nothing.
 */
export function joinMoments(parts: Float32Array, words: number): Float32Array {
  const channels = (words - 4) / 2;
  const joined = {
    count: 0,
    means: new Float64Array(channels),
    squares: new Float64Array(channels),
  };
  for (let start = 0; start < parts.length; start += words) {
    const part = parts.subarray(start, start + words);
    const count = part.at(-1)!;
    if (count === 0) continue;
    const all = joined.count + count;
    for (let channel = 0; channel < channels; channel++) {
      const distance = part[channel]! - joined.means[channel]!;
      joined.means[channel]! += (distance * count) / all;
      joined.squares[channel]! +=
        part[channels + channel]! + (distance * distance * joined.count * count) / all;
    }
    joined.count = all;
  }
  const result = new Float32Array(words).fill(joined.count, words - 4);
  result.set(joined.means);
  result.set(joined.squares, channels);
  return result;
}
