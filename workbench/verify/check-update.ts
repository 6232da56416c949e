/** Weights that follow their gradient, stored or made by the same node: some elements of each. */
import { isUpdate, trainedBy } from "../../compiler/ir/fusion.js";
import { isLayerwise } from "../../program/optimizers.js";
import type { AnyNode, Node, UpdateAttributes, Value } from "../../compiler/ir/graph.js";
import { imageShape, type Shape } from "../../compiler/ir/shape.js";
import type { ReferenceContext, Tensor } from "../../compiler/ops/op.js";
import { tensorSize } from "../../compiler/ops/tensors.js";
import { descend, gradientScale, type GradientScale } from "../../compiler/ops/update.js";
import { contractionSums, isContraction } from "./check-contraction.js";
import { column, STORING, type Comparison } from "./comparison.js";
import type { NodeValues } from "./node-values.js";
import { samplePlaces } from "./places.js";
import { channelSum, toleranceOf, type SampledSum } from "./sums.js";

/**
 * The values of which some elements are enough, and which: what an update changes, and the gradient
 * that it reads. Weights may be hundreds of megabytes.
 */
export function sampledReads(node: AnyNode, batch: number): ReadonlyMap<Value, readonly number[]> {
  const sampled = new Map<Value, readonly number[]>();
  if (!isUpdate(node)) return sampled;
  const places = trainedPlaces(node, batch);
  trainedBy(node).forEach(({ parameter, gradient, states }, index) => {
    for (const value of [parameter, ...states, ...(gradient ? [gradient] : [])]) {
      sampled.set(value, places[index]!);
    }
  });
  return sampled;
}

/** The elements to look at of each parameter that a node trains. */
function trainedPlaces(node: AnyNode, batch: number): readonly (readonly number[])[] {
  const trained = trainedBy(node);
  const products = trained[0]?.gradient ? 1 : termsOf(node, batch);
  return trained.map(({ parameter, rule }) => {
    const size = tensorSize(parameter.shape.map(Number));
    // Of a norm all elements count.
    if (isLayerwise(rule.optimizer)) return Array.from({ length: size }, (_, index) => index);
    return samplePlaces(size, products);
  });
}

/** Terms of the sum that an element of a gradient is. */
function termsOf(node: AnyNode, batch: number): number {
  const summed = node.inputs[node.kind === "channelSum" ? 0 : 1];
  return summed ? batch * pixelsOf(summed.shape) : 1;
}

function pixelsOf(shape: Shape): number {
  const { height, width } = imageShape(shape);
  return height * width;
}

/**
 * Compares with what the optimizer makes of gradients, and of gradients that rounding has moved
 * either way.
 */
export function checkUpdate(
  node: AnyNode,
  values: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const batch = values.inputs[0]!.shape[0]!;
  const places = trainedPlaces(node, batch);
  trainedBy(node).forEach(({ parameter, states, rule }, number) => {
    const own = places[number]!;
    checkDescent(
      {
        places: own,
        changes: [parameter, ...states].map((value) => changeOf(value, values)),
        gradients: gradientsOf(node, values, context, { number, places: own }),
        scale: scaleOf(node, values, context),
        rule,
      },
      context,
      comparison,
    );
  });
}

/** A tensor that an update changes, at some places. */
interface Change {
  readonly name: string;
  readonly before: Tensor;
  readonly after: Tensor;
}

const changeOf = (value: Value, { read, changed }: NodeValues): Change => ({
  name: value.name,
  before: read.get(value)!,
  after: changed.get(value)!,
});

/** The gradients of the node's parameter of that number: read, or sums of what the node reads. */
function gradientsOf(
  node: AnyNode,
  { inputs }: NodeValues,
  context: ReferenceContext,
  { number, places }: { readonly number: number; readonly places: readonly number[] },
): readonly SampledSum[] {
  if (node.kind === "update") return storedGradients(node, inputs, context);
  if (node.kind === "channelSum") return places.map((channel) => channelSum(inputs[0]!, channel));
  if (number === 1) return places.map((channel) => channelSum(inputs[1]!, channel));
  if (!isContraction(node)) throw new Error(`${node.kind} trains nothing`);
  return places.map(contractionSums(node, inputs).at);
}

/** Gradients as they were stored, scaled down where their norm is limited. */
function storedGradients(
  { attributes }: Node<"update">,
  inputs: NodeValues["inputs"],
  context: ReferenceContext,
): readonly SampledSum[] {
  const { scale } = gradientScale(attributes, inputs.at(-1), context);
  return Array.from(inputs[1]!.data, (gradient) => {
    const value = scale * gradient;
    return { value, magnitude: Math.abs(value) / 10 };
  });
}

/** Of an update by itself, which may skip the step. */
const scaleOf = (node: AnyNode, { inputs }: NodeValues, context: ReferenceContext) =>
  node.kind === "update" ? gradientScale(node.attributes, inputs.at(-1), context) : { scale: 1 };

interface Descent {
  readonly places: readonly number[];
  /** The parameter, and what the optimizer keeps of it. */
  readonly changes: readonly Change[];
  readonly gradients: readonly SampledSum[];
  readonly rule: UpdateAttributes;
  readonly scale: GradientScale;
}

function checkDescent(
  { places, changes, gradients, rule, scale: { scale, corrections } }: Descent,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const follow = (direction: number) => {
    const [w, ...states] = changes.map(({ before }) => startOf(before, rule));
    const dw = column(gradients.map((sum) => sum.value + direction * toleranceOf(sum)));
    if (scale !== 0) descend({ w: w!, dw, states, corrections }, rule, context);
    return [w!, ...states];
  };
  const [exact, above, below] = [follow(0), follow(1), follow(-1)];
  changes.forEach(({ name, before, after }, tensor) => {
    places.forEach((index, place) => {
      const expected = exact[tensor]!.data[place]!;
      const swing = Math.abs(above[tensor]!.data[place]! - below[tensor]!.data[place]!);
      const size = Math.abs(expected) + Math.abs(before.data[place]!);
      const tolerance = swing + STORING * size + 1e-30;
      comparison.add({ value: name, index, expected, actual: after.data[place]!, tolerance });
    });
  });
}

/**
 * What an update begins with. The first slice of a step, which is what is checked, overwrites the
 * sums of the step before.
 */
const startOf = ({ shape, data }: Tensor, { optimizer }: UpdateAttributes): Tensor => ({
  shape,
  data: optimizer === "accumulate" ? new Float64Array(data.length) : Float64Array.from(data),
});
