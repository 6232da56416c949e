import { bindableBytes } from "../../program/limits.js";
import type { Program } from "../../program/program.js";
import type { LoweredProgram } from "../lower/program.js";
import type { PlannedList, ProgramPlan } from "../plan/program.js";
import { planListMemory, writtenList, type WrittenList } from "./lists.js";
import { Numbering } from "./numbering.js";
import { ProgramWriter, type WriteOptions } from "./program-writer.js";

/** A program with what its lists came from. */
export interface WrittenProgram {
  readonly program: Program;
  readonly lists: { readonly [List in PlannedList]?: WrittenList } & {
    readonly predict: WrittenList;
  };
}

/** Plans the memory of all dispatches, numbers buffers and kernels, and writes the program down. */
export function writeProgram(
  plan: ProgramPlan,
  lowered: LoweredProgram,
  options: WriteOptions,
): WrittenProgram {
  const memory = planListMemory(lowered.lists, bindableBytes(plan.limits));
  const numbering = new Numbering(memory.slotOf);
  const program = new ProgramWriter(plan, options, numbering).write({
    ...lowered,
    ...memory.lists,
  });
  const written = Object.entries(lowered.lists).map(([name, list]) => [
    name,
    writtenList(list!, memory.lists[name as PlannedList]!, numbering),
  ]);
  return { program, lists: Object.fromEntries(written) as WrittenProgram["lists"] };
}
