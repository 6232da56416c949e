/**
 * The compiler: a spec's text to a Program and a module. Pure: no files, no GPU, any JavaScript
 * engine.
 */
import type { InsideProgram } from "../program/inside.js";
import type { DeviceLimits } from "../program/limits.js";
import type { OptimizerSettings, Program, ProgramAdapter, Target } from "../program/program.js";
import {
  mixesImages,
  type DataRecipe,
  type MixedPrecision,
  type TrainRecipe,
} from "../program/recipe.js";
import { standardizedInputs } from "../program/standardized-inputs.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { annotateKernels } from "./emit/annotate.js";
import { emitDeclarations } from "./emit/declarations.js";
import { fingerprint } from "./emit/fingerprint.js";
import { emitInside, emitModule } from "./emit/module.js";
import { compileInside } from "./inside.js";
import { turnsOf } from "./passes/turns.js";
import { applyWeightSettings, withoutTeacher, withoutUnread } from "./passes/weight-settings.js";
import type { AfterPass } from "./passes/step-graphs.js";
import { compileGraph, type ProgramOptions } from "./program.js";
import type { Graph } from "./ir/graph.js";
import {
  compileWithin,
  type BudgetExcess,
  type FittedProgram,
  type MemoryBudget,
} from "./budget.js";
import { build } from "./network/build.js";
import { fractionsOf } from "./network/facts.js";
import { outlineOf } from "./network/outline.js";
import type { ResolvedNetwork } from "./network/resolved.js";
import {
  analyze,
  type ReadImport,
  type ReadWeights,
  type RecipeOverrides,
} from "./semantics/index.js";
import type { TunedSchedules } from "./schedules/index.js";

export type { Diagnostic, Edit, Fix, Label, Severity } from "./diagnostics/diagnostic.js";
export type { Program } from "../program/program.js";
export { analyze } from "./semantics/index.js";
export type {
  Analysis,
  AnalyzedLayer,
  AnalyzedModel,
  ReadImport,
  ReadWeights,
} from "./semantics/index.js";

/** Schedules that were measured on an adapter, which runs programs of that target. */
export interface TunedAdapter {
  readonly adapter: ProgramAdapter;
  readonly target: Target;
  readonly schedules: TunedSchedules;
}

/** A budget, for the recipe's batch unless another is given. */
export interface MemoryWish extends Partial<MemoryBudget> {
  readonly bytes: number;
  /** Ranks that divide the batch: the budget is that of each; 1 unless given. */
  readonly ranks?: number | undefined;
}

export interface CompileOptions {
  /** The spec's path or name, for diagnostics. */
  readonly file: string;
  /** The model to compile; that of `train`, or else the spec's first, if left out. */
  readonly model?: string | undefined;
  /**
   * The recipe whose optimizer and model arguments are compiled in; the model's first if left out.
   */
  readonly train?: string | undefined;
  /** Settings of that recipe that are not the spec's. */
  readonly overrides?: RecipeOverrides | undefined;
  /**
   * Adapters to compile for: GPUs, software adapters, both (`auto`, the default), or none but those
   * of `tuned`.
   */
  readonly target?: "auto" | "gpu" | "software" | "tuned" | undefined;
  /** Adapters that get a separate program, with the schedules that were measured on them. */
  readonly tuned?: readonly TunedAdapter[] | undefined;
  /**
   * Names of the classes, in the order of the outputs, for the module and its types; as many as the
   * one target has.
   */
  readonly classNames?: readonly string[] | undefined;
  /** Reads the files that the spec imports; without it, an import is an error. */
  readonly readImport?: ReadImport | undefined;
  /** Looks into weights files that recipes load; without it, their shapes are not checked. */
  readonly readWeights?: ReadWeights | undefined;
  /**
   * Memory limit for training: netc recomputes values or splits the batch into slices, as far as
   * the limit requires.
   */
  readonly memory?: MemoryWish | undefined;
  /**
   * Of the devices that are to run the programs; WebGPU's own if absent: the module then runs on
   * any device.
   */
  readonly limits?: DeviceLimits | undefined;
  /** Gives every gradient a separate buffer, to be read after a step. Costs their memory. */
  readonly keepGradients?: boolean | undefined;
  /** Leaves out all that only training and evaluation need; see `Predictor` of the runtime. */
  readonly predictOnly?: boolean | undefined;
  /** Makes programs for several networks that train together: `fit` with `exchange`. */
  readonly exchange?: boolean | undefined;
  /** Makes programs that see inside the network: `activations` and `attribution`. */
  readonly inspect?: boolean | undefined;
  /** Called with the graph that each pass makes. */
  readonly afterPass?: AfterPass | undefined;
}

