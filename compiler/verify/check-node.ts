/** Whether a node's results on a device are what the references make of the same inputs. */
import {
  trainedBy,
  type AnyNode,
  type Fused,
  type GradientShape,
  type Node,
  type OpKind,
  type Value,
} from "../ir/graph.js";
import { BATCH } from "../ir/shape.js";
import { evaluateAt } from "../ops/fused.js";
import { ops } from "../ops/index.js";
import type { OpDefinition, ReferenceContext, Tensor } from "../ops/op.js";
import { imageSizes, resolveShape, tensorSize } from "../ops/tensors.js";
import { descend } from "../ops/update.js";
import {
  contractionShapes,
  sampler,
  samplePlaces,
  type ContractionNode,
  type SampledSum,
} from "./contraction-samples.js";

/** What a node read and what it left. */
export interface NodeValues {
  readonly inputs: readonly Tensor[];
  /** Undefined where an output is not stored, because nobody reads it. */
  readonly outputs: readonly (Tensor | undefined)[];
  /** What it left of the inputs that it changes, by their place. */
  readonly changed: ReadonlyMap<number, Tensor>;
}

export interface Deviation {
  /** The name of the value, and the element in PyTorch's order. */
  readonly value: string;
  readonly index: number;
  readonly expected: number;
  readonly actual: number;
  readonly tolerance: number;
}

export interface Finding {
  /** Elements that were compared. */
  readonly compared: number;
  /** The one that is furthest off, if any is further than rounding explains. */
  readonly deviation?: Deviation;
}

/** Errors of sums in f32, in parts of the root of their squared terms: some thousand roundings that go one way. */
const ROUNDING = 1e-4;
/** Two units in the last place of what is stored, and those of functions such as `exp`, which WGSL leaves some room. */
const STORING = 2e-6;

/** The inputs that a node changes, by their place. */
export function changedInputs(node: AnyNode): readonly number[] {
  if (node.kind === "channelStatistics") return [1, 2];
  const { update } = node.attributes as { update?: unknown };
  if (node.kind !== "update" && update === undefined) return [];
  const changed = trainedBy(node).flatMap(({ parameter, states }) => [parameter, ...states]);
  return changed.map((value) => node.inputs.indexOf(value));
}

/** Compares with the reference: every element, or some of those that take many products each. */
export function checkNode(node: AnyNode, values: NodeValues, context: ReferenceContext): Finding {
  const comparison = new Comparison();
  if (isContraction(node)) checkContraction(node, values, context, comparison);
  else if (node.kind === "update") checkUpdate(node, values, context, comparison);
  else if (node.kind === "channelSum" && node.attributes.update) {
    const sums = channelSums(values.inputs[0]!);
    checkDescents(node, values, context, { comparison, sums: [sums] });
  } else if (!isLarge(values)) checkWhole(node, values, context, comparison);
  else if (node.kind === "pointwise") checkElements(node, values, context, comparison);
  else if (BY_PLANES.has(node.kind)) checkPlanes(node, values, context, comparison);
  else checkWhole(node, values, context, comparison);
  return comparison.finding;
}

class Comparison {
  private compared = 0;
  private worst = 1;
  private deviation: Deviation | undefined;

  add(deviation: Deviation): void {
    this.compared++;
    const { expected, actual, tolerance } = deviation;
    const ratio = Math.abs(actual - expected) / tolerance;
    // What is no number is off beyond measure.
    const off = Number.isNaN(ratio) ? Infinity : ratio;
    if (off <= this.worst) return;
    this.worst = off;
    this.deviation = deviation;
  }

  get finding(): Finding {
    const { compared, deviation } = this;
    return { compared, ...(deviation && { deviation }) };
  }
}

// Contractions

function isContraction(node: AnyNode): node is AnyNode & ContractionNode {
  return (
    node.kind === "convolution" ||
    node.kind === "convolutionInputGradient" ||
    node.kind === "convolutionWeightGradient"
  );
}

