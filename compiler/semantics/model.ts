import type {
  BodyMember,
  CallExpression,
  Identifier,
  LossDeclaration,
  MetricDeclaration,
  ModelDeclaration,
  ModelMember,
  Span,
  TargetDeclaration,
} from "../../grammar/ast.js";
import { GraphBuilder } from "../ops/builder.js";
import type { Graph, Score, ScoreTerm, Value } from "../ir/graph.js";
import type { AnalyzedModel } from "./analysis.js";
import { reportTwice } from "./duplicates.js";
import type { Environment } from "../calls/environment.js";
import { readLossTerms } from "./loss-terms.js";
import { findInput, readInputShape, readTarget } from "./inputs.js";
import type { Module, Modules } from "./modules.js";
import { NetworkReader } from "./network.js";
import type { ModelArguments } from "./parameters.js";
import type { Current, Place } from "./place.js";
import type { ScoreKind } from "./score-use.js";
import { readScore } from "./scores.js";
import { warnOfUnreachable } from "./unreachable.js";
import { Trail } from "./trail.js";
import type { Target } from "./values.js";

/** What a model's text refers to outside of it. */
export interface ModelScope {
  /** The model's parameters stand in its scope. */
  readonly environment: Environment;
  readonly module: Module;
  readonly modules: Modules;
}

/**
 * Analyses one model with its parameters bound: names and shapes of all layers, and the forward graph if nothing is wrong.
 */
export function analyzeModel(
  declaration: ModelDeclaration,
  modelArguments: ModelArguments,
  surroundings: ModelScope,
): AnalyzedModel {
  return new ModelAnalysis(declaration, surroundings).run(modelArguments);
}

class ModelAnalysis {
  private readonly environment: Environment;
  private readonly builder: GraphBuilder;
  private readonly reader: NetworkReader;
  private readonly input: AnalyzedModel["input"];
  private readonly metricNames = new Map<string, Span>();
  private readonly complaints = new Set<string>();
  private readonly metrics: Score[] = [];
  private readonly fractions: string[] = [];
  private readonly scored = new Set<number>();
  private target?: Target;
  private prediction?: Value;
  /** Whether a score reads the target. */
  private isCompared = false;
  private readonly images: Current;
  private readonly errorsBefore: number;

  constructor(
    private readonly declaration: ModelDeclaration,
    private readonly surroundings: ModelScope,
  ) {
    this.environment = surroundings.environment;
    this.errorsBefore = this.environment.reporter.errorCount;
    this.builder = new GraphBuilder(declaration.name.name);
    const { input, current } = this.readInput();
    this.input = input;
    this.images = current;
    const later = namesIn(declaration.members);
    this.reader = new NetworkReader(surroundings.modules, this.builder, current, later);
    this.reader.hasFailed = input === undefined;
  }

  run(modelArguments: ModelArguments): AnalyzedModel {
    this.nameInput();
    for (const member of this.declaration.members) this.readMember(member);
    const { layers, groups } = this.reader;
    if (layers.length === 0 && !this.reader.hasFailed) this.reportEmpty();
    const graph = this.graph();
    if (graph) warnOfUnreachable(layers, this.usedLayers(), this.environment);
    return {
      name: this.declaration.name.name,
      arguments: modelArguments,
      documentation: this.declaration.documentation,
      input: this.input,
      classes: this.classes(),
      fractions: this.fractions,
      ...{ layers, groups },
      hasLoss: this.declaration.members.some((member) => member.kind === "loss"),
      graph,
    };
  }

  private readMember(member: ModelMember): void {
    switch (member.kind) {
      case "input":
        return; // read first, wherever it stands
      case "target":
        return this.readTarget(member);
      case "loss":
        return this.readLoss(member);
      case "metric":
        return this.readMetric(member);
      default:
        return this.reader.readMembers([member], this.place());
    }
  }

  /** The top level of the model. */
  private place(): Place {
    const { environment, module } = this.surroundings;
    const place = { environment, module, path: [], outside: 0, isRepeated: false, depth: 0 };
    return { ...place, group: undefined, uses: [], blocks: [] };
  }

  // Input and target

  private readInput(): { readonly input: AnalyzedModel["input"]; readonly current: Current } {
    const nothing = { index: -1, isTrained: false, call: undefined, value: undefined };
    const declared = findInput(this.declaration, this.environment);
    const shape = declared && readInputShape(declared, this.environment);
    if (!declared || !shape) {
      return { input: undefined, current: { ...nothing, shape: undefined, trail: undefined } };
    }
    const { name, span } = declared;
    this.environment.names.define("input", name.name, name.span);
    const value = this.builder.images(name.name, shape, { name: name.name, span });
    const trail = Trail.from({ shape, span });
    const input = { name: name.name, shape: shape.slice(1).map(Number), span };
    return { input, current: { ...nothing, shape, value, trail } };
  }

  /** `from image` goes back to the input. */
  private nameInput(): void {
    const { input, reader } = this;
    if (!input) return;
    const { shape, value } = reader.current;
    const { name, span } = input;
    const named = { name, layer: "input", span, alias: undefined, call: undefined };
    const rest = { shape, value, previous: undefined, current: reader.current };
    reader.values.define({ ...named, ...rest }, this.place(), undefined);
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
    this.environment.names.define("target", name.name, name.span);
    const read = readTarget(declaration, this.environment);
    if (!read) this.reader.hasFailed = true;
    const origin = { name: name.name, span };
    const value =
      read?.kind === "numbers"
        ? this.builder.targets(name.name, read.shape, origin)
        : this.builder.labels(name.name, origin);
    const classes = read?.kind === "classes" ? read.classes : undefined;
    const described = range && describeRange(range, classes);
    const place = { name: name.name, span, nameSpan: name.span };
    this.target = { ...place, value, isInput: false, range: described };
  }

