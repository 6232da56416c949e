/** Another phase of training: only runs that have several load this file. */
import { inLossScale } from "../program/loss-scale.js";
import type { Program, ProgramParameter } from "../program/program.js";
import { InputError } from "./errors.js";
import type * as examples from "./examples.js";
import type { Tensors } from "./loaded.js";
import type { Phases } from "./phases.js";

/**
 * `Phases.enter`, for a phase that is not the present one. `assertFinite` is given, because its
 * import would split the file that a page loads first.
 */
export async function enterPhase(
  phases: Phases,
  phase: number,
  assertFinite: typeof examples.assertFinite,
): Promise<void> {
  const program = programOf(phases, phase);
  const { parameters, memory } = phases.loaded;
  const values = await parameters.valuesOf("value");
  const averages = await parameters.valuesOf("average");
  for (const [{ name }, tensor] of [...values, ...averages]) assertFinite(tensor, `\`${name}\``);
  // The powers of Adam's betas start again with the optimizer.
  const scale = await phases.loaded.lossScale();
  if (scale) {
    for (const power of ["power1", "power2"] as const) scale[inLossScale(power)] = 1;
    for (const count of ["updates", "length"] as const) scale[inLossScale(count)] = 0;
  }
  // Calls under way read their results from the memory that is freed.
  await phases.gpu.queue.onSubmittedWorkDone();
  memory.destroy();
  phases.loaded = phases.load(program);
  phases.loaded.memory.measured = memory.measured;
  await phases.loaded.put({
    values: ofProgram(program, values),
    averages: program.steps.average.length > 0 ? ofProgram(program, averages) : new Map(),
  });
  await phases.loaded.lossScale(scale);
  [phases.current, phases.since] = [phase, phases.step];
}

/** The program of a phase. Throws InputError where the recipe has no such phase. */
export function programOf({ programs }: Pick<Phases, "programs">, phase: number): Program {
  const program = programs[phase];
  if (program) return program;
  throw new InputError(`the recipe has no phase ${phase} of training`);
}

/** The same values for the parameters of another program, which have the same names and shapes. */
function ofProgram({ parameters }: Program, tensors: Tensors): Tensors {
  const byName = new Map([...tensors].map(([{ name }, values]) => [name, values]));
  const known = parameters.filter(({ name }) => byName.has(name));
  return new Map(
    known.map((own): [ProgramParameter, Float32Array] => [own, byName.get(own.name)!]),
  );
}
