import { LOSS_SCALE_WORDS } from "../program/loss-scale.js";
import { bindableBytes, DEFAULT_LIMITS, type DeviceLimits } from "../program/limits.js";
import {
  PROGRAM_FORMAT,
  stateNames,
  summedWords,
  type ClassTotal,
  type OptimizerSettings,
  type Preparation,
  type Program,
  type ProgramAdapter,
  type ProgramBuffer,
  type ProgramKernel,
  type ProgramParameter,
  type ProgramStep,
  type ProgramSum,
  type ProgramTensor,
  type Target,
  type TensorRole,
} from "../program/program.js";
import type {
  DataRecipe,
  DataSplitRecipe,
  MixedPrecision,
  WeightAverage,
} from "../program/recipe.js";
import type { Origin } from "./ir/origin.js";
import { trainedParameters } from "./ir/fusion.js";
import {
  classTotals,
  indexOfTotal,
  portOf,
  scoreValues,
  type Graph,
  type Port,
} from "./ir/graph.js";
import { elementCount, imageShape, type Shape } from "./ir/shape.js";
import { Uses } from "./ir/uses.js";
import type { Kernel } from "./kernels/kernel.js";
import { roundUpTo4 } from "./layout/activation-layout.js";
import { LoweringContext, portKey, type Folded, type Persistent } from "./lower/context.js";
import { averageParameter, initializeParameter } from "./lower/ends.js";
import { lowerGraph, lowerNodes } from "./lower/index.js";
import { initializeLossScale } from "./lower/loss-scale.js";
import { lowerPreparation, type PreparationDraft } from "./lower/prepare.js";
import { storeParameter, type StoredParameter } from "./layout/parameters.js";
import { fixed, perImage, type StepDraft, type Storage } from "./lower/storage.js";
import type { SlicedTraining } from "./passes/differentiate.js";
import { chooseLayouts } from "./layout/choose-layouts.js";
import { chooseHalves, NO_HALVES } from "./layout/halves.js";
import { planMemory, type MemoryPlan, type Sharing } from "./write/memory.js";
import { stepGraphs, type AfterPass } from "./passes/step-graphs.js";
import type { TunedSchedules } from "./schedules/index.js";
import type { TracedList, TracedProgram } from "./trace.js";

export interface ProgramOptions {
  readonly target: Target;
  readonly source: Program["source"];
  /** Of the one target's labels, where the graph does not say. */
  readonly classes?: number;
  /** Metrics that are shares of something. */
  readonly fractions?: readonly string[];
  readonly optimizer: OptimizerSettings;
  /** Whether training data mix pairs of images, so that each has two labels and a share. */
  readonly mixesLabels?: boolean;
  /**
   * Present where activations and their gradients are stored in 16 bits: on adapters with
   * `shader-f16`.
   */
  readonly precision?: MixedPrecision;
  /** What the images are read from; without it, they come as floats. */
  readonly data?: DataRecipe;
  /** Keeps averages of the parameters that training changes, and evaluates and predicts by them. */
  readonly average?: WeightAverage;
  /** Gives every gradient a buffer of its own, to be read after a step. */
  readonly keepGradients?: boolean;
  /**
   * Makes a program for `fit` with `exchange`: it always has the lists `accumulate` and `update`,
   * and its pieces name the buffers of the sums of gradients between them.
   */
  readonly exchange?: boolean;
  /** Schedules that were measured to be best; the others are chosen by the cost model. */
  readonly tuned?: TunedSchedules;
  /** The adapter on which they were. */
  readonly adapter?: ProgramAdapter;
  /**
   * Of the devices that are to run it; WebGPU's own if absent: a module then runs on any device.
   */
  readonly limits?: DeviceLimits | undefined;
  /**
   * Leaves the graph as it is differentiated, a kernel an op: the yardstick of the fused program in
   * tests.
   */
  readonly fusion?: "all" | "none";
  /**
   * Values of the forward pass that the backward pass computes again instead of keeping them
   * (passes/recompute.ts).
   */
  readonly again?: ReadonlySet<number>;
  /** Called with the graph that each pass makes: tests verify it. */
  readonly afterPass?: AfterPass;
}

