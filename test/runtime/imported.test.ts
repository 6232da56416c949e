/** A functional model of Keras with two inputs and two branches, trained a step. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { trainedParameters } from "../../compiler/ir/fusion.js";
import { runGraph } from "../../compiler/ops/run-graph.js";
import { scoresOf } from "../../compiler/ops/scores.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { importGraph } from "../../interchange/import-graph.js";
import { specText } from "../../interchange/spec-text.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { readModel } from "../interchange/imported.js";
import { distance } from "../kernels/compare.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { CONTEXT } from "../passes/chain.js";

const file = join(import.meta.dirname, "../fixtures/models/keras-functional/functional.keras");
const BATCH = 4;
const RATE = 0.05;

/** As the comment in the imported spec says: without `softmax`, with a target and a loss. */
function trainable(text: string): string {
  const numbers = "input numbers: f32[N, 4]\n";
  const head = "linear(3) as shares -> softmax";
  expect(text).toContain(numbers);
  expect(text).toContain(head);
  const model = text
    .replace(numbers, `${numbers}  target label: u32[N] in 0..3\n`)
    .replace(head, "linear(3) as logits\n  loss cross_entropy(logits, label)");
  const settings = `epochs = 1\n  batch = ${BATCH}\n  optimizer = sgd(lr=${RATE})`;
  return `${model}\ntrain Run of Functional {\n  ${settings}\n}\n`;
}

let network: Network | undefined;
afterAll(() => network?.destroy());

test("each weight moves against its gradient, whichever input it belongs to", async () => {
  const model = importGraph(await readModel(file, readFileSync(file)), { name: "Functional" });
  const spec = trainable(await specText(model, "functional.keras"));
  const { programs, diagnostics } = compile(spec, { file: "functional.net" });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  network = await createNetwork(programs, { batch: BATCH });
  const weights = new Map(
    model.tensors.map(({ name, values }) => [name.replace(/^shares\./, "logits."), values]),
  );
  for (const [name, values] of weights) await network.write(name, Float32Array.from(values));

  const inputs = {
    image: uniformValues("imported/image", BATCH * 3 * 10 * 8, 2),
    numbers: uniformValues("imported/numbers", BATCH * 4, 2),
  };
  const targets = { label: labelValues("imported/label", BATCH, 3) };
  const { loss } = await network.step(inputs as never, targets as never);

  const graph = differentiate(analyze(spec, "functional.net").models[0]!.graph!);
  const values = runGraph(graph, {
    images: inputs.image,
    given: { ...inputs, ...targets },
    parameters: weights,
    context: CONTEXT,
  });
  expect(loss).toBeCloseTo(scoresOf(graph, values).get("loss")!, 5);
  for (const { parameter, gradient } of trainedParameters(graph)) {
    const slope = values.get(gradient!.id)!.data;
    const before = weights.get(parameter.name)!;
    const expected = Float64Array.from(before, (value, at) => value - RATE * slope[at]!);
    const got = await network.read(parameter.name);
    expect(distance(got, expected), parameter.name).toBeLessThan(1e-5);
    expect(distance(got, before), parameter.name).toBeGreaterThan(1e-5);
  }
});
