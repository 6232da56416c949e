/** A program's step lists with the plans behind them, for tools that measure and check them. */
import type { AnyNode, Value } from "../ir/graph.js";
import type { LoweredList, LoweredNode } from "../lower/index.js";
import type { StepDraft } from "../lower/step-draft.js";
import type { PlannedList } from "../plan/program.js";
import type { Plan } from "../plan/plan.js";
import { planMemory, type MemoryPlan } from "./memory.js";
import type { Numbering } from "./numbering.js";
import type { Sharing } from "./room.js";

/** A node with the steps that it became: those from `first` up to `end` of its list. */
export interface WrittenNode {
  readonly node: AnyNode;
  readonly first: number;
  readonly end: number;
  /** Its steps, if they are in the list `fold` instead. */
  readonly folded?: readonly StepDraft[];
}

export interface WrittenList {
  readonly plan: Plan;
  /**
   * In the graph's order. Steps before the first node bring in the batch, those after the last take
   * out the prediction.
   */
  readonly nodes: readonly WrittenNode[];
  /** The list's steps with the memory that each binds, before that is planned. */
  readonly steps: readonly StepDraft[];
  /** The program's buffers in which a value lies while it is needed. */
  buffersOf(value: Value): readonly number[];
}

/** The steps that are in the list itself. */
const ownSteps = ({ plan }: LoweredList, { node, steps }: LoweredNode): readonly StepDraft[] =>
  plan.folded.has(node) ? [] : steps;

export const stepsOf = (list: LoweredList | undefined): readonly StepDraft[] =>
  list
    ? [...list.imports, ...list.nodes.flatMap((node) => ownSteps(list, node)), ...list.exports]
    : [];

type Lists = { readonly [List in PlannedList]?: LoweredList };

/** What outside of training keeps its zeros needs no step that clears it. */
const sharingOf = (list: PlannedList): Sharing =>
  list === "evaluate" || list === "predict" ? "alike" : "any";

const LISTS = ["train", "accumulate", "update", "evaluate", "predict"] as const;

/** Where the scratch of all lists lies. */
export function planListMemory(lists: Lists, bindable: number): MemoryPlan<PlannedList> {
  const names = [...new Set([...LISTS, ...(Object.keys(lists) as PlannedList[])])];
  const planned = names.map((name) => {
    return [name, { steps: stepsOf(lists[name]), sharing: sharingOf(name) }] as const;
  });
  return planMemory(
    Object.fromEntries(planned) as Record<PlannedList, (typeof planned)[number][1]>,
    bindable,
  );
}

/** `steps`: those of the list and those that clear memory for them. */
export function writtenList(
  list: LoweredList,
  steps: readonly StepDraft[],
  numbering: Numbering,
): WrittenList {
  const { plan } = list;
  const places = new Map(steps.map((step, index) => [step, index]));
  const behind = (last: StepDraft | undefined, otherwise: number) =>
    last ? places.get(last)! + 1 : otherwise;
  let end = behind(list.imports.at(-1), 0);
  const nodes = list.nodes.map((lowered) => {
    const { node } = lowered;
    // Behind the step before, and so with what clears memory for the node.
    const first = end;
    end = behind(ownSteps(list, lowered).at(-1), first);
    return { node, first, end, folded: plan.folded.has(node) ? lowered.steps : undefined };
  });
  return {
    plan,
    nodes,
    steps,
    buffersOf: ({ id }) => {
      const buffers = (plan.placements.get(id) ?? []).map((piece) => numbering.find(piece));
      return buffers.filter((buffer) => buffer !== undefined);
    },
  };
}
