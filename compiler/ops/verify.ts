import { ops } from "./index.js";
import type { OpDefinition, TensorType } from "./op.js";
import { leaves } from "../ir/expression-transform.js";
import {
  externalValues,
  resultsOf,
  stateCount,
  type AnyNode,
  type Graph,
  type Value,
} from "../ir/graph.js";
import {
  canFuse,
  changesOf,
  readsOf,
  trainedBy,
  type Fused,
  type FusedUpdate,
  type LeftParts,
  type Fusion,
} from "../ir/fusion.js";
import { BATCH, formatShape, imageShape, isSequence, sameShape, type Shape } from "../ir/shape.js";

/**
 * Throws where the graph breaks a promise that passes rely on: values are made once and before they
 * are used, shapes and types are what the ops say, updates change parameters that nothing reads
 * afterwards. Run between passes.
 */
export function verify(graph: Graph): void {
  const defined = new Set<number>();
  for (const value of externalValues(graph)) define(value, defined);
  for (const node of graph.nodes) {
    verifyAt(node, () => verifyNode(node, defined));
    for (const output of node.outputs) verifyAt(node, () => define(output, defined));
  }
  verifyResults(graph, defined);
  verifyUpdates(graph);
  verifyStatistics(graph);
  verifyLeft(graph);
}

