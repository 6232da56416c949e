/** Means and variances of batches: of the parts of a batch, and over many batches. */
import type { MeasuredLayer } from "../../program/program.js";

/** What a part of a batch has left. */
export interface PartMoments {
  /** Examples; the part counts nothing without one. */
  readonly count: number;
  /** For each layer the means of its channels, and then their unbiased variances. */
  readonly values: Float32Array;
}

/** Numbers that a part leaves. */
export const momentWords = (layers: readonly MeasuredLayer[]): number =>
  layers.reduce((sum, { words }) => sum + 2 * words, 0);

/** A layer, and where its numbers lie. */
interface Place {
  readonly layer: MeasuredLayer;
  /** Indices of the first mean and of the first variance. */
  readonly first: readonly [mean: number, variance: number];
}

function placesOf(layers: readonly MeasuredLayer[]): readonly Place[] {
  let end = 0;
  return layers.map((layer) => {
    const first = [end, end + layer.words] as const;
    end += 2 * layer.words;
    return { layer, first };
  });
}

/**
 * The moments of the examples of all parts together (Chan, Golub and LeVeque, "Algorithms for
 * computing the sample variance", 1983); those of a single part as they are.
 */
export function poolMoments(
  parts: readonly PartMoments[],
  layers: readonly MeasuredLayer[],
): Float32Array | Float64Array {
  const present = parts.filter(({ count }) => count > 0);
  if (present.length === 1) return present[0]!.values;
  const pooled = new Float64Array(momentWords(layers));
  const examples = present.reduce((sum, { count }) => sum + count, 0);
  for (const { layer, first } of placesOf(layers)) {
    for (let channel = 0; channel < layer.words; channel++) {
      const [mean, variance] = [first[0] + channel, first[1] + channel];
      for (const { count, values } of present) pooled[mean]! += (count * values[mean]!) / examples;
      let squares = 0;
      for (const { count, values } of present) {
        const size = count * layer.pixels;
        const distance = values[mean]! - pooled[mean]!;
        squares += (size - 1) * values[variance]! + size * distance * distance;
      }
      if (examples > 0) pooled[variance] = squares / (examples * layer.pixels - 1);
    }
  }
  return pooled;
}

/** A running statistic as its mean over batches. */
export interface MeanStatistic {
  /** Index in `Program.parameters`. */
  readonly parameter: number;
  readonly values: Float32Array;
}

/**
 * The mean over batches, each of which counts the same, as in PyTorch with `momentum=None`: also
 * over the layers that share a statistic.
 */
export class MeanMoments {
  private readonly places: readonly Place[];
  private readonly sums: Float64Array;
  /** Batches behind the sums of each layer: of means, and of variances. */
  private readonly counts: (readonly [mean: number, variance: number])[];

  constructor(private readonly layers: readonly MeasuredLayer[]) {
    this.places = placesOf(layers);
    this.sums = new Float64Array(momentWords(layers));
    this.counts = layers.map(() => [0, 0]);
  }

  /** Takes in the parts of a batch. */
  add(parts: readonly PartMoments[]): void {
    const examples = parts.reduce((sum, { count }) => sum + count, 0);
    if (examples === 0) return;
    const batch = poolMoments(parts, this.layers);
    for (const [index, { layer, first }] of this.places.entries()) {
      // A channel with a single value has no variance.
      const isVaried = examples * layer.pixels > 1;
      const [means, variances] = this.counts[index]!;
      this.counts[index] = [means + 1, variances + Number(isVaried)];
      const kinds = isVaried ? first : first.slice(0, 1);
      for (const start of kinds)
        for (let at = start; at < start + layer.words; at++) this.sums[at]! += batch[at]!;
    }
  }

  /** Of each parameter; none of a variance that no batch had. */
  results(): readonly MeanStatistic[] {
    const parts = this.places.flatMap(({ layer, first }, index) =>
      layer.parameters.map((parameter, kind) => ({
        parameter,
        sums: this.sums.subarray(first[kind], first[kind]! + layer.words),
        count: this.counts[index]![kind]!,
      })),
    );
    return [...new Set(parts.map(({ parameter }) => parameter))].flatMap((parameter) => {
      const own = parts.filter((part) => part.parameter === parameter);
      const count = own.reduce((sum, part) => sum + part.count, 0);
      if (count === 0) return [];
      const total = (at: number) => own.reduce((sum, { sums }) => sum + sums[at]!, 0);
      const values = Float32Array.from(own[0]!.sums, (_, at) => total(at) / count);
      return [{ parameter, values }];
    });
  }
}
