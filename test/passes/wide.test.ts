/** Values of more axes than an image: reshaped, permuted, and reshaped again. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { runGraph } from "../../compiler/ops/run-graph.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { analyze } from "../../compiler/semantics/index.js";
import { inputsFor } from "./chain.js";
import { gradientError, gradientsOf } from "./gradients.js";
import { casesOf } from "../counts.js";

function graphOf(type: string, body: string, end = ""): Graph {
  const ports = `input x: ${type}\n  target label: u32[N] in 0..3`;
  const text = `model M {\n  ${ports}\n  ${body}\n  ${end}\n}`;
  const { diagnostics, selected } = analyze(text, "m.net");
  if (!selected?.model.graph) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

const CLASSIFIER = "flatten -> linear(3) as logits\n  loss cross_entropy(logits, label)";

/** By hand as in PyTorch, and the layer that is the same. */
const PAIRS: Record<string, readonly [type: string, byHand: string, layer: string]> = {
  "pixel shuffle": [
    "f32[N, 5, 4, 6]",
    "reshape([2, 3, 3, 4, 6]) -> permute([0, 1, 4, 2, 5, 3]) -> reshape([2, 12, 18])",
    "pixel_shuffle(3)",
  ],
  "pixel unshuffle": [
    "f32[N, 5, 4, 6]",
    "reshape([18, 2, 2, 3, 2]) -> permute([0, 1, 3, 5, 2, 4]) -> reshape([-1, 2, 3])",
    "pixel_unshuffle(2)",
  ],
  "channel shuffle": [
    "f32[N, 5, 4, 6]",
    "reshape([3, 6, 4, 6]) -> transpose(1, 2) -> reshape([18, 4, 6])",
    "channel_shuffle(3)",
  ],
  "window partition and its reverse": [
    "f32[N, 5, 4, 6]",
    `permute([0, 2, 3, 1]) -> reshape([2, 2, 2, 3, 18]) -> permute([0, 1, 3, 2, 4, 5])
    reshape([2, 2, 2, 3, 18]) -> permute([0, 1, -3, 2, 4, -1]) -> reshape([4, 6, -1])
    permute([0, 3, 1, 2])`,
    "identity",
  ],
};

const BEFORE = "conv(18, kernel=1) -> tanh";
const moves = ({ nodes }: Graph) => nodes.filter(({ kind }) => kind === "rearrange").length;

describe("by hand and as a layer", () => {
  test.each(Object.entries(PAIRS))("%s: equal to the bit, in as many moves", (_, pair) => {
    const [type, ...bodies] = pair;
    const made = bodies.map((body) => graphOf(type, `${BEFORE} -> ${body}`, CLASSIFIER));
    const [byHand, layer] = made.map((graph) => {
      const simple = simplify(graph);
      const inputs = inputsFor(graph);
      const training = simplifyTraining(differentiate(simple));
      return { gradients: gradientsOf(training, inputs), moves: moves(simple) };
    });
    expect(byHand!.moves).toBe(layer!.moves);
    expect(byHand!.gradients.size).toBe(4);
    for (const [name, gradient] of byHand!.gradients) {
      expect(Array.from(gradient), name).toEqual(Array.from(layer!.gradients.get(name)!));
    }
  });

  test.each(Object.entries(PAIRS))("%s by hand has the gradients of differences", (_, pair) => {
    const graph = graphOf(pair[0], `${BEFORE} -> ${pair[1]} -> sigmoid`, CLASSIFIER);
    expect(gradientError(graph)).toBeLessThan(1e-7);
  });
});

/** Layers of the last axis, as of a sequence whose tokens are the other axes. */
const ON_LAST_AXIS = [
  "linear(6)",
  "linear(4, bias=false) -> layernorm",
  "layernorm(affine=false) -> glu",
  "softmax",
  "log_softmax -> softmin",
  "residual { layernorm -> linear(18) -> gelu }",
  "residual(drop=0.3) { dropout(0.2) -> softmax }",
  "linear(5) as a -> softmax -> multiply(a)\n  let y = (a + y0) * sigmoid(a)",
];

