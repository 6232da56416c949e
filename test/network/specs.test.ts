import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatSpec } from "../../format/index.js";
import { print } from "../../compiler/network/print.js";
import { apart, PLAIN, SIAMESE, TWO_KINDS } from "../ports/siamese.js";
import { expectRoundTrip, networksOf } from "./round-trip.js";

const folder = join(import.meta.dirname, "../../specs");
const specs = readdirSync(folder).filter((file) => file.endsWith(".net"));

test.each(specs)("%s resolves to what its network prints", (file) => {
  const networks = networksOf(readFileSync(join(folder, file), "utf8"));
  expect(networks.length).toBeGreaterThan(0);
  for (const network of networks) expectRoundTrip(network);
});

const model = (body: string, input = "f32[N, 3, 8, 8]") => `
  block unit(out: int, rate: float = 0.5) { conv(out, kernel=3, padding=1) as c -> dropout(rate) }
  model M {
    input image: ${input}
    ${body}
  }`;

test.each([
  ["loops and blocks", "for w in [4, 6] { unit(w) as u -> relu as r }\n repeat 2 { unit(3) }"],
  ["residual with a skip", "residual { unit(5) } skip auto as sum\n residual { relu }"],
  ["a separate skip", "s { residual { unit(5) } skip { conv(5, kernel=1) as p } }"],
  [
    "branches",
    "concat { branch { unit(2) } branch pool { maxpool(3, " +
      "stride=1, padding=1) } branch {} } as both",
  ],
  ["one branch", "concat { branch { relu } }\n relu"],
  [
    "values by name",
    "relu as a\n s { tanh as b }\n from a -> add(s.b) as c\n from image -> concat(c, a)",
  ],
  ["a value that the end goes back to", "relu as a\n tanh as b\n add(a) as c\n from b"],
  [
    "names that hide others",
    "relu as a\n s { tanh as a -> elu as b\n from image -> add(a) }\n add(a)",
  ],
  ["names like automatic ones", "relu as relu5\n relu\n relu as relu3\n relu"],
  [
    "initializers",
    "conv(4, kernel=[3, 1], stride=2, init=xavier(gain=0.1), bias_init=constant(1e-7))",
  ],
  ["rates and decays", "conv(4, kernel=1, lr=0, bias_lr=2, decay=0.5, bias_decay=0)"],
  [
    "paddings",
    "conv(4, kernel=3, padding=[0, 1, 2, 1])\n pad([1, 2])\n maxpool(3, padding=1, ceil=true)",
  ],
  ["an autoencoder", "conv(3, kernel=1) as out\n loss mse(out, image) + 2 * l1(out, image)"],
  [
    "targets of numbers",
    "target t: f32[N, 2]\n flatten -> linear(2) as out\n" +
      " loss mse(out, t)\n metric off = mae(out, t)",
  ],
  [
    "metrics without a loss",
    "target t: u32[N] in 0..4\n flatten -> linear(4) as a\n metric hit = accuracy(a, t, k=2)",
  ],
  [
    "a score of a name in sections",
    "target t: u32[N]\n s { flatten -> linear(4) as a }\n z { linear(4) as a }\n" +
      "loss cross_entropy(s.a, t) + cross_entropy(z.a, t) / 3",
  ],
])("%s resolve to what they print", (_, body) => {
  for (const network of networksOf(model(body))) expectRoundTrip(network);
});

const INPUTS = "input left: f32[N, 3, 8, 8]\n input right: f32[N, 3, 8, 8]";
const SHARED = "share tower { conv(4, kernel=3, padding=1) as c\n inner { relu as r } }";

test.each([
  ["two towers and two targets", SIAMESE],
  ["towers without statistics", PLAIN],
  ["two targets of classes", TWO_KINDS],
  ["towers with separate weights", apart(SIAMESE)],
  ["inputs without shared layers", `model M { ${INPUTS}\n from left -> add(right) as sum\n relu }`],
  [
    "uses in a section, without names and in loops",
    `model M { ${INPUTS}\n ${SHARED}\n
      s { from left -> tower as a -> maxpool(2) }
      from right -> tower -> add(s.a)
      from left -> tower -> flatten
      repeat 2 { from right -> tower }
    }`,
  ],
  [
    "uses in branches",
    `model M { ${INPUTS}\n ${SHARED}\n
      from right -> add(left)
      concat { branch { tower } branch { tanh -> tower as b } } as both
    }`,
  ],
])("%s resolve to what they print", (_, text) => {
  const [network] = networksOf(text);
  expect(network!.inputs.map(({ name }) => name)).toEqual(["left", "right"]);
  expectRoundTrip(network!);
});

test("the formatter changes only blanks of what is printed", async () => {
  for (const file of ["resnet18.net", "googlenet.net", "alexnet.net"]) {
    const [network] = networksOf(readFileSync(join(folder, file), "utf8"));
    const text = print(network!);
    const inked = (each: string) => each.replace(/\s+/g, "");
    expect(inked(await formatSpec(text))).toBe(inked(text));
  }
});