export interface Compilation {
  /** One program for each kind of adapter; empty if the spec has errors. */
  readonly programs: readonly Program[];
  /** What each of them came from, in the same order. */
  readonly compiled: readonly FittedProgram[];
  /** The first of them. */
  readonly program: Program | undefined;
  /** Programs that see inside, one for each target; none without `inspect`. */
  readonly inside: readonly InsideProgram[];
  /** The text of the file that the module loads to see inside; empty without `inspect`. */
  readonly insideModule: string;
  /** The training recipe, if the spec has one and no errors. */
  readonly recipe?: TrainRecipe | undefined;
  /** What the selected recipe is trained on, also where training is left out. */
  readonly data?: DataRecipe | undefined;
  /** The ES module's text, empty if the spec has errors. */
  readonly module: string;
  /** Its TypeScript declarations. */
  readonly declarations: string;
  readonly diagnostics: readonly Diagnostic[];
  /**
   * What training takes at least, if that is more than `memory`, with the first program for which
   * it is; `compiled` says which.
   */
  readonly excess?: BudgetExcess;
}

const TARGETS: Readonly<Record<NonNullable<CompileOptions["target"]>, readonly Target[]>> = {
  auto: ["gpu", "lanes8", "lanes4"],
  gpu: ["gpu"],
  software: ["lanes8", "lanes4"],
  tuned: [],
};

/** PyTorch's SGD with the papers' momentum, for a model without a recipe. */
const DEFAULT_OPTIMIZER: OptimizerSettings = {
  kind: "sgd",
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 0,
  nesterov: false,
  convention: "pytorch",
};

/**
 * Compiles a spec. Never throws because of the spec: what is wrong with it is among the
 * diagnostics.
 */
export function compile(source: string, options: CompileOptions): Compilation {
  const { file, model, train, overrides, readImport, readWeights } = options;
  const analysis = analyze(source, file, {
    model,
    train,
    overrides,
    readImport,
    readWeights,
  });
  const { diagnostics, selected, sources } = analysis;
  const hasErrors = diagnostics.some(({ severity }) => severity === "error");
  const { network, graph, documentation } = selected?.model ?? {};
  if (hasErrors || !network || !graph) return compilationOf([], { diagnostics });
  const { recipe } = selected!;
  const hash = fingerprint([...sources.values()].join("\n"));
  const compiled = compilePrograms({ network, graph, recipe, hash }, options);
  if (options.inspect && options.predictOnly) {
    throw new Error("a module with `predictOnly` cannot have `inspect`, too");
  }
  const inside = options.inspect ? insideOf(network, compiled, options) : [];
  const trained = options.predictOnly ? undefined : recipe;
  const { data } = recipe ?? {};
  return compilationOf(compiled, { recipe: trained, data, documentation, diagnostics, inside });
}

/** What may be said of the compilation of a network that comes from no spec. */
export interface NetworkOptions extends Pick<
  CompileOptions,
  | "file"
  | "target"
  | "tuned"
  | "classNames"
  | "memory"
  | "limits"
  | "keepGradients"
  | "exchange"
  | "afterPass"
> {
  readonly recipe?: TrainRecipe | undefined;
}

/** Compiles a network that comes from no spec. Throws where a graph cannot be made of it. */
export function compileNetwork(network: ResolvedNetwork, options: NetworkOptions): Compilation {
  const { recipe, ...rest } = options;
  const hash = fingerprint(JSON.stringify(outlineOf(network)));
  const compiled = compilePrograms({ network, graph: build(network), recipe, hash }, rest);
  return compilationOf(compiled, { recipe, diagnostics: [] });
}

/** Programs that see inside, for the targets of the others. */
function insideOf(
  network: ResolvedNetwork,
  compiled: readonly FittedProgram[],
  { limits }: Pick<CompileOptions, "limits">,
): readonly InsideProgram[] {
  const targets = [...new Set(compiled.map(({ program }) => program.target))];
  return compileInside(network, { targets, source: compiled[0]!.program.source, limits });
}

/** Of a module `alexnet.js`: `alexnet.inspect.js`. */
export const insideFileOf = (specFile: string): string =>
  `${specFile.replace(/\.net$/, "")}.inspect.js`;

function compilationOf(
  compiled: readonly FittedProgram[],
  said: Pick<Compilation, "diagnostics"> & {
    readonly recipe?: TrainRecipe | undefined;
    readonly data?: DataRecipe | undefined;
    readonly documentation?: string | undefined;
    readonly inside?: readonly InsideProgram[];
  },
): Compilation {
  const { diagnostics, recipe, data, documentation, inside = [] } = said;
  const excess = compiled.find((each) => each.excess)?.excess;
  const programs = compiled.map((each) => each.program);
  const [program] = programs;
  const standardized = standardizedInputs(data);
  const insideFile = program && inside.length > 0 ? insideFileOf(program.source.file) : undefined;
  return {
    programs,
    compiled,
    program,
    recipe: program && recipe,
    data: program && data,
    inside,
    insideModule: inside.length > 0 ? emitInside(inside) : "",
    module: program ? emitModule(programs, recipe, { insideFile, standardized }) : "",
    declarations: program
      ? emitDeclarations(program, recipe, { documentation, inside: inside[0], standardized })
      : "",
    diagnostics,
    excess,
  };
}

