import type { Affine, Program, ProgramKernel, ProgramStep } from "../../program/program.js";
import type { TrainRecipe } from "../../program/recipe.js";

/**
 * The generated ES module: the programs as data, with kernels as readable text, and one function that puts them on a GPU. Programs of
 * different targets share kernels and parameters; their steps stand one a line.
 */
export function emitModule(
  programs: readonly Program[],
  recipe: TrainRecipe | undefined,
): string {
  const [first] = programs;
  if (!first) throw new Error("a module needs at least one program");
  const kernels = new KernelTable(programs);
  return [
    `// ${first.model}, compiled by netc from ${first.source.file}. Change the spec and compile again, not this file.`,
    'import { createNetwork } from "netc/runtime";',
    "",
    HELPERS,
    "",
    "const kernels = [",
    ...kernels.list.map((kernel) => `${emitKernel(kernel)},`),
    "];",
    "",
    "const common = {",
    ...emitCommon(first),
    "};",
    "",
    "export const programs = [",
    ...programs.map((program) => emitProgram(program, kernels)),
    "];",
    "",
    ...(recipe ? [`export const recipe = ${JSON.stringify(recipe, null, 2)};`, ""] : []),
    `export function create${first.model}(options) {`,
    "  return createNetwork(programs, options);",
    "}",
    "",
  ].join("\n");
}

const HELPERS = `const bytes = (fixed, perImage) => ({ fixed, perImage });
const buffer = (name, purpose, fixed, perImage) => ({ name, purpose, bytes: bytes(fixed, perImage) });
const kernel = (name, bindings, wgsl) => ({ name, bindings, wgsl });
const step = (kernel, buffers, constants, [fixed, perImage, tile, z], label, [line, column], macs) => ({
  kernel,
  buffers,
  constants,
  workgroups: { x: { fixed, perImage, tile }, z },
  label,
  location: { line, column },
  macs,
});`;

/** Kernels of all programs, each text once. */
class KernelTable {
  readonly list: ProgramKernel[] = [];
  private readonly index = new Map<string, number>();

  constructor(programs: readonly Program[]) {
    for (const kernel of programs.flatMap((program) => program.kernels)) {
      if (this.index.has(kernel.wgsl)) continue;
      this.index.set(kernel.wgsl, this.list.length);
      this.list.push(kernel);
    }
  }

  place({ wgsl }: ProgramKernel): number {
    return this.index.get(wgsl)!;
  }
}

function emitKernel({ name, bindings, wgsl }: ProgramKernel): string {
  const text = wgsl.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${");
  return `  kernel(${JSON.stringify(name)}, ${JSON.stringify(bindings)}, \`${text}\`)`;
}

/** What is the same for every target. */
function emitCommon(program: Program): string[] {
  const { format, model, source, input, classes, prediction, metrics, optimizer } = program;
  const fields = { format, model, source, input, classes, prediction, metrics, optimizer };
  return [
    ...Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `  ${name}: ${JSON.stringify(value)},`),
    "  parameters: [",
    ...program.parameters.map((parameter) => `    ${JSON.stringify(parameter)},`),
    "  ],",
  ];
}

function emitProgram(program: Program, kernels: KernelTable): string {
  const places = program.kernels.map((kernel) => kernels.place(kernel));
  return [
    "  {",
    "    ...common,",
    `    target: ${JSON.stringify(program.target)},`,
    `    kernels: [${places.join(", ")}].map((index) => kernels[index]),`,
    "    buffers: [",
    ...program.buffers.map(({ name, purpose, bytes }) => {
      return `      buffer(${JSON.stringify(name)}, ${JSON.stringify(purpose)}, ${affine(bytes)}),`;
    }),
    "    ],",
    "    steps: {",
    ...Object.entries(program.steps).flatMap(([list, steps]) => [
      `      ${list}: [`,
      ...steps.map((step) => `        ${emitStep(step)},`),
      "      ],",
    ]),
    "    },",
    "  },",
  ].join("\n");
}

const affine = ({ fixed, perImage }: Affine) => `${fixed}, ${perImage}`;

function emitStep(step: ProgramStep): string {
  const { kernel, buffers, constants, workgroups, label, location, macs } = step;
  const counts = `[${affine(workgroups.x)}, ${workgroups.x.tile}, ${workgroups.z}]`;
  const place = `[${location.line}, ${location.column}]`;
  const lists = `[${buffers.join(", ")}], [${constants.join(", ")}]`;
  return `step(${kernel}, ${lists}, ${counts}, ${JSON.stringify(label)}, ${place}, ${macs})`;
}
