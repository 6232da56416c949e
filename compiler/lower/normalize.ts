import { columnPitch, groupsOf } from "../../program/pieces.js";
import type { Affine, SharedBuffer } from "../../program/program.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { Node, Value } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import {
  channelMoments,
  channelProducts,
  finishMoments,
  finishProducts,
  joinMoments,
  joinProducts,
  joinSharedMoments,
  joinSharedProducts,
  PARTS_WORKGROUP,
} from "../kernels/channel-statistics.js";
import { normalizeScale, scaleColumns, scaleWeights } from "../kernels/normalize.js";
import { normalizeExpression } from "../ir/normalize-expression.js";
import { roundUpTo4, type ActivationLayout } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { expressionSteps } from "./elementwise.js";
import { pieceLabel } from "../layout/parameters.js";
import { labelOf } from "../plan/labels.js";
import type { ReductionNode } from "../plan/parts.js";
import { fixed, scratch, type Storage } from "../plan/storage.js";
import type { StepDraft } from "./step-draft.js";

/**
 * A reduction of each channel over batch and space: a kernel for parts of its values, and one to
 * join them.
 */
interface ChannelReduction {
  readonly label: string;
  /** Of what is reduced. */
  readonly layout: ActivationLayout;
  /** The dispatch that makes parts, and the one that joins them. */
  readonly parts: (partial: Storage, common: PartsCommon) => StepDraft;
  readonly join: (partial: Storage, common: JoinCommon) => StepDraft;
  /** The dispatch that follows where ranks combine what they have joined. */
  readonly finish?: StepDraft;
}

/** What the kernels of parts are given alike. */
type PartsCommon = ReturnType<typeof partsCommon>;

/** What the kernels that join parts are given alike. */
type JoinCommon = ReturnType<typeof joinCommon>;

/** Joins the parts that the previous kernel has left, or else computes parts first. */
const reductionSteps = (
  context: LoweringContext,
  node: ReductionNode,
  reduction: ChannelReduction,
): readonly StepDraft[] =>
  context.choice(node).flatMap(({ batches, parts: { storage, values }, lines }) => {
    const own =
      lines === undefined
        ? []
        : [reduction.parts(storage, partsCommon(node, reduction, { lines, label: storage.name }))];
    const joined = reduction.join(storage, joinCommon(node, reduction, values));
    const steps = [...own, joined, ...(reduction.finish ? [reduction.finish] : [])];
    return steps.map((step) => (batches ? { ...step, batches } : step));
  });

const partsCommon = (
  { origin }: Pick<Node, "origin">,
  { layout }: Pick<ChannelReduction, "layout">,
  { lines, label }: { readonly lines: number; readonly label: string },
) => ({
  constants: { height: layout.height, width: layout.width, quads: layout.quads, lines },
  workgroups: { x: { ...threadsOfLines(layout, lines), tile: lines * PARTS_WORKGROUP }, z: 1 },
  label,
  origin,
});

const joinCommon = (
  { origin }: Pick<Node, "origin">,
  { label, layout: { pixels, quads } }: ChannelReduction,
  values: number,
) => ({
  constants: { pixels, quads, part_values: values },
  workgroups: { x: { ...fixed(quads), tile: 1 }, z: 1 },
  label,
  origin,
});

/** What ranks combine of a reduction: two numbers for each channel, and a count. */
interface Shared {
  readonly storage: Storage;
  readonly as: SharedBuffer["as"];
}

function sharedBy(node: ReductionNode, { quads }: ActivationLayout): Shared | undefined {
  if (!node.attributes.isShared) return undefined;
  const as = node.kind === "channelStatistics" ? "moments" : "sums";
  return { storage: scratch(`${labelOf(node)} of ranks`, fixed(16 * (2 * quads + 1))), as };
}

/** What the kernels that follow the ranks' exchange are given alike. */
const finishCommon = (
  { origin }: Pick<Node, "origin">,
  { label, layout: { quads } }: Pick<ChannelReduction, "label" | "layout">,
) => ({ constants: { quads }, threads: fixed(quads), label: `${label} of all ranks`, origin });

/** A thread for each quad of some lines, the last ones perhaps fewer, times the lines. */
const threadsOfLines = ({ height, quads }: ActivationLayout, lines: number): Affine => ({
  fixed: quads * (lines - 1),
  perImage: quads * height,
});

export function lowerChannelStatistics(
  context: LoweringContext,
  node: Node<"channelStatistics">,
): readonly StepDraft[] {
  const stored = (value: Value | undefined) => context.storageOf(value!);
  const [input, runningMean, runningVariance] = node.inputs;
  const [mean, variance] = node.outputs;
  const [layout, label] = [context.layout(input!), labelOf(node)];
  const shares = sharedBy(node, layout);
  const { momentum } = node.attributes;
  const results = {
    running_mean: stored(runningMean),
    running_variance: stored(runningVariance),
    mean: stored(mean),
    variance: stored(variance),
  };
  const parts: ChannelReduction["parts"] = (partial, common) =>
    dispatch(channelMoments(), {
      ...common,
      buffers: { input: stored(input), partial },
      constants: { ...common.constants, input: layout.inQuads() },
    });
  if (!shares) {
    const join: ChannelReduction["join"] = (partial, common) =>
      dispatch(joinMoments(), {
        ...common,
        buffers: { partial, ...results },
        constants: { ...common.constants, momentum },
      });
    return reductionSteps(context, node, { label, layout, parts, join });
  }
  const { storage: exchanged } = shares;
  const common = finishCommon(node, { label, layout });
  return reductionSteps(context, node, {
    label,
    layout,
    parts,
    join: (partial, rest) => ({
      ...dispatch(joinSharedMoments(), { ...rest, buffers: { partial, exchanged } }),
      shares,
    }),
    finish: dispatch(finishMoments(), {
      ...common,
      buffers: { exchanged, ...results },
      constants: { ...common.constants, momentum },
    }),
  });
}

