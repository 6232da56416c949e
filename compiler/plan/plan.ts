import type { AnyNode, Node, Value } from "../ir/graph.js";
import {
  adapterChoices,
  commonChoices,
  type Choices,
  type ChosenKind,
  type NodeChoices,
} from "./choices.js";
import { foldedNodes } from "./folded.js";
import { makesLines } from "./forms.js";
import type { Persistent } from "./persistent.js";
import { placeValues, type PlacementOptions, type Placements } from "./placements.js";
import type { AdapterSettings, GraphSettings } from "./settings.js";

/** A step graph with the choices that are the same for all adapters, such as where values lie. */
export interface PlacedGraph extends GraphSettings, NodeChoices {
  readonly persistent: Persistent;
  readonly placements: Placements;
  /** Nodes whose kernels make a line of pixels a lane. */
  readonly lines: ReadonlySet<AnyNode>;
  /** Nodes that run where parameters change instead of in the list. */
  readonly folded: ReadonlySet<AnyNode>;
}

/**
 * A step graph with all choices made, before any kernel is written: where values lie, which
 * algorithm and form each node takes, and the memory in between. Lowering adds nothing to it.
 */
export interface Plan extends PlacedGraph, AdapterSettings {
  /** The choices that all adapters share. */
  readonly common: PlacedGraph;
}

export interface PlacedOptions extends PlacementOptions {
  /** Whether the graph reads parameters that nothing in it changes. */
  readonly folds: boolean;
}

export function placeGraph(settings: GraphSettings, options: PlacedOptions): PlacedGraph {
  const { graph } = settings;
  const placements = placeValues(settings, options);
  return {
    ...settings,
    persistent: options.persistent,
    placements,
    ...commonChoices(settings, placements),
    lines: new Set(graph.nodes.filter(makesLines)),
    folded: new Set(options.folds ? foldedNodes(graph) : []),
  };
}

export const planFor = (common: PlacedGraph, adapter: AdapterSettings): Plan => ({
  ...common,
  ...adapter,
  ...adapterChoices(common, adapter),
  common,
});

/** Whether a value that the list stores has 16 bits. */
export const isHalf = ({ placements }: Pick<Plan, "placements">, { id }: Value): boolean =>
  placements.get(id)?.[0]?.element === "f16";

/** What is chosen for a node. */
export function choiceFor<Kind extends ChosenKind>(
  { choices }: Pick<Plan, "choices">,
  node: Node<Kind>,
): Choices[Kind] {
  const choice = choices.get(node as AnyNode);
  if (choice === undefined) throw new Error(`${node.origin.name} is not in the plan`);
  return choice as Choices[Kind];
}
