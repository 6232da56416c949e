import type { Teacher, TrainRecipe } from "../../program/recipe.js";
import { readsOf } from "../ir/fusion.js";
import { resultsOf, type Graph, type Parameter } from "../ir/graph.js";
import { isOfSection } from "../ir/section.js";
import { removeDeadNodes } from "./dead-nodes.js";
import { withoutDropout } from "./inference.js";

/** What a recipe says of single weights, by their names. */
export type WeightSettings = Pick<
  TrainRecipe,
  "freeze" | "freezeStatistics" | "learningRateFactors" | "noDecay" | "teacher"
>;

/**
 * The graph with a recipe's settings for single weights. Frozen ones get no gradient, and neither
 * do layers that only they need; factors of the learning rate come on top of the layers' own.
 * Training normalizes by frozen statistics (freeze-statistics.ts).
 */
export function applyWeightSettings(graph: Graph, settings: WeightSettings): Graph {
  const { freeze = [], freezeStatistics = [], learningRateFactors = {}, noDecay = [] } = settings;
  const frozen = new Set(freeze);
  const spared = new Set(noDecay);
  const kept = new Set(freezeStatistics);
  const set = (parameter: Parameter): Parameter => {
    const { name } = parameter.value;
    const learningRateFactor = parameter.learningRateFactor * (learningRateFactors[name] ?? 1);
    return {
      ...parameter,
      isKept: kept.has(name) || undefined,
      learningRateFactor,
      decayFactor: spared.has(name) ? 0 : parameter.decayFactor,
      trainable: parameter.trainable && learningRateFactor > 0 && !frozen.has(name),
    };
  };
  const made = { ...graph, parameters: graph.parameters.map(set) };
  return settings.teacher ? withTeacher(made, settings.teacher) : made;
}

/**
 * What a teacher's weights are before its file is loaded: so large that the loss is not finite,
 * since a run with a teacher that knows nothing would look like any other.
 */
const MISSING = { kind: "constant", value: 3e38 } as const;

/** The graph in which a section runs as in predictions, and none of its weights is trained. */
function withTeacher(graph: Graph, { section }: Teacher): Graph {
  const parameters = graph.parameters.map((parameter): Parameter => {
    if (!isOfSection(parameter.value.name, section)) return parameter;
    const state = { isTeacher: true, trainable: false, isKept: true } as const;
    return { ...parameter, ...state, initializer: MISSING };
  });
  const nodes = graph.nodes.map((node) =>
    isOfSection(node.origin.name, section) ? withoutDropout(node) : node,
  );
  return { ...graph, parameters, nodes };
}

/** The graph of predictions alone, which needs no teacher. */
export function withoutTeacher(graph: Graph): Graph {
  const parameters = graph.parameters.filter(({ isTeacher }) => !isTeacher);
  if (parameters.length === graph.parameters.length) return graph;
  return { ...removeDeadNodes({ ...graph, metrics: [] }), parameters };
}

/** The graph of predictions alone, with the inputs and weights that they need. */
export function withoutUnread(graph: Graph): Graph {
  const alive = removeDeadNodes({ ...graph, metrics: [] });
  const read = new Set([...resultsOf(alive), ...alive.nodes.flatMap(readsOf)]);
  return {
    ...alive,
    inputs: alive.inputs.filter(({ role, value }) => role === "input" && read.has(value)),
    parameters: alive.parameters.filter(({ value }) => read.has(value)),
  };
}