export function lowerNormalizeGradient(
  context: LoweringContext,
  node: Node<"normalizeGradient">,
): readonly StepDraft[] {
  const stored = (value: Value | undefined) => context.storageOf(value!);
  const [gradient, input, ...statistics] = node.inputs;
  const [mean, variance] = statistics.map(stored) as [Storage, Storage];
  const [bias, weight, slope, offset] = node.outputs;
  const [layout, label] = [context.layout(input!), labelOf(node)];
  const shares = sharedBy(node, layout);
  const { epsilon } = node.attributes;
  const gradients = { bias_gradient: stored(bias), weight_gradient: stored(weight) };
  const along = { slope: stored(slope), offset: stored(offset) };
  const parts: ChannelReduction["parts"] = (partial, common) =>
    dispatch(channelProducts(), {
      ...common,
      buffers: { gradient: stored(gradient), input: stored(input), mean, partial },
      constants: {
        ...common.constants,
        gradient: context.layout(gradient!).inQuads(),
        input: layout.inQuads(),
      },
    });
  if (!shares) {
    const join: ChannelReduction["join"] = (partial, common) =>
      dispatch(joinProducts(), {
        ...common,
        buffers: { partial, mean, variance, ...gradients, ...along },
        constants: { ...common.constants, epsilon },
      });
    return reductionSteps(context, node, { label, layout, parts, join });
  }
  const { storage: exchanged } = shares;
  const common = finishCommon(node, { label, layout });
  return reductionSteps(context, node, {
    label,
    layout,
    parts,
    join: (partial, rest) => ({
      ...dispatch(joinSharedProducts(), {
        ...rest,
        buffers: { partial, variance, ...gradients, exchanged },
        constants: { ...rest.constants, epsilon },
      }),
      shares,
    }),
    finish: dispatch(finishProducts(), {
      ...common,
      buffers: { exchanged, mean, variance, ...along },
      constants: { ...common.constants, epsilon },
    }),
  });
}

/** Where fusion has not made it an expression, it becomes one here. */
export const lowerNormalize = (context: LoweringContext, node: Node<"normalize">) =>
  expressionSteps(context, node, normalizeExpression(node));

export function lowerNormalizeScale(
  context: LoweringContext,
  node: Node<"normalizeScale">,
): readonly StepDraft[] {
  const { inputs, outputs, attributes, origin } = node;
  const quads = roundUpTo4(elementCount(outputs[0]!.shape)) / 4;
  const [mean, variance, weight, bias] = inputs.map((value) => context.storageOf(value));
  const [scale, shift] = outputs.map((value) => context.storageOf(value));
  const isAffine = weight !== undefined;
  return [
    dispatch(normalizeScale({ isAffine }), {
      buffers: {
        mean: mean!,
        variance: variance!,
        ...withoutUndefined({
          weight: isAffine ? weight : undefined,
          bias: isAffine ? bias : undefined,
        }),
        scale: scale!,
        shift: shift!,
      },
      constants: { quads, epsilon: attributes.epsilon },
      threads: fixed(quads),
      label: `${origin.name} scale`,
      origin,
    }),
  ];
}

export function lowerScaledWeights(
  context: LoweringContext,
  node: Node<"scaledWeights">,
): readonly StepDraft[] {
  const [weights, scale] = node.inputs as [Value, Value];
  const [output] = node.outputs as [Value];
  const stored = context.parameter(weights);
  const { parameter, layout, pieces } = stored;
  return pieces.map((piece, index) => {
    const given = {
      buffers: {
        weights: context.piecesOf(weights)[index]!,
        scale: context.storageOf(scale),
        scaled: context.piecesOf(output)[index]!,
      },
      label: pieceLabel(`${node.origin.name} in ${weights.name}`, index, pieces.length),
      origin: node.origin,
    };
    if (layout.kind !== "contraction") {
      const threads = layout.length;
      const constants = { threads, per_output: threads / Number(parameter.value.shape[0]) };
      return dispatch(scaleWeights(), { ...given, constants, threads: fixed(threads) });
    }
    const threads = piece.bytes / 16;
    const { count, outputs } = groupsOf(piece, layout);
    const constants = {
      threads,
      columns: columnPitch({ outputs }) / 4,
      group_quads: threads / count,
      first_quad: piece.start / 4,
    };
    return dispatch(scaleColumns(), { ...given, constants, threads: fixed(threads) });
  });
}