/** A network with its graph, and what trains it. */
interface Trained {
  readonly network: ResolvedNetwork;
  readonly graph: Graph;
  readonly recipe: TrainRecipe | undefined;
  /** Fingerprint of what it was made from. */
  readonly hash: string;
}

function compilePrograms(
  { network, graph, recipe, hash }: Trained,
  {
    file,
    target = "auto",
    tuned = [],
    keepGradients = false,
    exchange = false,
    predictOnly = false,
    classNames,
    memory,
    ...rest
  }: CompileOptions,
): readonly FittedProgram[] {
  const { afterPass, limits } = rest;
  const common = {
    source: { file: file.replace(/^.*[\\/]/, ""), hash },
    optimizer: predictOnly ? DEFAULT_OPTIMIZER : optimizerOf(recipe),
    data: predictOnly ? withoutTraining(recipe?.data) : recipe?.data,
    average: predictOnly || !recipe?.average ? undefined : recipe.average,
    keepGradients,
    exchange,
    predictOnly,
    syncBatchnorm: recipe?.syncBatchnorm ?? false,
    limits,
    afterPass,
    mixesLabels: mixesImages(recipe?.data?.train),
    fractions: fractionsOf(network),
    classNames,
  };
  const variants = variantsOf({ target, tuned, recipe });
  const frozen = frozenInPhases(recipe).slice(0, predictOnly ? 1 : undefined);
  const phases = frozen.map((freeze) => {
    const phase = applyWeightSettings(graph, { ...recipe, freeze });
    return predictOnly ? predictedBy(network, withoutTeacher(phase)) : phase;
  });
  const turnsIn = (phase: Graph) =>
    predictOnly || !recipe?.steps ? undefined : turnsOf(phase, recipe.steps);
  return variants.map((variant) => {
    const made = phases.map((phase) => {
      const settings = { ...common, ...variant, turns: turnsIn(phase) };
      return compileFor(phase, settings, recipe, memory);
    });
    const excess = made.find((each) => each.excess)?.excess;
    const [first, ...later] = made.map((each) => {
      return { ...each, program: annotateKernels(each.program) };
    });
    const { program } = first!;
    const programs = later.map((each) => each.program);
    return {
      ...first!,
      program: later.length > 0 ? { ...program, phases: programs } : program,
      excess,
    };
  });
}

/** What differs between the programs of a module. */
function variantsOf({
  target,
  tuned,
  recipe,
}: Required<Pick<CompileOptions, "target" | "tuned">> & Pick<Trained, "recipe">) {
  return [
    ...TARGETS[target].map((name) => ({ target: name })),
    ...tuned.map(({ adapter, target: name, schedules }) => {
      return { target: name, adapter, tuned: schedules };
    }),
  ].flatMap((variant) => {
    const half = variant.target !== WITHOUT_HALVES && mixedPrecision(recipe);
    return half ? [{ ...variant, precision: half }, variant] : [variant];
  });
}

/** A graph for predictions: of several sections, those that they need. */
const predictedBy = ({ losses }: ResolvedNetwork, graph: Graph): Graph =>
  losses.some(({ of }) => of) ? withoutUnread(graph) : graph;

/** Data without what prepares images for training. */
function withoutTraining(data: DataRecipe | undefined): DataRecipe | undefined {
  return data && { ...data, train: undefined };
}

/** Of software adapters, SwiftShader alone has subgroups of four lanes, and no `shader-f16`. */
const WITHOUT_HALVES: Target = "lanes4";

const mixedPrecision = (recipe: TrainRecipe | undefined): MixedPrecision | undefined =>
  recipe?.precision?.kind === "f16" ? recipe.precision : undefined;

/** One phase's program, within a budget if there is one. */
function compileFor(
  graph: Graph,
  settings: ProgramOptions,
  recipe: TrainRecipe | undefined,
  memory: MemoryWish | undefined,
): FittedProgram {
  if (!memory) return compileGraph(graph, settings);
  const { ranks = 1, batch = recipe?.batch ?? 1, accumulate = recipe?.accumulate ?? 1 } = memory;
  return compileWithin(graph, settings, {
    bytes: memory.bytes,
    batch: Math.ceil(batch / ranks),
    accumulate: Math.ceil(accumulate / ranks),
  });
}

/**
 * The names of the weights that are frozen in each phase of training: a stage of `unfreeze` begins
 * another.
 */
function frozenInPhases(recipe: TrainRecipe | undefined): readonly (readonly string[])[] {
  const phases = [recipe?.freeze ?? []];
  for (const { names } of recipe?.unfreeze ?? []) {
    phases.push(phases.at(-1)!.filter((name) => !names.includes(name)));
  }
  return phases;
}

const optimizerOf = (recipe: TrainRecipe | undefined) => recipe?.optimizer ?? DEFAULT_OPTIMIZER;
