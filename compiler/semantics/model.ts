import type {
  CallExpression,
  Chain,
  LossDeclaration,
  MetricDeclaration,
  ModelDeclaration,
  Section,
  Span,
  TargetDeclaration,
} from "../../grammar/ast.js";
import { GraphBuilder } from "../ir/builder.js";
import type { Graph, Value } from "../ir/graph.js";
import type { Shape } from "../ir/shape.js";
import { findLayer, layers as layerRegistry } from "../layers/index.js";
import type { AnalyzedLayer, AnalyzedModel } from "./analysis.js";
import { bind } from "./bind.js";
import { costOf } from "./describe-layer.js";
import { reportTwice } from "./duplicates.js";
import { callText } from "./call-text.js";
import type { Environment } from "./evaluate.js";
import { findInput, readInputShape, readTarget } from "./inputs.js";
import { inferSilently, type LayerUse, reportingContext } from "./layer-context.js";
import { LayerNames } from "./layer-names.js";
import type { ModelArguments } from "./parameters.js";
import { readScore, type ScoreKind } from "./scores.js";
import { didYouMean, listNames, renameFixes } from "./suggestion.js";
import type { Step, Trail } from "./trail.js";
import type { NamedValue, Target } from "./values.js";

/**
 * Analyses one model with its parameters bound (they stand in the environment's scope): names and shapes of all
 * layers, and the forward graph if nothing is wrong.
 */
export function analyzeModel(
  declaration: ModelDeclaration,
  modelArguments: ModelArguments,
  environment: Environment,
): AnalyzedModel {
  return new ModelAnalysis(declaration, environment).run(modelArguments);
}

class ModelAnalysis {
  private readonly builder: GraphBuilder;
  private readonly names: LayerNames;
  private readonly layers: AnalyzedLayer[] = [];
  private readonly values = new Map<string, NamedValue>();
  private readonly metricNames = new Map<string, Span>();
  private readonly complaints = new Set<string>();
  private readonly metrics: { name: string; value: Value }[] = [];
  private target?: Target;
  private prediction?: Value;
  /** The current value of the chain: its shape as far as known, and its place in the graph. */
  private shape?: Shape;
  private value?: Value;
  private start?: Trail["start"];
  private steps: Step[] = [];
  private previousCall?: CallExpression;
  private hasTrainableBelow = false;
  private streams = 0;
  private hasFailed = false;
  private readonly errorsBefore: number;

  constructor(
    private readonly declaration: ModelDeclaration,
    private readonly environment: Environment,
  ) {
    this.builder = new GraphBuilder(declaration.name.name);
    this.names = new LayerNames(environment.reporter);
    this.errorsBefore = environment.reporter.errorCount;
  }

  run(modelArguments: ModelArguments): AnalyzedModel {
    const input = this.readInput();
    for (const member of this.declaration.members) this.readMember(member);
    if (this.layers.length === 0) this.reportEmpty();
    return {
      name: this.declaration.name.name,
      arguments: modelArguments,
      documentation: this.declaration.documentation,
      input,
      classes: this.classes(),
      layers: this.layers,
      groups: [],
      hasLoss: this.declaration.members.some((member) => member.kind === "loss"),
      graph: this.graph(),
    };
  }

  private readMember(member: ModelDeclaration["members"][number]): void {
    switch (member.kind) {
      case "input":
        return; // read first, wherever it stands
      case "target":
        return this.readTarget(member);
      case "section":
        return this.readSection(member, []);
      case "chain":
        return this.readChain(member, []);
      case "repeat":
      case "for":
        return this.reportUnsupported(member);
      case "loss":
        return this.readLoss(member);
      case "metric":
        return this.readMetric(member);
    }
  }

  // Input and target

  private readInput(): AnalyzedModel["input"] {
    const input = findInput(this.declaration, this.environment);
    const shape = input && readInputShape(input, this.environment);
    if (!input || !shape) {
      this.hasFailed = true;
      return undefined;
    }
    const { name, span } = input;
    this.shape = shape;
    this.value = this.builder.images(name.name, shape, { name: name.name, span });
    this.start = { shape, span };
    return { name: name.name, shape: shape.slice(1).map(Number), span };
  }

