import type { Span } from "../../grammar/ast.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Graph } from "../ir/graph.js";
import type { TrainRecipe } from "../../program/recipe.js";

/** A layer as `summary` shows it. Shapes are without the batch axis, multiply-adds are per image. */
export interface AnalyzedLayer {
  /** `features.conv1`. */
  readonly name: string;
  /** `conv`. */
  readonly kind: string;
  readonly line: number;
  readonly column: number;
  readonly span: Span;
  /** Undefined where a mistake hides it. */
  readonly output: readonly number[] | undefined;
  readonly parameters: number;
  readonly macs: number;
  /** Twice the forward pass: gradients of input and weight; once where nothing before it needs a gradient. */
  readonly macsBackward: number;
}

/** A model with its parameters bound. */
export interface AnalyzedModel {
  readonly name: string;
  /** Values of the model's parameters. */
  readonly arguments: Readonly<Record<string, number | boolean>>;
  readonly documentation?: string;
  readonly input?: {
    readonly name: string;
    readonly shape: readonly number[];
    readonly span: Span;
  };
  /** Labels are integers in 0 .. classes - 1. */
  readonly classes?: number;
  readonly layers: readonly AnalyzedLayer[];
  /** Whether it says what to minimise, be it with mistakes. */
  readonly hasLoss: boolean;
  /** The forward pass with loss and metrics; undefined where the model has errors. */
  readonly graph?: Graph;
}

export interface AnalyzeOptions {
  /** The model to select; the one of `train` or else the spec's first if left out. */
  readonly model?: string;
  /** The recipe to select; the first of the selected model if left out. */
  readonly train?: string;
  /** Values for parameters of the selected model, before those of its recipe and its defaults. */
  readonly modelArguments?: Readonly<Record<string, number | boolean>>;
}

/** All that a spec means, and all that is wrong with it. */
export interface Analysis {
  readonly diagnostics: readonly Diagnostic[];
  /** Every model of the spec, its parameters at their defaults; those without defaults are left out. */
  readonly models: readonly AnalyzedModel[];
  /** Every recipe without errors. */
  readonly recipes: readonly TrainRecipe[];
  /** What to compile: the model with the recipe's arguments. Undefined where the spec has no model. */
  readonly selected?: { readonly model: AnalyzedModel; readonly recipe?: TrainRecipe };
}
