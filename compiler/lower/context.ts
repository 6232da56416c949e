import type { Node, Port, Value } from "../ir/graph.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import type { StoredParameter } from "../layout/parameters.js";
import type { Choices, ChosenKind } from "../plan/choices.js";
import { portKey } from "../plan/persistent.js";
import { choiceFor, type PlacedGraph } from "../plan/plan.js";
import { layoutOf, parameterOf } from "../plan/settings.js";
import type { Storage } from "../plan/storage.js";

/** What lowering a node reads of the plan. Nothing is noted here, so nodes come in any order. */
export class LoweringContext {
  constructor(readonly plan: PlacedGraph) {}

  /** What was chosen for a node. */
  choice<Kind extends ChosenKind>(node: Node<Kind>): Choices[Kind] {
    return choiceFor(this.plan, node);
  }

  layout(value: Value): ActivationLayout {
    return layoutOf(this.plan, value);
  }

  /** The parameter that a value is, or that it lies like: as its gradient, or scaled. */
  parameter(value: Value): StoredParameter {
    return parameterOf(this.plan, value);
  }

  /** The one buffer of a value. */
  storageOf(value: Value): Storage {
    const [only, ...others] = this.piecesOf(value);
    if (!only || others.length > 0) throw new Error(`${value.name} lies in several buffers`);
    return only;
  }

  piecesOf(value: Value): readonly Storage[] {
    const pieces = this.plan.placements.get(value.id);
    if (!pieces) throw new Error(`${value.name} has no memory`);
    return pieces;
  }

  isStored({ id }: Value): boolean {
    return this.plan.placements.has(id);
  }

  /** The buffer of a tensor that comes in or goes out. */
  portStorage(port: Port): Storage {
    return this.plan.persistent.ports.get(portKey(port))!;
  }
}
