/**
 * Whole calls, several times in turn: all kernels in one submission must leave the bits that the
 * same kernels leave one at a time. Finds what only submissions get wrong: an order that a driver
 * does not keep, or memory that holds what an earlier call left.
 */
import type { ProgramParameter, ProgramTensor } from "../../program/program.js";
import { tensorsOf } from "../../program/tensors.js";
import { inspecting, inspectingRuns, type Inspection } from "../../runtime/inspection.js";
import { placeOf } from "../../runtime/layout.js";
import type { Network } from "../../runtime/network.js";
import { joinSlices, type Call } from "../../runtime/slices.js";
import { examplesFor, type Examples } from "../random-examples.js";
import { Comparison } from "./comparison.js";
import { spread } from "./places.js";
import { addTallies, tallyOf, type CheckOptions, type Tally } from "./tally.js";

/** How often each call runs: some engines were right in the first call only. */
const TIMES = 3;

/** Values by name: what a call leaves. */
type Left = readonly (readonly [name: string, values: ArrayLike<number>])[];

/** Trains a few steps. */
export async function verifyCalls(
  network: Network,
  examples: Examples,
  { onChecked, continues }: CheckOptions,
): Promise<Tally> {
  const { steps } = network.program;
  const calls = (["train", "evaluate", "predict"] as const).filter((call) => steps[call].length);
  let tally: Tally = { kernels: 0, values: 0 };
  for (let time = 1; time <= TIMES; time++) {
    for (const call of calls) {
      const result = await checkCall(network, examplesFor(call, examples), { call, time });
      onChecked?.(result);
      tally = addTallies(tally, tallyOf(result, steps[call].length));
      if (tally.divergence && !continues) return tally;
    }
  }
  return tally;
}

/** What users write for each call. */
const METHODS = { train: "step", evaluate: "evaluate", predict: "predict" } as const;

async function checkCall(
  network: Network,
  examples: Examples,
  { call, time }: { readonly call: Call; readonly time: number },
) {
  const expected = await oneAtATime(network, examples, call);
  const actual = await submitted(network, examples, call);
  const comparison = new Comparison();
  expected.forEach(([value, wanted], place) => {
    const came = actual[place]![1];
    for (let index = 0; index < wanted.length; index++) {
      const [left, right] = [wanted[index]!, came[index]!];
      // Equal numbers and two NaN are 0 apart; the tolerance is less than any difference.
      const [a, b] = Object.is(left, right) || left === right ? [0, 0] : [left, right];
      comparison.add({ value, index, expected: a, actual: b, tolerance: Number.MIN_VALUE });
    }
  });
  const name = `${METHODS[call]}, call ${time} of ${TIMES}`;
  const about = { list: "calls", name, layer: network.program.model, line: 1 } as const;
  return { ...about, kernels: [], ...comparison.finding };
}

/** What a call leaves where each of its kernels has a separate submission. */
function oneAtATime(network: Network, examples: Examples, call: Call): Promise<Left> {
  const visit = inspectingRuns<Left>(async (runs) => {
    let last: Inspection | undefined;
    for (const run of runs) {
      last = await run.begin();
      for (let step = 0; step < last.steps.length; step++) last.run(step, step + 1);
    }
    return left(network, last!, call);
  });
  return network.inspectCall(call, examples, visit);
}

/** What its callers get, and of a step what it leaves of the weights. */
async function submitted(network: Network, examples: Examples, call: Call): Promise<Left> {
  const { images, targets } = examples;
  const own = network as Network<string, string, typeof targets, typeof images>;
  if (call === "evaluate") {
    const { sums } = await own.measure(images, targets);
    return [["metrics", sums.map(({ sum }) => sum)]];
  }
  if (call === "predict") {
    const output: Float32Array | Readonly<Record<string, Float32Array>> = await own.predict(images);
    const [{ name }] = tensorsOf(network.program, "prediction") as [ProgramTensor];
    return output instanceof Float32Array ? [[name, output]] : Object.entries(output);
  }
  await own.step(images, targets);
  // Makes a list ready and runs no kernel.
  const visit = inspecting((inspection) => weightsOf(network, inspection));
  return network.inspect("evaluate", { images, targets }, visit);
}

/** The same, from the device's buffers. */
async function left(network: Network, inspection: Inspection, call: Call): Promise<Left> {
  const { program, slice } = network;
  if (call === "train") return weightsOf(network, inspection);
  if (call === "evaluate") {
    const [metrics] = tensorsOf(program, "metrics") as [ProgramTensor];
    const values = await inspection.read(metrics.buffer);
    return [["metrics", values.subarray(0, program.sums.evaluate.length)]];
  }
  const read = tensorsOf(program, "prediction").map(async (tensor) => {
    const values = await inspection.read(tensor.buffer);
    const part = { first: 0, count: slice, values };
    return [tensor.name, joinSlices(tensor, [part], slice)] as const;
  });
  return Promise.all(read);
}

/** Weights to look at of each parameter: copies of single numbers. */
const PLACES = 64;

function weightsOf({ program }: Network, inspection: Inspection): Promise<Left> {
  return Promise.all(
    program.parameters.map(async (parameter) => {
      const values = await inspection.gather(placesOf(parameter));
      return [parameter.name, values] as const;
    }),
  );
}

function placesOf({ layout, pieces, shape }: ProgramParameter) {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return spread(size, PLACES).map((index) => {
    const { piece, offset } = placeOf(layout, pieces, shape[0] ?? 1, index);
    return { buffer: pieces[piece]!.buffer, offset };
  });
}
