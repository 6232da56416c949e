import type {
  BodyMember,
  CallExpression,
  Identifier,
  InputDeclaration,
  LossDeclaration,
  MetricDeclaration,
  OutputDeclaration,
  ModelDeclaration,
  ModelMember,
  Span,
  TargetDeclaration,
} from "../../grammar/ast.js";
import { isBodyMember, membersWithin } from "../../grammar/ast.js";
import { asImage, BATCH, isSignal, shapeOfPort } from "../ir/shape.js";
import { BOX_NUMBERS } from "../../program/boxes.js";
import type { TensorType } from "../ir/tensor-type.js";
import { build } from "../network/build.js";
import { describeLayers } from "../network/describe.js";
import { classesOf, outputsOf } from "../network/facts.js";
import type {
  NetworkPort,
  ResolvedLoss,
  ResolvedNetwork,
  ResolvedScore,
} from "../network/resolved.js";
import type { AnalyzedModel } from "./analysis.js";
import { reportTwice } from "./duplicates.js";
import type { Environment } from "../calls/environment.js";
import { readLossTerms } from "./loss-terms.js";
import { checkPorts } from "./check-ports.js";
import { isFormulaScore, readFormulaScore } from "./formula-scores.js";
import { findInputs, readDistribution, readInput, readTarget, type TargetKind } from "./inputs.js";
import type { Module, Modules } from "./modules.js";
import { NetworkReader } from "./network.js";
import type { ModelArguments } from "./parameters.js";
import { type Current, indexOfInput, type Place, valueOf } from "./place.js";
import type { ScoreKind } from "./score-use.js";
import { checkPixelSums, type PixelSum, readScore, reportFunctionAsScore } from "./scores.js";
import { declareShare, warnOfUnusedShares } from "./shares.js";
import { checkOutputs, readOutputs } from "./declared-outputs.js";
import { warnOfChoice } from "./chosen-output.js";
import { warnOfUnreachable } from "./unreachable.js";
import type { TokenInputs } from "./tokens.js";
import { Trail } from "./trail.js";
import type { Target } from "./values.js";

/** What a model's text refers to outside of it. */
export interface ModelScope {
  /** Its scope has the model's parameters. */
  readonly environment: Environment;
  readonly module: Module;
  readonly modules: Modules;
}

