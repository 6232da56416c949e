import type { Occurrence } from "../calls/occurrences.js";
import type { Span, Spec } from "../../grammar/ast.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Graph } from "../ir/graph.js";
import type { AnalyzedLayer } from "../network/describe.js";
import type { Group, ResolvedNetwork } from "../network/resolved.js";
import type { Distribution } from "../../program/noise.js";
import type { TrainRecipe } from "../../program/recipe.js";

/** An input with its shape, without the batch axis. */
export interface AnalyzedInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether it is a signal; its shape is then that of an image of one row. */
  readonly isSignal?: boolean;
  /** Of more axes than an image has: their sizes. Its shape is then that of a row. */
  readonly sizes?: readonly number[] | undefined;
  /** Of noise, which no data bring. */
  readonly distribution?: Distribution | undefined;
  readonly span: Span;
  /** Of tokens: how many different ones there are. */
  readonly vocabulary?: number | undefined;
}

/** A model with its parameters bound. */
export interface AnalyzedModel {
  readonly name: string;
  /** Values of the model's parameters. */
  readonly arguments: Readonly<Record<string, number | boolean>>;
  readonly documentation?: string;
  /** The first of them. */
  readonly input?: AnalyzedInput;
  readonly inputs: readonly AnalyzedInput[];
  /** Labels are integers in 0 .. classes - 1. */
  readonly classes?: number;
  /** In the order of the text, loops unrolled and blocks expanded. */
  readonly layers: readonly AnalyzedLayer[];
  /** Indices of the layers that formulas of losses and metrics are made of. */
  readonly ofScores: ReadonlySet<number>;
  readonly groups: readonly Group[];
  /** Whether it has a loss, even a wrong one. */
  readonly hasLoss: boolean;
  /** What it means; undefined where the model has errors. */
  readonly network?: ResolvedNetwork;
  /** The same as primitives: the forward pass with loss and metrics. */
  readonly graph?: Graph;
}

/**
 * The text that an `import` names: its path as messages are to show it. Undefined where there is no
 * such file.
 */
export type ReadImport = (
  path: string,
  importer: string,
) => { readonly file: string; readonly text: string } | undefined;

/** The shapes of the tensors in a weights file, by name; or why the file is not readable. */
export type WeightsShapes =
  | {
      readonly kind: "shapes";
      readonly shapes: ReadonlyMap<string, readonly number[]>;
      /** By the model's names: names in the file that match equally well. */
      readonly candidates?: ReadonlyMap<string, readonly string[]>;
    }
  | { readonly kind: "broken"; readonly reason: string };

/** For what a file is looked into. */
export interface WeightsRequest {
  /** The model's weights and statistics, in its order. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Names of those that the file need not have. */
  readonly except: ReadonlySet<string>;
  readonly rename: readonly { readonly from: string; readonly to: string }[];
}

/**
 * What a weights file holds that a recipe loads, under the model's names as far as it can be told:
 * a path relative to the spec's folder. Undefined where there is no such file.
 */
export type ReadWeights = (
  path: string,
  spec: string,
  request: WeightsRequest,
) => WeightsShapes | undefined;

/** Settings of a recipe that come from elsewhere, and are checked like its own. */
export interface RecipeOverrides {
  readonly epochs?: number | undefined;
  /** The run's length, instead of epochs. */
  readonly steps?: number | undefined;
  readonly batch?: number | undefined;
  readonly learningRate?: number | undefined;
}

export interface AnalyzeOptions {
  /** Looks into weights files; without it, what recipes load is not compared with their models. */
  readonly readWeights?: ReadWeights;
  /** Reads imported files; without it, an import is an error that says so. */
  readonly readImport?: ReadImport;
  /** The model to select; the one of `train` or else the spec's first if left out. */
  readonly model?: string;
  /** The recipe to select; the first of the selected model if left out. */
  readonly train?: string;
  /** Settings of that recipe. */
  readonly overrides?: RecipeOverrides | undefined;
  /** Values for parameters of the selected model, before those of its recipe and its defaults. */
  readonly modelArguments?: Readonly<Record<string, number | boolean>>;
}

/** All that a spec means, and all that is wrong with it. */
export interface Analysis {
  readonly diagnostics: readonly Diagnostic[];
  /**
   * The syntax tree of the spec's own text; where the text is broken, as much of it as makes sense.
   */
  readonly syntax: Spec;
  /**
   * The texts of the spec and of all files that it imports, by the names that spans have for them.
   */
  readonly sources: ReadonlyMap<string, string>;
  /** Names and what they mean, in this spec's own text: for editors. */
  readonly occurrences: readonly Occurrence[];
  /**
   * Every model of the spec, its parameters at their defaults; those without defaults are left out.
   */
  readonly models: readonly AnalyzedModel[];
  /** Every recipe without errors. */
  readonly recipes: readonly TrainRecipe[];
  /**
   * What to compile: the model with the recipe's arguments. Undefined where the spec has no model.
   */
  readonly selected?: { readonly model: AnalyzedModel; readonly recipe?: TrainRecipe };
}