/** Says of which node a broken promise is. */
function verifyAt(node: AnyNode, check: () => void): void {
  try {
    check();
  } catch (error) {
    const { line, column } = node.origin.span.start;
    const where = `${node.kind} of ${node.origin.name} at ${line}:${column}`;
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

function define(value: Value, defined: Set<number>): void {
  if (defined.has(value.id)) throw new Error(`value %${value.id} is made twice`);
  defined.add(value.id);
}

function verifyNode(node: AnyNode, defined: ReadonlySet<number>): void {
  for (const { id } of readsOf(node))
    if (!defined.has(id)) throw new Error(`reads %${id} before it is made`);
  // The union of nodes and the record of ops agree by kind, which TypeScript cannot follow.
  const definition = ops[node.kind] as OpDefinition<never>;
  const made = definition.outputs(node.inputs, node.attributes as never);
  verifyFusion(node, made);
  const expected = node.fusion?.updates ? [] : made;
  if (expected.length !== node.outputs.length)
    throw new Error(`expected ${expected.length} outputs, got ${node.outputs.length}`);
  expected.forEach((type, index) => verifyType(node.outputs[index]!, type));
}

function verifyType(value: Value, expected: TensorType): void {
  if (!sameShape(value.shape, expected.shape) || value.type !== expected.type) {
    const wanted = `${expected.type}${formatShape(expected.shape)}`;
    throw new Error(
      `expected %${value.id} to be ${wanted}, got ${value.type}${formatShape(value.shape)}`,
    );
  }
}

function verifyFusion(node: AnyNode, made: readonly TensorType[]): void {
  const { fusion = {}, kind, inputs } = node;
  for (const part of Object.keys(fusion) as (keyof Fusion)[])
    if (!canFuse(kind, part)) throw new Error(`${kind} takes no fused ${part}`);
  const { prologue, epilogue, updates } = fusion;
  if (prologue) verifyOperands(prologue, inputs[0]!.shape);
  if (epilogue) verifyOperands(epilogue, made[0]!.shape);
  if (updates) verifyFusedUpdates(node, updates, made[0]!.shape);
}

/** Operands have the element's shape, channel operands one value a channel. */
function verifyOperands({ expression, operands }: Fused, shape: Shape): void {
  for (const { kind, index } of leaves(expression)) {
    if (kind === "operand" && index === 0) continue;
    const value = operands[index - 1];
    const expected = kind === "operand" ? shape : [imageShape(shape).channels];
    if (!value || !sameShape(value.shape, expected)) {
      const got = value ? formatShape(value.shape) : "nothing";
      throw new Error(`expected ${formatShape(expected)} for ${kind} ${index}, got ${got}`);
    }
  }
}

/** The first update is of what the op's result is the gradient of; a second one is of a bias. */
function verifyFusedUpdates(
  { kind, inputs }: AnyNode,
  updates: readonly FusedUpdate[],
  shape: Shape,
): void {
  const most = kind === "convolutionWeightGradient" ? 2 : 1;
  if (updates.length === 0 || updates.length > most)
    throw new Error(`expected 1 to ${most} fused updates, got ${updates.length}`);
  updates.forEach(({ parameter, states, rule }, index) => {
    const expected = index === 0 ? shape : [imageShape(inputs[1]!.shape).channels];
    for (const value of [parameter, ...states]) {
      if (sameShape(value.shape, expected)) continue;
      const [wanted, got] = [expected, value.shape].map(formatShape);
      throw new Error(`expected the update of %${value.id} to be of ${wanted}, got ${got}`);
    }
    const count = stateCount(rule);
    if (states.length !== count)
      throw new Error(`expected ${count} states of %${parameter.id}, got ${states.length}`);
  });
}

function verifyResults(graph: Graph, defined: ReadonlySet<number>): void {
  for (const value of resultsOf(graph))
    if (!defined.has(value.id)) throw new Error(`${graph.name}: nothing makes %${value.id}`);
  for (const { name, terms } of graph.metrics)
    for (const { value } of terms)
      if (!sameShape(value.shape, [BATCH]) && !isSequence(value.shape))
        throw new Error(`${graph.name}: metric ${name} is ${formatShape(value.shape)}, not [N]`);
}

function verifyUpdates(graph: Graph): void {
  const trainable = new Set(
    graph.parameters.filter((parameter) => parameter.trainable).map(({ value }) => value.id),
  );
  const known = new Set(graph.states.map((value) => value.id));
  const updated = new Set<number>();
  for (const node of graph.nodes) {
    verifyAt(node, () => {
      for (const { id } of readsOf(node))
        if (updated.has(id)) throw new Error(`reads %${id} after its update`);
      for (const { parameter, states } of trainedBy(node)) {
        const isSum = known.has(parameter.id);
        if (!isSum && !trainable.has(parameter.id))
          throw new Error(`%${parameter.id} is not a trainable parameter`);
        for (const { id } of states) {
          if (!known.has(id)) throw new Error(`%${id} is not a state of the optimizer`);
        }
        for (const { id } of [parameter, ...states]) updated.add(id);
      }
    });
  }
}

/**
 * Running statistics are a separate kind of parameters; layers that share weights move the same
 * ones.
 */
function verifyStatistics({ parameters, nodes }: Graph): void {
  const statistics = parameters.filter(({ role }) => role === "statistic");
  const known = new Set(statistics.map(({ value }) => value.id));
  for (const node of nodes) {
    if (node.kind !== "channelStatistics") continue;
    for (const { id } of changesOf(node)) {
      verifyAt(node, () => {
        if (!known.has(id)) throw new Error(`%${id} is not a running statistic`);
      });
    }
  }
}

/**
 * Parts are left by what makes the values for the node that reduces them, which knows of one maker.
 */
function verifyLeft({ nodes }: Graph): void {
  const makers = new Map(
    nodes.flatMap((node) => node.outputs.map((output) => [output.id, node] as const)),
  );
  const left = new Set<number>();
  for (const node of nodes) {
    const leaves = node.fusion?.leaves;
    if (leaves) verifyAt(node, () => verifyParts(node, leaves, makers.get(leaves.reduction.id)));
    if (leaves && left.size === left.add(leaves.reduction.id).size)
      throw new Error(`parts are left twice for %${leaves.reduction.id}`);
  }
}

function verifyParts(
  { outputs: [output] }: AnyNode,
  { what, operands, reduction }: LeftParts,
  reducer: AnyNode | undefined,
): void {
  const kind = what === "moments" ? "channelStatistics" : "normalizeGradient";
  const isOfOutput = reducer?.inputs[0] === output && reducer?.outputs[0] === reduction;
  if (reducer?.kind !== kind || !isOfOutput)
    throw new Error(`%${reduction.id} is not the ${kind} of %${output!.id}`);
  const wanted = what === "moments" ? [] : reducer.inputs.slice(1, 3);
  const isSame = wanted.every((value, index) => value === operands[index]);
  if (operands.length !== wanted.length || !isSame)
    throw new Error(`${what} are not of what %${reduction.id} reads`);
}
