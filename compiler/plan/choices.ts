import type { AnyNode, Node, OpKind, Value } from "../ir/graph.js";
import { SQUARES_BLOCKS } from "../schedules/reductions.js";
import {
  planConvolution,
  planInputGradient,
  planWeightGradient,
  type ContractionPlan,
  type ConvolutionPlan,
  type InputGradientPlan,
  type WeightGradientPlan,
} from "./contractions.js";
import { planCopies, planGroups, type ChannelCopy, type GroupPlan } from "./forms.js";
import {
  leftParts,
  planReduction,
  type RangedParts,
  type ReductionNode,
  type ReductionRange,
} from "./parts.js";
import type { Placements } from "./placements.js";
import type { PlanSettings } from "./settings.js";
import { fixed, scratch, type Storage } from "./storage.js";

/** What is chosen for a node, by its op; nothing for the other ops. */
export interface Choices {
  readonly convolution: ConvolutionPlan;
  readonly convolutionInputGradient: InputGradientPlan;
  readonly convolutionWeightGradient: WeightGradientPlan;
  readonly channelStatistics: readonly ReductionRange[];
  readonly normalizeGradient: readonly ReductionRange[];
  readonly groupNormalize: GroupPlan;
  readonly groupNormalizeGradient: GroupPlan;
  readonly concatenate: readonly ChannelCopy[];
  readonly slice: readonly ChannelCopy[];
  /** Memory for the sums of blocks, of each piece of the gradient. */
  readonly squareSum: readonly Storage[];
}

export type ChosenKind = keyof Choices;

/** What is known when the choices for a node are made. */
interface Known {
  readonly settings: PlanSettings;
  readonly placements: Placements;
  /** By the nodes before it that leave parts of reductions. */
  readonly left: ReadonlyMap<AnyNode, readonly RangedParts[]>;
}

const PLANNERS: {
  readonly [Kind in ChosenKind]: (known: Known, node: Node<Kind>) => Choices[Kind];
} = {
  convolution: ({ settings }, node) => planConvolution(settings, node),
  convolutionInputGradient: ({ settings }, node) => planInputGradient(settings, node),
  convolutionWeightGradient: ({ settings }, node) => planWeightGradient(settings, node),
  channelStatistics: joinedParts,
  normalizeGradient: joinedParts,
  groupNormalize: ({ settings }, node) => planGroups(settings, node),
  groupNormalizeGradient: ({ settings }, node) => planGroups(settings, node),
  concatenate: ({ settings }, node) => planCopies(settings, node),
  slice: ({ settings }, node) => planCopies(settings, node),
  squareSum: ({ placements }, { inputs: [gradient] }) => squareBlocks(gradient!, placements),
};

function joinedParts({ settings, left }: Known, node: ReductionNode) {
  const maker = settings.uses.maker(node.inputs[0]!);
  const isLeft = maker?.fusion?.leaves?.reduction === node.outputs[0];
  return planReduction(settings, node, isLeft ? left.get(maker!) : undefined);
}

const squareBlocks = ({ id, name }: Value, placements: Placements): readonly Storage[] =>
  placements.get(id)!.map(() => scratch(`${name} squares`, fixed(4 * SQUARES_BLOCKS)));

/** All choices for the nodes of a graph. */
export interface NodeChoices {
  readonly choices: ReadonlyMap<AnyNode, Choices[ChosenKind]>;
  /** What nodes leave for the reductions of their results, by ranges of batches. */
  readonly left: ReadonlyMap<AnyNode, readonly RangedParts[]>;
}

export function chooseForNodes(settings: PlanSettings, placements: Placements): NodeChoices {
  const choices = new Map<AnyNode, Choices[ChosenKind]>();
  const left = new Map<AnyNode, readonly RangedParts[]>();
  const known = { settings, placements, left };
  for (const node of settings.graph.nodes) {
    if (isChosen(node)) choices.set(node, plannerOf(node.kind)(known, node));
    if (node.fusion?.leaves) {
      left.set(node, leftParts(settings, node, choices.get(node) as ContractionPlan | undefined));
    }
  }
  return { choices, left };
}

const isChosen = (node: AnyNode): node is AnyNode & { readonly kind: ChosenKind } =>
  node.kind in PLANNERS;

const plannerOf = (kind: ChosenKind & OpKind) =>
  PLANNERS[kind] as (known: Known, node: Node) => Choices[ChosenKind];
