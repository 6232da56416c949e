import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { compare, worst } from "./compare.js";

/**
 * Sums in f32 in another order than the reference's doubles, as in graphs.test.ts. Of what is
 * nearly 0, such as the gradient of a bias before a batch normalization, the difference counts.
 */
const TOLERANCE = 1e-5;

/** A spec's layers, and the image that they make. */
interface Body {
  readonly text: string;
  readonly channels: number;
  readonly side: number;
}

type Step = (body: Body) => Body;

const then = ({ text, ...body }: Body, more: string, changes: Partial<Body> = {}): Body => {
  return { ...body, ...changes, text: `${text} -> ${more}` };
};

/** Layers that read parts in every way: by windows, by groups, by channel, element by element. */
const readers: readonly ((channels: number) => string)[] = [
  () => "",
  () => "relu",
  () => "sigmoid",
  (channels) => `conv(${channels}, kernel=3, padding=1)`,
  (channels) => `conv(${channels}, kernel=1) -> batchnorm -> relu`,
  (channels) => `batchnorm -> relu -> conv(${channels}, kernel=3, padding=1)`,
  (channels) => `conv(${channels}, kernel=3, padding=1, groups=${channels}) -> relu`,
  () => "maxpool(3, stride=1, padding=1)",
  () => "avgpool(3, stride=1, padding=1)",
  () => "groupnorm(1)",
  () => "lrn(3)",
  () => "pad([1, 1], mode=reflect) -> crop(1)",
  () => "upsample(2) -> slice(rows, 1, step=2) -> slice(columns, 0, step=2)",
  (channels) => `residual { conv(${channels}, kernel=1) }`,
  () => "dropout(0.3) -> tanh",
];

const reader = fc.nat(readers.length - 1).map((index) => readers[index]!);

/** Two parts of the channels, each read, and joined again. */
const split: fc.Arbitrary<Step> = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(4, 4, 4, 3, 16), reader, reader)
  .map(([count, unit, first, second]) => (body) => {
    const size = Math.min(count * unit, body.channels - 1);
    const rest = body.channels - size;
    const branches = [first(size), second(rest)].map((text) => `branch { ${text} }`);
    return then(body, `split([${size}, ${rest}]) { ${branches.join("\n")} }`);
  });

/** Values joined along the channels, of which some read the others. */
const join: fc.Arbitrary<Step> = fc.tuple(reader, reader).map(([first, second]) => (body) => {
  const [one, other] = [first(body.channels), second(body.channels)];
  const branches = `branch { ${one} }\nbranch { ${other} -> conv(8, kernel=1) }`;
  return then(body, `concat { ${branches.replace("{  ->", "{")} }`, {
    channels: body.channels + 8,
  });
});

const orders: fc.Arbitrary<Step> = fc.constantFrom<Step>(
  (body) => (body.channels % 2 ? body : then(body, "channel_shuffle(2)")),
  (body) => (body.channels % 4 ? body : then(body, "channel_shuffle(4) -> channel_shuffle(2)")),
  (body) => then(body, "transpose(2, 3)"),
  (body) => then(body, "transpose(2, 3) -> relu -> transpose(2, 3)"),
  (body) => then(body, "permute([0, 2, 3, 1]) -> permute([0, 3, 1, 2])"),
  (body) => then(body, `split([1, ${body.side - 1}], axis=rows) { branch { relu } branch { } }`),
  (body) => then(body, `split([${body.side - 2}, 2], axis=columns) { branch { } branch { tanh } }`),
  (body) =>
    then(
      body,
      "slice(columns, 0, step=2) -> upsample([SIDE, SIDE])".replaceAll("SIDE", `${body.side}`),
    ),
  (body) => (body.side < 5 ? body : then(body, "crop(1)", { side: body.side - 2 })),
  (body) =>
    body.side % 2
      ? body
      : then(body, "pixel_unshuffle(2)", { side: body.side / 2, channels: 4 * body.channels }),
  (body) =>
    body.channels % 4 || body.side > 6
      ? body
      : then(body, "pixel_shuffle(2)", { side: 2 * body.side, channels: body.channels / 4 }),
);

const network = fc
  .tuple(
    fc.constantFrom(8, 12, 20, 24, 7),
    fc.constantFrom(4, 5, 6),
    fc.array(fc.oneof(split, split, join, orders), { minLength: 2, maxLength: 4 }),
  )
  .map(([channels, side, steps]) => {
    const text = `conv(${channels}, kernel=3, padding=1) -> relu`;
    const body = steps.reduce<Body>((made, step) => step(made), { text, channels, side });
    return { ...body, start: side };
  });

function graphOf(body: string, side: number): Graph {
  const text = `
    model M {
      input image: f32[N, 3, ${side}, ${side}]
      target label: u32[N] in 0..4
      ${body.replaceAll("{  ->", "{").replaceAll(" ->  ->", " ->")}
      tanh -> flatten -> linear(4) as logits
      loss cross_entropy(logits, label)
    }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0 || !selected?.model.graph) {
    throw new Error(`${text}\n${errors.map(({ message }) => message).join("\n")}`);
  }
  return selected.model.graph;
}

const [COUNT, SEED] = [process.env["NETC_TEST_FULL"] ? 60 : 10, 20];

const NETWORKS = fc.sample(
  fc.tuple(network, fc.constantFrom(1, 3), fc.constantFrom("all", "none")),
  { numRuns: COUNT, seed: SEED },
);

describe("parts of values, read where they are and made where they go, as on the CPU", () => {
  for (const [{ text, start }, count, fusion] of NETWORKS) {
    test(`${text.replaceAll("\n", " ")}, batch ${count}, fusion ${fusion}`, async () => {
      const batch = { count, batch: count === 1 ? 1 : count + 1 };
      const results = await compare(graphOf(text, start), {
        fusion,
        keepGradients: fusion === "none",
        ...batch,
      });
      const farthest = Math.max(
        ...results.map(({ error, difference }) => Math.min(error, difference)),
      );
      expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
    });
  }
});
