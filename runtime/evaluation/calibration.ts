/**
 * Whether a classifier's probabilities can be believed: of the examples that it gives 80%, are 80%
 * right? Guo et al., "On Calibration of Modern Neural Networks", 2017
 * (https://arxiv.org/abs/1706.04599).
 */

/** Examples whose largest probability is in one part of 0 to 1. */
export interface CalibrationBin {
  readonly examples: number;
  /** Mean of their largest probabilities; null for an empty bin. */
  readonly confidence: number | null;
  /** Share of them that is right; null for an empty bin. */
  readonly accuracy: number | null;
}

export interface Calibration {
  /**
   * The expected calibration error, 0 to 1: the mean difference between confidence and accuracy of
   * the bins, weighted by their examples.
   */
  readonly error: number;
  /** Bins of equal width, from 0 to 1. */
  readonly bins: readonly CalibrationBin[];
}

/** As many bins as in the paper. */
const BINS = 15;

export class CalibrationCounts {
  private readonly examples = new Array<number>(BINS).fill(0);
  private readonly confidence = new Array<number>(BINS).fill(0);
  private readonly right = new Array<number>(BINS).fill(0);

  /** Adds an example with the probability of its predicted class. */
  add(probability: number, isRight: boolean): void {
    const bin = Math.min(BINS - 1, Math.floor(probability * BINS));
    this.examples[bin]!++;
    this.confidence[bin]! += probability;
    this.right[bin]! += Number(isRight);
  }

  /** Undefined if no example was judged. */
  result(): Calibration | undefined {
    const total = this.examples.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    const gaps = this.confidence.map((sum, bin) => Math.abs(sum - this.right[bin]!));
    const error = gaps.reduce((sum, gap) => sum + gap, 0) / total;
    return { error, bins: this.examples.map((count, bin) => this.binOf(count, bin)) };
  }

  private binOf(examples: number, bin: number): CalibrationBin {
    if (examples === 0) return { examples, confidence: null, accuracy: null };
    const mean = (sums: readonly number[]) => sums[bin]! / examples;
    return { examples, confidence: mean(this.confidence), accuracy: mean(this.right) };
  }
}
