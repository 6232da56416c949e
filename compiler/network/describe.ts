/** A network's layers as summaries, pictures and editors show them. */
import { callText } from "../calls/call-text.js";
import type { BlockUse } from "../calls/reporter.js";
import type { CallValues } from "../calls/signature.js";
import { isSignal, type Shape, writtenAxes } from "../ir/shape.js";
import type { TensorType } from "../ir/tensor-type.js";
import type { LayerDefinition } from "../layers/layer.js";
import { costOf, NO_COST } from "./costs.js";
import type { Group, NetworkValue, ResolvedLayer } from "./resolved.js";

/** A layer that a mistake hides in part, in a spec that gives no network. */
export interface UnresolvedLayer extends Pick<
  ResolvedLayer,
  "name" | "inputs" | "weights" | "group" | "origin"
> {
  readonly kind: string;
  readonly call: string;
  readonly type: TensorType | undefined;
}

export type KnownLayer = ResolvedLayer | UnresolvedLayer;

export function isResolved(layer: KnownLayer): layer is ResolvedLayer {
  return "definition" in layer;
}

export const kindOf = (layer: KnownLayer): string =>
  isResolved(layer) ? layer.definition.name : layer.kind;

/**
 * A layer as `summary` shows it. Shapes are without the batch axis, multiply-adds are per image.
 */
export interface AnalyzedLayer {
  /** `features.conv1`. */
  readonly name: string;
  /** `conv`; `add` and `concat` for the joins of `residual` and `concat`. */
  readonly kind: string;
  /** The call as a picture shows it, without initializers: `conv(64, kernel=3, padding=1)`. */
  readonly call: string;
  /**
   * Indices of the layers whose outputs it reads; -1 is the network's first input, -2 the second.
   * Targets, which parts of losses and metrics read, are not among them.
   */
  readonly inputs: readonly number[];
  /** Index in `groups` of the innermost group around it. */
  readonly group?: number;
  /** The uses of blocks that led here, the outermost first. */
  readonly uses: readonly BlockUse[];
  readonly line: number;
  readonly column: number;
  readonly span: Group["span"];
  /** Undefined where a mistake hides it. */
  readonly output: readonly number[] | undefined;
  /** Numbers in its weights, which other layers may share; `countParameters` adds them up. */
  readonly parameters: number;
  /** What names of its weights start with: its name, or that of shared weights. */
  readonly weights: string;
  readonly macs: number;
  /**
   * Gradients of input and weight, as far as they are needed, cost as much as the forward pass
   * each.
   */
  readonly macsBackward: number;
}

export interface LayersOfNetwork {
  readonly inputs: readonly (TensorType | undefined)[];
  readonly layers: readonly KnownLayer[];
  readonly groups: readonly Group[];
}

export function describeLayers({
  inputs: ports,
  layers,
  groups,
}: LayersOfNetwork): readonly AnalyzedLayer[] {
  const typeOf = ({ from, index }: NetworkValue) =>
    ({ layer: layers[index]?.type, input: ports[index], target: undefined })[from];
  const trained: boolean[] = [];
  const described = layers.map((layer) => {
    const { name, inputs, group, origin } = layer;
    const types = inputs.map(typeOf);
    const { parameters, macs, isTrainable } = isResolved(layer) ? layerCost(layer, types) : NO_COST;
    trained.push(isTrainable);
    const { line, column } = origin.span.start;
    return {
      name,
      kind: kindOf(layer),
      call: isResolved(layer) ? shownCall(layer, types[0]?.shape) : layer.call,
      inputs: inputs.flatMap(indexOf),
      group,
      uses: usesAround(group, groups),
      line,
      column,
      span: origin.span,
      output: layer.type && writtenAxes(layer.type.shape).slice(1).map(Number),
      parameters,
      weights: layer.weights,
      macs,
    };
  });
  const backward = macsOfBackward(described, (index) => trained[index]!);
  return described.map((layer, index) => ({ ...layer, macsBackward: backward[index]! }));
}

/** A target has none: what reads it is a part of losses and metrics. */
function indexOf({ from, index }: NetworkValue): readonly number[] {
  if (from === "target") return [];
  return [from === "layer" ? index : -1 - index];
}

/**
 * Multiply-adds of each layer's gradients: those of its weight, where it is trained, and those of
 * its input, where something before it is.
 */
export function macsOfBackward(
  layers: readonly Pick<AnalyzedLayer, "inputs" | "macs">[],
  isTrained: (index: number) => boolean,
): readonly number[] {
  const reaches: boolean[] = [];
  return layers.map(({ inputs, macs }, index) => {
    const isInputTrained = inputs.some((input) => input >= 0 && reaches[input]);
    reaches.push(isInputTrained || isTrained(index));
    return macs * (Number(isInputTrained) + Number(isTrained(index)));
  });
}

/** Numbers in the weights of layers; those that several of them share count once. */
export function countParameters(layers: readonly AnalyzedLayer[]): number {
  const counts = new Map(layers.map(({ weights, parameters }) => [weights, parameters]));
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function layerCost(
  { definition, values }: ResolvedLayer,
  [input, ...rest]: readonly (TensorType | undefined)[],
) {
  const others = rest.flatMap((type) => (type ? [type.shape] : []));
  return others.length < rest.length
    ? NO_COST
    : costOf({ definition, values, others, vocabulary: input?.vocabulary }, input?.shape);
}

/** The call without initializers, as it is written for this input. */
export function shownCall(
  {
    definition,
    values,
  }: {
    readonly definition: LayerDefinition;
    readonly values: CallValues;
  },
  input: Shape | undefined,
): string {
  const shown = Object.entries(values).filter(
    ([name]) => definition.arguments[name]?.type.accepts.kind !== "call",
  );
  const isOfSignal = input !== undefined && isSignal(input);
  return callText(definition, Object.fromEntries(shown), [], { isOfSignal });
}

function usesAround(group: number | undefined, groups: readonly Group[]): readonly BlockUse[] {
  const around = group === undefined ? undefined : groups[group];
  if (!around) return [];
  const { kind, label, name, span, parent } = around;
  const outer = usesAround(parent, groups);
  if (kind !== "block") return outer;
  return [...outer, { block: label.replace(/\(.*/s, ""), name, span }];
}