function checkContraction(
  node: AnyNode & ContractionNode,
  values: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const operands = values.inputs.slice(0, 2) as [Tensor, Tensor];
  const batch = operands[0].shape[0]!;
  const shape = resolveShape(resultShape(node), batch);
  const { products, at } = sampler(node, operands, contractionShapes(node, operands, shape));
  const places = samplePlaces(tensorSize(shape), products, 1);
  if (node.kind === "convolutionWeightGradient" && node.attributes.update) {
    const sums = new Map(places.map((place) => [place, at(place)]));
    const bias = node.attributes.biasUpdate && channelSums(operands[1]);
    return checkDescents(node, values, context, { comparison, sums: bias ? [sums, bias] : [sums] });
  }
  const { epilogue } = node.attributes as Node<"convolution">["attributes"];
  const [output] = node.outputs as [Value];
  const fusedOperands = epilogue ? [operands[0], ...values.inputs.slice(epilogue.first)] : [];
  for (const index of places) {
    const sum = at(index);
    const finish = (own: number) =>
      epilogue
        ? evaluateAt({ index, own }, epilogue.expression, fusedOperands, shape, context)
        : own;
    const expected = finish(sum.value);
    const slack = toleranceOf(sum);
    const swing = Math.abs(finish(sum.value + slack) - finish(sum.value - slack));
    const tolerance = slack + swing + STORING * Math.abs(expected);
    const actual = values.outputs[0]!.data[index]!;
    comparison.add({ value: output.name, index, expected, actual, tolerance });
  }
}

const resultShape = (node: AnyNode & ContractionNode) =>
  node.kind === "convolutionWeightGradient"
    ? (node as Node<"convolutionWeightGradient">).attributes.weightShape
    : node.outputs[0]!.shape;

const toleranceOf = ({ value, magnitude }: SampledSum) =>
  ROUNDING * magnitude + STORING * Math.abs(value) + 1e-30;

/** The sums of each channel, with their magnitudes. */
function channelSums(x: Tensor): ReadonlyMap<number, SampledSum> {
  const { channels, pixels } = imageSizes(x.shape);
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
  x.data.forEach((value, index) => {
    const channel = Math.floor(index / pixels) % channels;
    sums[channel]! += value;
    squares[channel]! += value * value;
  });
  return new Map(
    Array.from(sums, (value, channel) => {
      return [channel, { value, magnitude: Math.sqrt(squares[channel]!) }];
    }),
  );
}

// Updates

interface Descents {
  readonly comparison: Comparison;
  /** For each parameter that the node trains: gradients by their index. */
  readonly sums: readonly ReadonlyMap<number, SampledSum>[];
}

/** What the optimizer makes of gradients, and of gradients that rounding has moved either way. */
function checkDescents(
  node: AnyNode,
  values: NodeValues,
  context: ReferenceContext,
  { comparison, sums }: Descents,
): void {
  const { update, biasUpdate } = node.attributes as Node<"convolutionWeightGradient">["attributes"];
  trainedBy(node).forEach(({ parameter, states }, number) => {
    const attributes = (number === 0 ? update : biasUpdate)!;
    const places = [...sums[number]!.keys()];
    const gradients = [...sums[number]!.values()];
    const follow = (direction: number) => {
      const [w, ...kept] = [parameter, ...states].map((value) =>
        gather(values.inputs[node.inputs.indexOf(value)]!, places),
      );
      const dw = column(gradients.map((sum) => sum.value + direction * toleranceOf(sum)));
      descend({ w: w!, dw, states: kept }, attributes, context);
      return [w!, ...kept];
    };
    const [exact, above, below] = [follow(0), follow(1), follow(-1)];
    [parameter, ...states].forEach((value, tensor) => {
      const before = values.inputs[node.inputs.indexOf(value)]!;
      const after = values.changed.get(node.inputs.indexOf(value))!;
      places.forEach((index, place) => {
        const expected = exact[tensor]!.data[place]!;
        const swing = Math.abs(above[tensor]!.data[place]! - below[tensor]!.data[place]!);
        const size = Math.abs(expected) + Math.abs(before.data[index]!);
        const tolerance = swing + STORING * size + 1e-30;
        const actual = after.data[index]!;
        comparison.add({ value: value.name, index, expected, actual, tolerance });
      });
    });
  });
}