describe("layers of the last axis", () => {
  test.each(ON_LAST_AXIS)("%s: as of a sequence, with the gradients of differences", (body) => {
    const own = body.replace("multiply(a)", "multiply(a) as y0");
    const ends = own.includes("let") ? "from y -> reshape([-1])" : "reshape([-1])";
    const [wide, sequence] = ["[2, 3, 2, 2, 18]", "[24, 18]"].map((sizes) =>
      graphOf("f32[N, 5, 4, 6]", `${BEFORE} -> reshape(${sizes}) -> ${own}\n  ${ends}`, CLASSIFIER),
    );
    const gradients = [wide!, sequence!].map((graph) =>
      gradientsOf(simplifyTraining(differentiate(simplify(graph))), inputsFor(graph)),
    );
    expect(gradients[0]!.size).toBe(gradients[1]!.size);
    for (const [name, gradient] of gradients[0]!) {
      expect(Array.from(gradient), name).toEqual(Array.from(gradients[1]!.get(name)!));
    }
    expect(gradientError(wide!)).toBeLessThan(1e-7);
  });
});

/** Joined along axes, and repeated along them: the same of two to four axes, or of none. */
const ALONG_AXES = [
  "sum(-1)",
  "mean(1)",
  "max([2, 3])",
  "min([1, -1])",
  "logsumexp([1, 3, 5])",
  "tanh as a -> mean([2, 4]) -> multiply(a)",
  "tanh as a -> logsumexp([1, 3, 5]) -> add(a)",
  "max(2) as a\n  from x -> min([1, 4]) as b\n  let y = x * a + b",
  "sum([2, 3, 4]) as a\n  from x -> sum([1, 5]) as b\n  let y = a * b",
  "tanh as a\n  parameter p: f32[1, 3, 1, 1, 18] init normal(0.5)\n  let y = a * p",
];

describe("joined along axes and repeated", () => {
  test.each(ALONG_AXES)("%s has the gradients of differences", (body) => {
    const wide = `${BEFORE} -> reshape([2, 3, 2, 2, 18]) as x -> ${body} -> reshape([-1])`;
    expect(gradientError(graphOf("f32[N, 5, 4, 6]", wide, CLASSIFIER))).toBeLessThan(1e-7);
  });
});

/** Cut, joined and padded along an axis by its number. */
const OF_ONE_AXIS = [
  "slice(2, 1, 3)",
  "slice(-1, 1, 17, step=3) -> slice(3, -1)",
  "tanh as a -> slice(2, 0, 2) -> concat(a, x, axis=2)",
  "tanh as a -> concat(x, axis=1)",
  "tanh as a -> slice(-1, 3) -> concat(x, axis=5) -> concat(x, axis=-1)",
  "concat(axis=4) { branch { tanh } branch { slice(4, 1) -> sigmoid } }",
  "split(axis=2, sizes=[1, 2]) { branch { tanh } branch { linear(18) } }",
  "split(axis=-1) { branch { tanh } branch { identity } branch { sigmoid } }",
  "pad([1, 2], axis=2) -> pad([0, 1], axis=-1, value=0.5)",
  "pad([2, 1], axis=2, mode=reflect) -> pad([1, 1], axis=1, mode=circular)",
  "pad([2, 1], axis=-1, mode=replicate)",
];

describe("cut, joined and padded along an axis", () => {
  test.each(OF_ONE_AXIS)("%s has the gradients of differences", (body) => {
    const wide = `${BEFORE} -> reshape([2, 3, 2, 2, 18]) as x -> ${body} -> reshape([-1])`;
    expect(gradientError(graphOf("f32[N, 5, 4, 6]", wide, CLASSIFIER))).toBeLessThan(1e-7);
  });
});