  private readTarget(declaration: TargetDeclaration): void {
    const { name, span, range } = declaration;
    if (this.target) {
      this.environment.reporter.report("NET1004", {
        message: `model \`${this.declaration.name.name}\` has a second target \`${name.name}\`; it can have one`,
        span: name.span,
        related: [{ span: this.target.span, message: `\`${this.target.name}\` is its target` }],
      });
      return;
    }
    const classes = readTarget(declaration, this.environment);
    const value = this.builder.labels(name.name, { name: name.name, span });
    if (range && classes === undefined) this.hasFailed = true;
    this.target = { name: name.name, span, value, range: range && describeRange(range, classes) };
  }

  // Layers

  private readSection(section: Section, outer: readonly string[]): void {
    this.names.nameSection(outer, section.name.name, section.name.span);
    const path = [...outer, section.name.name];
    for (const member of section.members) {
      if (member.kind === "section") this.readSection(member, path);
      else if (member.kind === "chain") this.readChain(member, path);
      else this.reportUnsupported(member);
    }
  }

  private readChain(chain: Chain, path: readonly string[]): void {
    for (const call of chain.elements) {
      if (call.kind !== "call") {
        this.reportUnsupported(call);
        continue;
      }
      this.readLayer(call, path);
      this.previousCall = call;
    }
  }

  private reportUnsupported({ kind, span }: { kind: string; span: Span }): void {
    this.hasFailed = true;
    const message = `\`${kind}\` is not supported yet`;
    this.environment.reporter.report("NET1022", { message, span });
  }

  private readLayer(call: CallExpression, path: readonly string[]): void {
    const definition = findLayer(call.callee.name);
    if (!definition) this.reportUnknownLayer(call);
    const kind = definition?.name ?? call.callee.name;
    const name = this.names.nameLayer(path, kind, call);
    const bound = definition && bind(call, definition, this.environment);
    const shortName = name.split(".").at(-1)!;
    const use = definition && bound && { definition, call, bound, shortName };
    const input = this.shape;
    if (use) this.applyLayer(use, name);
    else this.lose();
    this.layers.push(this.describe({ name, kind, call }, use, input));
    if (call.alias) this.nameValue(name, call, kind);
  }

  private applyLayer(use: LayerUse, name: string): void {
    const { shape: input, start } = this;
    if (!input || !start) return this.lose();
    const context = reportingContext(use, { start, steps: this.steps }, this.environment.reporter);
    const output = use.definition.infer(input, use.bound.values, context);
    if (context.hasReported || !output) this.hasFailed = true;
    if (!output) return this.lose();
    this.lower(use, name);
    this.shape = output;
    const infer = (shape: Shape) => inferSilently(use, shape);
    this.steps = [
      ...this.steps,
      { layer: use.definition.name, span: use.call.span, input, output, infer },
    ];
  }

  /** Adds the layer's ops, as long as nothing above has failed. */
  private lower({ definition, call, bound }: LayerUse, name: string): void {
    if (this.hasFailed || !this.value) return;
    this.value = definition.lower(this.value, bound.values, {
      builder: this.builder,
      origin: { name, span: call.span },
      others: [],
      nextStream: () => ++this.streams,
    });
  }

  /** From here on the shape is not known: layers below are checked for all else. */
  private lose(): void {
    this.hasFailed = true;
    this.shape = undefined;
    this.value = undefined;
  }

  private describe(
    { name, kind, call }: { name: string; kind: string; call: CallExpression },
    use: LayerUse | undefined,
    input: Shape | undefined,
  ): AnalyzedLayer {
    const { line, column } = call.callee.span.start;
    const output = this.shape?.slice(1).map(Number);
    const cost = use && costOf(use, input, { needsInputGradient: this.hasTrainableBelow });
    this.hasTrainableBelow ||= cost?.isTrainable ?? false;
    const { parameters = 0, macs = 0, macsBackward = 0 } = cost ?? {};
    const text = use ? callText(call, use.definition, use.bound) : kind;
    const place = { line, column, span: call.span, inputs: [this.layers.length - 1], uses: [] };
    return { name, kind, call: text, ...place, output, parameters, macs, macsBackward };
  }