function checkUpdate(
  node: Node<"update">,
  values: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const [, gradient, ...rest] = values.inputs;
  const { clipsNorm } = node.attributes;
  const norm = clipsNorm ? Math.sqrt(rest.at(-1)!.data[0]!) : 0;
  const scale = Math.min(1, (context.optimizer.clip?.norm ?? Infinity) / (norm + 1e-6));
  const places = samplePlaces(gradient!.data.length, 1, 1);
  const sums = new Map(
    places.map((place) => {
      const value = scale * gradient!.data[place]!;
      return [place, { value, magnitude: Math.abs(value) / 10 }] as const;
    }),
  );
  const attributes = { update: node.attributes };
  const [parameter, , ...others] = node.inputs;
  const kept = clipsNorm ? others.slice(0, -1) : others;
  const fused = { ...node, kind: "channelSum", attributes, inputs: [parameter, ...kept] };
  const changed = new Map(
    [...values.changed].map(([place, tensor]) => [place === 0 ? 0 : place - 1, tensor]),
  );
  const states = clipsNorm ? rest.slice(0, -1) : rest;
  const inputs = [values.inputs[0]!, ...states];
  checkDescents(fused as AnyNode, { ...values, inputs, changed }, context, {
    comparison,
    sums: [sums],
  });
}

const gather = ({ data }: Tensor, places: readonly number[]): Tensor =>
  column(places.map((place) => data[place]!));

const column = (values: readonly number[]): Tensor => ({
  shape: [values.length],
  data: Float64Array.from(values),
});

// Large results of few operations each: some of their elements, or of their planes

/** Elements from which on a result is checked at some places only. */
const LARGE = 1 << 17;

const isLarge = ({ outputs: [output] }: NodeValues) => (output?.data.length ?? 0) > LARGE;

/** Ops whose results in a channel of an image depend on that channel of that image alone. */
const BY_PLANES = new Set<OpKind>([
  ...(["maxPool", "maxPoolGradient", "averagePool", "averagePoolGradient"] as const),
  ...(["resample", "resampleGradient"] as const),
]);

function checkElements(
  node: Node<"pointwise">,
  { inputs, outputs: [output] }: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const { shape, data } = output!;
  const places = samplePlaces(data.length, 1, 1);
  const at = (index: number) =>
    evaluateAt({ index }, node.attributes.expression, inputs, shape, context);
  const expected = column(places.map(at));
  compareWhole(node.outputs[0]!, expected, gather(output!, places), comparison, { places });
}

/** Planes of a large result to look at. */
const PLANES = 32;

function checkPlanes(
  node: AnyNode,
  { inputs, outputs }: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const { epilogue, ...attributes } = node.attributes as { readonly epilogue?: Fused };
  const { images, channels, pixels } = imageSizes(outputs[0]!.shape);
  const step = Math.max(1, Math.floor((images * channels) / PLANES));
  const planes = Array.from({ length: PLANES }, (_, index) => images * channels - 1 - index * step);
  const own = inputs.slice(0, epilogue?.first).map((input) => planesOf(input, planes));
  const size = [1, planes.length, ...outputs[0]!.shape.slice(2)];
  const inputShape = [1, planes.length, ...imageShapeOf(attributes)];
  const definition = ops[node.kind] as OpDefinition<never>;
  const types = node.outputs.map(({ type }) => ({
    type,
    shape: [BATCH, ...size.slice(1)] as const,
  }));
  const changed = { ...attributes, ...("inputShape" in attributes && { inputShape }) };
  const results = definition.reference(own, changed as never, context, types);
  const indexOf = (place: number) =>
    planes[Math.floor(place / pixels)]! * pixels + (place % pixels);
  const places = Array.from(results[0]!.data, (_, place) => indexOf(place));
  results.forEach((result, number) => {
    const actual = outputs[number];
    if (!actual) return;
    const finish = (value: number, place: number) => {
      const element = { index: places[place]!, own: value };
      const operands = [inputs[0]!, ...inputs.slice(epilogue!.first)];
      return evaluateAt(element, epilogue!.expression, operands, actual.shape, context);
    };
    const values = epilogue ? column(Array.from(result.data, finish)) : result;
    const found = gather(actual, places);
    compareWhole(node.outputs[number]!, values, found, comparison, { places });
  });
}

const imageShapeOf = (attributes: object): readonly number[] =>
  "inputShape" in attributes ? (attributes as GradientShape).inputShape.slice(2).map(Number) : [];

/** Some channels of some images, as those of one. */
function planesOf({ shape, data }: Tensor, planes: readonly number[]): Tensor {
  const { pixels } = imageSizes(shape);
  const result = data.slice(0, planes.length * pixels);
  planes.forEach((plane, index) =>
    result.set(data.subarray(plane * pixels, (plane + 1) * pixels), index * pixels),
  );
  return { shape: [1, planes.length, ...shape.slice(2)], data: result };
}

