/**
 * Whether no value is infinite or NaN. Runs over all images of every step, so it takes no branch
 * for an element: sums keep NaN and infinities, and those of finite f32 are finite in JavaScript's
 * doubles. Eight at a time, summed in pairs, wait little for each other.
 */
export function areFinite(values: Float32Array): boolean {
  const end = values.length - (values.length % 8);
  let [left, right] = [0, 0];
  for (let index = 0; index < end; index += 8) {
    left += values[index]! + values[index + 1]! + (values[index + 2]! + values[index + 3]!);
    right += values[index + 4]! + values[index + 5]! + (values[index + 6]! + values[index + 7]!);
  }
  for (let index = end; index < values.length; index++) left += values[index]!;
  return Number.isFinite(left + right);
}
