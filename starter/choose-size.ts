/** Sides of square inputs that networks of convolutions divide well. */
const SIDES = [32, 48, 64, 96];

/**
 * The side of the network's square input: that of the pictures where all are small squares of one
 * size, else the largest usual one that most of them have.
 */
export function inputSize(pictures: readonly { width: number; height: number }[]): number {
  const sides = pictures.map(({ width, height }) => Math.min(width, height)).sort((a, b) => a - b);
  const [least, median, most] = [sides[0]!, sides[sides.length >> 1]!, sides.at(-1)!];
  const isSquare = pictures.every(({ width, height }) => width === height);
  if (isSquare && least === most && most >= SMALLEST && most <= SIDES.at(-1)!) return most;
  return SIDES.findLast((side) => side <= median) ?? SIDES[0]!;
}

/** Below this, too little is left after two poolings. */
const SMALLEST = 16;
