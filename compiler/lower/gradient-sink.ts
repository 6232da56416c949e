import { isLayerwise } from "../../program/optimizers.js";
import type { Node, UpdateAttributes } from "../ir/graph.js";
import {
  gradientSink,
  sinkNames,
  type Descent,
  type GradientUse,
  type Trained,
} from "../kernels/gradient-sink.js";
import type { UpdateScale } from "../kernels/update.js";
import type { StoredParameter } from "../layout/parameters.js";
import type { LoweringContext } from "./context.js";
import { bind, type Bound } from "./dispatch.js";
import type { Storage } from "../plan/storage.js";
import { withoutUndefined } from "../../program/without-undefined.js";

/**
 * Where a gradient goes: into separate memory, or at once into the parameter and what the
 * optimizer keeps of it.
 */
export interface LoweredSink {
  readonly use: GradientUse;
  readonly parameter: StoredParameter;
  /** What a kernel is given for one of the parameter's pieces. */
  bound(piece: number): Bound;
  /** `gradient` or `update`. */
  readonly label: string;
}

/** The update of a bias that is applied with its weights'. */
export interface BiasSink {
  readonly use: Descent;
  readonly quads: number;
  /** What a kernel is given in addition to the weights' sink, or by itself. */
  readonly bound: Readonly<Record<Trained, Bound>>;
}

export function lowerBiasSink(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
): BiasSink | undefined {
  const [, bias] = node.fusion?.updates ?? [];
  if (!bias) return undefined;
  const storage = [bias.parameter, ...bias.states].map((value) => context.storageOf(value));
  return {
    use: descentOf(bias.rule),
    quads: storage[0]!.bytes.fixed / 16,
    bound: {
      weights: boundUpdate(bias.rule, storage),
      bias: boundUpdate(bias.rule, storage, "bias"),
    },
  };
}

export function lowerGradientSink(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient"> | Node<"channelSum">,
): LoweredSink {
  const [update] = node.fusion?.updates ?? [];
  if (!update) {
    const [gradient] = node.outputs;
    const storage = (piece: number) => context.piecesOf(gradient!)[piece]!;
    return {
      use: "stored",
      parameter: context.parameter(gradient!),
      bound: (piece) =>
        bind(gradientSink("stored"), { buffers: { result: storage(piece) }, constants: {} }),
      label: "gradient",
    };
  }
  const { parameter, states, rule } = update;
  const storage = (piece: number) =>
    [parameter, ...states].map((value) => context.piecesOf(value)[piece]!);
  return {
    use: descentOf(rule),
    parameter: context.parameter(parameter),
    bound: (piece) => boundUpdate(rule, storage(piece)),
    label: "update",
  };
}

/** A rule as kernels know it, of which each weight follows its own gradient. */
export function descentOf({ optimizer, clipsValue, gradientFactor }: UpdateAttributes): Descent {
  if (isLayerwise(optimizer)) throw new Error(`${optimizer} takes the norms of whole parameters`);
  return { optimizer, clipsValue, unscales: gradientFactor !== undefined };
}

/** What an update by itself reads in addition to the gradient. */
export const scaleOf = ({ attributes: { clipsNorm, skips } }: Node<"update">): UpdateScale =>
  skips ? "applied" : clipsNorm ? "norm" : "none";

/**
 * What an update is given: the parameter's memory, then that of its states, and its own factors.
 */
export function boundUpdate(
  rule: UpdateAttributes,
  memory: readonly Storage[],
  trained: Trained = "weights",
): Bound {
  const names = sinkNames(descentOf(rule), trained);
  const own: Readonly<Record<string, number>> = factorsOf(rule);
  const prefix = trained === "bias" ? "bias_" : "";
  const factors = names.factors.map((name) => [name, own[name.slice(prefix.length)]!] as const);
  return {
    buffers: Object.fromEntries(names.memory.map((name, index) => [name, memory[index]!])),
    constants: Object.fromEntries(factors),
  };
}

/** A parameter's own factors. */
const factorsOf = (rule: UpdateAttributes) => ({
  learning_rate_factor: rule.learningRateFactor,
  decay_factor: rule.decayFactor,
  ...withoutUndefined({ gradient_factor: rule.gradientFactor }),
});
