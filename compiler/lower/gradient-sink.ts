import type { Node, UpdateAttributes } from "../ir/graph.js";
import type { Descent, GradientUse } from "../kernels/update.js";
import type { LoweringContext } from "./context.js";
import type { StoredParameter } from "../layout/parameters.js";
import { floatBits, type Storage } from "./storage.js";

/** Where a gradient goes: into memory of its own, or at once into the parameter and what the optimizer keeps of it. */
export interface LoweredSink {
  readonly use: GradientUse;
  readonly parameter: StoredParameter;
  /** What a kernel binds for one of the parameter's pieces. */
  storage(piece: number): readonly Storage[];
  readonly constants: Record<string, number>;
  /** `gradient` or `update`. */
  readonly label: string;
}

/** The update of a bias that is applied with its weights'. */
export interface BiasSink {
  readonly use: Descent;
  readonly storage: readonly Storage[];
  readonly quads: number;
  /** The bias's own factors, under the names of an update by itself. */
  readonly factors: Record<string, number>;
  /** The same, under the names that they have beside the weights'. */
  readonly constants: Record<string, number>;
}

export function lowerBiasSink(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
): BiasSink | undefined {
  const [, bias] = node.fusion?.updates ?? [];
  if (!bias) return undefined;
  const storage = [bias.parameter, ...bias.states].map((value) => context.storageOf(value));
  const factors = updateConstants(bias.rule);
  const named = Object.entries(factors).map(([name, value]) => [`bias_${name}`, value]);
  return {
    ...{ use: bias.rule, storage, factors },
    quads: storage[0]!.bytes.fixed / 16,
    constants: Object.fromEntries(named) as Record<string, number>,
  };
}

export function lowerGradientSink(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient"> | Node<"channelSum">,
): LoweredSink {
  const [update] = node.fusion?.updates ?? [];
  if (!update) {
    const [gradient] = node.outputs;
    return {
      use: "stored",
      parameter: context.parameterOfGradient(gradient!),
      storage: (piece) => [context.piecesOf(gradient!)[piece]!],
      constants: {},
      label: "gradient",
    };
  }
  const { parameter, states, rule } = update;
  return {
    use: rule,
    parameter: context.parameter(parameter),
    storage: (piece) => [parameter, ...states].map((value) => context.piecesOf(value)[piece]!),
    constants: updateConstants(rule),
    label: "update",
  };
}

/** A parameter's own factors, as the kernels take them. */
export function updateConstants(update: UpdateAttributes): Record<string, number> {
  return {
    learning_rate_factor: floatBits(update.learningRateFactor),
    decay_factor: floatBits(update.decayFactor),
    ...(update.gradientFactor !== undefined && {
      gradient_factor: floatBits(update.gradientFactor),
    }),
  };
}
