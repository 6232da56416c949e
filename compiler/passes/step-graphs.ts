import type { OptimizerSettings } from "../../program/program.js";
import type { MixedPrecision, WeightAverage } from "../../program/recipe.js";
import type { Graph } from "../ir/graph.js";
import { once } from "../ir/once.js";
import type {
  SlicedTraining,
  StatisticsGraph,
  StepGraphs,
  Turn,
  TurnGraphs,
} from "../ir/step-graphs.js";
import { differentiate, differentiateInSlices, type TrainingRule } from "./differentiate.js";
import { freezeStatistics } from "./freeze-statistics.js";
import { fuse } from "./fuse.js";
import { forInference, forPrediction } from "./inference.js";
import { chooseHalves, NO_HALVES } from "../layout/halves.js";
import { leaveParts } from "./leave-parts.js";
import { measureStatistics } from "./measure-statistics.js";
import { mixLabels } from "./mix-labels.js";
import { recompute } from "./recompute.js";
import { simplify, simplifyTraining } from "./simplify.js";
import { shareStatistics } from "./share-statistics.js";
import { separateSpacings } from "./spacing.js";
import { summarize } from "./summarize.js";

/** Looks at a graph between two passes. */
export type AfterPass = (graph: Graph) => void;

export interface GraphOptions {
  /** `none` leaves the graph as it is differentiated, a kernel an op. */
  readonly fusion?: "all" | "none";
  /** Leaves every gradient to be read after a step. */
  readonly keepGradients?: boolean;
  /** Makes the graph of predictions alone. */
  readonly predictOnly?: boolean;
  /** Makes graphs for slices of a step in any case: several devices may share it. */
  readonly exchange?: boolean;
  /** Whether devices that share a step share the statistics of batch normalization, too. */
  readonly syncBatchnorm?: boolean;
  /** Whether training data mix pairs of images, so that each has two labels and a share. */
  readonly mixesLabels?: boolean;
  readonly precision?: MixedPrecision;
  /** `swa` needs the statistics of batches for its mean of weights. */
  readonly average?: WeightAverage | undefined;
  readonly optimizer?: OptimizerSettings;
  /** Of a training step in turns. */
  readonly turns?: readonly Turn[] | undefined;
  /** Values of the forward pass that the backward pass computes again (recompute.ts). */
  readonly again?: ReadonlySet<number>;
  readonly afterPass?: AfterPass;
}

/**
 * The graphs behind the step lists, none of which depends on the adapter. A model without a loss
 * only predicts. What is made of a forward graph is kept as long as that, and made once for all
 * adapters and budgets.
 */
export function stepGraphs(forward: Graph, options: GraphOptions): StepGraphs {
  const { again = new Set<number>(), average, precision } = options;
  const own = [options.predictOnly, precision?.kind, average?.kind];
  return once(forward, ["graphs", ...own, ...settingsOf(options), ...again], () => {
    const watched = watching(options);
    const separate = watched(separateSpacings);
    const repeat = watched((graph) => recompute(graph, again).graph);
    const leave = watched((graph) => withLeftParts(graph, options));
    // Outside of training, nothing is reduced over the batch but loss and metrics.
    const finish = (graph: Graph) => leave(separate(repeat(graph)));
    const reading = readingGraphs(forward, options);
    if (options.predictOnly) return { predict: reading.predict };
    const isSliced = needsSlices(options);
    const training = ({
      graph,
      optimizer,
    }: Pick<Turn, "graph"> & Pick<GraphOptions, "optimizer">) => {
      const settings = { ...options, optimizer };
      const train = fusedTraining(graph, settings);
      const sliced = train && isSliced ? fusedSlices(graph, settings) : undefined;
      return {
        train: train && finish(train),
        sliced: sliced && { ...sliced, slice: finish(sliced.slice) },
      };
    };
    const { turns = [] } = options;
    const [first, ...later] = turns.map((turn) => training(turn) as TurnGraphs);
    const only = first ?? training({ graph: forward, optimizer: options.optimizer });
    if (!only.train) return reading;
    const statistics = measuringGraph(forward, options);
    return { ...reading, ...only, turns: first && later, statistics };
  });
}

function withLeftParts(graph: Graph, { fusion, precision }: GraphOptions): Graph {
  if (fusion === "none") return graph;
  return leaveParts(graph, precision ? chooseHalves(graph) : NO_HALVES);
}