/** Products of the matrices of the last two axes, some of one for several. */
const PRODUCTS = [
  "tanh as a -> matmul(x, transposed=true)",
  "tanh as a -> transpose(4, 5) -> matmul(x)",
  "tanh as a -> mean([1, 3]) as b\n  from a -> matmul(b, transposed=true)",
  "tanh as a -> mean([1, 3]) -> matmul(a, transposed=true)",
  "tanh as a -> max([1, 2, 3]) as b\n  from a -> matmul(b, transposed=true) -> matmul(b)",
  "reshape([3, 4, 36]) as a -> matmul(a, transposed=true) -> matmul(a)",
  "reshape([8, 3, 18]) as a -> slice(1, 0, 1) -> tanh as b\n  from a -> matmul(b, transposed=true)",
  "reshape([8, 3, 18]) as a -> slice(1, 0, 1) -> tanh -> matmul(a, transposed=true)",
];

describe("products of matrices", () => {
  test.each(PRODUCTS)("%s has the gradients of differences", (body) => {
    const wide = `${BEFORE} -> reshape([2, 3, 2, 2, 18]) as x -> ${body} -> reshape([-1])`;
    expect(gradientError(graphOf("f32[N, 5, 4, 6]", wide, CLASSIFIER))).toBeLessThan(1e-7);
  });
});

/** The value with its axes in another order, element by element. */
function permuted(data: ArrayLike<number>, sizes: readonly number[], order: readonly number[]) {
  const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((a, b) => a * b, 1));
  const visit = (at: number, from: number): number[] => {
    if (at === order.length) return [data[from]!];
    const axis = order[at]!;
    return Array.from({ length: sizes[axis]! }, (_, index) => index).flatMap((index) =>
      visit(at + 1, from + index * strides[axis]!),
    );
  };
  return visit(0, 0);
}

const wide = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 8 })
  .filter((sizes) => sizes.reduce((a, b) => a * b, 1) <= 512)
  .chain((sizes) => {
    const axes = sizes.map((_, axis) => axis);
    const order = fc.shuffledSubarray(axes, { minLength: axes.length });
    return fc.tuple(fc.constant(sizes), order, order);
  });

/** Joined along axes and repeated again, element by element. */
function joined(
  data: readonly number[],
  sizes: readonly number[],
  axes: readonly number[],
  join: (values: readonly number[]) => number,
): number[] {
  const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((a, b) => a * b, 1));
  const keys = data.map((_, index) =>
    strides
      .map((stride, axis) => (axes.includes(axis) ? 0 : Math.floor(index / stride) % sizes[axis]!))
      .join(),
  );
  const totals = new Map(
    [...new Set(keys)].map((key) => [key, join(data.filter((_, index) => keys[index] === key))]),
  );
  return keys.map((key) => totals.get(key)!);
}

const JOINS: Record<string, (values: readonly number[]) => number> = {
  sum: (values) => values.reduce((a, b) => a + b, 0),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  logsumexp: (values) => Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0)),
};

const along = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 8 })
  .filter((sizes) => sizes.reduce((a, b) => a * b, 1) <= 512)
  .chain((sizes) => {
    const axes = fc.subarray(
      sizes.map((_, axis) => axis),
      { minLength: 1 },
    );
    return fc.tuple(fc.constant(sizes), axes, fc.constantFrom(...Object.keys(JOINS)));
  });

test("random axes joined and repeated are what plain loops make", () => {
  fc.assert(
    fc.property(along, ([sizes, axes, kind]) => {
      const elements = sizes.reduce((a, b) => a * b, 1);
      const over = axes.map((axis) => axis + 1).join();
      const graph = graphOf(
        `f32[N, ${elements}]`,
        `reshape([${sizes.join()}]) as a -> ${kind}([${over}]) as b
        let y = b - 2 * a
        reshape([-1])`,
      );
      const inputs = inputsFor(graph);
      const expected = [0, 1].flatMap((example) => {
        const own = Array.from(inputs.images).slice(example * elements, (example + 1) * elements);
        const b = joined(own, sizes, axes, JOINS[kind]!);
        return own.map((value, index) => b[index]! - 2 * value);
      });
      for (const made of [graph, simplify(graph)]) {
        const values = runGraph(made, inputs);
        const found = values.get(made.outputs[0]!.value.id)!.data;
        const worst = expected.map((value, index) => Math.abs(value - found[index]!));
        expect(Math.max(...worst)).toBeLessThan(1e-9);
      }
    }),
    { seed: 20, numRuns: casesOf(200) },
  );
});