/**
 * A forward graph as a program: the graphs of its step lists, each fused, lowered and laid into
 * shared memory.
 */
export function makeProgram(forward: Graph, options: ProgramOptions): Program {
  return traceProgram(forward, options).program;
}

/** The same, with what it came from. */
export function traceProgram(forward: Graph, options: ProgramOptions): TracedProgram {
  const graphs = stepGraphs(forward, options);
  const reader = graphs.evaluate ?? graphs.predict;
  const layouts = chooseLayouts(reader);
  const uses = new Uses(reader);
  const bindable = bindableBytes(limitsOf(options));
  const stored = forward.parameters.map((parameter) =>
    storeParameter(parameter, uses, layouts, bindable),
  );
  const persistent = persistentStorage(forward, graphs.train, stored, options);
  const folded: Folded = { storage: new Map(), steps: new Map() };
  const common = { options, persistent, stored, folded };
  // Values have ids of their own in each graph: the sums' mean nothing but to the two graphs that
  // share them.
  const { slice, update, sums } = graphs.sliced ?? {};
  const lower = (graph: Graph | undefined, list: keyof Lists, shared?: SlicedTraining["sums"]) =>
    graph && lowerList(graph, { ...common, list, sums: shared ?? new Map() });
  const train = lower(graphs.train, "train");
  const accumulate = lower(slice, "accumulate", sums);
  const afterSlices = lower(update, "update", sums);
  const evaluate = lower(graphs.evaluate, "evaluate");
  const predict = lower(graphs.predict, "predict")!;
  const lists: Lists = {
    initialize: [
      ...initialLossScale(forward, persistent, options),
      ...stored.flatMap((parameter, index) =>
        initializeParameter(
          parameter,
          persistent.parameters.get(parameter.parameter.value.id)!,
          index + 1,
        ),
      ),
    ],
    train: train?.steps ?? [],
    accumulate: accumulate?.steps ?? [],
    update: afterSlices?.steps ?? [],
    average: averageSteps(stored, persistent, options),
    fold: [...folded.steps.values()].flat(),
    evaluate: evaluate?.steps ?? [],
    predict: predict.steps,
  };
  const writer = new ProgramWriter(forward, options, {
    ...{ persistent, stored, lists },
    preparations: lowerPreparations(forward, options, persistent),
    trained: graphs.train ?? forward,
  });
  const program = writer.write();
  return {
    program,
    ...(options.average && { average: options.average }),
    lists: {
      ...(train && { train: writer.trace("train", train) }),
      ...(accumulate && { accumulate: writer.trace("accumulate", accumulate) }),
      ...(afterSlices && { update: writer.trace("update", afterSlices) }),
      ...(evaluate && { evaluate: writer.trace("evaluate", evaluate) }),
      predict: writer.trace("predict", predict),
    },
  };
}

const limitsOf = ({ limits = DEFAULT_LIMITS }: Pick<ProgramOptions, "limits">) => limits;

function initialLossScale(
  { inputs }: Graph,
  { ports }: ProgramStorage,
  { precision }: ProgramOptions,
): readonly StepDraft[] {
  const lossScale = ports.get(LOSS_SCALE_KEY);
  if (!lossScale || precision?.lossScale.kind !== "dynamic") return [];
  return [initializeLossScale(lossScale, precision.lossScale, inputs[0]!.value.origin)];
}

function averageSteps(
  stored: readonly StoredParameter[],
  { parameters, averages, ports }: ProgramStorage,
  { average }: ProgramOptions,
): readonly StepDraft[] {
  const lossScale = ports.get(LOSS_SCALE_KEY);
  return stored.flatMap((parameter) => {
    const { id } = parameter.parameter.value;
    const kept = averages.get(id);
    if (!kept || !average) return [];
    return averageParameter(
      parameter,
      { storage: parameters.get(id)!, averages: kept, lossScale },
      average.decay,
    );
  });
}

type PreparationDrafts = { readonly train?: PreparationDraft; readonly eval?: PreparationDraft };

