/** Which of a module's programs suits a device. */
import type { Program, ProgramAdapter, Target } from "../program/program.js";
import type { AdapterSummary } from "./device.js";
import { DeviceLimitError } from "./errors.js";

/** What an adapter of each target can run, the best first. */
const RUNNABLE: Readonly<Record<Target, readonly Target[]>> = {
  gpu: ["gpu"],
  lanes8: ["lanes8", "lanes4", "gpu"],
  lanes4: ["lanes4", "gpu"],
};

/**
 * Whether two names are one adapter's. Where browsers hide the name, those of vendor and
 * architecture count.
 */
export function isSameAdapter(a: ProgramAdapter, b: ProgramAdapter): boolean {
  const family = ({ vendor, architecture }: ProgramAdapter) =>
    [vendor, architecture].filter(Boolean).join(" ");
  if (family(a) !== family(b)) return false;
  const isHidden = [a, b].some(({ name }) => name === family(a));
  return isHidden || a.name === b.name;
}

/**
 * The program whose schedules were measured on this very adapter, or else the one that was compiled
 * for the target that suits the adapter best, of those it can run. Those of 16 bits come before
 * their likes of 32. Throws DeviceLimitError if it can run none.
 */
export function chooseProgram(compiled: readonly Program[], adapter: AdapterSummary): Program {
  const programs = compiled.filter(({ precision }) => !precision || adapter.half);
  const runnable = RUNNABLE[adapter.target];
  const measured = programs.find(
    (candidate) => candidate.adapter && isSameAdapter(candidate.adapter, adapter),
  );
  if (measured && runnable.includes(measured.target)) return measured;
  for (const target of runnable) {
    const program = programs.find((candidate) => !candidate.adapter && candidate.target === target);
    if (program !== undefined) return program;
  }
  const names = compiled.map(({ target, adapter: own }) => own?.name ?? target).join(", ");
  throw new DeviceLimitError(
    `this module was compiled for ${names}, and adapter \`${adapter.name}\` ` +
      `runs ${runnable.join(", ")}: compile it again with \`--target auto\``,
  );
}
