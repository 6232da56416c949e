import type {
  DataDeclaration,
  Declaration,
  Identifier,
  ModelDeclaration,
  Spec,
  TrainDeclaration,
} from "../../grammar/ast.js";
import type { DiagnosticCode } from "../diagnostics/catalogue/index.js";
import type { TrainRecipe } from "../../program/recipe.js";
import type { Analysis, AnalyzedModel, AnalyzeOptions } from "./analysis.js";
import { warnOfUnused } from "./constants.js";
import { withoutDuplicates } from "./duplicates.js";
import { insertAfter } from "../calls/edits.js";
import type { Environment } from "../calls/environment.js";
import { analyzeModel } from "./model.js";
import { type Module, Modules } from "./modules.js";
import { Occurrences } from "../calls/occurrences.js";
import {
  callArguments,
  checkParameters,
  defaultArguments,
  type ModelArguments,
  modelScope,
} from "./parameters.js";
import { checkTensors, unfedBy } from "./recipes/check-tensors.js";
import { analyzeData } from "./recipes/data.js";
import { analyzeTrain } from "./recipes/train.js";
import { Reporter } from "../calls/reporter.js";
import { didYouMean, listNames, renameFixes } from "../calls/suggestion.js";
import { checkStops } from "./stops.js";
import { findUnreadNames } from "./unread-names.js";

/**
 * Analyses a parsed spec. Its diagnostics are without those of the syntax, and their fixes are not
 * checked yet.
 */
export function analyzeSpec(spec: Spec, text: string, options: AnalyzeOptions): Analysis {
  return new SpecAnalysis(spec, text, options).run();
}

/** A recipe with the model whose parameters it binds. */
interface Run {
  readonly declaration: TrainDeclaration;
  readonly model: AnalyzedModel;
  readonly recipe: TrainRecipe | undefined;
}

class SpecAnalysis {
  private readonly reporter = Reporter.empty();
  private readonly names = new Occurrences();
  private readonly modules: Modules;
  private readonly module: Module;
  private readonly environment: Environment;
  private readonly models: ReadonlyMap<string, ModelDeclaration>;
  private readonly data: ReadonlyMap<string, DataDeclaration>;
  private readonly trains: ReadonlyMap<string, TrainDeclaration>;

  constructor(
    private readonly spec: Spec,
    private readonly text: string,
    private readonly options: AnalyzeOptions,
  ) {
    const { reporter, names } = this;
    this.modules = new Modules(options.readImport);
    this.module = this.modules.load(spec, { reporter, names });
    this.environment = this.module.environment;
    this.models = this.declared("model");
    this.data = this.declared("data");
    this.trains = this.declared("train");
  }

  run(): Analysis {
    const models = [...this.models.values()].flatMap((model) => this.defaultModel(model) ?? []);
    for (const data of this.data.values()) this.checkData(data, models);
    const runs = [...this.trains.values()].flatMap((train) => this.runOf(train) ?? []);
    this.checkUntrained(models);
    this.warnOfUnused();
    const selected = this.select(models, runs, this.options);
    const recipes = runs.flatMap(({ recipe }) => recipe ?? []);
    const { sources, syntax } = this.modules;
    findUnreadNames(this.spec, this.module, this.names);
    return {
      diagnostics: [...syntax, ...this.reporter.diagnostics],
      syntax: this.spec,
      sources: new Map([[this.spec.file, this.text], ...sources]),
      occurrences: this.names.in(this.spec.file),
      models,
      recipes,
      selected,
    };
  }

  /**
   * A file without a model is there to be imported from. Where something is wrong, a name may well
   * be unused because of it.
   */
  private warnOfUnused(): void {
    if (this.reporter.errorCount > 0 || this.models.size === 0) return;
    warnOfUnused(this.environment);
    this.modules.warnOfUnused(this.module);
  }

  private declared<Kind extends "model" | "data" | "train">(
    kind: Kind,
  ): ReadonlyMap<string, Extract<Declaration, { kind: Kind }>> {
    const found = this.spec.declarations.filter(
      (declaration): declaration is Extract<Declaration, { kind: Kind }> =>
        declaration.kind === kind,
    );
    const declared = withoutDuplicates(found, kind, this.reporter);
    const named: Iterable<{ readonly name: Identifier }> = declared.values();
    for (const { name } of named) this.names.define(kind, name.name, name.span);
    return declared;
  }

  // Models

  /** The model with its parameters at their defaults, if they all have one. */
  private defaultModel(declaration: ModelDeclaration): AnalyzedModel | undefined {
    checkParameters(declaration, this.environment);
    for (const { name } of declaration.parameters) {
      this.names.define("parameter", name.name, name.span);
    }
    withoutDuplicates(declaration.parameters, "parameter", this.reporter);
    const values = defaultArguments(declaration, this.environment);
    if (values) return this.bindModel(declaration, values);
    this.checkUsed(declaration);
    return undefined;
  }

  private bindModel(declaration: ModelDeclaration, values: ModelArguments): AnalyzedModel {
    const scope = modelScope(declaration, values, this.environment.scope);
    const { module, modules } = this;
    const environment = { ...this.environment, scope };
    return analyzeModel(declaration, values, { environment, module, modules });
  }

