import type { DeviceLimits } from "../../program/limits.js";
import type { Target } from "../../program/program.js";
import type { AnyNode, Node, Value } from "../ir/graph.js";
import type { Layouts } from "../layout/choose-layouts.js";
import type { StoredParameter } from "../layout/parameters.js";
import type { TunedSchedules } from "../schedules/index.js";
import { rangedParts, type RangedParts } from "./parts.js";
import { planPixels, type PixelNode, type PixelPlan } from "./pixels.js";

/** What the choices for a step graph depend on. */
export interface PlanSettings {
  readonly target: Target;
  readonly limits: DeviceLimits;
  readonly layouts: Layouts;
  readonly tuned: TunedSchedules | undefined;
  /** How a parameter, or what inference makes of it, lies in memory. */
  parameter(value: Value): StoredParameter;
}

/** Choices for the nodes of a step graph, each made once, whoever asks first. */
export class Plan {
  private readonly pixelPlans = new Map<AnyNode, PixelPlan>();
  private readonly parts = new Map<AnyNode, readonly RangedParts[]>();

  constructor(private readonly settings: PlanSettings) {}

  /** The plan of a contraction over pixels. */
  pixels(node: PixelNode): PixelPlan {
    return once(this.pixelPlans, node, () => planPixels(this.settings, node));
  }

  /** What a node leaves for the reduction of its result, by range of batches. */
  partsOf(node: AnyNode): readonly RangedParts[] {
    return once(this.parts, node, () => rangedParts(this, this.settings, node));
  }
}

function once<Made>(known: Map<AnyNode, Made>, node: Node, make: () => Made): Made {
  const existing = known.get(node as AnyNode);
  if (existing) return existing;
  const made = make();
  known.set(node as AnyNode, made);
  return made;
}