function lowerPreparations(
  graph: Graph,
  { data }: ProgramOptions,
  { ports }: ProgramStorage,
): PreparationDrafts {
  if (!data) return {};
  const value = portOf(graph, "input");
  const images = ports.get(portKey({ role: "input", name: value.name }))!;
  const shape = imageShape(value.shape);
  const lower = (split: DataSplitRecipe | undefined, name: string) => {
    if (!split) return undefined;
    const { span } = value.origin;
    const origin = { name, span: { ...span, start: { ...span.start, ...split.location } } };
    return lowerPreparation(name, split, { shape, images, origin });
  };
  const train = lower(data.train, "train");
  const evaluation = lower(data.eval, "eval");
  return { ...(train && { train }), ...(evaluation && { eval: evaluation }) };
}

type Lists = Record<keyof Program["steps"], readonly StepDraft[]>;

/** What all lists of a program are lowered with. */
interface LoweringParts {
  readonly options: ProgramOptions;
  readonly persistent: ProgramStorage;
  readonly stored: readonly StoredParameter[];
  readonly sums: SlicedTraining["sums"];
  readonly folded: Folded;
  readonly list: keyof Lists;
}

function lowerList(
  graph: Graph,
  { options, persistent, stored, sums, folded, list }: LoweringParts,
): LoweringContext {
  const byId = new Map(stored.map((parameter) => [parameter.parameter.value.id, parameter]));
  const states = new Map(
    trainedParameters(graph).flatMap(({ parameter, states: kept }) =>
      kept.map((state, index) => [state.id, persistent.states.get(parameter.id)![index]!] as const),
    ),
  );
  for (const [id, sum] of sums) {
    byId.set(sum.id, byId.get(id)!);
    states.set(sum.id, persistent.gradients.get(id)!);
  }
  const keeps = list === "train" && options.keepGradients === true;
  const isRead = list === "evaluate" || list === "predict";
  const parameters = isRead
    ? new Map([...persistent.parameters, ...persistent.averages])
    : persistent.parameters;
  const context = new LoweringContext(
    graph,
    options.target,
    {
      layouts: chooseLayouts(graph),
      half: options.precision ? chooseHalves(graph) : NO_HALVES,
    },
    { ...persistent, parameters, states, gradients: keeps ? persistent.gradients : undefined },
    byId,
    limitsOf(options),
    options.tuned,
    isRead ? folded : undefined,
  );
  if (list === "update") lowerNodes(context);
  else lowerGraph(context);
  return context;
}

/**
 * By the id of the parameter's value: for each state that the optimizer keeps, one storage a piece.
 */
type StateStorage = ReadonlyMap<number, readonly (readonly Storage[])[]>;

/**
 * What outlives a step; the optimizer's states by parameter, since each training graph has values
 * of its own for them.
 */
type ProgramStorage = Omit<Persistent, "states" | "gradients"> & {
  readonly states: StateStorage;
  readonly gradients: ReadonlyMap<number, readonly Storage[]>;
  /** Of the parameters that training changes, where averages are kept. */
  readonly averages: ReadonlyMap<number, readonly Storage[]>;
};

