/** The plans of all step lists of a program. */
import { bindableBytes, DEFAULT_LIMITS, type DeviceLimits } from "../../program/limits.js";
import type { Target, TurnList } from "../../program/program.js";
import type { DataRecipe, MixedPrecision } from "../../program/recipe.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { trainedParameters } from "../ir/fusion.js";
import type { Graph, Value } from "../ir/graph.js";
import { once } from "../ir/once.js";
import type { StatisticsGraph, StepGraphs, TurnGraphs } from "../ir/step-graphs.js";
import { usesOf } from "../ir/uses.js";
import { chooseLayouts } from "../layout/choose-layouts.js";
import { chooseHalves, NO_HALVES } from "../layout/halves.js";
import { shareMemory } from "../layout/share-memory.js";
import { storeParameter, type StoredParameter } from "../layout/parameters.js";
import type { TunedSchedules } from "../schedules/index.js";
import { foldedNodes, foldedStorage } from "./folded.js";
import { layoutsOfParameters } from "./parameters.js";
import {
  planPersistent,
  type KeptParameter,
  type KeptStates,
  type Persistent,
} from "./persistent.js";
import type { Placements } from "./placements.js";
import { placeGraph, planFor, type PlacedGraph, type Plan } from "./plan.js";
import { planPreparations, type PreparationPlans } from "./preparation.js";
import { Schedules } from "./schedules.js";

export interface ProgramPlanOptions extends KeptStates {
  readonly target: Target;
  /**
   * Present where activations and their gradients are stored in 16 bits: on adapters with
   * `shader-f16`.
   */
  readonly precision?: MixedPrecision;
  /** Gives every gradient a separate buffer, to be read after a step. */
  readonly keepGradients?: boolean;
  /** Schedules that were measured to be best; the others are chosen by the cost model. */
  readonly tuned?: TunedSchedules;
  /** What the images are read from; without it, they come as floats. */
  readonly data?: DataRecipe;
  /**
   * Of the devices that are to run it; WebGPU's own if absent: a module then runs on any device.
   */
  readonly limits?: DeviceLimits | undefined;
}

/** The lists that are graphs. */
export type PlannedList =
  "train" | "accumulate" | "update" | "evaluate" | "predict" | "statistics" | TurnList;

type Lists<Of> = { readonly [List in PlannedList]?: Of } & { readonly predict: Of };

/** A program of which the adapters' own choices are open. */
interface PlacedProgram {
  readonly forward: Graph;
  readonly limits: DeviceLimits;
  readonly persistent: Persistent;
  readonly preparations: PreparationPlans;
  readonly lists: Lists<PlacedGraph>;
}

export interface ProgramPlan extends PlacedProgram {
  readonly lists: Lists<Plan>;
}

/** The plan for one adapter. What adapters share of it is planned once for all. */
export function planProgram(
  forward: Graph,
  graphs: StepGraphs,
  options: ProgramPlanOptions,
): ProgramPlan {
  const { optimizer, average, precision, keepGradients = false, data, limits } = options;
  const key = ["placed", optimizer, average, precision, keepGradients, data, limits];
  const placed = once(graphs, key, () => placeProgram(forward, graphs, options));
  const { target, tuned } = options;
  const adapter = { target, schedules: new Schedules(target, tuned) };
  const plans = Object.entries(placed.lists).map(([name, list]) => [name, planFor(list!, adapter)]);
  return { ...placed, lists: Object.fromEntries(plans) as Lists<Plan> };
}

type PlacedOptions = Omit<ProgramPlanOptions, "target" | "tuned">;

function placeProgram(forward: Graph, graphs: StepGraphs, options: PlacedOptions): PlacedProgram {
  const { limits = DEFAULT_LIMITS } = options;
  const stored = storeParameters(forward, graphs.evaluate ?? graphs.predict, limits);
  const persistent = planPersistent(forward, graphs, stored, options);
  const common: Common = { options, limits, persistent, byId: byIdOf(persistent) };
  const { evaluate, predict, train } = graphs;
  const own = { gradients: options.keepGradients ? gradientsIn(persistent) : NOTHING };
  const turns = (graphs.turns ?? []).flatMap((turn, index) =>
    laterTurn(turn, index + 1, common, own),
  );
  const { slice, update, sums } = graphs.sliced ?? {};
  const statistics = graphs.statistics && placeStatistics(graphs.statistics, common);
  const read = { kept: keptForReading([evaluate ?? predict, predict], common), folds: true };
  return {
    forward,
    limits,
    persistent,
    lists: withoutUndefined({
      train: train && placeList(train, common, own),
      accumulate: slice && placeList(slice, common, { sums }),
      update: update && placeList(update, common, { sums }),
      evaluate: evaluate && placeList(evaluate, common, read),
      predict: placeList(predict, common, read),
      statistics,
      ...Object.fromEntries(turns),
    }),
    preparations: planPreparations({ forward, predict, persistent }, options.data, evaluate),
  };
}

