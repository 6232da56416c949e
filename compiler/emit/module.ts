import type { InsideProgram } from "../../program/inside.js";
import type { Program, ProgramBuffer, ProgramKernel, ProgramStep } from "../../program/program.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { emitKernels } from "./kernels.js";
import { lineComment, literal } from "./text.js";
import { ROWS } from "./unrolled.js";

/**
 * The generated ES module: the programs as data, with kernels as readable text, and one function
 * that puts them on a GPU. Programs of different targets share kernels and parameters; their steps
 * are one per line, close together, since they are most of the file.
 */
export function emitModule(
  programs: readonly Program[],
  recipe: TrainRecipe | undefined,
  { insideFile, standardized = [] }: ModuleOptions = {},
): string {
  const [first] = programs;
  if (!first) throw new Error("a module needs at least one program");
  const kernels = new KernelTable(programs.flatMap((each) => [each, ...phasesOf(each)]));
  return [
    headline(first),
    `import { createNetwork } from "${runtimeOf(first)}";`,
    ...(insideFile === undefined ? [] : ['import { inspectable } from "netc/inspect";']),
    ...(standardized.length > 0 ? ['import { standardizing } from "netc/standardize";'] : []),
    "",
    HELPERS,
    "",
    ...emitKernels(kernels.list),
    "",
    ...(first.classes ? [`export const classes = ${literal(first.classes)};`, ""] : []),
    "const common = {",
    ...emitCommon(first),
    ...emitParameters(first),
    "};",
    "",
    ...phasesOf(first).flatMap((phase, index) => [
      `const ${commonName(index + 1)} = {`,
      "  ...common,",
      ...emitParameters(phase),
      "};",
      "",
    ]),
    ...(recipe ? [`export const recipe = ${literal(recipe)};`, ""] : []),
    "export const programs = [",
    ...programs.map((program) => `  ${emitProgram(program, kernels)},`),
    "];",
    "",
    ...emitCreate(first.model, { insideFile, standardized }),
    "",
  ].join("\n");
}

export interface ModuleOptions {
  /** The file that `emitInside` fills, for a module that is to be seen inside. */
  readonly insideFile?: string | undefined;
  /** Inputs whose numbers come as a table has them, and are standardized by the module. */
  readonly standardized?: readonly string[];
}

/** The entry of the runtime that a module imports. */
const runtimeOf = ({ predictOnly }: Program): string =>
  predictOnly ? "netc/runtime/predict" : "netc/runtime";
function emitCreate(
  model: string,
  { insideFile, standardized = [] }: ModuleOptions,
): readonly string[] {
  const inside = insideFile !== undefined;
  const scales = standardized.length > 0;
  if (!inside && !scales) {
    return [
      `export function create${model}(options) {`,
      "  return createNetwork(programs, options);",
      "}",
    ];
  }
  const opened = "await createNetwork(programs, options)";
  const seen = inside ? `inspectable(${opened}, importInside)` : opened;
  return [
    ...(inside
      ? [`export const importInside = () => import(${literal(`./${insideFile}`)});`, ""]
      : []),
    ...(scales ? [`export const standardized = ${literal(standardized)};`, ""] : []),
    `export async function create${model}(options) {`,
    `  return ${scales ? `standardizing(${seen}, standardized)` : seen};`,
    "}",
  ];
}

/** The second file of a module that is seen inside: loaded when that is first done. */
export function emitInside(inside: readonly InsideProgram[]): string {
  const [first] = inside;
  if (!first) throw new Error("a module needs at least one program");
  const kernels = new KernelTable(inside.map(({ program }) => program));
  return [
    headline(first.program),
    "",
    HELPERS,
    "",
    ...emitKernels(kernels.list),
    "",
    "const common = {",
    ...emitCommon(first.program),
    ...emitParameters(first.program),
    "};",
    "",
    "export const inside = [",
    ...inside.flatMap(({ program, scores, layers }) => [
      "  {",
      `  scores: ${scores},`,
      "  layers: [",
      ...layers.map((layer) => `    ${literal(layer)},`),
      "  ],",
      `  program: ${emitProgram(program, kernels)},`,
      "  },",
    ]),
    "];",
    "",
  ].join("\n");
}

const headline = ({ model, source }: Program) =>
  lineComment(
    `${model}, compiled by netc from ${source.file}. ` +
      "Change the spec and compile again, not this file.",
  );

const phasesOf = ({ phases = [] }: Program) => phases;

/** What the programs of a phase share: in later ones, other parameters are trained. */
const commonName = (phase: number) => (phase === 0 ? "common" : `phase${phase}`);

const BUFFER_PARAMETERS = "name, purpose, [line, column], fixed, perImage, least, largestBatch";
const STEP_PARAMETERS = [
  ...["kernel", "buffers", "constants", "[fixed, perImage, tile, z]", "label", "[line, column]"],
  ...["macs", "batches"],
].join(", ");

const HELPERS = `const buffer = (${BUFFER_PARAMETERS}) => ({
  name,
  purpose,
  ...(line && { location: { line, column } }),
  bytes: { fixed, perImage, ...(least && { least }) },
  ...(largestBatch && { largestBatch }),
});
const kernel = (name, bindings, ...sections) => ({
  name,
  bindings: bindings.split(", ").map((each) => {
    const [access, element] = each.split(" ");
    return { access, element };
  }),
  wgsl: sections.join("\\n\\n") + "\\n",
});
const step = (${STEP_PARAMETERS}) => ({
  kernel,
  buffers,
  constants,
  workgroups: { x: { fixed, perImage, tile }, z },
  label,
  location: { line, column },
  macs,
  ...(batches && { batches }),
});
${ROWS}`;

