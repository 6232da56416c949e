/**
 * The lists that see to parameters alone, held against the CPU: their initial values, and their
 * averages.
 */
import type { WeightAverage } from "../../program/recipe.js";
import type { CompiledProgram } from "../../compiler/program.js";
import { Comparison, STORING } from "./comparison.js";
import { initialTolerance, initialValue } from "./initial-values.js";
import { samplePlaces } from "./places.js";
import { inLossScale } from "../../program/loss-scale.js";
import type { ProgramParameter, ProgramStep } from "../../program/program.js";
import { inspecting, type Inspection } from "../../runtime/inspection.js";
import { placeOf } from "../../runtime/layout.js";
import type { Network } from "../../runtime/network.js";
import type { Examples } from "../random-examples.js";
import { addTallies, tallyOf, type CheckOptions, type Tally } from "./tally.js";

/** Fills the parameters again, and restores what they were. */
export function verifyInitialValues(
  network: Network,
  examples: Examples,
  options: CheckOptions,
): Promise<Tally> {
  const { seed } = network;
  const check: CheckParameter = async (parameter, inspection) => {
    const places = placesOf(parameter);
    const { name, initializer, stream } = parameter;
    const tolerance = initialTolerance(initializer);
    const comparison = new Comparison();
    const after = await gather(inspection, parameter, "buffer", places);
    places.forEach((index, place) => {
      const expected = initialValue(initializer, { seed, stream, index });
      comparison.add({ value: name, index, expected, actual: after[place]!, tolerance });
    });
    return comparison;
  };
  return verifyEach(network, { list: "initialize", examples, check }, options);
}

/**
 * Moves the averages of the parameters, and puts back what they were. Says little unless the
 * network has taken a step.
 */
export function verifyAverages(
  network: Network,
  { average }: Pick<CompiledProgram, "average">,
  examples: Examples,
  options: CheckOptions,
): Promise<Tally> {
  const share = shareOf(average!, network.stepCount + 1);
  const before = new Map<ProgramParameter, Float32Array>();
  const averaged = network.program.parameters.filter(({ pieces }) => pieces[0]!.average);
  const { lossScale } = network.program;
  let isSkipped = share === 0;
  const prepare = async (inspection: Inspection) => {
    // A step that the loss scale had skipped moves no averages.
    if (lossScale !== undefined && average!.kind === "ema")
      isSkipped ||= (await inspection.read(lossScale))[inLossScale("factor")] === 0;
    for (const parameter of averaged) {
      before.set(parameter, await gather(inspection, parameter, "average", placesOf(parameter)));
    }
  };
  const check: CheckParameter = async (parameter, inspection) => {
    const places = placesOf(parameter);
    const weights = await gather(inspection, parameter, "buffer", places);
    const after = await gather(inspection, parameter, "average", places);
    const comparison = new Comparison();
    places.forEach((index, place) => {
      const [weight, old] = [weights[place]!, before.get(parameter)![place]!];
      const expected = isSkipped ? old : old + share * (weight - old);
      const tolerance = STORING * (Math.abs(old) + Math.abs(weight)) + 1e-30;
      const actual = after[place]!;
      comparison.add({ value: `${parameter.name} average`, index, expected, actual, tolerance });
    });
    return comparison;
  };
  return verifyEach(network, { list: "average", examples, check, prepare }, options);
}

/** What the weights count in the average after a step; 0 where it stays as it is. */
function shareOf(average: WeightAverage, done: number): number {
  if (average.kind === "ema") return done % (average.every ?? 1) === 0 ? 1 - average.decay : 0;
  const after = done - average.start;
  if (after < average.every) return 1;
  return after % average.every === 0 ? average.every / after : 0;
}

const placesOf = ({ shape }: ProgramParameter) =>
  samplePlaces(
    shape.reduce((size, extent) => size * extent, 1),
    1,
  );

/** Some elements of a parameter, or of its average, as they are on the device. */
function gather(
  inspection: Inspection,
  { layout, pieces, shape }: ProgramParameter,
  of: "buffer" | "average",
  places: readonly number[],
): Promise<Float32Array> {
  return inspection.gather(
    places.map((index) => {
      const { piece, offset } = placeOf(layout, pieces, shape[0] ?? 1, index);
      return { buffer: pieces[piece]![of]!, offset };
    }),
  );
}

type CheckParameter = (parameter: ProgramParameter, inspection: Inspection) => Promise<Comparison>;

/** A list whose every step writes a piece of one parameter. */
interface ParameterList {
  readonly list: "initialize" | "average";
  readonly examples: Examples;
  readonly check: CheckParameter;
  readonly prepare?: (inspection: Inspection) => Promise<void>;
}

/** Runs a list and checks one parameter after the other. */
function verifyEach(
  network: Network,
  { list, examples, check, prepare }: ParameterList,
  { onChecked, continues }: CheckOptions,
): Promise<Tally> {
  const { parameters, kernels } = network.program;
  const visit = async (inspection: Inspection): Promise<Tally> => {
    await prepare?.(inspection);
    inspection.run();
    let tally: Tally = { kernels: 0, values: 0 };
    for (const parameter of parameters) {
      const steps = inspection.steps.filter((step) => writes(step, parameter, list));
      if (steps.length === 0) continue;
      const { finding } = await check(parameter, inspection);
      const { label: name, location, kernel } = steps[0]!;
      const [layer, line] = [parameter.name, location.line];
      const result = { list, name, layer, line, kernels: [kernels[kernel]!.name], ...finding };
      onChecked?.(result);
      tally = addTallies(tally, tallyOf(result, steps.length));
      if (tally.divergence && !continues) break;
    }
    return tally;
  };
  return network.inspect(list, examples, inspecting(visit));
}

/** The last buffer that a step of these lists binds is the one that it writes. */
function writes(
  { buffers }: ProgramStep,
  { pieces }: ProgramParameter,
  list: "initialize" | "average",
): boolean {
  const of = list === "initialize" ? "buffer" : "average";
  return pieces.some((piece) => piece[of] === buffers.at(-1));
}
