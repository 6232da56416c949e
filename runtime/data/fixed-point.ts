/** Filters of resample.ts, and those in the fixed point of resample-bytes.ts. */

/** For each output position, the first input that counts and the weights from there on. */
export interface Filter {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `span` weights for each output. */
  readonly weights: Float64Array;
  readonly span: number;
}

/** Where rows lie in an image's values. */
export interface Rows {
  /** Of the first value of the first row. */
  readonly start: number;
  /** From one row to the next. */
  readonly pitch: number;
  readonly channels: number;
}

export const PRECISION = 22;
export const HALF = 1 << (PRECISION - 1);

/** As many weights for each output, some of them zero, from its first input on. */
export interface FixedFilter {
  readonly first: Int32Array;
  readonly weights: Int32Array;
  readonly taps: number;
}

/** Where two taps are enough, three cost little more. */
const LEAST_TAPS = 3;

/** A filter of this many inputs in fixed point. It reads none beyond the last. */
export function fixedPoint({ first, count, weights, span }: Filter, inputs: number): FixedFilter {
  const most = count.reduce((most, each) => Math.max(most, each), LEAST_TAPS);
  const taps = Math.min(most, inputs);
  const fixed = new Int32Array(first.length * taps);
  const starts = first.map((start, output) => {
    const moved = Math.min(start, inputs - taps);
    for (let tap = 0; tap < count[output]!; tap++) {
      const weight = weights[output * span + tap]! * (1 << PRECISION);
      const rounded = Math.floor(0.5 + Math.abs(weight));
      fixed[output * taps + start - moved + tap] = weight < 0 ? -rounded : rounded;
    }
    return moved;
  });
  return { first: starts, weights: fixed, taps };
}

/** Bytes that are written: clamped where sums may pass 0 and 255. */
export type Bytes = Uint8Array | Uint8ClampedArray;

export type Across = (pixels: Uint8Array, target: Bytes, filter: FixedFilter, rows: Rows) => void;

export type Down = (pixels: Uint8Array, target: Bytes, filter: FixedFilter, length: number) => void;
