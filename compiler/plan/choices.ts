import type { AnyNode, Node, Value } from "../ir/graph.js";
import type { Uses } from "../ir/uses.js";
import { isContraction, type ContractionNode } from "../layout/geometry.js";
import { SQUARES_BLOCKS } from "../schedules/reductions.js";
import { planAttention, type AttentionNode, type AttentionPlan } from "./attention.js";
import {
  planContraction,
  type ConvolutionPlan,
  type InputGradientPlan,
  type WeightGradientPlan,
} from "./contractions.js";
import { planGroups, type GroupPlan } from "./forms.js";
import { planMatmul, type MatmulPlan } from "./matmul.js";
import {
  isReduction,
  leftParts,
  planReduction,
  type RangedParts,
  type ReductionNode,
  type ReductionRange,
} from "./parts.js";
import { isLayerwise } from "../../program/optimizers.js";
import type { Placements } from "./placements.js";
import type { AdapterSettings, GraphSettings } from "./settings.js";
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
  readonly matmul: MatmulPlan;
  readonly attention: AttentionPlan;
  readonly attentionGradient: AttentionPlan;
  /** Memory for the sums of blocks, of each piece of the gradient. */
  readonly squareSum: readonly Storage[];
  /** Of an update by the norms of a whole parameter. */
  readonly update: LayerMemory | undefined;
}

/** Memory between the steps of an update by the norms of a whole parameter. */
export interface LayerMemory {
  /** The direction of the step, a piece for each of the parameter. */
  readonly directions: readonly Storage[];
  /** Sums of blocks, of each piece. */
  readonly blocks: readonly Storage[];
  readonly weightSquares: Storage;
  readonly stepSquares: Storage;
}

export type ChosenKind = keyof Choices;

/** All choices for the nodes of a graph. */
export interface NodeChoices {
  readonly choices: ReadonlyMap<AnyNode, Choices[ChosenKind]>;
  /** What nodes leave for the reductions of their results, by ranges of batches. */
  readonly left: ReadonlyMap<AnyNode, readonly RangedParts[]>;
}

/** What is known when a choice is made. */
interface Known {
  readonly settings: GraphSettings;
  readonly placements: Placements;
  /** By the nodes before it that leave parts of reductions. */
  readonly left: ReadonlyMap<AnyNode, readonly RangedParts[]>;
}

/** Ops whose choices always differ by adapter. */
type AdapterKind = ContractionNode["kind"] | "matmul" | AttentionNode["kind"];

/** Choices that are the same for all adapters. */
const PLANNERS: {
  readonly [Kind in Exclude<ChosenKind, AdapterKind>]: (
    known: Known,
    node: Node<Kind>,
  ) => Choices[Kind];
} = {
  channelStatistics: joinedParts,
  normalizeGradient: joinedParts,
  groupNormalize: ({ settings }, node) => planGroups(settings, node),
  groupNormalizeGradient: ({ settings }, node) => planGroups(settings, node),
  squareSum: ({ placements }, { inputs: [gradient] }) => squareBlocks(gradient!, placements),
  update: ({ placements }, { inputs: [parameter], attributes: { optimizer } }) =>
    isLayerwise(optimizer) ? layerMemory(parameter!, placements) : undefined,
};

/** The node that leaves parts for a reduction. */
function leaverFor(node: ReductionNode, uses: Uses): AnyNode | undefined {
  const maker = uses.maker(node.inputs[0]!);
  return maker?.fusion?.leaves?.reduction === node.outputs[0] ? maker : undefined;
}

function joinedParts({ settings, left }: Known, node: ReductionNode) {
  const leaver = leaverFor(node, settings.uses);
  return planReduction(settings, node, leaver && left.get(leaver));
}

const squareBlocks = ({ id, name }: Value, placements: Placements): readonly Storage[] =>
  placements.get(id)!.map(() => scratch(`${name} squares`, fixed(4 * SQUARES_BLOCKS)));

function layerMemory(parameter: Value, placements: Placements): LayerMemory {
  const { id, name } = parameter;
  const directions = placements.get(id)!.map(({ bytes }) => scratch(`${name} direction`, bytes));
  return {
    directions,
    blocks: squareBlocks(parameter, placements),
    weightSquares: scratch(`${name} weights`, fixed(16)),
    stepSquares: scratch(`${name} step`, fixed(16)),
  };
}

const isAttention = (node: AnyNode): node is AttentionNode =>
  node.kind === "attention" || node.kind === "attentionGradient";

/**
 * Whether adapters differ in the choice for a node: contractions, whose schedules they differ in,
 * reductions of the parts that these leave, and attentions.
 */
export function differsByAdapter(node: AnyNode, uses: Uses): boolean {
  if (isContraction(node) || node.kind === "matmul" || isAttention(node)) return true;
  const leaver = isReduction(node) ? leaverFor(node, uses) : undefined;
  return leaver !== undefined && isContraction(leaver);
}

/** The choices in which adapters do not differ. */
export function commonChoices(settings: GraphSettings, placements: Placements): NodeChoices {
  const choices = new Map<AnyNode, Choices[ChosenKind]>();
  const left = new Map<AnyNode, readonly RangedParts[]>();
  const known = { settings, placements, left };
  for (const node of settings.graph.nodes) {
    if (differsByAdapter(node, settings.uses)) continue;
    if (isPlanned(node)) choices.set(node, plannerOf(node.kind)(known, node));
    if (node.fusion?.leaves) left.set(node, leftParts(settings, node, undefined));
  }
  return { choices, left };
}

/** A graph with the choices that adapters share. */
type Common = GraphSettings & NodeChoices & { readonly placements: Placements };

/** All choices for an adapter; the common ones are the same objects. */
export function adapterChoices(common: Common, adapter: AdapterSettings): NodeChoices {
  const settings = { ...common, ...adapter };
  const choices = new Map(common.choices);
  const left = new Map(common.left);
  const known = { settings, placements: common.placements, left };
  for (const node of common.graph.nodes) {
    if (isContraction(node)) {
      const plan = planContraction(settings, node);
      choices.set(node, plan);
      if (node.fusion?.leaves) left.set(node, leftParts(settings, node, plan));
    } else if (node.kind === "matmul") {
      choices.set(node, planMatmul(settings, node));
    } else if (isAttention(node)) {
      choices.set(node, planAttention(settings, node));
    } else if (isReduction(node) && differsByAdapter(node, common.uses)) {
      choices.set(node, joinedParts(known, node));
    }
  }
  return { choices, left };
}

type Planned = keyof typeof PLANNERS;

const isPlanned = (node: AnyNode): node is AnyNode & { readonly kind: Planned } =>
  node.kind in PLANNERS;

const plannerOf = (kind: Planned) =>
  PLANNERS[kind] as (known: Known, node: Node) => Choices[ChosenKind];