/** Reads averages as evaluations do, and leaves what it measures apart from them. */
function placeStatistics({ graph, layers }: StatisticsGraph, common: Common): PlacedGraph {
  const { byId, persistent } = common;
  const places = layers.flatMap(({ running, states }, layer) =>
    states.map((state, index) => ({
      id: state.id,
      parameter: byId.get(running[index]!.id)!,
      storage: [persistent.measured[layer]!.storage[index]!],
    })),
  );
  const kept = keptForReading([], common);
  return placeList(graph, common, {
    kept: new Map([...kept, ...places.map(({ id, storage }) => [id, storage] as const)]),
    laid: new Map(places.map(({ id, parameter }) => [id, parameter])),
  });
}

/** The lists of one of the turns behind the first. */
function laterTurn(
  { train, sliced }: TurnGraphs,
  turn: number,
  common: Common,
  own: ListOptions,
): readonly (readonly [TurnList, PlacedGraph])[] {
  const whole = [`train${turn}`, placeList(train, common, own)] as const;
  if (!sliced) return [whole];
  const { slice, update, sums } = sliced;
  return [
    whole,
    [`accumulate${turn}`, placeList(slice, common, { sums })],
    [`update${turn}`, placeList(update, common, { sums })],
  ];
}

/** As the forward pass reads them. */
function storeParameters(
  { parameters }: Graph,
  reader: Graph,
  limits: DeviceLimits,
): readonly StoredParameter[] {
  const uses = usesOf(reader);
  const layouts = chooseLayouts(reader, uses);
  const bindable = bindableBytes(limits);
  return parameters.map((parameter) => storeParameter(parameter, uses, layouts, bindable));
}

type ById<Of> = ReadonlyMap<number, Of>;

const NOTHING: Placements = new Map();

/** What all lists of a program are planned with. */
interface Common {
  readonly options: PlacedOptions;
  readonly limits: DeviceLimits;
  readonly persistent: Persistent;
  readonly byId: ById<KeptParameter>;
}

/** What differs between the lists. */
interface ListOptions {
  readonly kept?: Placements;
  readonly folds?: boolean;
  readonly gradients?: Placements;
  /** Values that hold the sums of gradients, by the ids of parameters. */
  readonly sums?: ById<Value> | undefined;
  /** Parameters by the ids of values that lie as they do. */
  readonly laid?: ById<KeptParameter>;
}

const byIdOf = ({ parameters }: Persistent): ById<KeptParameter> =>
  new Map(parameters.map((parameter) => [parameter.parameter.value.id, parameter]));

/** Each graph has its own ids for values: sums have a meaning only in their graphs. */
function placeList(graph: Graph, common: Common, list: ListOptions): PlacedGraph {
  const { options, limits, persistent, byId } = common;
  const { kept = keptForTraining(graph, common), folds = false, gradients = NOTHING } = list;
  const sums = [...(list.sums ?? [])].map(([id, sum]) => [sum.id, byId.get(id)!] as const);
  const ofSums = sums.map(([id, { trained }]) => [id, trained!.gradient] as const);
  const uses = usesOf(graph);
  const half = options.precision ? chooseHalves(graph, uses) : NO_HALVES;
  const settings = {
    graph,
    uses,
    limits,
    ...shareMemory(graph, { uses, half, layouts: chooseLayouts(graph, uses), isTraining: !folds }),
    half,
    parameters: layoutsOfParameters(graph, new Map([...byId, ...sums, ...(list.laid ?? [])])),
  };
  return placeGraph(settings, {
    persistent,
    gradients,
    folds,
    kept: new Map([...kept, ...ofSums]),
  });
}

const gradientsIn = ({ parameters }: Persistent): Placements =>
  new Map(
    parameters.flatMap(({ parameter, trained }) =>
      trained ? [[parameter.value.id, trained.gradient] as const] : [],
    ),
  );

/** Parameters, and what the optimizer keeps of those that a graph trains. */
function keptForTraining(graph: Graph, { byId }: Common): Placements {
  const states = trainedParameters(graph).flatMap(({ parameter, states: kept }) =>
    kept.map(
      (state, index) => [state.id, byId.get(parameter.id)!.trained!.states[index]!] as const,
    ),
  );
  return new Map([...[...byId].map(([id, { storage }]) => [id, storage] as const), ...states]);
}

/** Parameters, or their averages, and what is made of parameters alone. */
function keptForReading(graphs: readonly Graph[], { byId }: Common): Placements {
  const kept = new Map(
    [...byId].map(([id, { average, storage }]) => [id, average ?? storage] as const),
  );
  for (const graph of graphs) {
    const layouts = layoutsOfParameters(graph, byId);
    for (const output of foldedNodes(graph).flatMap(({ outputs }) => outputs)) {
      if (!kept.has(output.id)) {
        kept.set(output.id, foldedStorage(output, layouts.get(output.id)));
      }
    }
  }
  return kept;
}
