/**
 * Means by class weights keep sum and weight apart until the end: slices, calls, steps and whole
 * evaluations give what PyTorch gives for all examples at once.
 */
import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { makeProgram } from "../../compiler/program.js";
import type { Program } from "../../program/program.js";
import { createNetwork, type Network, type Targets } from "../../runtime/index.js";
import { addMeasurements, meansOf } from "../../runtime/measurement.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "../parity/harness.js";
import { sampled } from "../adapters.js";

/** What PyTorch makes of a loss, of all examples at once. */
interface Expected {
  readonly loss: string;
  readonly mixed: boolean;
  /** Before training. */
  readonly evaluation: number;
  /** Before each step. */
  readonly losses: readonly number[];
  readonly weights: Readonly<Record<string, Summary>>;
}

const EXAMPLES = 18;
const CLASSES = 3;
const PIXELS = 2 * 4 * 4;

const images = uniformValues("class weights/images", EXAMPLES * PIXELS, 1);
const labels = labelValues("class weights/labels", EXAMPLES, CLASSES);
const partners = labelValues("class weights/partners", EXAMPLES, CLASSES);
const shares = uniformValues("class weights/shares", EXAMPLES, 1).map(Math.abs);

const specOf = (loss: string, optimizer: string) => `
  model M {
    input image: f32[N, 2, 4, 4]
    target label: u32[N] in 0..${CLASSES}
    conv(4, kernel=3, padding=1) as first -> tanh as features
    flatten -> linear(${CLASSES}) as out
    ${loss.includes("early") ? `from features -> flatten -> linear(${CLASSES}) as early` : ""}
    loss ${loss}
    metric top1 = accuracy(out, label)
    metric top2 = accuracy(out, label, k=2)
  }
  train Run of M {
    epochs = 1
    batch = ${EXAMPLES}
    optimizer = ${optimizer}
  }`;

function programsOf({ loss, mixed }: Expected, optimizer: string): readonly Program[] {
  const spec = specOf(loss, optimizer);
  const { programs, diagnostics } = compile(spec, { file: "m.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (!mixed) return programs;
  const { graph } = analyze(spec, "m.net").selected!.model;
  return programs.map(({ target, source, optimizer: rule }) =>
    makeProgram(graph!, { target, source, optimizer: rule, classes: CLASSES, mixesLabels: true }),
  );
}

async function opened(
  expected: Expected,
  options: { readonly batch: number; readonly accumulate?: number; readonly optimizer?: string },
): Promise<Network<string, string, Targets>> {
  const { optimizer = "sgd(lr=0.5, momentum=0.9)", ...rest } = options;
  const network = await createNetwork<string, string, Targets>(
    programsOf(expected, optimizer),
    rest,
  );
  for (const { name, shape } of network.parameters)
    await network.write(name, parameterValues(`class weights/${name}`, shape));
  return network;
}

const cases = readExpected<Expected[]>("class-weights");

describe.each(cases)("$loss, mixed: $mixed", (expected) => {
  // In one piece, in even and uneven slices, an example each.
  test.each(sampled([4, 1, 2, 18], 4))("training in %i slices is PyTorch's", async (accumulate) => {
    const network = await opened(expected, { batch: EXAMPLES, accumulate });
    try {
      const targets = expected.mixed ? { labels, partners, shares } : labels;
      const { loss: evaluation } = await network.evaluate(images, labels);
      expect(Math.abs(evaluation! - expected.evaluation)).toBeLessThan(2e-5);
      for (const wanted of expected.losses) {
        const { loss } = await network.step(images, targets);
        expect(Math.abs(loss! - wanted)).toBeLessThan(2e-5 * Math.max(1, wanted));
      }
      for (const [name, wanted] of Object.entries(expected.weights))
        expect(relativeError(await network.read(name), wanted), name).toBeLessThan(5e-5);
    } finally {
      network.destroy();
    }
  });
});

test.each(sampled([7, 1, 4, 18], 2))(
  "an evaluation in calls of %i examples is that of all",
  async (batch) => {
    const expected = cases[0]!;
    const network = await opened(expected, { batch });
    try {
      let total = { examples: 0, notFinite: 0, sums: [] } as Parameters<typeof meansOf>[0];
      for (let first = 0; first < EXAMPLES; first += batch) {
        const end = Math.min(first + batch, EXAMPLES);
        const part = images.subarray(first * PIXELS, end * PIXELS);
        total = addMeasurements(total, await network.measure(part, labels.subarray(first, end)));
      }
      expect(total.examples).toBe(EXAMPLES);
      const { loss, top1, top2 } = meansOf(total);
      expect(Math.abs(loss! - expected.evaluation)).toBeLessThan(2e-6);
      expect((top1! * EXAMPLES) % 1).toBeCloseTo(0, 9);
      expect(top2).toBeGreaterThanOrEqual(top1!);
    } finally {
      network.destroy();
    }
  },
);

test("sums of gradients, which adam takes, are the same in slices", async () => {
  const options = { batch: EXAMPLES, optimizer: "adam(lr=0.01)" };
  const whole = await opened(cases[2]!, options);
  const sliced = await opened(cases[2]!, { ...options, accumulate: 5 });
  try {
    for (let step = 0; step < 3; step++) {
      const [one, other] = [await whole.step(images, labels), await sliced.step(images, labels)];
      expect(other["loss"]).toBeCloseTo(one["loss"]!, 5);
      expect(other["top1"]).toBe(one["top1"]);
    }
    for (const { name } of whole.parameters) {
      const [one, other] = [await whole.read(name), await sliced.read(name)];
      one.forEach((value, index) => expect(other[index]).toBeCloseTo(value, 4));
    }
  } finally {
    for (const network of [whole, sliced]) network.destroy();
  }
});
