/** Random small networks with several inputs and targets, and layers that share weights. */
import fc from "fast-check";
import { NetworkMaker } from "../../compiler/network/maker.js";
import type { NetworkValue, ResolvedNetwork } from "../../compiler/network/resolved.js";

const SIZE = [4, 5, 5] as const;
const SQUARE = { top: 1, bottom: 1, left: 1, right: 1 };

/** Layers that keep the shape, so that anything can be applied to anything. */
const LAYERS = {
  relu: {},
  tanh: {},
  conv: { out: 4, kernel: [3, 3], padding: SQUARE },
  grouped: { out: 4, kernel: [3, 3], padding: SQUARE, groups: 2, bias: false },
  batchnorm: {},
  groupnorm: { groups: 2 },
  maxpool: { kernel: [3, 3], stride: [1, 1], padding: SQUARE },
} as const;

type Kind = keyof typeof LAYERS;

interface SharedLayer {
  readonly kind: Kind;
  /** Adds what the share is applied to. */
  readonly isResidual: boolean;
}

interface Step {
  /** Separate layers, or the share with this number. */
  readonly share: number | undefined;
  readonly kind: Kind;
  readonly join: "add" | "multiply" | "concat" | undefined;
  /** Which values are read, counted from the last one. */
  readonly input: number;
  readonly other: number;
  readonly section: boolean;
}

export interface RandomNetwork {
  readonly inputs: number;
  readonly shares: readonly (readonly SharedLayer[])[];
  readonly steps: readonly Step[];
  readonly heads: readonly ("labels" | "numbers")[];
  readonly factor: number;
}

const kind = fc.constantFrom(...(Object.keys(LAYERS) as Kind[]));
const sharedLayer = fc.record({ kind, isResidual: fc.boolean() });

export const randomNetwork: fc.Arbitrary<RandomNetwork> = fc.record({
  inputs: fc.integer({ min: 1, max: 3 }),
  shares: fc.array(fc.array(sharedLayer, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 2,
  }),
  steps: fc.array(
    fc.record({
      share: fc.option(fc.nat(1), { nil: undefined, freq: 4 }),
      kind,
      join: fc.option(fc.constantFrom("add", "multiply", "concat"), { nil: undefined }),
      input: fc.nat(4),
      other: fc.nat(4),
      section: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  heads: fc.array(fc.constantFrom("labels", "numbers"), { minLength: 1, maxLength: 3 }),
  factor: fc.constantFrom(0.25, 1, 2),
});

/** Every share is applied at least twice, every input read, and every head trained. */
export function made(random: RandomNetwork): ResolvedNetwork {
  return new RandomMaker(random).run();
}

class RandomMaker {
  private readonly maker = new NetworkMaker("Random");
  private readonly values: NetworkValue[] = [];
  private readonly read = new Set<string>();
  private readonly uses = new Map<number, number>();
  private layers = 0;

  constructor(private readonly random: RandomNetwork) {}

  run(): ResolvedNetwork {
    const { inputs, shares, steps, heads, factor } = this.random;
    for (let index = 0; index < inputs; index++) {
      this.values.push(this.maker.input(`input${index}`, SIZE));
    }
    for (const step of steps) this.addStep(step);
    for (const [index] of shares.entries()) {
      while ((this.uses.get(index) ?? 0) < 2) this.apply(index, this.values.at(-1)!);
    }
    const unread = this.values.filter((value) => !this.read.has(keyOf(value)));
    const all = unread.reduce((sum, value) => this.layer("add", [sum, value]));
    // Without it, a few classifiers are so sure that their gradients are rounding alone.
    const flat = this.layer("flatten", [this.layer("tanh", [all])]);
    for (const [index, head] of heads.entries()) this.addHead(flat, head, index, factor);
    return this.maker.finish();
  }

  private addStep({ share, kind: own, join, input, other, section }: Step): void {
    const value = this.values.at(-1 - (input % this.values.length))!;
    if (share !== undefined) return this.apply(share % this.random.shares.length, value, section);
    const made = this.layer(nameOf(own), [value], LAYERS[own]);
    if (!join) return void this.values.push(made);
    const second = this.values.at(-1 - (other % this.values.length))!;
    const joined = this.layer(join, [made, second]);
    const isWide = join === "concat";
    const narrow = { out: 4, kernel: [1, 1] };
    this.values.push(isWide ? this.layer("conv", [joined], narrow) : joined);
  }

  /** Applies the share, in a separate section if it is to be in one. */
  private apply(index: number, value: NetworkValue, section = false): void {
    const share = `share${index}`;
    const count = (this.uses.get(index) ?? 0) + 1;
    this.uses.set(index, count);
    const use = `${section ? `part${this.layers++}.` : ""}use${index}${count}`;
    let current = value;
    this.note(value);
    for (const [place, { kind: own, isResidual }] of this.random.shares[index]!.entries()) {
      const add = (layer: string, inputs: readonly NetworkValue[], given = {}) => {
        const name = `${layer}x${place}`;
        return this.maker.layer(`${use}.${name}`, layer, inputs, given, `${share}.${name}`);
      };
      current = add(nameOf(own), [current], LAYERS[own]);
      if (isResidual) current = add("add", [current, value]);
    }
    this.values.push(current);
  }

  private addHead(
    flat: NetworkValue,
    head: "labels" | "numbers",
    index: number,
    factor: number,
  ): void {
    const { maker } = this;
    const prediction = maker.layer(`head${index}`, "linear", [flat], { out: 3 });
    const isLabels = head === "labels";
    const name = `target${index}`;
    const target = isLabels ? maker.labels(name, 3) : maker.numbers(name, [3]);
    const weighs = isLabels && index > 0;
    const given = weighs ? { class_weights: [1, 2, 0.5] } : {};
    maker.loss(isLabels ? "cross_entropy" : "mse", { prediction, target }, given, factor);
  }

  private layer(kind: string, inputs: readonly NetworkValue[], given = {}): NetworkValue {
    for (const input of inputs) this.note(input);
    return this.maker.layer(`${kind}n${this.layers++}`, kind, inputs, given);
  }

  private note(value: NetworkValue): void {
    this.read.add(keyOf(value));
  }
}

const keyOf = ({ from, index }: NetworkValue) => `${from} ${index}`;
const nameOf = (own: Kind) => (own === "grouped" ? "conv" : own);