  private nameValue(name: string, call: CallExpression, layer: string): void {
    const { shape, value, previousCall: previous } = this;
    this.values.set(name, { name, shape, value, layer, call, previous });
  }

  private reportUnknownLayer({ callee: { name, span } }: CallExpression): void {
    this.environment.reporter.report("NET1001", {
      message: `there is no layer \`${name}\`${didYouMean(name, layerRegistry)}`,
      span,
      notes: [`layers are ${listNames(layerRegistry.map((layer) => layer.name))}`],
      fixes: renameFixes(span, name, layerRegistry),
    });
  }

  private reportEmpty(): void {
    this.hasFailed = true;
    const { name } = this.declaration;
    this.environment.reporter.report("NET2016", {
      message: `model \`${name.name}\` has no layers`,
      span: name.span,
      notes: ["write layers one after the other: `conv(32, kernel=3) -> relu -> flatten`"],
    });
  }

  // Loss and metrics

  private readLoss({ value: call, span }: LossDeclaration): void {
    if (call.kind !== "call") return;
    if (this.metricNames.has("loss")) {
      this.environment.reporter.report("NET1004", {
        message: `model \`${this.declaration.name.name}\` has a second loss; it can have one`,
        span,
      });
      return;
    }
    this.metricNames.set("loss", span);
    this.readScore(call, "loss", "loss");
  }

  private readMetric({ call, name }: MetricDeclaration): void {
    const first = this.metricNames.get(name.name);
    if (first)
      return reportTwice(
        name.name,
        "metric",
        { first, second: name.span },
        this.environment.reporter,
      );
    this.metricNames.set(name.name, name.span);
    this.readScore(call, "metric", name.name);
  }

  private readScore(call: CallExpression, kind: ScoreKind, name: string): void {
    const model = {
      name: this.declaration.name.name,
      values: this.values,
      target: this.target,
      laterValues: laterValues(this.declaration, this.values),
      lastCall: this.previousCall,
      complaints: this.complaints,
    };
    const score = readScore(call, kind, model, this.environment);
    if (!score || this.hasFailed) {
      this.hasFailed = true;
      return;
    }
    const [logits] = score.inputs;
    if (kind === "loss") this.prediction = logits;
    const origin = { name, span: call.span };
    const value = score.definition.lower(score.inputs, score.values, this.builder, origin);
    this.metrics.push({ name, value });
  }

  private classes(): number | undefined {
    if (this.metrics.length === 0) return undefined;
    return this.target?.range?.classes ?? Number(this.prediction?.shape[1]);
  }

  private graph(): Graph | undefined {
    const prediction = this.prediction ?? this.value;
    const hasErrors = this.environment.reporter.errorCount > this.errorsBefore;
    if (hasErrors || this.hasFailed || !prediction) return undefined;
    return this.builder.finish({ prediction, metrics: this.metrics });
  }
}

type Range = NonNullable<TargetDeclaration["range"]>;

function describeRange({ to, span }: Range, classes: number | undefined): Target["range"] {
  if (classes === undefined) return undefined;
  return { classes, span, text: to.kind === "name" ? to.name : String(classes) };
}

/** Names that layers further down will have. */
function laterValues(
  model: ModelDeclaration,
  known: ReadonlyMap<string, NamedValue>,
): ReadonlyMap<string, Span> {
  const aliases = model.members.flatMap(callsOf).flatMap(({ alias }) => alias ?? []);
  const spans = new Set([...known.values()].map(({ call }) => call.alias!.span));
  const later = aliases.filter(({ span }) => !spans.has(span));
  return new Map(later.map(({ name, span }) => [name, span]));
}

function callsOf(member: ModelDeclaration["members"][number]): readonly CallExpression[] {
  if (member.kind === "section") return member.members.flatMap(callsOf);
  return member.kind === "chain" ? member.elements.filter((each) => each.kind === "call") : [];
}