// Everything else

function checkWhole(
  node: AnyNode,
  values: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const definition = ops[node.kind] as OpDefinition<never>;
  const changes = changedInputs(node);
  const inputs = values.inputs.map((input, place) =>
    changes.includes(place) ? { ...input, data: input.data.slice() } : input,
  );
  const results = definition.reference(inputs, node.attributes as never, context, node.outputs);
  const magnitudes = magnitudesOf(node, values.inputs);
  node.outputs.forEach((output, place) => {
    const actual = values.outputs[place];
    const own = magnitudes?.[place];
    if (actual) {
      compareWhole(output, results[place]!, actual, comparison, {
        ...(own && { magnitudes: own }),
      });
    }
  });
  for (const place of changes) {
    const after = values.changed.get(place)!;
    compareWhole(node.inputs[place]!, inputs[place]!, after, comparison);
  }
}

interface ComparedPlaces {
  /** What rounding is measured against, by element; the root of the mean square if absent. */
  readonly magnitudes?: ArrayLike<number>;
  /** The elements that were gathered; all if absent. */
  readonly places?: readonly number[];
}

function compareWhole(
  value: Value,
  expected: Tensor,
  actual: Tensor,
  comparison: Comparison,
  { magnitudes, places }: ComparedPlaces = {},
): void {
  const isExact = value.type === "u32";
  const typical = rootMeanSquare(expected);
  for (let index = 0; index < expected.data.length; index++) {
    const wanted = expected.data[index]!;
    const magnitude = magnitudes?.[index] ?? typical;
    const tolerance = isExact ? 0.5 : ROUNDING * (magnitude + Math.abs(wanted)) + 1e-30;
    const came = actual.data[index]!;
    const at = places?.[index] ?? index;
    comparison.add({ value: value.name, index: at, expected: wanted, actual: came, tolerance });
  }
}

function rootMeanSquare({ data }: Tensor): number {
  let squares = 0;
  for (const value of data) squares += value * value;
  return Math.sqrt(squares / Math.max(1, data.length));
}

/** What rounding errors are measured against where sums may cancel: by output and element. */
function magnitudesOf(
  node: AnyNode,
  inputs: readonly Tensor[],
): readonly (ArrayLike<number> | undefined)[] | undefined {
  switch (node.kind) {
    case "channelSum":
      return [magnitudes(channelSums(inputs[0]!))];
    case "channelStatistics":
      return momentMagnitudes(inputs[0]!);
    case "normalizeGradient":
      return gradientMagnitudes(inputs, node.attributes.epsilon);
    default:
      return undefined;
  }
}

const magnitudes = (sums: ReadonlyMap<number, SampledSum>) =>
  Array.from(sums.values(), ({ magnitude }) => magnitude);

/** Of mean and variance: roots of mean squares, and mean squares. */
function momentMagnitudes(x: Tensor): readonly number[][] {
  const count = x.data.length / imageSizes(x.shape).channels;
  const roots = magnitudes(channelSums(x)).map((root) => root / Math.sqrt(count));
  return [roots, roots.map((root) => root * root)];
}

/** Of the gradients of bias and weight, slope and offset (ops/normalize-gradient.ts). */
function gradientMagnitudes(
  [dy, x, mean, variance]: readonly Tensor[],
  epsilon: number,
): readonly number[][] {
  const { channels, pixels } = imageSizes(x!.shape);
  const count = x!.data.length / channels;
  const bias = magnitudes(channelSums(dy!));
  const squares = new Float64Array(channels);
  x!.data.forEach((value, index) => {
    const channel = Math.floor(index / pixels) % channels;
    squares[channel]! += (dy!.data[index]! * (value - mean!.data[channel]!)) ** 2;
  });
  const perDeviation = bias.map((_, c) => 1 / Math.sqrt(variance!.data[c]! + epsilon));
  const weight = bias.map((_, c) => Math.sqrt(squares[c]!) * perDeviation[c]!);
  const slope = weight.map((value, c) => (value / count) * perDeviation[c]!);
  const offset = slope.map((value, c) => bias[c]! / count + value * Math.abs(mean!.data[c]!));
  return [bias, weight, slope, offset];
}
