/** From a spec to programs in memory, as the commands that run networks need them. */
import {
  compile,
  type Compilation,
  type CompileOptions,
  type MemoryWish,
} from "../compiler/index.js";
import { fileShapeOf } from "../compiler/ir/graph.js";
import type { FittedProgram } from "../compiler/budget.js";
import {
  analyze,
  unfedBy,
  type Analysis,
  type AnalyzedModel,
} from "../compiler/semantics/index.js";
import type { Program } from "../program/program.js";
import type { DataRecipe, TrainRecipe } from "../program/recipe.js";
import type { Network } from "../runtime/network.js";
import { build } from "../compiler/network/build.js";
import type { Shaped } from "../interchange/weights/modules.js";
import { wrongInput } from "./failure.js";
import { openSpec, requireNoErrors, type SpecFile } from "./spec.js";
import { tuningBeside } from "./tuning/tune-file.js";

export interface SelectOptions {
  /** The model; the recipe's, or else the spec's first, if left out. */
  readonly model?: string | undefined;
  /** The recipe; the model's first if left out. */
  readonly train?: string | undefined;
  /** Settings of the recipe that flags change. */
  readonly overrides?: CompileOptions["overrides"];
  /** What training may take. */
  readonly memory?: MemoryWish | undefined;
  /** Adapters to compile for; all unless given. */
  readonly target?: CompileOptions["target"];
  /** Gives gradients separate buffers. */
  readonly keepGradients?: boolean;
  /** Makes programs that see inside the network. */
  readonly inspect?: boolean;
  /** Compiles for ranks that train together. */
  readonly exchange?: boolean;
  /** Whether choices that `netc tune` wrote next to the spec are compiled in; yes unless given. */
  readonly usesTuning?: boolean;
  /**
   * Whether weights files that recipes load are compared with their models, for a command that is
   * about to load them.
   */
  readonly checksWeights?: boolean;
}

export interface CompiledSpec {
  readonly spec: SpecFile;
  readonly analysis: Analysis;
  readonly model: AnalyzedModel;
  readonly recipe: TrainRecipe | undefined;
  readonly compilation: Compilation;
}

/**
 * Reads, analyses and compiles a spec. Diagnostics are shown; errors among them end the command.
 */
export async function compileSpec(path: string, select: SelectOptions): Promise<CompiledSpec> {
  const spec = await openSpec(path);
  const { usesTuning = true, checksWeights = false, ...selection } = select;
  const { readImport } = spec;
  const host = { readImport, readWeights: checksWeights ? spec.readWeights : undefined };
  const analysis = analyze(spec.text, spec.path, { ...selection, ...host });
  const { selected } = analysis;
  const tuned = usesTuning ? await tuningBeside(spec) : [];
  const compilation = compile(spec.text, { file: spec.path, ...selection, ...host, tuned });
  requireNoErrors(spec, compilation.diagnostics);
  if (selected === undefined) throw wrongInput(`${path} declares no model`);
  return { spec, analysis, model: selected.model, recipe: selected.recipe, compilation };
}

/** A spec that was analyzed and not compiled. */
export type AnalyzedSpec = Pick<CompiledSpec, "spec" | "model">;

/** Reads and analyzes a spec, for commands that run no network: that is much faster. */
export async function analyzeSpec(path: string, select: SelectOptions): Promise<AnalyzedSpec> {
  const spec = await openSpec(path);
  const { readImport } = spec;
  const { selected, diagnostics } = analyze(spec.text, spec.path, { ...select, readImport });
  requireNoErrors(spec, diagnostics);
  if (selected === undefined) throw wrongInput(`${path} declares no model`);
  return { spec, model: selected.model };
}

/** Names and shapes of a model's weights and running statistics, in the network's order. */
export function tensorsOf({ model }: AnalyzedSpec): readonly Shaped[] {
  return build(model.network!).parameters.map((parameter) => {
    return { name: parameter.value.name, shape: fileShapeOf(parameter) };
  });
}

/** What the program that a network runs came from. */
export function compiledProgramOf(
  { compilation }: CompiledSpec,
  { program }: Network,
): FittedProgram {
  const compiled = compilation.compiled.find((candidate) => candidate.program === program);
  if (!compiled) throw new Error("the network was made from another compilation");
  return compiled;
}

/** What other commands take to choose the same recipe: the path, and a flag where it is needed. */
export function argumentsOf({ spec, analysis, recipe }: CompiledSpec): string {
  const first = analysis.syntax.declarations.find((each) => each.kind === "model");
  const usual = analysis.recipes.find(({ model }) => model === first?.name.name);
  const isUsual = recipe === undefined || recipe.name === usual?.name;
  return isUsual ? spec.path : `${spec.path} --train ${recipe.name}`;
}

/** The recipe of a compiled spec, for commands that cannot do without. */
export function requireRecipe({ spec, model, recipe }: CompiledSpec): TrainRecipe {
  if (recipe !== undefined) return recipe;
  requireFeedable({ spec, model });
  throw wrongInput(
    `${spec.path} declares no training of model ${model.name}`,
    `add \`train NAME of ${model.name} on DATA { epochs = 10 ... }\`; see specs/digits.net`,
  );
}

/** The data of a compiled spec's recipe, for commands that cannot do without. */
export function requireData(compiled: CompiledSpec): DataRecipe {
  const recipe = requireRecipe(compiled);
  if (recipe.data !== undefined) return recipe.data;
  requireFeedable(compiled);
  throw wrongInput(
    `recipe ${recipe.name} of ${compiled.spec.path} names no data`,
    `declare \`data NAME for ${compiled.model.name} { ... }\` ` +
      `and write \`train ${recipe.name} of ${compiled.model.name} on NAME\``,
  );
}

/** Ends a command that reads data, for a model that they cannot feed. */
function requireFeedable({ spec, model }: Pick<CompiledSpec, "spec" | "model">): void {
  const unfed = unfedBy(model);
  if (!unfed) return;
  throw wrongInput(
    `data give one image and one label, but model ${model.name} of ${spec.path} has ${unfed.what}`,
    `feed it arrays from JavaScript: \`netc compile ${spec.path}\`, then \`${unfed.call}\`, ` +
      "or `fit` with batches of them",
    "`netc explain NET3024` has more",
  );
}

/** The parameters of a compiled spec's model: the same in all of its programs. */
export function parametersOf({ compilation }: CompiledSpec): Program["parameters"] {
  return compilation.programs[0]!.parameters.filter(({ teacher }) => !teacher);
}
