import { isCounting, stateNames, type OptimizerSettings } from "../../program/optimizers.js";
import type { LossScale } from "../../program/recipe.js";
import { addPointwise } from "../ops/add-pointwise.js";
import { ops } from "../ops/index.js";
import type { OpDefinition } from "../ops/op.js";
import { GraphBuilder } from "../ops/builder.js";
import {
  add,
  BATCH_SHARE,
  constant,
  multiply,
  operand,
  subtract,
  unary,
  type Expression,
} from "../ir/expression.js";
import { leaves } from "../ir/expression-transform.js";
import type { AnyNode, Graph, Parameter, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { passesGradient } from "../ir/reach.js";
import type { SlicedTraining } from "../ir/step-graphs.js";
import { elementCount } from "../ir/shape.js";
import { summarize } from "./summarize.js";

/**
 * The training graph of a forward graph: its nodes, the sums of its metrics, the gradient of the
 * step's mean loss with regard to every trainable parameter that the loss depends on, and an
 * `update` for each of these, as soon as nothing reads the parameter any more. Reverse mode:
 * gradients are added up where a value is used more than once.
 *
 * The first metric is the loss. Nodes fused already cannot be differentiated.
 */
export function differentiate(forward: Graph, optimizer: TrainingRule = SGD): Graph {
  const { graph, trained } = withGradients(forward, optimizer);
  return withUpdates(graph, trained, optimizer);
}

/**
 * The training of a forward graph in slices, with an update after the last. Gradients of the step's
 * mean loss add up, and whatever an optimizer makes of them (running averages of squares, clipping)
 * it makes of the sum.
 */
export function differentiateInSlices(forward: Graph, optimizer: TrainingRule): SlicedTraining {
  const { graph, trained } = withGradients(forward, optimizer);
  const builder = GraphBuilder.from(graph);
  const sums = new Map<number, Value>();
  for (const { value, gradient, ...settings } of trained) {
    const sum = builder.state(value, "gradient");
    sums.set(value.id, sum);
    addUpdate(builder, { ...settings, value: sum, gradient }, ACCUMULATE);
  }
  const slice = builder.finish(graph);
  const summed = trained.map((each) => ({ ...each, gradient: sums.get(each.value.id)! }));
  const after = GraphBuilder.withoutNodes(slice);
  addUpdates(after, summed, optimizer);
  const update = after.finish({ outputs: [], metrics: [] });
  const inputs = update.inputs.filter(({ role }) => role === "loss scale");
  return { slice, update: { ...update, inputs }, sums };
}

interface Differentiated {
  readonly graph: Graph;
  readonly trained: readonly Trained[];
}

/** The forward graph and the gradients of its trainable parameters. */
function withGradients(forward: Graph, { lossScale }: TrainingRule): Differentiated {
  const terms = lossTerms(forward);
  const builder = GraphBuilder.from(summarize(forward));
  const gradients = new Gradients(builder);
  const needed = neededGradients(forward);
  for (const term of terms) {
    const [prediction] = term.node.inputs;
    if (!needed.has(prediction!.id)) continue;
    gradients.contribute(prediction!, scaledGradient(term, builder, lossScale));
  }
  for (const node of forward.nodes.toReversed()) backpropagate(node, builder, gradients, needed);
  const trained = forward.parameters.flatMap(({ value, ...settings }) => {
    const gradient = gradients.totalOfParameter(value);
    return gradient && settings.trainable ? [{ value, ...settings, gradient }] : [];
  });
  return { graph: builder.finish(forward), trained };
}

/**
 * What a training graph depends on of an optimizer: its kind, whether gradients are clipped, and
 * settings that are compiled in; and how the loss is scaled.
 */
export type TrainingRule = Pick<OptimizerSettings, "kind" | "clip"> & {
  readonly lossScale?: LossScale | undefined;
  readonly momentumDecay?: number;
  readonly trustCoefficient?: number;
};

type AnyRule =
  | TrainingRule
  | ({ readonly kind: "accumulate" } & {
      readonly [Name in Exclude<keyof TrainingRule, "kind">]?: undefined;
    });

const ACCUMULATE: AnyRule = { kind: "accumulate" };

const SGD: TrainingRule = { kind: "sgd" };

/** One of the losses that are added up, and what it counts. */
interface LossTerm {
  readonly node: AnyNode;
  readonly weight: number;
}

/** Of mixed images, a node may make two of the terms. */
function lossTerms({ name, metrics, nodes }: Graph): readonly LossTerm[] {
  const terms = new Map<AnyNode, LossTerm>();
  const makerOf = (value: Value) => nodes.find(({ outputs }) => outputs.includes(value))!;
  for (const { value, factor: weight } of metrics[0]?.terms ?? []) {
    const made = makerOf(value);
    const node = made.kind === "exampleSum" ? makerOf(made.inputs[0]!) : made;
    terms.set(node, { node, weight });
  }
  if (terms.size === 0) throw new Error(`${name} has no loss to train on`);
  return [...terms.values()];
}

/** The gradient of a loss, times the loss scale if there is one. */
function scaledGradient(
  { node, weight }: LossTerm,
  builder: GraphBuilder,
  lossScale: LossScale | undefined,
): Value {
  if (lossScale?.kind === "static")
    return lossGradient({ node, weight: weight * lossScale.scale }, builder);
  const gradient = lossGradient({ node, weight }, builder);
  if (!lossScale) return gradient;
  const { origin } = node;
  return builder.add("scaleGradient", [gradient, builder.lossScale(origin)], {}, origin);
}

/**
 * The gradient of the batch's mean of one loss, times its weight, with regard to the prediction.
 */
function lossGradient({ node, weight }: LossTerm, builder: GraphBuilder): Value {
  const { inputs, origin } = node;
  switch (node.kind) {
    case "crossEntropy":
      return builder.add("crossEntropyGradient", inputs, { ...node.attributes, weight }, origin);
    case "pixelCrossEntropy": {
      const rule = { ...node.attributes, weight };
      return builder.add("pixelCrossEntropyGradient", inputs, rule, origin);
    }
    case "dice":
      return builder.add("diceGradient", inputs, { ...node.attributes, weight }, origin);
    case "detectionLoss": {
      const rule = { ...node.attributes, weight };
      return builder.add("detectionLossGradient", inputs, rule, origin);
    }
    case "labelMean": {
      const [x, labels] = inputs as [Value, Value];
      const rule = { ...node.attributes, weight, inputShape: x.shape };
      return builder.add("labelMeanGradient", [labels], rule, origin);
    }
    case "elementLoss": {
      const share = multiply(constant(weight / elementCount(inputs[0]!.shape)), BATCH_SHARE);
      const slope = withOperand(node.attributes.slope!);
      return addPointwise(builder, inputs, multiply(share, slope), origin);
    }
    default:
      throw new Error(`${node.kind} of ${origin.name} is not a loss`);
  }
}

/**
 * The slope as an expression that reads an operand, which gives it its shape: where it reads none,
 * times a 1 that no rule of simplification sees.
 */
function withOperand(slope: Expression): Expression {
  if (leaves(slope).length > 0) return slope;
  const isPositive = unary("positive", operand(0));
  return multiply(slope, add(isPositive, subtract(constant(1), isPositive)));
}

/** The values that depend on a trainable parameter: only their gradients are needed. */
function neededGradients({ parameters, nodes }: Graph): ReadonlySet<number> {
  const trainable = parameters.filter((parameter) => parameter.trainable);
  const needed = new Set(trainable.map(({ value }) => value.id));
  for (const node of nodes)
    if (node.inputs.some(({ id }, index) => needed.has(id) && passesGradient(node, index)))
      for (const output of node.outputs) needed.add(output.id);
  return needed;
}

/** The gradients known so far: for each value, what each of its uses contributes. */
export class Gradients {
  private readonly contributions = new Map<number, Value[]>();

  constructor(private readonly builder: GraphBuilder) {}

  contribute(value: Value, gradient: Value): void {
    const known = this.contributions.get(value.id);
    if (known) known.push(gradient);
    else this.contributions.set(value.id, [gradient]);
  }

  /** The sum over all uses, undefined where the loss does not depend on the value. */
  total(value: Value, origin: Origin): Value | undefined {
    const parts = this.contributions.get(value.id);
    if (!parts) return undefined;
    const sum = parts.map((_, index): Expression => operand(index)).reduce(add);
    return addPointwise(this.builder, parts, sum, origin);
  }

  /** The same of a parameter, which several layers use where they share weights. */
  totalOfParameter(parameter: Value): Value | undefined {
    const parts = this.contributions.get(parameter.id);
    return parts?.reduce((sum, part) =>
      this.builder.add("sumGradients", [sum, part], {}, parameter.origin),
    );
  }
}

/** Adds what a node's output gradients contribute to those of its inputs that are `needed`. */
export function backpropagate(
  node: AnyNode,
  builder: GraphBuilder,
  gradients: Gradients,
  needed: ReadonlySet<number>,
): void {
  const outputGradients = node.outputs.map((output) => gradients.total(output, node.origin));
  const wanted = node.inputs.map((input) => needed.has(input.id));
  if (outputGradients.every((gradient) => !gradient) || !wanted.includes(true)) return;
  // The union of nodes and the record of ops agree by kind, which TypeScript cannot follow.
  const definition = ops[node.kind] as OpDefinition<never>;
  const { kind, origin, fusion } = node;
  if (fusion) throw new Error(`${kind} of ${origin.name} is fused: differentiate before fusing`);
  if (!definition.gradient) throw new Error(`${kind} of ${origin.name} has no gradient`);
  const inputGradients = definition.gradient(builder, node as never, outputGradients, wanted);
  node.inputs.forEach((input, index) => {
    const gradient = inputGradients[index];
    if (gradient && wanted[index]) gradients.contribute(input, gradient);
  });
}

type Trained = Parameter & { readonly gradient: Value };

/**
 * Adds each parameter's update right after the last node that reads it or makes its gradient; all
 * of them at the end where gradients are clipped by the norm of all, or one that is not finite
 * keeps all from being applied.
 */
function withUpdates(graph: Graph, trained: readonly Trained[], optimizer: TrainingRule): Graph {
  const builder = GraphBuilder.withoutNodes(graph);
  const waits = needsNorm(optimizer) || skips(optimizer);
  const due = waits ? undefined : groupByLastUse(graph, trained);
  for (const node of graph.nodes) {
    builder.keep(node);
    for (const parameter of due?.get(node) ?? []) addUpdate(builder, parameter, optimizer);
  }
  if (waits) addUpdates(builder, trained, optimizer);
  return builder.finish(graph);
}

function addUpdates(
  builder: GraphBuilder,
  trained: readonly Trained[],
  optimizer: TrainingRule,
): void {
  const norm = needsNorm(optimizer) ? addNorm(builder, trained) : undefined;
  const last = skips(optimizer)
    ? addScaleAdjustment(builder, norm, { optimizer, origin: trained[0]!.value.origin })
    : norm;
  for (const parameter of trained) addUpdate(builder, parameter, optimizer, last);
}

const clipsNorm = ({ clip }: AnyRule) => clip?.norm !== undefined;

const needsNorm = (optimizer: TrainingRule) =>
  clipsNorm(optimizer) || optimizer.lossScale?.kind === "dynamic";

/** Whether updates read what a loss scale makes of a step, or of its number. */
const skips = ({ kind, lossScale }: AnyRule) => lossScale?.kind === "dynamic" || isCounting(kind);

/** A scale that stays as it is. */
const STATIC = { growth: 1, backoff: 1, interval: 1 };

/** The factor of the gradients that a loss scale makes of their norm, and what counts its steps. */
function addScaleAdjustment(
  builder: GraphBuilder,
  norm: Value | undefined,
  { optimizer, origin }: { readonly optimizer: TrainingRule; readonly origin: Origin },
): Value {
  const { kind, lossScale, momentumDecay } = optimizer;
  const isStatic = lossScale?.kind !== "dynamic";
  const { growth, backoff, interval } = isStatic ? STATIC : lossScale;
  const initial = isStatic ? (lossScale?.scale ?? 1) : lossScale.initial;
  const counts = isCounting(kind) ? kind : undefined;
  const limits = { isStatic, clipsNorm: clipsNorm(optimizer), counts, momentumDecay };
  const attributes = { growth, backoff, interval, initial, ...limits };
  const inputs = [builder.lossScale(origin), ...(norm ? [norm] : [])];
  return builder.add("adjustLossScale", inputs, attributes, origin);
}

function groupByLastUse(
  { nodes }: Graph,
  trained: readonly Trained[],
): ReadonlyMap<AnyNode, readonly Trained[]> {
  const [lastRead, made] = [new Map<Value, number>(), new Map<Value, number>()];
  nodes.forEach(({ inputs, outputs }, index) => {
    for (const value of inputs) lastRead.set(value, index);
    for (const value of outputs) made.set(value, index);
  });
  const due = new Map<AnyNode, Trained[]>();
  for (const parameter of trained) {
    const { value, gradient } = parameter;
    const last = nodes[Math.max(lastRead.get(value) ?? -1, made.get(gradient) ?? -1)]!;
    due.set(last, [...(due.get(last) ?? []), parameter]);
  }
  return due;
}

/** The square of the norm of all gradients together. */
function addNorm(builder: GraphBuilder, trained: readonly Trained[]): Value | undefined {
  return trained.reduce<Value | undefined>(
    (sum, { gradient, value }) =>
      builder.add("squareSum", sum ? [gradient, sum] : [gradient], {}, value.origin),
    undefined,
  );
}

function addUpdate(
  builder: GraphBuilder,
  parameter: Trained,
  optimizer: AnyRule,
  last?: Value,
): void {
  const { value, gradient, learningRateFactor, decayFactor } = parameter;
  const kept = optimizer.kind === "accumulate" ? [] : stateNames(optimizer);
  const states = kept.map((kind) => builder.state(value, kind));
  const inputs = [value, gradient, ...states, ...(last ? [last] : [])];
  const { lossScale, trustCoefficient } = optimizer;
  const isSkipping = skips(optimizer);
  const attributes = {
    optimizer: optimizer.kind,
    learningRateFactor,
    decayFactor,
    clipsValue: optimizer.clip?.value !== undefined,
    clipsNorm: last !== undefined && !isSkipping,
    skips: isSkipping || undefined,
    gradientFactor: lossScale?.kind === "static" && !isSkipping ? 1 / lossScale.scale : undefined,
    trustCoefficient,
  };
  builder.addAll("update", inputs, attributes, value.origin);
}