/**
 * Analyses one model with its parameters bound: names and shapes of all layers, and the network if
 * nothing is wrong.
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
  private readonly reader: NetworkReader;
  private readonly inputs: AnalyzedModel["inputs"];
  private readonly metricNames = new Map<string, Span>();
  private readonly complaints = new Set<string>();
  private readonly ignored = new Map<string, number | undefined>();
  private readonly pixelSums: PixelSum[] = [];
  private readonly outputs: OutputDeclaration[] = [];
  /** Indices of the layers that formulas of scores are made of. */
  private readonly ofScores = new Set<number>();
  private readonly losses: ResolvedLoss[] = [];
  private readonly metrics: ResolvedScore[] = [];
  private readonly targets: Target[] = [];
  private readonly starts: readonly Current[];
  private readonly errorsBefore: number;

  constructor(
    private readonly declaration: ModelDeclaration,
    private readonly surroundings: ModelScope,
  ) {
    this.environment = surroundings.environment;
    this.errorsBefore = this.environment.reporter.errorCount;
    const read = this.readInputs();
    this.inputs = read.flatMap(({ input }) => (input ? [input] : []));
    this.starts = read.map(({ current }) => current);
    const [first = NO_INPUT] = this.starts;
    const later = namesIn(declaration.members);
    this.reader = new NetworkReader(surroundings.modules, first, later, this.tokenInputs);
    this.reader.hasFailed = this.inputs.length === 0 || this.inputs.length < read.length;
  }

  run(modelArguments: ModelArguments): AnalyzedModel {
    this.nameInputs();
    for (const member of this.declaration.members) this.readMember(member);
    checkPixelSums(this.pixelSums, this.ignored, this.environment);
    const { layers, groups } = this.reader;
    if (layers.length === 0 && !this.reader.hasFailed) this.reportEmpty();
    const network = this.network();
    if (network) this.warnOf(network);
    const inputs = this.starts.map(typeOfInput);
    // Both follow from the network; checking whether a fix helps asks for neither.
    const described = once(() => describeLayers({ inputs, layers, groups }));
    const graph = once(() => network && build(network));
    return {
      name: this.declaration.name.name,
      arguments: modelArguments,
      documentation: this.declaration.documentation,
      input: this.inputs[0],
      inputs: this.inputs,
      classes: network && classesOf(network),
      get layers() {
        return described();
      },
      ofScores: this.ofScores,
      groups,
      hasLoss: this.declaration.members.some((member) => member.kind === "loss"),
      network,
      get graph() {
        return graph();
      },
    };
  }

  private warnOf(network: ResolvedNetwork): void {
    const { declaration, environment, reader, ofScores } = this;
    warnOfUnreachable(network, environment);
    warnOfUnusedShares(reader);
    warnOfChoice({ declaration, network, values: reader.values, ofScores }, environment);
  }

  private readMember(member: ModelMember): void {
    switch (member.kind) {
      case "input":
        return; // read first, wherever it is
      case "target":
        return this.readTarget(member);
      case "output":
        this.outputs.push(member);
        return;
      case "share":
        return declareShare(this.reader, member, this.place());
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

  private readInputs(): readonly ReadInput[] {
    const declared = findInputs(this.declaration, this.environment);
    return declared.map((declaration, index) => this.readInput(declaration, index));
  }

  private readInput(declared: InputDeclaration, input: number): ReadInput {
    const index = indexOfInput(input);
    const read = readInput(declared, this.environment);
    if (!read) return { input: undefined, current: { ...NO_INPUT, index } };
    const { shape, vocabulary } = read;
    const { name, span } = declared;
    const distribution = readDistribution(declared, this.environment);
    this.environment.names.define("input", name.name, name.span);
    const trail = Trail.from({ shape, span, element: declared.type.element.span });
    const { sizes } = shapeOfPort(shape);
    // Data bring the numbers of many axes as a row.
    const plain = { name: name.name, shape: asImage(shape).slice(1).map(Number), sizes, span };
    const known = { ...plain, vocabulary, distribution, isSignal: isSignal(shape) };
    return { input: known, current: { index, call: undefined, shape, trail, vocabulary } };
  }

  /** `from image` goes back to an input. */
  private nameInputs(): void {
    if (this.inputs.length > 1) {
      this.reader.values.inputs = this.inputs.map(({ name }) => name);
    }
    for (const { name, span, index } of this.knownInputs) {
      const current = this.starts[index]!;
      const named = { name, layer: "input", span, alias: undefined, call: undefined };
      const rest = { shape: current.shape, previous: undefined, current };
      this.reader.values.define({ ...named, ...rest }, this.place(), undefined);
    }
  }

  /** Inputs whose shape is known, with their index among the declared ones. */
  private get knownInputs() {
    const places = this.starts.flatMap(({ shape }, index) => (shape ? [index] : []));
    return this.inputs.map((input, place) => ({ ...input, index: places[place]! }));
  }

  /** The inputs that hold tokens, by index. */
  private get tokenInputs(): TokenInputs {
    const ofTokens = this.knownInputs.filter(({ vocabulary }) => vocabulary !== undefined);
    return new Map(
      ofTokens.map(({ name, span, index }) => {
        return [index, { name, span, shape: this.starts[index]!.shape! }] as const;
      }),
    );
  }

  private readTarget(declaration: TargetDeclaration): void {
    const { name, span, range } = declaration;
    const before = this.targets.find((target) => target.name === name.name);
    if (before) {
      const places = { first: before.nameSpan, second: name.span };
      reportTwice(name.name, "target", places, this.environment.reporter);
      return;
    }
    this.environment.names.define("target", name.name, name.span);
    const read = readTarget(declaration, this.environment);
    if (!read) this.reader.hasFailed = true;
    const value = { from: "target", index: this.targets.length } as const;
    const type = typeOfTarget(read, declaration);
    const classes = read && "classes" in read ? read.classes : undefined;
    const isGuess = read?.kind === "classes" ? read.isGuess : undefined;
    const described = range && describeRange(range, classes);
    const elementSpan = declaration.type.element.span;
    const place = { name: name.name, span, nameSpan: name.span, elementSpan };
    this.targets.push({ ...place, value, type, isInput: false, isGuess, range: described });
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

  private readLoss(declaration: LossDeclaration): void {
    if (!this.nameLoss(declaration) || this.reader.isTooLong) return;
    const terms = readLossTerms(declaration.value, this.environment);
    const of = declaration.name?.name;
    const losses = terms?.map(({ call, weight: factor }) => {
      const score = this.readScore(call, "loss", "loss");
      return score && { score, factor, of };
    });
    if (losses?.every((loss) => loss !== undefined)) this.losses.push(...losses);
    else this.reader.hasFailed = true;
  }

  /** A model has one loss, or several with names. False after a report. */
  private nameLoss({ name, span }: LossDeclaration): boolean {
    const before = this.declaration.members.find((member) => member.kind === "loss")!;
    if (before.span !== span && !(before.name && name)) {
      this.environment.reporter.report("NET1004", {
        message: `model \`${this.declaration.name.name}\` has a second loss; it can have one`,
        span,
        notes: [
          "add the terms: `loss cross_entropy(a, label) + 0.3 * cross_entropy(b, label)`",
          "losses that train different weights have names: `loss d = ...`, and a `step d` each",
        ],
      });
      return false;
    }
    this.metricNames.set("loss", before.span);
    return !name || this.nameMetric(name);
  }

  /** False after a report. */
  private nameMetric({ name, span }: Identifier): boolean {
    const first = this.metricNames.get(name);
    this.metricNames.set(name, first ?? span);
    if (!first) return true;
    reportTwice(name, "metric", { first, second: span }, this.environment.reporter);
    return false;
  }

  private readMetric({ call, name }: MetricDeclaration): void {
    if (!this.nameMetric(name) || this.reader.isTooLong) return;
    const value = this.readScore(call, "metric", name.name);
    if (value) this.metrics.push(value);
    else this.reader.hasFailed = true;
  }

  /** Reads a score; undefined after a report, or where a mistake hides what it is taken of. */
  private readScore(
    call: CallExpression,
    kind: ScoreKind,
    name: string,
  ): ResolvedScore | undefined {
    const model = {
      name: this.declaration.name.name,
      values: this.reader.values.aliased,
      targets: this.targets,
      inputs: this.inputsAsTargets(),
      laterValues: laterValues(this.declaration, this.reader.values.aliased.values()),
      lastCall: this.reader.current.call,
      complaints: this.complaints,
      ignored: this.ignored,
      pixelSums: this.pixelSums,
      layers: this.reader.layers,
    };
    const { environment, reader } = this;
    const source = { host: reader, place: this.place() };
    const before = reader.layers.length;
    if (source.place.module.functions.has(call.callee.name)) {
      return reportFunctionAsScore(call, kind, environment);
    }
    const score = isFormulaScore(call)
      ? readFormulaScore(call, kind, model, environment, source)
      : readScore(call, kind, model, environment);
    for (let index = before; index < reader.layers.length; index++) this.ofScores.add(index);
    reader.values.hideFrom(before);
    return score && { ...score, name, origin: { name, span: call.span } };
  }

  /** An autoencoder is compared with its own images. */
  private inputsAsTargets(): readonly Target[] {
    return this.knownInputs.flatMap(({ name, span, index, distribution }) => {
      const type = typeOfInput(this.starts[index]!);
      const value = { from: "input", index } as const;
      const named = { name, span, nameSpan: span };
      return type ? [{ ...named, value, type, distribution, isInput: true }] : [];
    });
  }

  /** What the model means, if nothing is wrong with it. */
  private network(): ResolvedNetwork | undefined {
    const { reader, losses, metrics } = this;
    const outputValues = readOutputs(this.outputs, reader, this.place());
    checkOutputs(outputValues, losses, reader.values, this.environment);
    const hasErrors = this.environment.reporter.errorCount > this.errorsBefore;
    if (hasErrors || reader.hasFailed) return undefined;
    const parts = {
      inputs: this.inputsAsTargets().map(portOf),
      targets: this.targets.map(portOf),
      layers: reader.resolvedLayers,
      groups: reader.groups,
      losses,
      metrics,
    };
    const declared = outputValues.map(({ value }) => value);
    const outputs = outputsOf(parts, valueOf(reader.current), declared);
    const network = { name: this.declaration.name.name, ...parts, outputs };
    return checkPorts(network, this.environment) ? network : undefined;
  }
}

interface ReadInput {
  readonly input: AnalyzedModel["inputs"][number] | undefined;
  readonly current: Current;
}

const NO_INPUT: Current = { index: -1, call: undefined, shape: undefined, trail: undefined };

const typeOfInput = ({ shape, vocabulary }: Current): TensorType | undefined =>
  shape &&
  (vocabulary === undefined ? { dtype: "f32", shape } : { dtype: "u32", shape, vocabulary });

function portOf({ name, span, type, range, distribution }: Target): NetworkPort {
  return { name, type, classes: range?.classes, distribution, origin: { name, span } };
}

/** Labels, or no boxes, where a mistake hides what the target holds. */
function typeOfTarget(
  read: TargetKind | undefined,
  { type }: Pick<TargetDeclaration, "type">,
): TensorType {
  if (!read && type.element.name === "boxes")
    return { dtype: "f32", shape: [BATCH, 0, BOX_NUMBERS] };
  const dtype = read?.kind === "numbers" || read?.kind === "boxes" ? "f32" : "u32";
  return { dtype, shape: read?.shape ?? [BATCH] };
}

/** A function that computes its result when it is asked the first time. */
function once<Result>(compute: () => Result): () => Result {
  let made: { readonly result: Result } | undefined;
  return () => (made ??= { result: compute() }).result;
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

function namesOf(member: BodyMember): readonly Identifier[] {
  if (member.kind === "let" || member.kind === "weight") return [member.name];
  if (member.kind !== "chain") return membersWithin(member).flatMap(namesOf);
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