  private reportEmpty(): void {
    this.reader.hasFailed = true;
    const { name } = this.declaration;
    this.environment.reporter.report("NET2016", {
      message: `model \`${name.name}\` has no layers`,
      span: name.span,
      notes: ["write layers one after the other: `conv(32, kernel=3) -> relu -> flatten`"],
    });
  }

  // Loss and metrics

  private readLoss({ value, span }: LossDeclaration): void {
    if (this.metricNames.has("loss")) {
      this.environment.reporter.report("NET1004", {
        message: `model \`${this.declaration.name.name}\` has a second loss; it can have one`,
        span,
      });
      return;
    }
    this.metricNames.set("loss", span);
    if (this.reader.isTooLong) return;
    const terms = readLossTerms(value, this.environment);
    const scores = terms?.map(({ call, weight }) => this.readScore(call, "loss", weight));
    if (!scores?.every((score) => score !== undefined)) {
      this.reader.hasFailed = true;
      return;
    }
    // Wherever it is written, the loss is the first of them.
    this.metrics.unshift({ name: "loss", terms: scores.map(({ term }) => term) });
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
    if (this.reader.isTooLong) return;
    const score = this.readScore(call, "metric", 1, name.name);
    if (!score) {
      this.reader.hasFailed = true;
      return;
    }
    const { isShare, term } = score;
    if (isShare) this.fractions.push(name.name);
    this.metrics.push({ name: name.name, ...(isShare && { isShare }), terms: [term] });
  }

  /** Adds a score's op; undefined after a report, or where a mistake hides what it is taken of. */
  private readScore(
    call: CallExpression,
    kind: ScoreKind,
    factor: number,
    name = "loss",
  ): { readonly term: ScoreTerm; readonly isShare: true | undefined } | undefined {
    const model = {
      name: this.declaration.name.name,
      values: this.reader.values.aliased,
      target: this.target,
      input: this.inputAsTarget(),
      laterValues: laterValues(this.declaration, this.reader.values.aliased.values()),
      lastCall: this.reader.current.call,
      complaints: this.complaints,
      layers: this.reader.layers,
    };
    const score = readScore(call, kind, model, this.environment);
    if (!score || this.reader.hasFailed) return undefined;
    const [prediction, target] = score.inputs;
    this.scored.add(score.index);
    // What the network predicts is what the first of its losses is taken of.
    if (kind === "loss") this.prediction ??= prediction;
    this.isCompared ||= target === this.target?.value;
    const { definition, inputs, values } = score;
    const value = definition.lower(inputs, values, this.builder, { name, span: call.span });
    const weights = definition.classWeights?.(values);
    const over = weights && ({ of: "labels", weights } as const);
    return { term: { value, factor, ...(over && { over }) }, isShare: definition.isFraction };
  }

  /** An autoencoder is compared with its own images. */
  private inputAsTarget(): Target | undefined {
    const { value, shape } = this.images;
    if (!this.input || !value || !shape) return undefined;
    const { name, span } = this.input;
    return { name, span, nameSpan: span, value, isInput: true };
  }

  private classes(): number | undefined {
    const { target } = this;
    if (!this.isCompared || target?.value.type !== "u32") return undefined;
    return target.range?.classes ?? Number(this.prediction?.shape[1]);
  }

  private graph(): Graph | undefined {
    const prediction = this.prediction ?? this.reader.current.value;
    const hasErrors = this.environment.reporter.errorCount > this.errorsBefore;
    if (hasErrors || this.reader.hasFailed || !prediction) return undefined;
    const graph = this.builder.finish({ prediction, metrics: this.metrics });
    return this.isCompared ? graph : { ...graph, labels: undefined };
  }

  /** Indices of the layers whose outputs leave the network: what it predicts and what is measured. */
  private usedLayers(): ReadonlySet<number> {
    return this.prediction ? this.scored : new Set([this.reader.current.index, ...this.scored]);
  }
}

type Range = NonNullable<TargetDeclaration["range"]>;

function describeRange({ to, span }: Range, classes: number | undefined): Target["range"] {
  if (classes === undefined) return undefined;
  return { classes, span, text: to.kind === "name" ? to.name : String(classes) };
}

/** Names that layers further down will have. */
function laterValues(
  { members }: ModelDeclaration,
  known: Iterable<{ readonly alias: Identifier | undefined }>,
): ReadonlyMap<string, Span> {
  const spans = new Set([...known].map(({ alias }) => alias?.span));
  return new Map([...namesIn(members)].filter(([, span]) => !spans.has(span)));
}

/** Names that a model gives with `as`, and where. */
function namesIn(members: readonly ModelMember[]): ReadonlyMap<string, Span> {
  const names = members.filter(isBodyMember).flatMap(namesOf);
  return new Map(names.map(({ name, span }) => [name, span]));
}

function isBodyMember(member: ModelMember): member is BodyMember {
  return !["input", "target", "loss", "metric"].includes(member.kind);
}

function namesOf(member: BodyMember): readonly Identifier[] {
  if (member.kind !== "chain") return member.members.flatMap(namesOf);
  return member.elements.flatMap((element) => {
    if (element.kind === "from") return [];
    const own = element.alias ? [element.alias] : [];
    if (element.kind === "call") return own;
    if (element.kind === "concat") {
      return [...element.branches.flatMap((branch) => branch.members.flatMap(namesOf)), ...own];
    }
    const skip = element.skip.kind === "body" ? element.skip.members : [];
    return [...[...element.members, ...skip].flatMap(namesOf), ...own];
  });
}
