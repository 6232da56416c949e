/** Work of other ops that a node does along with its own. Passes alone write it. */
import type { Expression } from "./expression.js";
import type { AnyNode, Graph, OpKind, UpdateAttributes, Value } from "./graph.js";
import { withoutUndefined } from "../../program/without-undefined.js";

/** An expression applied to each element of a node's result, or to each element that it reads. */
export interface Fused {
  /** Operand 0 is the element itself; operand or channel i >= 1 is `operands[i - 1]`. */
  readonly expression: Expression;
  readonly operands: readonly Value[];
}

/** A parameter that follows its gradient in the op that makes the gradient. */
export interface FusedUpdate {
  readonly parameter: Value;
  /** What the optimizer keeps of it. */
  readonly states: readonly Value[];
  readonly rule: UpdateAttributes;
}

/**
 * Parts of a reduction that the kernel which makes a node's output leaves: `moments` for
 * channelStatistics, `products` for normalizeGradient.
 */
export interface LeftParts {
  readonly what: "moments" | "products";
  /** The reduction, by its first output. */
  readonly reduction: Value;
  /** What the kernel reads for it: of products, the input of the normalization and its mean. */
  readonly operands: readonly Value[];
}

/** vec4 that a part takes of each channel quad. */
export const PART_QUADS: Readonly<Record<LeftParts["what"], number>> = { moments: 3, products: 2 };

export interface Fusion {
  /** Of the node's first input, before the node reads it. */
  readonly prologue?: Fused;
  /** Of the node's only output, before the node stores it. */
  readonly epilogue?: Fused;
  /**
   * A node with updates stores no gradient and has no output. The first update is by what the op
   * makes. A weight gradient may have a second one: of a bias, by the channelSum of dy.
   */
  readonly updates?: readonly FusedUpdate[];
  /** `leaveParts` writes it, the last of all passes. */
  readonly leaves?: LeftParts;
}

const FUSING: { readonly [Part in keyof Fusion]-?: ReadonlySet<OpKind> } = {
  prologue: new Set<OpKind>(["channelWindowSum", "maxPool"]),
  epilogue: new Set<OpKind>([
    ...(["convolution", "convolutionInputGradient", "channelWindowSum"] as const),
    ...(["averagePool", "averagePoolGradient", "maxPoolGradient"] as const),
    ...(["maxUnpool", "maxUnpoolGradient"] as const),
    ...(["resample", "resampleGradient", "extend", "extendGradient"] as const),
    ...(["reduce", "spread", "rearrange", "rearrangeGradient", "joinChannels"] as const),
  ]),
  updates: new Set<OpKind>(["convolutionWeightGradient", "channelSum"]),
  leaves: new Set<OpKind>([
    ...(["convolution", "convolutionInputGradient", "pointwise"] as const),
    ...(["maxPoolGradient", "averagePoolGradient"] as const),
    ...(["rearrange", "rearrangeGradient", "joinChannels"] as const),
  ]),
};

/** Whether the kernels of an op can do a part of another op's work. */
export const canFuse = (kind: OpKind, part: keyof Fusion): boolean => FUSING[part].has(kind);

/** All values that a node reads: its inputs, and then those of its fusion. */
export function readsOf({ inputs, fusion }: AnyNode): readonly Value[] {
  if (!fusion) return inputs;
  const { prologue, epilogue, updates = [], leaves } = fusion;
  return [
    ...inputs,
    ...(prologue?.operands ?? []),
    ...(epilogue?.operands ?? []),
    ...updates.flatMap(({ parameter, states }) => [parameter, ...states]),
    ...(leaves?.operands ?? []),
  ];
}

/** The node with other values in the places of those that it reads, in the order of `readsOf`. */
export function withReads(node: AnyNode, replace: (value: Value) => Value): AnyNode {
  const inputs = node.inputs.map(replace);
  const fusion = node.fusion && replaceIn(node.fusion, replace);
  return { ...node, inputs, fusion };
}

function replaceIn(
  { prologue, epilogue, updates, leaves }: Fusion,
  replace: (value: Value) => Value,
): Fusion {
  const operandsOf = (fused: Fused) => ({ ...fused, operands: fused.operands.map(replace) });
  return withoutUndefined({
    prologue: prologue && operandsOf(prologue),
    epilogue: epilogue && operandsOf(epilogue),
    updates: updates?.map(({ parameter, states, rule }) => ({
      parameter: replace(parameter),
      states: states.map(replace),
      rule,
    })),
    leaves: leaves && { ...leaves, operands: leaves.operands.map(replace) },
  });
}

/** The values that a node changes in place: parameters, states and running statistics. */
export function changesOf(node: AnyNode): readonly Value[] {
  const trained = trainedBy(node).flatMap(({ parameter, states }) => [parameter, ...states]);
  switch (node.kind) {
    case "channelStatistics":
      return [...node.inputs.slice(1), ...trained];
    case "adjustLossScale":
      return [node.inputs[0]!, ...trained];
    default:
      return trained;
  }
}

/** A parameter that a graph trains, with what its update reads. */
export interface TrainedParameter extends FusedUpdate {
  /** Undefined where the op that makes it applies it at once. */
  readonly gradient: Value | undefined;
}

/** Whether a node changes a parameter and the optimizer's states of it. */
export const isUpdate = ({ kind, fusion }: AnyNode): boolean =>
  kind === "update" || fusion?.updates !== undefined;

/** The parameters that a node trains: one, or weights and their bias. */
export function trainedBy(node: AnyNode): readonly TrainedParameter[] {
  if (node.kind !== "update") {
    return (node.fusion?.updates ?? []).map((update) => ({ ...update, gradient: undefined }));
  }
  const { inputs, attributes: rule } = node;
  const [parameter, gradient, ...rest] = inputs as [Value, Value, ...Value[]];
  const states = rule.clipsNorm || rule.skips ? rest.slice(0, -1) : rest;
  return [{ parameter, gradient, states, rule }];
}

/** What the graph's updates change, in their order. */
export const trainedParameters = ({ nodes }: Graph): readonly TrainedParameter[] =>
  nodes.flatMap(trainedBy);