/** The training graph before anything of it is repeated; undefined for a model without a loss. */
export function fusedTraining(forward: Graph, options: GraphOptions): Graph | undefined {
  if (forward.metrics.length === 0) return undefined;
  return once(forward, ["train", ...settingsOf(options)], () => {
    const { fusion, keepGradients } = options;
    const watched = watching(options);
    const rule = ruleOf(options);
    const gradients = watched((graph) => differentiate(graph, rule));
    const graph = watched(simplifyTraining)(gradients(trainedGraph(forward, options)));
    return fusion === "none" ? graph : watched((each) => fuse(each, { keepGradients }))(graph);
  });
}

/**
 * Whether slices of the batch need separate graphs. Turns are run alike: those of all do where
 * those of one do.
 */
function needsSlices(options: GraphOptions): boolean {
  const { turns = [], optimizer } = options;
  const optimizers = turns.length > 0 ? turns.map((turn) => turn.optimizer) : [optimizer];
  const rules = optimizers.map((each) => ruleOf({ ...options, optimizer: each }));
  const takeSlices = rules.every((rule) => !rule || takesSlices(rule));
  return (options.keepGradients || options.exchange || !takeSlices) ?? false;
}

/** The training graph for slices of the batch. */
function fusedSlices(forward: Graph, options: GraphOptions): SlicedTraining | undefined {
  const rule = ruleOf(options);
  if (!rule) return undefined;
  return once(forward, ["slices", ...settingsOf(options)], () => {
    const watched = watching(options);
    const sliced = differentiateInSlices(trainedGraph(forward, options), rule);
    for (const made of [sliced.slice, sliced.update]) options.afterPass?.(made);
    const simple = watched(simplifyTraining)(sliced.slice);
    const shares = options.exchange && options.syncBatchnorm;
    const slice = joining(options)(shares ? watched(shareStatistics)(simple) : simple);
    return { ...sliced, slice };
  });
}

function readingGraphs(
  forward: Graph,
  options: GraphOptions,
): Pick<StepGraphs, "evaluate" | "predict"> {
  return once(forward, ["reading", options.fusion], () => {
    const watched = watching(options);
    const finish = (graph: Graph) => watched(separateSpacings)(joining(options)(graph));
    const inference = watched(simplify)(watched(forInference)(plainGraph(forward, options)));
    const predict = finish(watched(forPrediction)(inference));
    if (forward.metrics.length === 0) return { predict };
    return { evaluate: finish(watched(summarize)(inference)), predict };
  });
}

/** What measures the statistics of batches for the mean of weights. */
function measuringGraph(forward: Graph, options: GraphOptions): StatisticsGraph | undefined {
  if (options.average?.kind !== "swa") return undefined;
  const watched = watching(options);
  const measured = measureStatistics(trainedGraph(forward, options));
  if (!measured) return undefined;
  const joined = joining(options)(watched(simplifyTraining)(measured.graph));
  const leave = watched((graph) => withLeftParts(graph, options));
  return { ...measured, graph: leave(watched(separateSpacings)(joined)) };
}

/** The graph that is differentiated. */
function trainedGraph(forward: Graph, options: GraphOptions): Graph {
  const plain = watching(options)(freezeStatistics)(plainGraph(forward, options));
  return options.mixesLabels ? watching(options)(mixLabels)(plain) : plain;
}

const plainGraph = (forward: Graph, options: GraphOptions): Graph =>
  once(forward, ["plain"], () => watching(options)(simplify)(forward));

type Pass = (graph: Graph) => Graph;

const joining = (options: GraphOptions): Pass =>
  watching(options)((graph) => (options.fusion === "none" ? graph : fuse(graph)));

/** A pass whose results are looked at. */
const watching =
  ({ afterPass }: GraphOptions) =>
  (pass: Pass): Pass => {
    if (!afterPass) return pass;
    return (graph) => {
      const made = pass(graph);
      afterPass(made);
      return made;
    };
  };

type Rule = OptimizerSettings & Pick<TrainingRule, "lossScale">;

const ruleOf = ({ optimizer, precision }: GraphOptions): Rule | undefined =>
  optimizer && { ...optimizer, lossScale: precision?.lossScale };

/**
 * Whether an optimizer's step is linear in the gradient, so that slices of the batch can be applied
 * one after the other (kernels/update.ts).
 */
const takesSlices = (optimizer: Rule) =>
  optimizer.kind === "sgd" &&
  !optimizer.nesterov &&
  optimizer.clip === undefined &&
  optimizer.lossScale?.kind !== "dynamic";

/** All that a training graph depends on apart from the forward graph and what is repeated. */
const settingsOf = (options: GraphOptions) => {
  const { fusion, keepGradients = false, exchange = false, mixesLabels = false } = options;
  const { syncBatchnorm = false } = options;
  return [fusion, keepGradients, exchange, syncBatchnorm, mixesLabels, ruleOf(options)];
};
