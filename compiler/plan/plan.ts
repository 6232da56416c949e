import type { AnyNode, Node, Value } from "../ir/graph.js";
import { chooseForNodes, type Choices, type ChosenKind, type NodeChoices } from "./choices.js";
import { foldedNodes } from "./folded.js";
import { makesLines } from "./forms.js";
import type { Persistent } from "./persistent.js";
import { placeValues, type PlacementOptions, type Placements } from "./placements.js";
import type { PlanSettings } from "./settings.js";

/**
 * A step graph with all choices made, before any kernel is written: where values lie, which
 * algorithm and form each node takes, and the memory in between. Lowering adds nothing to it.
 */
export interface Plan extends PlanSettings, NodeChoices {
  readonly persistent: Persistent;
  readonly placements: Placements;
  /** Nodes whose kernels make a line of pixels a lane. */
  readonly lines: ReadonlySet<AnyNode>;
  /** Nodes that run where parameters change instead of in the list. */
  readonly folded: ReadonlySet<AnyNode>;
}

export interface PlanOptions extends PlacementOptions {
  /** Whether the graph reads parameters that nothing in it changes. */
  readonly folds: boolean;
}

export function planGraph(settings: PlanSettings, options: PlanOptions): Plan {
  const { graph } = settings;
  const placements = placeValues(settings, options);
  return {
    ...settings,
    persistent: options.persistent,
    placements,
    ...chooseForNodes(settings, placements),
    lines: new Set(graph.nodes.filter(makesLines)),
    folded: new Set(options.folds ? foldedNodes(graph) : []),
  };
}

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
