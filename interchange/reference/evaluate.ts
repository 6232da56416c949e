/**
 * A foreign graph in plain loops, in double precision: what the source's own rules give. It shares
 * nothing with the mapping, so that one tests the other.
 */
import { Attributes, RefusedNode } from "../attributes.js";
import { ImportError } from "../error.js";
import {
  describeNode,
  type ForeignGraph,
  type ForeignNode,
  type ForeignTensor,
} from "../foreign-graph.js";
import { references } from "./index.js";

/** Outputs of a node. Throws a RefusedNode where its operator has no reference. */
export function evaluateNode(
  node: ForeignNode,
  inputs: readonly (ForeignTensor | undefined)[],
): readonly ForeignTensor[] {
  const reference = Object.hasOwn(references, node.operator)
    ? references[node.operator]
    : undefined;
  if (!reference) throw new RefusedNode("its operator has no reference");
  const attributes = new Attributes(node.attributes);
  const result = reference({ inputs, attributes, outputs: node.outputs.length });
  return isList(result) ? result : [result];
}

const isList = (
  result: ForeignTensor | readonly ForeignTensor[],
): result is readonly ForeignTensor[] => Array.isArray(result);

export const hasReference = (operator: string) => Object.hasOwn(references, operator);

/** Values of the graph's outputs for these inputs. Throws an ImportError that names the node. */
export function evaluate(
  graph: ForeignGraph,
  inputs: ReadonlyMap<string, ForeignTensor>,
): readonly ForeignTensor[] {
  const values = new Map([...graph.constants, ...inputs]);
  for (const node of graph.nodes) {
    const given = node.inputs.map((name) => (name === undefined ? undefined : values.get(name)));
    evaluated(node, given).forEach((value, index) => {
      const name = node.outputs[index];
      if (name) values.set(name, value);
    });
  }
  return graph.outputs.map((name) => {
    const value = values.get(name);
    if (!value) throw new ImportError(`the model does not compute its output \`${name}\``);
    return value;
  });
}

function evaluated(node: ForeignNode, inputs: readonly (ForeignTensor | undefined)[]) {
  try {
    return evaluateNode(node, inputs);
  } catch (error) {
    if (!(error instanceof RefusedNode)) throw error;
    throw new ImportError(`${describeNode(node)} cannot be evaluated: ${error.message}`);
  }
}
