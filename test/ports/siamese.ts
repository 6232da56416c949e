/** Models with two inputs, a shared tower, and two targets, and examples for them. */
import { labelValues, uniformValues } from "../oracle/values.js";
import type { Network } from "../../runtime/index.js";

export const SIAMESE = `model Siamese {
  input  left: f32[N, 3, 12, 12]
  input  right: f32[N, 3, 12, 12]
  target kind: u32[N] in 0..3
  target shift: f32[N, 2]

  share tower {
    conv(6, kernel=3, padding=1) -> batchnorm -> relu -> maxpool(2)
    residual { conv(6, kernel=3, padding=1) } -> relu
    flatten -> linear(8)
  }

  from left  -> tower as a
  from right -> tower as b
  concat(a) -> relu as both
  linear(3) as logits
  from both -> linear(2) as moved

  loss   cross_entropy(logits, kind) + 0.5 * mse(moved, shift)
  metric top1  = accuracy(logits, kind)
  metric error = mse(moved, shift)
}
`;

/** The same without batch normalization, whose statistics are each slice's own. */
export const PLAIN = SIAMESE.replace("batchnorm -> ", "");

/** A smaller one, in which both targets are classes, each with separate weights. */
export const TWO_KINDS = `model TwoKinds {
  input  left: f32[N, 2, 4, 4]
  input  right: f32[N, 2, 4, 4]
  target kind: u32[N] in 0..3
  target side: u32[N] in 0..2

  share tower { conv(4, kernel=3, padding=1) -> tanh -> flatten -> linear(6) }

  from left  -> tower as a
  from right -> tower as b
  concat(a) -> tanh as both
  linear(3) as logits
  from both -> linear(2) as sides

  loss   cross_entropy(logits, kind, class_weights=[1, 2, 0.5])
    + 0.3 * cross_entropy(sides, side, class_weights=[3, 1])
  metric top1 = accuracy(logits, kind)
  metric turn = accuracy(sides, side)
}
`;

/** The network in which each use of the tower has separate weights: `a.conv1.weight`. */
export function apart(spec: string): string {
  const [, tower] = /share (tower \{[^]*?\n {2}\}|tower \{[^\n]*\})\n/.exec(spec)!;
  const block = `block ${tower!.replace("tower {", "tower() {")}\n`;
  return block + spec.replace(`share ${tower}`, "").replaceAll("-> tower as", "-> tower() as");
}

export const recipeOf = (spec: string, settings: string): string =>
  `${spec}\ntrain Run of ${/model (\w+)/.exec(spec)![1]} {\n${settings}\n}\n`;

export type Pair = Readonly<Record<"left" | "right", Float32Array>>;
export type Wanted = Readonly<Record<string, Uint32Array | Float32Array>>;

/** The network of a model with the inputs `left` and `right`. */
export type Siamese = Network<
  string,
  string,
  { [name: string]: Uint32Array | Float32Array },
  Pair,
  Readonly<Record<string, Float32Array>>
>;

interface Sizes {
  /** Numbers of one input of one example. */
  readonly pixels: number;
  readonly targets: (key: string, count: number) => Wanted;
}

const SIZES: Readonly<Record<string, Sizes>> = {
  Siamese: {
    pixels: 3 * 12 * 12,
    targets: (key, count) => ({
      kind: labelValues(`${key}/kind`, count, 3),
      shift: uniformValues(`${key}/shift`, count * 2, 1),
    }),
  },
  TwoKinds: {
    pixels: 2 * 4 * 4,
    targets: (key, count) => ({
      kind: labelValues(`${key}/kind`, count, 3),
      side: labelValues(`${key}/side`, count, 2),
    }),
  },
};

/** Examples as `step` takes them, the same for the same key. */
export function pairs(model: string, key: string, count: number) {
  const { pixels, targets } = SIZES[model]!;
  const images: Pair = {
    left: uniformValues(`${key}/left`, count * pixels, 1),
    right: uniformValues(`${key}/right`, count * pixels, 1),
  };
  return { images, targets: { ...targets(key, count) } };
}