test("random shapes and orders are what plain loops make", () => {
  fc.assert(
    fc.property(wide, ([sizes, first, second]) => {
      const elements = sizes.reduce((a, b) => a * b, 1);
      const written = (order: readonly number[]) => [0, ...order.map((axis) => axis + 1)].join();
      const graph = graphOf(
        `f32[N, ${elements}]`,
        `reshape([${sizes.join()}]) -> permute([${written(first)}]) -> permute([${written(second)}])
        reshape([-1])`,
      );
      const inputs = inputsFor(graph);
      const turned = first.map((axis) => sizes[axis]!);
      const expected = [0, 1].flatMap((example) => {
        const own = inputs.images.slice(example * elements, (example + 1) * elements);
        return permuted(permuted(own, sizes, first), turned, second);
      });
      for (const made of [graph, simplify(graph)]) {
        const { value } = made.outputs[0]!;
        const values = runGraph(made, inputs);
        expect(Array.from(values.get(value.id)!.data)).toEqual(expected);
      }
      expect(moves(simplify(graph))).toBeLessThanOrEqual(1);
    }),
    { seed: 20, numRuns: casesOf(200) },
  );
});

/** A value of many axes in plain loops. */
interface Plain {
  readonly sizes: readonly number[];
  readonly at: (place: readonly number[]) => number;
}

/** All places of a shape, in row-major order. */
const placesOf = (sizes: readonly number[]): readonly (readonly number[])[] =>
  sizes.reduce<readonly (readonly number[])[]>(
    (places, size) =>
      places.flatMap((place) => Array.from({ length: size }, (_, index) => [...place, index])),
    [[]],
  );

const elementsOf = ({ sizes, at }: Plain) => placesOf(sizes).map(at);

const plainOf = (sizes: readonly number[], data: ArrayLike<number>): Plain => ({
  sizes,
  at: (place) => data[place.reduce((sum, index, axis) => sum * sizes[axis]! + index, 0)]!,
});

const sliced = ({ sizes, at }: Plain, axis: number, from: number, step: number): Plain => ({
  sizes: sizes.with(axis, Math.ceil((sizes[axis]! - from) / step)),
  at: (place) => at(place.with(axis, from + place[axis]! * step)),
});

const concatenated = (a: Plain, b: Plain, axis: number): Plain => ({
  sizes: a.sizes.with(axis, a.sizes[axis]! + b.sizes[axis]!),
  at: (place) =>
    place[axis]! < a.sizes[axis]!
      ? a.at(place)
      : b.at(place.with(axis, place[axis]! - a.sizes[axis]!)),
});

/** @param mode where the place of an element of the longer axis is in the shorter one */
const padded = (
  { sizes, at }: Plain,
  axis: number,
  [before, after]: readonly [number, number],
  mode: (place: number, size: number) => number | undefined,
): Plain => ({
  sizes: sizes.with(axis, before + sizes[axis]! + after),
  at(place) {
    const own = mode(place[axis]! - before, sizes[axis]!);
    return own === undefined ? 0.5 : at(place.with(axis, own));
  },
});

const MODES: Record<string, (place: number, size: number) => number | undefined> = {
  "constant, value=0.5": (place, size) => (place >= 0 && place < size ? place : undefined),
  replicate: (place, size) => Math.min(Math.max(place, 0), size - 1),
  circular: (place, size) => (place + size) % size,
};

const cutAndJoined = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 8 })
  .filter((sizes) => sizes.reduce((a, b) => a * b, 1) <= 512)
  .chain((sizes) => {
    const axis = fc.integer({ min: 0, max: sizes.length - 1 });
    return fc.tuple(fc.constant(sizes), axis, axis, axis, fc.nat(), fc.constantFrom(1, 2, 3));
  });

