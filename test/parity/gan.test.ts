import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import { gan } from "../ports/gan.js";
import { readExpected } from "./harness.js";

const COUNT = 8;

/**
 * Adam divides by the gradient's size, so that rounding of a small gradient shows whole, and what
 * one section gets wrong by the other learns from.
 */
const TOLERANCE = 1e-4;

test("a generator and a discriminator train in turns as in PyTorch", async () => {
  const expected = readExpected<{
    /** Of the discriminator and of the generator in turn, each before its update. */
    readonly losses: readonly number[];
    readonly state: Readonly<Record<string, Summary>>;
    readonly sample: Summary;
  }>("gan");
  const { programs, diagnostics } = compile(gan(), { file: "gan.net" });
  expect(diagnostics).toEqual([]);
  const adapter = process.env["NETC_ADAPTER"];
  const network = await createNetwork<string, string, void>(programs, {
    batch: COUNT,
    seed: 3,
    adapter,
  });
  for (const { name, shape } of network.parameters) {
    await network.write(name, parameterValues(`gan/${name}`, shape));
  }
  const images = uniformValues("gan/images", COUNT * 64, 1);
  const errors: Record<string, number> = {};
  for (let step = 0; step < 3; step++) {
    const { loss, d, g } = await network.step(images, undefined);
    expect(loss).toBeCloseTo(d! + g!, 5);
    for (const [turn, own] of [d!, g!].entries()) {
      const wanted = expected.losses[2 * step + turn]!;
      errors[`loss ${step}.${turn}`] = Math.abs(own - wanted) / wanted;
    }
  }
  for (const [name, summary] of Object.entries(expected.state)) {
    errors[name] = relativeError(await network.read(name), summary);
  }
  const samples = await network.predict(uniformValues("gan/z", COUNT * 6, 1));
  errors["sample"] = relativeError(samples, expected.sample);
  network.destroy();
  const wrong = Object.entries(errors).filter(([, error]) => !(error < TOLERANCE));
  expect(wrong).toEqual([]);
});
