import { lineComment } from "./text.js";
import {
  wgslOf,
  type Program,
  type ProgramKernel,
  type ProgramStep,
} from "../../program/program.js";

/** The program with a comment on top of each kernel that names the spec's lines it works for. */
export function annotateKernels(program: Program): Program {
  const { steps, preparations = {} } = program;
  const lists = [
    ...Object.values(preparations),
    ...Object.values(steps).map((list) => ({ steps: list })),
  ];
  const byKernel = program.kernels.map((): ProgramStep[] => []);
  for (const step of lists.flatMap((list) => list.steps)) byKernel[step.kernel]!.push(step);
  const kernels = program.kernels.map((kernel, index) =>
    annotate(kernel, byKernel[index]!, program.source.file),
  );
  return { ...program, kernels };
}

function annotate(
  kernel: ProgramKernel,
  steps: readonly ProgramStep[],
  file: string,
): ProgramKernel {
  const uses = new Set(
    steps.map(({ label, location }) => lineComment(`  ${file}:${location.line} ${label}`)),
  );
  const [first, ...rest] = kernel.sections!;
  const text = ["// Used for:", ...uses, first!.text].join("\n");
  const sections = [{ ...first!, text }, ...rest];
  return { ...kernel, sections, wgsl: wgslOf(sections) };
}