test("random axes cut, joined and padded are what plain loops make", () => {
  fc.assert(
    fc.property(
      cutAndJoined,
      fc.constantFrom(...Object.keys(MODES)),
      ([sizes, cut, join, pad, first, step], mode) => {
        const elements = sizes.reduce((a, b) => a * b, 1);
        const from = first % sizes[cut]!;
        const sides = [first % 2, 1] as const;
        const graph = graphOf(
          `f32[N, ${elements}]`,
          `reshape([${sizes.join()}]) as x -> slice(${cut + 1}, ${from}, step=${step}) as a
          concat(a, axis=${join - sizes.length})
          pad([${sides.join()}], axis=${pad + 1}, mode=${mode}) -> reshape([-1])`,
        );
        const inputs = inputsFor(graph);
        const expected = [0, 1].flatMap((example) => {
          const own = inputs.images.slice(example * elements, (example + 1) * elements);
          const a = sliced(plainOf(sizes, own), cut, from, step);
          return elementsOf(padded(concatenated(a, a, join), pad, sides, MODES[mode]!));
        });
        for (const made of [graph, simplify(graph)]) {
          const values = runGraph(made, inputs);
          expect(Array.from(values.get(made.outputs[0]!.value.id)!.data)).toEqual(expected);
        }
      },
    ),
    { seed: 20, numRuns: casesOf(200) },
  );
});

/** Of each axis in front of matrices, its size in the first value and in the second. */
const products = fc.tuple(
  fc
    .array(fc.constantFrom<readonly [number, number]>([1, 1], [2, 2], [3, 3], [1, 2], [3, 1]), {
      minLength: 1,
      maxLength: 5,
    })
    .filter((pairs) => pairs.reduce((n, pair) => n * Math.max(...pair), 1) <= 36),
  fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
  ),
  fc.boolean(),
);

test("random products of matrices are what plain loops make", () => {
  fc.assert(
    fc.property(products, ([pairs, [rows, depth, columns], transposed]) => {
      const sizesOf = (of: 0 | 1, ...matrix: number[]) => [
        ...pairs.map((pair) => pair[of]),
        ...matrix,
      ];
      const left = sizesOf(0, rows, depth);
      const right = sizesOf(1, ...(transposed ? [columns, depth] : [depth, columns]));
      const [first, second] = [left, right].map((sizes) => sizes.reduce((a, b) => a * b, 1)) as [
        number,
        number,
      ];
      const graph = graphOf(
        `f32[N, ${first + second}]`,
        `slice(-1, ${first}) -> reshape([${right.join()}]) as b
        from x -> slice(-1, 0, ${first}) -> reshape([${left.join()}])
        matmul(b, transposed=${transposed}) -> reshape([-1])`,
      );
      const inputs = inputsFor(graph);
      const expected = [0, 1].flatMap((example) => {
        const own = inputs.images.slice(
          example * (first + second),
          (example + 1) * (first + second),
        );
        const [a, b] = [plainOf(left, own), plainOf(right, own.slice(first))];
        const of = ({ sizes, at }: Plain, place: readonly number[]) =>
          at(place.map((index, axis) => Math.min(index, sizes[axis]! - 1)));
        return placesOf([...pairs.map((pair) => Math.max(...pair)), rows, columns]).map((place) => {
          const [column, row] = [place.at(-1)!, place.at(-2)!];
          const leading = place.slice(0, -2);
          return Array.from(
            { length: depth },
            (_, k) =>
              of(a, [...leading, row, k]) *
              of(b, [...leading, ...(transposed ? [column, k] : [k, column])]),
          ).reduce((sum, product) => sum + product, 0);
        });
      });
      for (const made of [graph, simplify(graph)]) {
        const values = runGraph(made, inputs);
        const found = values.get(made.outputs[0]!.value.id)!.data;
        expect(found).toHaveLength(expected.length);
        const worst = expected.map((value, index) => Math.abs(value - found[index]!));
        expect(Math.max(...worst)).toBeLessThan(1e-12);
      }
    }),
    { seed: 20, numRuns: casesOf(200) },
  );
});
