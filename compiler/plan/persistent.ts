/** Memory that outlives a step, shared by all of a program's step lists. */
import { LOSS_SCALE_WORDS } from "../../program/loss-scale.js";
import { stateNames, type OptimizerSettings } from "../../program/optimizers.js";
import { summedWords } from "../../program/program.js";
import type { WeightAverage } from "../../program/recipe.js";
import { trainedParameters } from "../ir/fusion.js";
import { scoreValues, sumsOfValue, type Graph, type Port, type Value } from "../ir/graph.js";
import type { StepGraphs } from "../ir/step-graphs.js";
import { elementCount, type Shape } from "../ir/shape.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { StoredParameter } from "../layout/parameters.js";
import { fixed, perImage, type Storage } from "./storage.js";

/** A parameter with all that is kept of it: a storage for each of its pieces. */
export interface KeptParameter extends StoredParameter {
  readonly storage: readonly Storage[];
  /** Of a parameter that training changes. */
  readonly trained?: {
    /** By the optimizer's names for them, in their order. */
    readonly states: readonly (readonly Storage[])[];
    /** The gradient, where it is to be read after a step, or the sum of those of slices. */
    readonly gradient: readonly Storage[];
  };
  /** Where averages are kept, also of running statistics. */
  readonly average?: readonly Storage[];
}

/** A layer whose statistics are measured for averaged weights. */
export interface MeasuredLayer {
  /** Names of the parameters: mean and variance. */
  readonly names: readonly string[];
  /** Where a batch's are left. */
  readonly storage: readonly Storage[];
  /** Values of a channel in an image. */
  readonly pixels: number;
}

export interface Persistent {
  /** Of what comes in and goes out, by `portKey`. */
  readonly ports: ReadonlyMap<string, Storage>;
  /** The sums behind loss and metrics; absent without a loss. */
  readonly metrics?: Storage;
  readonly parameters: readonly KeptParameter[];
  /** In the order of the forward pass. */
  readonly measured: readonly MeasuredLayer[];
}

/** Some graphs have their own ids for values; a port is known by its role and its name. */
export const portKey = ({ role, name }: Pick<Port, "role" | "name">): string => `${role} ${name}`;

export const LOSS_SCALE_KEY = portKey({ role: "loss scale", name: "loss scale" });

/** Floats from one image's prediction to the next. */
export const predictionPitch = (shape: Shape): number => roundUpTo4(elementCount(shape));

export interface KeptStates {
  readonly optimizer: OptimizerSettings;
  readonly average?: WeightAverage | undefined;
}

export function planPersistent(
  forward: Graph,
  graphs: StepGraphs,
  stored: readonly StoredParameter[],
  kept: KeptStates,
): Persistent {
  const training = trainingOf(graphs);
  const [train] = training;
  const trained = new Set(
    training.flatMap((graph) => trainedParameters(graph).map(({ parameter }) => parameter.id)),
  );
  const isTrained = ({ parameter }: StoredParameter) => trained.has(parameter.value.id);
  const averages = kept.average !== undefined && train !== undefined;
  const isAveraged = (parameter: StoredParameter) =>
    averages && (isTrained(parameter) || isMeasured(parameter));
  return {
    ports: portStorage(forward, train),
    metrics:
      forward.metrics.length > 0
        ? storage("metrics", "metrics", fixed(4 * roundUpTo4(largestSums([...training, forward]))))
        : undefined,
    parameters: stored.map((parameter) => ({
      ...parameter,
      storage: piecesOf(parameter, "parameter"),
      trained: isTrained(parameter) ? trainedStorage(parameter, kept) : undefined,
      average: isAveraged(parameter) ? piecesOf(parameter, "state", "average") : undefined,
    })),
    measured: measuredLayers(graphs, stored),
  };
}

/** The training graphs of all turns. */
const trainingOf = ({ train, turns = [] }: StepGraphs): readonly Graph[] => [
  ...(train ? [train] : []),
  ...turns.map((turn) => turn.train),
];

function measuredLayers(
  { statistics }: StepGraphs,
  stored: readonly StoredParameter[],
): readonly MeasuredLayer[] {
  const find = ({ id }: Value) => stored.find(({ parameter }) => parameter.value.id === id)!;
  return (statistics?.layers ?? []).map(({ running, pixels }) => ({
    names: running.map(({ name }) => name),
    storage: running.flatMap((value) => piecesOf(find(value), "state", "measured")),
    pixels,
  }));
}

/** Whether a parameter is a running statistic that training moves. */
const isMeasured = ({ parameter: { role, isKept } }: StoredParameter) =>
  role === "statistic" && !isKept;

const trainedStorage = (parameter: StoredParameter, { optimizer }: KeptStates) => ({
  states: stateNames(optimizer).map((name) => piecesOf(parameter, "state", name)),
  gradient: piecesOf(parameter, "gradient"),
});

const storage = (name: string, purpose: Storage["purpose"], bytes: Storage["bytes"]): Storage => ({
  name,
  purpose,
  bytes,
});

function piecesOf(
  { parameter, pieces }: StoredParameter,
  purpose: "parameter" | "state" | "gradient",
  kind: string = purpose,
): readonly Storage[] {
  const { name } = parameter.value;
  return pieces.map(({ bytes }) => storage(`${name} ${kind}`, purpose, fixed(bytes)));
}

/** One buffer for each tensor that comes in or goes out of any list. */
function portStorage(forward: Graph, train: Graph | undefined): ReadonlyMap<string, Storage> {
  const ports = [...(train ?? forward).inputs, ...forward.inputs, ...forward.outputs];
  return new Map(
    ports.map((port) => [portKey(port), storageFor(port, forward.outputs.length)] as const),
  );
}

function storageFor({ name, role, value }: Port, outputs: number): Storage {
  const bytes = perImage(4 * elementCount(value.shape));
  switch (role) {
    case "input":
      return storage(name, "images", bytes);
    case "target":
      return storage(name, "labels", bytes);
    case "partner":
      return storage("partners", "partners", perImage(4));
    case "share":
      return storage("shares", "shares", perImage(4));
    case "loss scale":
      return storage("loss scale", "state", fixed(4 * LOSS_SCALE_WORDS));
    case "prediction": {
      const label = outputs > 1 ? `prediction ${name}` : "prediction";
      return storage(label, "prediction", perImage(4 * predictionPitch(value.shape)));
    }
  }
}

/** The most numbers that a list leaves of loss and metrics. */
const largestSums = (graphs: readonly Graph[]): number =>
  summedWords(Math.max(...graphs.map(sumCount)));

const sumCount = (graph: Graph): number =>
  scoreValues(graph).reduce((count, value) => count + sumsOfValue(value), 0);
