/** Which of a module's programs suits a device. */
import type { Program, Target } from "../program/program.js";
import type { AdapterSummary } from "./device.js";
import { DeviceLimitError } from "./errors.js";

/** From the most demanding to the least. */
const TARGETS: readonly Target[] = ["gpu", "lanes8", "lanes4", "portable"];

/**
 * The program compiled for the target that suits the adapter best, of those it can run. Throws DeviceLimitError if it
 * can run none.
 */
export function chooseProgram(programs: readonly Program[], adapter: AdapterSummary): Program {
  const runnable = TARGETS.slice(TARGETS.indexOf(adapter.target));
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