function persistentStorage(
  forward: Graph,
  train: Graph | undefined,
  stored: readonly StoredParameter[],
  { optimizer, average }: ProgramOptions,
): ProgramStorage {
  const { metrics } = forward;
  const trained = new Set(train && trainedParameters(train).map(({ parameter }) => parameter.id));
  const idOf = ({ parameter }: StoredParameter) => parameter.value.id;
  const trainedOnes = stored.filter((parameter) => trained.has(idOf(parameter)));
  const changing = stored.filter(
    (parameter) => trained.has(idOf(parameter)) || parameter.parameter.role === "statistic",
  );
  return {
    ports: portStorage(forward, train),
    metrics:
      metrics.length > 0
        ? storage("metrics", "metrics", fixed(4 * roundUpTo4(largestSums(train, forward))))
        : undefined,
    parameters: new Map(
      stored.map((parameter) => [idOf(parameter), parameterStorage(parameter, "parameter")]),
    ),
    states: new Map(
      trainedOnes.map((parameter) => [
        idOf(parameter),
        stateNames(optimizer).map((name) => parameterStorage(parameter, "state", name)),
      ]),
    ),
    gradients: new Map(
      trainedOnes.map((parameter) => [idOf(parameter), parameterStorage(parameter, "gradient")]),
    ),
    averages: new Map(
      (average && train ? changing : []).map((parameter) => [
        idOf(parameter),
        parameterStorage(parameter, "state", "average"),
      ]),
    ),
  };
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

const LOSS_SCALE_KEY = portKey({ role: "loss scale", name: "loss scale" });

const storage = (name: string, purpose: Storage["purpose"], bytes: Storage["bytes"]): Storage => ({
  name,
  purpose,
  bytes,
});

function parameterStorage(
  { parameter, pieces }: StoredParameter,
  purpose: "parameter" | "state" | "gradient",
  kind: string = purpose,
): readonly Storage[] {
  const { name } = parameter.value;
  return pieces.map(({ bytes }) => storage(`${name} ${kind}`, purpose, fixed(bytes)));
}

const predictionPitch = (shape: Shape) => roundUpTo4(elementCount(shape));

const IMAGE_AXES = ["channel", "row", "column"] as const;

function describeTensor(
  { name, role, value, classes, gives }: Port,
  options: ProgramOptions,
  buffer: number,
): ProgramTensor {
  const shape = value.shape.slice(1).map(Number);
  const isLabels = role === "target" && value.type === "u32";
  const count = isLabels ? (classes ?? options.classes) : undefined;
  return {
    name,
    role: role as TensorRole,
    dtype: value.type,
    shape,
    axes: IMAGE_AXES.slice(0, shape.length),
    buffer,
    ...(role === "prediction" && { pitch: predictionPitch(value.shape) }),
    ...(count !== undefined && { classes: { count } }),
    ...(gives && { gives }),
  };
}

/** Sums over the examples of a call: no axis of it is an example's. */
const metricsTensor = (buffer: number): ProgramTensor => {
  return { name: "metrics", role: "metrics", dtype: "f32", shape: [], axes: [], buffer };
};

const location = ({ span }: Origin) => ({ line: span.start.line, column: span.start.column });

/** What a program is written from. */
interface ProgramParts {
  readonly persistent: ProgramStorage;
  readonly stored: readonly StoredParameter[];
  readonly lists: Lists;
  readonly preparations: PreparationDrafts;
  /** The graph of a training step; the forward one where there is none. */
  readonly trained: Graph;
}

type PlannedList = Exclude<keyof Lists, "initialize" | "average" | "fold">;

/** Numbers buffers and kernels, and writes the program down. */
class ProgramWriter {
  private readonly buffers: ProgramBuffer[] = [];
  private readonly bufferIndex = new Map<object, number>();
  private readonly kernels: ProgramKernel[] = [];
  private readonly kernelIndex = new Map<string, number>();
  private readonly plan: MemoryPlan<PlannedList>;

  constructor(
    private readonly graph: Graph,
    private readonly options: ProgramOptions,
    private readonly parts: ProgramParts,
  ) {
    const { lists } = parts;
    const planned: Record<PlannedList, { steps: readonly StepDraft[]; sharing: Sharing }> = {
      train: { steps: lists.train, sharing: "any" },
      accumulate: { steps: lists.accumulate, sharing: "any" },
      update: { steps: lists.update, sharing: "any" },
      evaluate: { steps: lists.evaluate, sharing: "alike" },
      predict: { steps: lists.predict, sharing: "alike" },
    };
    this.plan = planMemory(planned, bindableBytes(limitsOf(options)));
  }

  write(): Program {
    const { graph, options } = this;
    const { persistent, stored, preparations } = this.parts;
    const lists = { ...this.parts.lists, ...this.plan.lists };
    const { trained } = this.parts;
    const totals = classTotals(trained);
    const parameters = stored.map((parameter, index) => this.parameter(parameter, index + 1));
    const { ports, metrics } = persistent;
    const scale = ports.get(LOSS_SCALE_KEY);
    const lossScale = scale && this.buffer(scale);
    for (const [key, io] of ports) if (!key.startsWith("prediction ")) this.buffer(io);
    if (metrics) this.buffer(metrics);
    for (const [key, io] of ports) if (key.startsWith("prediction ")) this.buffer(io);
    const steps = {
      initialize: lists.initialize.map((step) => this.step(step)),
      train: lists.train.map((step) => this.step(step)),
      accumulate: lists.accumulate.map((step) => this.step(step)),
      update: lists.update.map((step) => this.step(step)),
      average: lists.average.map((step) => this.step(step)),
      fold: lists.fold.map((step) => this.step(step)),
      evaluate: lists.evaluate.map((step) => this.step(step)),
      predict: lists.predict.map((step) => this.step(step)),
    };
    const prepared = {
      ...(preparations.train && { train: this.preparation(preparations.train) }),
      ...(preparations.eval && { eval: this.preparation(preparations.eval) }),
    };
    return {
      format: PROGRAM_FORMAT,
      target: options.target,
      ...(options.precision && { precision: options.precision.kind }),
      ...(lossScale && { lossScale }),
      ...(options.adapter && { adapter: options.adapter }),
      model: graph.name,
      source: options.source,
      ...this.tensors(),
      metrics: graph.metrics.map(({ name }) => name),
      fractions: options.fractions ?? [],
      sums: { train: sumsOf(trained, totals), evaluate: sumsOf(graph, totals) },
      classTotals: totals,
      accuracies: accuraciesOf(graph),
      parameters,
      buffers: this.buffers,
      kernels: this.kernels,
      steps,
      optimizer: options.optimizer,
      ...(Object.keys(prepared).length > 0 && { preparations: prepared }),
    };
  }

  private preparation({ staged, draws, steps, ...plain }: PreparationDraft): Preparation {
    const { storage: stagedStorage, ...size } = staged;
    return {
      ...plain,
      staged: { ...size, buffer: this.buffer(stagedStorage) },
      draws: { words: draws.words, buffer: this.buffer(draws.storage) },
      steps: steps.map((step) => this.step(step)),
    };
  }

  /** What crosses the border in a call, and which lists read and leave it. */
  private tensors(): Pick<Program, "tensors" | "uses"> {
    const { graph, options } = this;
    const { persistent, trained } = this.parts;
    const tensorOf = (port: Port) =>
      describeTensor(port, options, this.buffer(persistent.ports.get(portKey(port))!));
    const inputs = trained.inputs.flatMap((port) =>
      port.role === "loss scale" ? [] : [tensorOf(port)],
    );
    const metrics = persistent.metrics && metricsTensor(this.buffer(persistent.metrics));
    const outputs = graph.outputs.map(tensorOf);
    const tensors = [...inputs, ...(metrics ? [metrics] : []), ...outputs];
    const of = (...roles: readonly TensorRole[]) =>
      tensors.flatMap(({ role }, index) => (roles.includes(role) ? [index] : []));
    const training = { reads: of("input", "target", "partner", "share"), gives: of("metrics") };
    const uses = {
      train: training,
      accumulate: training,
      evaluate: { reads: of("input", "target"), gives: of("metrics") },
      predict: { reads: of("input"), gives: of("prediction") },
    };
    return { tensors, uses };
  }

  /** What a list came from; after `write`. */
  trace(list: PlannedList, context: LoweringContext): TracedList {
    const { graph, layouts } = context;
    const steps = this.plan.lists[list];
    const places = new Map(steps.map((step, index) => [step, index]));
    // Behind the step before, and so with what clears memory for the node.
    const placeOf = (index: number) =>
      index === 0 ? 0 : places.get(context.steps[index - 1]!)! + 1;
    const nodes = context.nodes.map((traced) => ({
      ...traced,
      first: placeOf(traced.first),
      end: placeOf(traced.end),
    }));
    return {
      ...{ graph, layouts, nodes, steps },
      parameterOf: (value) => context.layoutParameter(value),
      isHalf: (value) => context.isHalf(value),
      buffersOf: (value) => {
        const buffers = context.piecesOf(value).map((piece) => this.find(piece));
        return buffers.filter((buffer) => buffer !== undefined);
      },
    };
  }

  private parameter(
    { parameter, layout, pieces }: StoredParameter,
    stream: number,
  ): ProgramParameter {
    const { value, role, initializer, trainable } = parameter;
    const { parameters, states, averages } = this.parts.persistent;
    const { keepGradients, exchange } = this.options;
    const kept = keepGradients || exchange ? this.parts.persistent.gradients : undefined;
    const gradients = kept?.get(value.id);
    return {
      name: value.name,
      shape: value.shape.map(Number),
      layout,
      pieces: pieces.map(({ start, count }, index) => {
        const ownStates = states.get(value.id)?.map((state) => this.buffer(state[index]!));
        const gradient = gradients?.[index];
        const average = averages.get(value.id)?.[index];
        return {
          start,
          count,
          buffer: this.buffer(parameters.get(value.id)![index]!),
          ...(ownStates && { states: ownStates }),
          ...(average && { average: this.buffer(average) }),
          ...(gradient && { gradient: this.buffer(gradient) }),
        };
      }),
      initializer,
      stream,
      ...(role === "statistic" && { role }),
      trainable,
      location: location(value.origin),
    };
  }

  private step(draft: StepDraft): ProgramStep {
    const { kernel, constants, workgroups, label, origin, macs } = draft;
    return {
      kernel: this.kernel(kernel),
      buffers: draft.storage.map((bound) => this.buffer(bound)),
      constants: kernel.constants.map((field) => integer(constants[field], field, label)),
      workgroups,
      label,
      location: location(origin),
      macs,
      ...(draft.batches && { batches: draft.batches }),
    };
  }

  /** The number of a buffer that some step binds. */
  private find(bound: Storage): number | undefined {
    return this.bufferIndex.get(this.plan.slotOf.get(bound) ?? bound);
  }

  private buffer(bound: Storage): number {
    const slot = this.plan.slotOf.get(bound);
    const key = slot ?? bound;
    const existing = this.bufferIndex.get(key);
    if (existing !== undefined) return existing;
    const { name, bytes } = key;
    const to = slot?.largestBatch;
    this.bufferIndex.set(key, this.buffers.length);
    const buffer = {
      name,
      purpose: bound.purpose,
      bytes,
      ...(to !== undefined && { largestBatch: to }),
      ...(slot && { location: location(slot.origin) }),
    };
    return this.buffers.push(buffer) - 1;
  }

  private kernel({ name, wgsl, storage: bindings }: Kernel): number {
    const existing = this.kernelIndex.get(wgsl);
    if (existing !== undefined) return existing;
    this.kernelIndex.set(wgsl, this.kernels.length);
    return this.kernels.push({ name, wgsl, bindings: bindings.map(({ access }) => access) }) - 1;
  }
}

/** The most numbers that a list leaves of loss and metrics. */
function largestSums(train: Graph | undefined, forward: Graph): number {
  const counts = [train, forward].map((graph) => (graph ? scoreValues(graph).length : 0));
  return summedWords(Math.max(...counts));
}

/** What a graph's metrics are made of, in the order of `batchSums`. */
function sumsOf({ metrics }: Graph, totals: readonly ClassTotal[]): readonly ProgramSum[] {
  return metrics.flatMap(({ name: metric, terms }) =>
    terms.map(({ factor, over }) =>
      over
        ? { metric, factor, mean: "class weights", total: indexOfTotal(totals, over) }
        : { metric, factor, mean: "examples" },
    ),
  );
}

/** How many of the largest logits each accuracy counts. */
function accuraciesOf({ metrics, nodes }: Graph): Readonly<Record<string, number>> {
  const entries = metrics.flatMap(({ name, terms }) => {
    const node = nodes.find(({ outputs }) => outputs.includes(terms[0]!.value));
    return node?.kind === "accuracy" ? [[name, node.attributes.k] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** A constant as a kernel takes it: the bits of an unsigned 32-bit integer. */
function integer(value: number | undefined, field: string, label: string): number {
  if (value === undefined || !Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new Error(`${label}: constant ${field} is ${value}`);
  }
  return value;
}