/** Kernels of all programs, each text once. */
class KernelTable {
  readonly list: readonly ProgramKernel[];
  private readonly index: ReadonlyMap<string, number>;

  constructor(programs: readonly Program[]) {
    const texts = new Map(
      programs.flatMap(({ kernels }) => kernels.map((each) => [each.wgsl, each])),
    );
    this.list = [...texts.values()].sort(byName);
    this.index = new Map(this.list.map(({ wgsl }, index) => [wgsl, index]));
  }

  place({ wgsl }: ProgramKernel): number {
    return this.index.get(wgsl)!;
  }
}

/** Kernels of one name begin alike, and a compressor sees only 32 KiB back. */
function byName(one: ProgramKernel, other: ProgramKernel): number {
  const [left, right] = one.name === other.name ? [one.wgsl, other.wgsl] : [one.name, other.name];
  return left < right ? -1 : 1;
}

/** What is the same for every target. */
function emitCommon(program: Program): string[] {
  const { format, model, source, metrics, fractions, sums, classTotals, accuracies, optimizer } =
    program;
  const fields = { format, model, source, predictOnly: program.predictOnly };
  const results = {
    metrics,
    fractions,
    sums,
    classTotals,
    accuracies,
    optimizer,
    turns: program.turns,
  };
  return [
    ...Object.entries({ ...fields, ...results })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `  ${name}: ${literal(value)},`),
    ...(program.classes ? ["  classes,"] : []),
  ];
}

function emitParameters({ parameters }: Program): string[] {
  return [
    "  parameters: [",
    ...parameters.map((parameter) => `    ${literal(parameter)},`),
    "  ],",
  ];
}

function emitProgram(program: Program, kernels: KernelTable, phase = 0): string {
  const places = program.kernels.map((kernel) => kernels.place(kernel));
  return [
    "{",
    `    ...${commonName(phase)},`,
    `    target: ${literal(program.target)},`,
    ...(program.precision ? [`    precision: ${literal(program.precision)},`] : []),
    `    tensors: ${literal(program.tensors)},`,
    ...(program.tokens ? ["    tokens: true,"] : []),
    `    uses: ${literal(program.uses)},`,
    ...(program.lossScale ? [`    lossScale: ${program.lossScale},`] : []),
    ...(program.measured ? [`    measured: ${literal(program.measured)},`] : []),
    ...(program.slice ? [`    slice: ${program.slice},`] : []),
    ...(program.adapter ? [`    adapter: ${literal(program.adapter)},`] : []),
    `    kernels: [${places.join(", ")}].map((index) => kernels[index]),`,
    "    buffers: [",
    ...program.buffers.map((buffer) => `  ${emitBuffer(buffer)},`),
    "    ],",
    "    steps: {",
    ...Object.entries(program.steps).flatMap(([list, steps]) => [
      `      ${list}: [`,
      ...steps.map((step) => `  ${emitStep(step)},`),
      "      ],",
    ]),
    "    },",
    ...emitPreparations(program),
    ...phasesOf(program).flatMap((later, index) => [
      ...(index === 0 ? ["    phases: ["] : []),
      `  ${emitProgram(later, kernels, index + 1)},`,
      ...(index + 1 === program.phases!.length ? ["    ],"] : []),
    ]),
    "  }",
  ].join("\n");
}

function emitPreparations({ preparations, predictOnly }: Program): string[] {
  if (!preparations) return [];
  return [
    "    preparations: {",
    ...Object.entries(preparations).flatMap(([split, { steps, ...plain }]) => [
      `      ${split}: {`,
      // The recipe, from which they came, has them already; a module that only predicts has none.
      predictOnly
        ? `        transforms: ${literal(plain.transforms)},`
        : `        transforms: recipe.data.${split === "train" ? split : "eval"}.transforms,`,
      ...Object.entries(plain)
        .filter(([name]) => name !== "transforms")
        .map(([name, value]) => `        ${name}: ${literal(value)},`),
      "        steps: [",
      ...steps.map((step) => `  ${emitStep(step)},`),
      "        ],",
      "      },",
    ]),
    "    },",
  ];
}

function emitBuffer(buffer: ProgramBuffer): string {
  const { name, purpose, bytes, largestBatch = 0, location } = buffer;
  const { least = 0 } = bytes;
  const rest = largestBatch > 0 ? [least, largestBatch] : least > 0 ? [least] : [];
  const place = location ? [location.line, location.column] : [];
  const given = [name, purpose, place, bytes.fixed, bytes.perImage, ...rest];
  return `buffer(${literals(given)})`;
}

function emitStep(step: ProgramStep): string {
  const { kernel, buffers, constants, workgroups, label, location, macs, batches } = step;
  const { fixed, perImage, tile } = workgroups.x;
  const given = [
    ...[kernel, buffers, constants, [fixed, perImage, tile, workgroups.z]],
    ...[label, [location.line, location.column], macs],
    ...(batches ? [batches] : []),
  ];
  return `step(${literals(given)})`;
}

/** Arguments of a call: a list without its brackets. */
const literals = (values: readonly unknown[]) => literal(values).slice(1, -1);
