import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork, parseTensors, type Network } from "../../runtime/index.js";
import { uniformValues } from "../oracle/values.js";

const BIG = `conv(8, kernel=3, padding=1) -> batchnorm -> relu -> dropout(0.5)
    global_avgpool -> flatten -> linear(4) as logits`;
const PORTS = `input  image: f32[N, 3, 6, 6]
  target label: u32[N] in 0..4`;
const SMALL = "flatten -> linear(6) -> relu -> linear(4) as small";

const recipeOf = (model: string, settings = "") =>
  `train Run of ${model} {
  epochs = 1
  batch = 4
  optimizer = adam(lr=0.01)
  ${settings}
}`;

const TEACHER = 'teacher = load("big.safetensors", into=big)';

const studentOf = (
  settings = TEACHER,
  big = `big {\n    ${BIG}\n  }\n  from image ->`,
) => `model M {
  ${PORTS}
  ${big}
  ${SMALL}
  loss cross_entropy(small, label) + 2 * kl(small, big.logits, temperature=4)
}
${recipeOf("M", settings)}`;

/** The student alone, with the same names. */
const ALONE = `model M {
  ${PORTS}
  ${SMALL}
  loss cross_entropy(small, label)
}
${recipeOf("M")}`;

const images = Float32Array.from(uniformValues("teacher/images", 4 * 108, 1));
const labels = Uint32Array.from([0, 1, 2, 3]);

const open = async (text: string, options: Parameters<typeof compile>[1] = { file: "m.net" }) => {
  const { programs, diagnostics } = compile(text, options);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return createNetwork(programs, { batch: 4, seed: 3, adapter: process.env["NETC_ADAPTER"] });
};

/** Weights of the teacher under the names of a section. */
async function teacherOf(): Promise<ReadonlyMap<string, Float32Array>> {
  const big = await open(`model Big {\n ${PORTS}\n big {\n ${BIG}\n }\n
    loss cross_entropy(big.logits, label)\n}`);
  for (let step = 0; step < 3; step++) await big.step(images, labels);
  const { tensors } = parseTensors(await big.save());
  big.destroy();
  return new Map([...tensors].map(([name, { values }]) => [name, values]));
}

async function fill(net: Network, values: ReadonlyMap<string, Float32Array>): Promise<void> {
  for (const [name, each] of values) await net.write(name, each);
}

describe("a teacher", () => {
  test("is not trained, runs as in predictions, and is not saved with the student", async () => {
    const values = await teacherOf();
    const net = await open(studentOf());
    await fill(net, values);
    const before = await net.evaluate(images, labels);
    const first = await net.step(images, labels);
    // Dropout and the statistics of the batch would make another loss in training.
    expect(first.loss!).toBeCloseTo(before.loss!, 5);
    for (let step = 0; step < 3; step++) await net.step(images, labels);
    for (const [name, each] of values) expect(await net.read(name)).toEqual(each);
    expect((await net.evaluate(images, labels)).loss!).toBeLessThan(before.loss!);
    const saved = await net.save();
    expect([...parseTensors(saved).tensors.keys()].filter((name) => /^big/.test(name))).toEqual([]);

    const alone = await open(ALONE);
    await alone.load(saved);
    expect(await alone.predict(images)).toEqual(await net.predict(images));
    alone.destroy();

    // A resumed run has its teacher from the checkpoint, and takes the same step.
    const again = await open(studentOf());
    await again.load(await net.save({ optimizer: true }));
    expect(await again.step(images, labels)).toEqual(await net.step(images, labels));
    await again.load(saved);
    again.destroy();
    net.destroy();
  });

  test("that has no weights yet makes the loss no number", async () => {
    const net = await open(studentOf());
    expect((await net.step(images, labels)).loss!).toBeNaN();
    net.destroy();
  });

  test("trains in slices and phases as in one", async () => {
    const values = await teacherOf();
    const losses: number[] = [];
    for (const accumulate of [1, 2]) {
      const net = await open(
        studentOf(`${TEACHER}\n  freeze = [linear1]\n  unfreeze = after(2 steps, [linear1])`),
      );
      await fill(net, values);
      for (let step = 0; step < 3; step++) await net.step(images, labels, { accumulate });
      losses.push((await net.evaluate(images, labels)).loss!);
      net.destroy();
    }
    expect(losses[1]).toBeCloseTo(losses[0]!, 4);
  });
});

describe("programs of a student", () => {
  const sizesOf = (text: string, predictOnly: boolean) => {
    const program = compile(text, { file: "m.net", target: "gpu", predictOnly }).program!;
    return {
      predict: program.steps.predict.length,
      names: program.parameters.map(({ name }) => name),
    };
  };

  test("predict without the teacher", () => {
    const [whole, alone] = [sizesOf(studentOf(), true), sizesOf(ALONE, true)];
    expect(whole).toEqual(alone);
    expect(sizesOf(studentOf(), false).predict).toBe(alone.predict);
  });

  test.each([
    ["into a missing section", 'teacher = load("f.safetensors", into=bog)', undefined, "NET3072"],
    ["that the student reads", TEACHER, `big {\n ${BIG}\n }\n`, "NET3072"],
    ["that is not declared", "", undefined, "NET2070"],
  ])("%s is reported", (_, settings, big, code) => {
    const { diagnostics } = analyze(studentOf(settings, big), "m.net");
    expect(diagnostics.map((each) => each.code)).toContain(code);
  });
});
