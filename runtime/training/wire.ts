/** In what numbers gradients travel between ranks. */
import { LARGEST_HALF } from "../../program/half.js";
import { InputError } from "../errors.js";
import type { Collective } from "./collective.js";
import { decodeHalves, encodeHalf } from "./halves.js";
import type { Bucket } from "./sums.js";

/** `f32`: as they are. `f16`: half the bytes, rounded, with error feedback. */
export type WireKind = "f32" | "f16";

export interface Wire {
  /** What the ranks must know of a bucket before they add it up. */
  peakOf(bucket: Bucket, values: Float32Array): number | null;
  /**
   * Adds up a bucket over all ranks, in place: all get the same bits. `peaks`: what `peakOf` is on
   * each rank.
   */
  add(bucket: Bucket, values: Float32Array, peaks: readonly (number | null)[]): Promise<void>;
}

/** Throws InputError for a kind that is neither. */
export function wireOf(kind: WireKind, collective: Collective): Wire {
  if (kind === "f16") return new HalfWire(collective);
  if (kind !== "f32") throw new InputError("`wire` must be f32 or f16");
  return { peakOf: () => null, add: (_, values) => collective.allReduce(values) };
}

/**
 * Each rank adds up one block of a bucket, which it receives from all others as halves, and sends
 * the sums to all as halves. What rounding removes from a value is kept and added in the next step
 * (Seide et al., "1-bit stochastic gradient descent", 2014), where a gradient is rounded and where
 * a sum is.
 */
class HalfWire implements Wire {
  private readonly residuals = new Map<string, Float32Array>();

  constructor(private readonly collective: Collective) {}

  /** The largest magnitude, null where a value is not finite. Adds the rest of the last step. */
  peakOf(bucket: Bucket, values: Float32Array): number | null {
    const residual = this.residualOf(bucket, "own", values.length);
    let peak = 0;
    for (let index = 0; index < values.length; index++) {
      const value = (values[index]! += residual[index]!);
      peak = Math.max(peak, Math.abs(value));
    }
    return Number.isFinite(peak) ? peak : null;
  }

  async add(
    bucket: Bucket,
    values: Float32Array,
    peaks: readonly (number | null)[],
  ): Promise<void> {
    const { size } = this.collective;
    const own = this.residualOf(bucket, "own", values.length);
    // Numbers that are not finite must reach the update: they travel as they are.
    if (peaks.includes(null)) {
      own.fill(0);
      return this.collective.allReduce(values);
    }
    const scale = scaleFor(Math.max(...(peaks as readonly number[])) * size);
    const length = Math.ceil(values.length / size);
    const sent = new Uint16Array(length * size);
    for (let index = 0; index < values.length; index++) {
      sent[index] = encodeHalf(values[index]! * scale);
    }
    keepRest(own, values, sent, scale);
    const received = new Uint16Array(sent.length);
    await this.collective.allToAll(bytesOf(sent), bytesOf(received));
    const sums = new Float32Array(length);
    const parts = decodeHalves(received);
    for (let index = 0; index < parts.length; index++) sums[index % length]! += parts[index]!;
    const rest = this.residualOf(bucket, "sum", length);
    for (let index = 0; index < length; index++) sums[index] = sums[index]! / scale + rest[index]!;
    const block = Uint16Array.from(sums, (sum) => encodeHalf(sum * scale));
    keepRest(rest, sums, block, scale);
    const all = new Uint16Array(sent.length);
    await this.collective.allGather(bytesOf(block), bytesOf(all));
    const decoded = decodeHalves(all);
    for (let index = 0; index < values.length; index++) values[index] = decoded[index]! / scale;
  }

  private residualOf({ ranges }: Bucket, what: "own" | "sum", length: number): Float32Array {
    const [{ buffer, offset }] = ranges as [Bucket["ranges"][number]];
    const key = `${what} ${buffer} ${offset}`;
    const known = this.residuals.get(key);
    // Another phase of training has other gradients.
    if (known?.length === length) return known;
    const fresh = new Float32Array(length);
    this.residuals.set(key, fresh);
    return fresh;
  }
}

function keepRest(
  rest: Float32Array,
  values: Float32Array,
  halves: Uint16Array,
  scale: number,
): void {
  const decoded = decodeHalves(halves);
  for (let index = 0; index < rest.length; index++) {
    rest[index] = values[index]! - decoded[index]! / scale;
  }
}

/** A power of two with which sums up to `most`, and what is left of earlier ones, are halves. */
function scaleFor(most: number): number {
  return most === 0 ? 1 : 2 ** Math.floor(Math.log2(LARGEST_HALF / 4 / most));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
