/** Whether a node's results on a device are what the references make of the same inputs. */
import { changesOf, isUpdate } from "../../compiler/ir/fusion.js";
import type { AnyNode, Node, Value } from "../../compiler/ir/graph.js";
import { evaluateAt } from "../../compiler/ops/fused.js";
import { ops } from "../../compiler/ops/index.js";
import type { OpDefinition, ReferenceContext, Tensor } from "../../compiler/ops/op.js";
import { typesInOrder } from "../../compiler/ops/run-node.js";
import { asImage, resolveShape } from "../../compiler/ops/tensors.js";
import { checkContraction, isContraction } from "./check-contraction.js";
import { checkUpdate } from "./check-update.js";
import {
  column,
  compareTensors,
  Comparison,
  gather,
  rootMeanSquare,
  type Finding,
} from "./comparison.js";
import { finisher, type NodeValues } from "./node-values.js";
import { partOf, take, type Part } from "./parts.js";
import { samplePlaces } from "./places.js";
import { magnitudesOf } from "./sums.js";

/** Compares with the reference: all elements of small tensors, some of large ones. */
export function checkNode(node: AnyNode, found: NodeValues, context: ReferenceContext): Finding {
  const values = ops[node.kind].keepsOrder ? found : asImages(node, found);
  const comparison = new Comparison(values.halves);
  if (isUpdate(node)) checkUpdate(node, values, context, comparison);
  else if (isContraction(node)) checkContraction(node, values, context, comparison);
  else if (!isLarge(values)) checkPart(node, values, context, comparison);
  else if (isElementwise(node)) checkElements(node, values, context, comparison);
  else {
    const part = partOf(node, values.inputs[0]!.shape);
    checkPart(node, values, context, comparison, part);
  }
  return comparison.finding;
}

/** Sequences as images of one row, which most references take. */
function asImages(node: AnyNode, values: NodeValues): NodeValues {
  const ordered = (tensors: ReadonlyMap<Value, Tensor>) =>
    new Map([...tensors].map(([value, tensor]) => [value, asImage(value.shape, tensor)]));
  const outputs = values.outputs.map(
    (tensor, index) => tensor && asImage(node.outputs[index]!.shape, tensor),
  );
  const read = ordered(values.read);
  const inputs = values.inputs.map((input, index) => asImage(node.inputs[index]!.shape, input));
  return { ...values, inputs, read, outputs, changed: ordered(values.changed) };
}

/** Elements of a tensor from which on parts of it are enough. */
const LARGE = 1 << 17;

const isLarge = ({ inputs, outputs }: NodeValues) =>
  [...inputs, ...outputs].some((tensor) => (tensor?.data.length ?? 0) > LARGE);

type Elementwise = Node<"pointwise"> | Node<"reshape">;

const isElementwise = (node: AnyNode): node is AnyNode & Elementwise =>
  node.kind === "pointwise" || node.kind === "reshape";

function checkElements(
  node: AnyNode & Elementwise,
  { inputs, outputs: [output] }: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const { shape, data } = output!;
  const places = samplePlaces(data.length, 1);
  const at = (index: number) =>
    node.kind === "reshape"
      ? inputs[0]!.data[index]!
      : evaluateAt({ index }, node.attributes.expression, inputs, shape, context);
  const tensors = { expected: column(places.map(at)), actual: gather(output!, places) };
  compareTensors(comparison, node.outputs[0]!, tensors, { places });
}

/** Runs the reference on a part of the node's tensors; on the whole of them without one. */
function checkPart(
  node: AnyNode,
  values: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
  part: Part = WHOLE,
): void {
  const { fusion = {} } = node;
  const { attributes, outputs } = typesInOrder(node);
  const batch = context.batch ?? values.inputs[0]!.shape[0]!;
  const own = ownInputs(node, values, context, part);
  const changes = changesOf(node);
  // References change some of their inputs in place.
  const inputs = own.map((tensor, place) =>
    changes.includes(node.inputs[place]!) ? { ...tensor, data: tensor.data.slice() } : tensor,
  );
  const types = outputs.map(({ shape, type }) => {
    return { shape: part.shape(resolveShape(shape, batch)), type };
  });
  const definition = ops[node.kind] as OpDefinition<never>;
  const partial = { ...attributes, ...inputShapeOf(attributes, batch, part), ...part.attributes };
  const results = definition.reference(inputs, partial as never, context, types);
  const magnitudes = magnitudesOf(node, own, results);
  node.outputs.forEach((output, number) => {
    const actual = values.outputs[number];
    if (!actual) return;
    const places = part.indices(actual.shape);
    const finish = finisher(fusion.epilogue, values.read, actual.shape, context);
    const expected = fusion.epilogue
      ? column(Array.from(results[number]!.data, (value, place) => finish(places[place]!, value)))
      : results[number]!;
    const tensors = { expected, actual: take(actual, part) };
    const sums = magnitudes?.[number];
    const typical = sums && fusion.epilogue ? rootMeanSquare(expected) : undefined;
    // What an error of the sum is behind the epilogue: a mean divides it.
    const behind =
      typical === undefined
        ? sums
        : Array.from(sums!, (sum, place) => {
            const value = results[number]!.data[place]!;
            const moved = finish(places[place]!, value + sum) - expected.data[place]!;
            return Math.max(Math.abs(moved), typical);
          });
    compareTensors(comparison, output, tensors, { places, magnitudes: behind });
  });
  for (const value of changes) {
    const place = node.inputs.indexOf(value);
    const after = values.changed.get(value)!;
    const tensors = { expected: inputs[place]!, actual: take(after, part) };
    // Running statistics move towards the node's outputs, which have the same order.
    const towards = node.kind === "channelStatistics" ? magnitudes?.[place - 1] : undefined;
    const places = part.indices(after.shape);
    compareTensors(comparison, value, tensors, { places, magnitudes: towards });
  }
}

const WHOLE: Part = {
  indices: (shape) => Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index),
  shape: (shape) => shape,
};

/** The part of what the op itself reads, after a prologue if there is one. */
function ownInputs(
  { fusion }: AnyNode,
  { inputs, read }: NodeValues,
  context: ReferenceContext,
  part: Part,
): readonly Tensor[] {
  const [x, ...others] = inputs.map((input) => take(input, part));
  if (!fusion?.prologue) return [x!, ...others];
  const { shape } = inputs[0]!;
  const begin = finisher(fusion.prologue, read, shape, context);
  const places = part.indices(shape);
  const data = Float64Array.from(x!.data, (value, place) => begin(places[place]!, value));
  return [{ shape: x!.shape, data }, ...others];
}

/** The size of what a gradient is of, where attributes tell it. */
function inputShapeOf(attributes: object, batch: number, part: Part): object {
  if (!("inputShape" in attributes)) return {};
  return { inputShape: part.shape(resolveShape(attributes.inputShape as never, batch)) };
}
