import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { examine, type Finding } from "../../scripts/fuzz/examine.js";
import { hostileNames } from "../../scripts/fuzz/hostile.js";
import { mutantOf } from "../../scripts/fuzz/mutants.js";
import { readSeeds } from "../../scripts/fuzz/seeds.js";

/**
 * `npm run fuzz` in small: the same mutants in every run. Each may be wrong, and none may break
 * what reads it.
 */

const specs = join(import.meta.dirname, "../../specs");
const isFull = process.env.NETC_TEST_FULL === "1";
const COUNT = isFull ? 5000 : 40;
/** Of the places of all names, those that are tried. */
const STEP = isFull ? 1 : 3;

test(`${COUNT} mutants break neither compiler, formatter nor language server`, async () => {
  const seeds = readSeeds(specs);
  const found: (Finding & { readonly index: number })[] = [];
  for (let index = 0; index < COUNT; index++) {
    const { findings } = await examine(mutantOf(seeds, 2026, index), { mostLayers: 20 });
    found.push(...findings.map((finding) => ({ index, ...finding })));
  }
  expect(found).toEqual([]);
}, 3_600_000);

test("a right spec goes through all that reads specs", async () => {
  const file = join(specs, "lenet.net");
  const right = { file, text: readFileSync(file, "utf8"), offset: 100 };
  const { findings, isCompiled } = await examine(right, { mostLayers: 20 });
  expect(findings).toEqual([]);
  expect(isCompiled).toBe(true);
});

/** A spec with a name at each place that has one. */
const withName = (name: string): readonly string[] => {
  const data =
    `data D for M { train folder("a", ${name}=1) { ${name}(1) -> normalize(${name}=2) }\n` +
    ` ${name} folder("b") }`;
  const train = "train T of M on D {\n epochs = 1\n batch = 1\n optimizer = sgd(lr=0.1)\n";
  const model = (body: string, header = "model M") =>
    `${header} {\n input image: f32[N, 3, 8, 8]\n target label: u32[N] in 0..2\n ${body}\n` +
    " flatten -> linear(2) as logits\n loss cross_entropy(logits, label)\n}";
  return [
    model(`conv(4, kernel=3, ${name}=1)`),
    model(`conv(4, kernel=${name}, init=${name})`),
    model(`${name}(1) -> ${name}`),
    model(`conv(4, kernel=1) as ${name}\n from ${name} -> relu -> add(${name})`),
    model(`${name} { conv(4, kernel=1) as ${name} }\n from ${name}.${name} -> relu`),
    model(`for ${name} in 1..3 { conv(${name}, kernel=1) }`),
    model(`metric ${name} = accuracy(logits, label)\n metric m = ${name}(logits, label)`),
    model("", `model ${name}(${name}: int = 2)`),
    model(
      `${name}(1)`,
      `block ${name}(x: ${name}, ${name}: int = 3) { conv(${name}, kernel=1) }\nmodel M`,
    ),
    model(
      `b(${name}=3) -> b(3) -> b(bad=1)`,
      `block b(${name}: int) { conv(${name}, kernel=1) }\nmodel M`,
    ),
    model(`conv(${name}, kernel=1)`, `const ${name} = 2\nconst other = ${name}x\nmodel M`),
    model("relu", `import { ${name}, a as ${name} } from "./${name}.net"\nmodel M`),
    `model M {\n input ${name}: ${name}[N, 3, 8, 8]\n flatten -> linear(2)\n}`,
    `${model("")}\n${data}`,
    `${model("")}\n${data.replaceAll(name, "D2")}\ntrain ${name} of ${name} on ${name} { }`,
    `${model("")}\n${train} ${name} = 1\n optimizer = ${name}(lr=0.1)\n}`,
    `${model("")}\n${train} schedule = ${name}(1) -> step(${name}=1)\n average = ${name}\n}`,
    `${model("")}\n${train} stop = early_stopping(metric=${name})\n precision = ${name}\n}`,
    `${model("")}\n${train} freeze = [${name}.*, ${name}]\n lr_factors = [(${name}, 2)]\n}`,
    `${model("")}\n${train} weights = load("x", except=[${name}])\n unfreeze = ${name}(1)\n}`,
  ];
};

test("names that every object inherits are names like others, at every place", async () => {
  const found: { readonly text: string; readonly what: string }[] = [];
  const tried = hostileNames.flatMap(withName).filter((_, index) => index % STEP === 0);
  for (const text of tried) {
    const file = join(specs, "names.net");
    const offset = text.length >> 1;
    const { findings } = await examine({ file, text, offset }, { mostLayers: 20 });
    found.push(...findings.map(({ what }) => ({ text, what })));
  }
  expect(found).toEqual([]);
}, 600_000);
