/** Hints that the weights give, from epoch to epoch. */
import type { AnalyzedModel } from "../../../compiler/semantics/index.js";
import type { Network } from "../../../runtime/network.js";
import { formatNumber, formatPercent } from "../../format.js";
import type { Hint } from "./hint.js";

/** A weight with what it was at two times. */
export interface WeightChange {
  readonly name: string;
  /** Outputs come first: `[out, in, height, width]`. */
  readonly shape: readonly number[];
  readonly before: Float32Array;
  readonly after: Float32Array;
}

const normOf = (values: Float32Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** In training that works, the norm of a weight grows a few times. */
const GROWN = 30;

/** A weight whose norm has grown so much that the learning rate was too high for it. */
export function findExploding(changes: readonly WeightChange[], epoch: number): Hint | undefined {
  const grown = changes
    .filter(({ shape }) => shape.length > 1)
    .map(({ name, before, after }) => ({ name, from: normOf(before), to: normOf(after) }))
    .filter(({ from, to }) => from > 0 && to > GROWN * from)
    .sort((a, b) => b.to / b.from - a.to / a.from);
  const [worst] = grown;
  if (!worst) return;
  return {
    name: "exploding-weights",
    text:
      `after epoch ${epoch}, the norm of ${worst.name} is ${formatNumber(worst.to)}, ` +
      `from ${formatNumber(worst.from)} at the start`,
    advice:
      "lower the learning rate (`netc train SPEC --find-lr` suggests one), add a warmup, " +
      "or clip gradients: `clip_norm = 1`",
  };
}

/** Rounding of a weight that only weight decay changes, as a share of its norm. */
const ROUNDING = 1e-5;
/** Where no weight moves by this share of its norm, the whole network has stopped learning. */
const LEARNING = 1e-2;

/**
 * How far a weight has moved, as a share of its norm: what is left of it without the factor that
 * fits best, since weight decay alone is a factor.
 */
export function movementOf(before: Float32Array, after: Float32Array): number {
  const square = before.reduce((sum, value) => sum + value * value, 0);
  const product = before.reduce((sum, value, index) => sum + value * after[index]!, 0);
  const factor = square > 0 ? product / square : 0;
  if (square === 0) return after.some((value) => value !== 0) ? Infinity : 0;
  // Decay makes weights smaller, and keeps their signs.
  const decay = Math.min(1, Math.max(0, factor));
  const rest = before.reduce((sum, value, index) => sum + (after[index]! - decay * value) ** 2, 0);
  return Math.sqrt(rest / square);
}

/** The share of outputs that no gradient reached between the two times. */
export function idleShare({ shape: [outputs = 1], before, after }: WeightChange): number {
  const size = before.length / outputs;
  let idle = 0;
  for (let output = 0; output < outputs; output++) {
    const range = [output * size, (output + 1) * size] as const;
    const movement = movementOf(before.subarray(...range), after.subarray(...range));
    if (movement <= ROUNDING) idle++;
  }
  return idle / outputs;
}

/** A few units of a layer may die without harm. */
const MOST_IDLE = 0.25;

/**
 * Layers before a ReLU, `watched`, of which many units let nothing through for any example of an
 * epoch while other weights learn.
 */
export function findDeadRelu(
  changes: readonly WeightChange[],
  watched: ReadonlySet<string>,
  epoch: number,
): Hint | undefined {
  if (!changes.some(({ before, after }) => movementOf(before, after) >= LEARNING)) return;
  const [worst] = changes
    .filter(({ name }) => watched.has(name))
    .map((change) => ({ name: change.name, share: idleShare(change) }))
    .filter(({ share }) => share > MOST_IDLE)
    .sort((a, b) => b.share - a.share);
  if (!worst) return;
  return {
    name: "dead-relu",
    text:
      `no gradient reached ${formatPercent(worst.share)} of the outputs of ${worst.name} ` +
      `in epoch ${epoch}: their ReLU is 0 for every example`,
    advice:
      "lower the learning rate, add `batchnorm` before the ReLU, or use `leaky_relu` instead; " +
      "dead units do not recover",
  };
}

/**
 * Names of trained weights whose outputs go, through normalization at most, into a ReLU alone.
 */
export function weightsBeforeRelu({ network }: Pick<AnalyzedModel, "network">): Set<string> {
  const { layers = [] } = network ?? {};
  const readers = new Map<number, number[]>();
  layers.forEach(({ inputs }, index) => {
    for (const { from, index: source } of inputs) {
      if (from === "layer") readers.set(source, [...(readers.get(source) ?? []), index]);
    }
  });
  const endsInRelu = (index: number): boolean => {
    const next = readers.get(index) ?? [];
    return (
      next.length > 0 &&
      next.every((reader) => {
        const { name } = layers[reader]!.definition;
        if (name === "batchnorm") return endsInRelu(reader);
        return name === "relu" || name === "relu6";
      })
    );
  };
  const names = layers.flatMap(({ weights, definition, values }, index) => {
    const isLinear = definition.name === "conv" || definition.name === "linear";
    const learns = values["lr"] !== 0;
    return isLinear && learns && endsInRelu(index) ? [`${weights}.weight`] : [];
  });
  return new Set(names);
}

/** More numbers than these would take a while to read after each epoch. */
const MOST_NUMBERS = 20_000_000;

type Readable = Pick<Network, "parameters" | "read">;

/** Reads the trained weights of layers after each epoch. */
export class WeightHistory {
  private first = new Map<string, Float32Array>();
  private last = new Map<string, Float32Array>();

  constructor(private readonly network: Readable) {}

  /** The weights as they are when training begins. */
  async begin(): Promise<void> {
    this.first = await this.read();
    this.last = this.first;
  }

  /** What has changed since the beginning, and since the last call. */
  async next() {
    const before = this.last;
    const now = await this.read();
    this.last = now;
    return { sinceStart: this.changes(this.first, now), sinceLast: this.changes(before, now) };
  }

  private changes(
    before: ReadonlyMap<string, Float32Array>,
    after: ReadonlyMap<string, Float32Array>,
  ): WeightChange[] {
    return this.watched().flatMap(({ name, shape }) => {
      const [old, now] = [before.get(name), after.get(name)];
      return old && now ? [{ name, shape, before: old, after: now }] : [];
    });
  }

  private watched() {
    const all = this.network.parameters.filter(({ trainable }) => trainable);
    const numbers = all.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    return numbers > MOST_NUMBERS ? [] : all;
  }

  private async read(): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const { name } of this.watched()) values.set(name, await this.network.read(name));
    return values;
  }
}
