/** Which lines of two texts differ, by their longest common subsequence. */

export interface DifferentLine {
  readonly side: "first" | "second";
  /** From 1, in its own text. */
  readonly line: number;
  readonly text: string;
}

/** Lines that only one text has, in order; what is taken out comes before what is put in. */
export function lineDifferences(first: string, second: string): readonly DifferentLine[] {
  const [before, after] = [first.split("\n"), second.split("\n")];
  const lengths = commonLengths(before, after);
  const found: DifferentLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const isSame = i < before.length && j < after.length && before[i] === after[j];
    if (isSame) {
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && isLonger(lengths, i, j))) {
      found.push({ side: "first", line: ++i, text: before[i - 1]! });
    } else {
      found.push({ side: "second", line: ++j, text: after[j - 1]! });
    }
  }
  return found;
}

/** Whether what follows has as much in common without the first text's line. */
const isLonger = (lengths: readonly Uint16Array[], i: number, j: number) =>
  lengths[i + 1]![j]! >= lengths[i]![j + 1]!;

/** For each pair of places, the lines that the texts have in common from there on. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint16Array[] {
  const lengths = Array.from({ length: before.length + 1 }, () => {
    return new Uint16Array(after.length + 1);
  });
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const [skip, keep] = [lengths[i + 1]!, lengths[i]!];
      keep[j] = before[i] === after[j] ? skip[j + 1]! + 1 : Math.max(skip[j]!, keep[j + 1]!);
    }
  }
  return lengths;
}