  /**
   * A model without defaults is analyzed where a recipe binds it; without a recipe, it cannot be.
   */
  private checkUsed({ name, parameters }: ModelDeclaration): void {
    const isUsed = [...this.trains.values()].some(({ model }) => model.callee.name === name.name);
    const free = parameters.find(({ defaultValue }) => !defaultValue);
    if (isUsed || !free) return;
    this.reporter.report("NET1020", {
      message: `parameter \`${free.name.name}\` of model \`${name.name}\` has no value`,
      span: free.span,
      notes: [
        `give it a default, as in \`${free.name.name}: ${free.type.name} = 10\`, ` +
          `or bind it in a \`train ... of ${name.name}(${free.name.name}=10)\``,
      ],
    });
  }

  /** Recipes check what they train; models without one are trained from JavaScript. */
  private checkUntrained(models: readonly AnalyzedModel[]): void {
    const trained = new Set([...this.trains.values()].map(({ model }) => model.callee.name));
    for (const model of models) {
      const { span } = this.models.get(model.name)!.name;
      if (!trained.has(model.name)) checkStops(model, { freeze: [], span }, this.environment);
    }
  }

  // Data and recipes

  /**
   * Checks data against the model that it names; the others are checked where a recipe uses them.
   */
  private checkData(data: DataDeclaration, models: readonly AnalyzedModel[]): void {
    if (data.model) this.find(this.models, data.model, "model", "NET3001");
    const model = models.find(({ name }) => name === data.model?.name);
    const { environment } = this;
    if (model && data.model && !checkTensors(model, data, data.model.span, environment)) return;
    analyzeData(data, model, this.environment);
  }

  private runOf(declaration: TrainDeclaration): Run | undefined {
    const model = this.find(this.models, declaration.model.callee, "model", "NET3001");
    const data = declaration.data && this.find(this.data, declaration.data, "data", "NET3002");
    const values = model && callArguments(model, declaration.model, this.environment);
    if (!values) return undefined;
    const bound = this.bindModel(model, values);
    if (!declaration.data && !unfedBy(bound)) this.warnOfNoData(declaration);
    const { train = declaration.name.name, readWeights, overrides } = this.options;
    const isSelected = declaration.name.name === (this.options.train ?? [...this.trains.keys()][0]);
    // A recipe that is not asked for may well load what one that is has yet to write.
    const files = train === declaration.name.name ? readWeights : undefined;
    const recipe = analyzeTrain(declaration, bound, data, {
      ...this.environment,
      readWeights: files,
      overrides: isSelected ? overrides : undefined,
      otherRecipes: [...this.trains.keys()].filter((name) => name !== declaration.name.name),
    });
    return { declaration, model: bound, recipe: declaration.data && !data ? undefined : recipe };
  }

  /** Without data, a recipe is for a program that feeds the network itself. */
  private warnOfNoData({ name, model }: TrainDeclaration): void {
    const fitting = [...this.data.values()].filter(
      (data) => !data.model || data.model.name === model.callee.name,
    );
    if (fitting.length === 0) return;
    const names = fitting.map((data) => data.name.name);
    this.reporter.report("NET3021", {
      message:
        `train \`${name.name}\` does not say which data it trains on, ` +
        `though there is ${listNames(names)}`,
      span: name.span,
      notes: ["without data, `netc train` has nothing to read"],
      fixes: names.map((data) => ({
        title: `train on \`${data}\``,
        edits: [insertAfter(model.span, ` on ${data}`)],
      })),
    });
  }

  private find<Declared extends { readonly name: Identifier }>(
    declarations: ReadonlyMap<string, Declared>,
    { name, span }: Identifier,
    noun: string,
    code: DiagnosticCode,
  ): Declared | undefined {
    const found = declarations.get(name);
    if (found) {
      this.names.use(noun as "model" | "data", name, span, found.name.span);
      return found;
    }
    const names = [...declarations.keys()];
    return this.reporter.report(code, {
      message: `there is no ${noun} \`${name}\`${didYouMean(name, names)}`,
      span,
      notes: names.length ? [`this spec has ${listNames(names)}`] : [`this spec has no ${noun}`],
      fixes: renameFixes(span, name, names),
    });
  }

  // What to compile

  private select(
    models: readonly AnalyzedModel[],
    runs: readonly Run[],
    options: AnalyzeOptions,
  ): Analysis["selected"] {
    if (!this.checkOptions(options)) return undefined;
    const run = runs.find(
      ({ declaration, model }) =>
        (options.train ?? declaration.name.name) === declaration.name.name &&
        (options.model ?? this.firstModel(options)) === model.name,
    );
    const name = options.model ?? run?.model.name ?? this.firstModel(options);
    const model = run?.model ?? models.find((each) => each.name === name);
    if (!model) return undefined;
    if (!options.modelArguments) return { model, recipe: run?.recipe };
    const values = { ...model.arguments, ...options.modelArguments };
    return { model: this.bindModel(this.models.get(model.name)!, values), recipe: run?.recipe };
  }

  private firstModel({ train }: AnalyzeOptions): string | undefined {
    return train ? this.trains.get(train)?.model.callee.name : [...this.models.keys()][0];
  }

  private checkOptions({ model, train }: AnalyzeOptions): boolean {
    return (
      this.checkOption("model", model, [...this.models.keys()]) &&
      this.checkOption("train", train, [...this.trains.keys()])
    );
  }

  private checkOption(noun: string, name: string | undefined, names: readonly string[]): boolean {
    if (name === undefined || names.includes(name)) return true;
    this.reporter.report("NET1023", {
      message: `the spec has no ${noun} \`${name}\`${didYouMean(name, names)}`,
      span: this.spec.span,
      notes: names.length ? [`it has ${listNames(names)}`] : [`it has no ${noun} at all`],
    });
    return false;
  }
}
