/** Which of a module's programs suits a device. */
import type { Program, Target } from "../program/program.js";
import type { AdapterSummary } from "./device.js";
import { DeviceLimitError } from "./errors.js";

/** What an adapter of each target can run, the best first. */
const RUNNABLE: Readonly<Record<Target, readonly Target[]>> = {
  gpu: ["gpu"],
  lanes8: ["lanes8", "lanes4", "gpu"],
  lanes4: ["lanes4", "gpu"],
};

/**
 * The program compiled for the target that suits the adapter best, of those it can run. Throws DeviceLimitError if it
 * can run none.
 */
export function chooseProgram(programs: readonly Program[], adapter: AdapterSummary): Program {
  const runnable = RUNNABLE[adapter.target];
  for (const target of runnable) {
    const program = programs.find((candidate) => candidate.target === target);
    if (program !== undefined) return program;
  }
  const compiled = programs.map(({ target }) => target).join(", ");
  throw new DeviceLimitError(
    `this module was compiled for ${compiled || "no target"}, and adapter \`${adapter.name}\` ` +
      `runs ${runnable.join(", ")}: compile it again with \`--target auto\``,
  );
}
