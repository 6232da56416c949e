import {
  PROGRAM_FORMAT,
  type ListTensors,
  type OptimizerSettings,
  type Preparation,
  type Program,
  type ProgramAdapter,
  type ProgramParameter,
  type ProgramTensor,
  type Target,
  type TensorRole,
  type TurnList,
} from "../../program/program.js";
import type { MixedPrecision, WeightAverage } from "../../program/recipe.js";
import { imagesOf } from "../../program/transforms.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { classTotals, fileShapeOf, type Graph, type Port } from "../ir/graph.js";
import type { PreparationDraft } from "../lower/prepare.js";
import type { LoweredProgram } from "../lower/program.js";
import type { Turn } from "../ir/step-graphs.js";
import type { StepDraft } from "../lower/step-draft.js";
import {
  LOSS_SCALE_KEY,
  portKey,
  type KeptParameter,
  type Persistent,
} from "../plan/persistent.js";
import type { PlannedList, ProgramPlan } from "../plan/program.js";
import { locationOf, type Numbering } from "./numbering.js";
import { accuraciesOf, describeTensor, metricsTensor, sumsOf } from "./tensors.js";

export interface WriteOptions {
  readonly target: Target;
  readonly source: Program["source"];
  /** Of the one target's labels, where the graph does not say. */
  readonly classes?: number;
  /** Names of the classes, where they are known. */
  readonly classNames?: readonly string[] | undefined;
  /** Metrics that are shares of something. */
  readonly fractions?: readonly string[];
  readonly optimizer: OptimizerSettings;
  readonly average?: WeightAverage | undefined;
  readonly turns?: readonly Turn[] | undefined;
  readonly precision?: MixedPrecision;
  readonly keepGradients?: boolean;
  readonly predictOnly?: boolean;
  /** Names the buffers of the sums of gradients, for `fit` with `exchange`. */
  readonly exchange?: boolean;
  /** The adapter on which schedules were measured. */
  readonly adapter?: ProgramAdapter;
}

/** All dispatches, with those that clear memory. */
export type Drafts = Pick<LoweredProgram, "initialize" | "average" | "fold" | "preparations"> &
  Record<PlannedList, readonly StepDraft[]>;

/** Of a program that only predicts. */
const NOT_MEASURED = {
  predictOnly: true,
  metrics: [],
  fractions: [],
  sums: { train: [], evaluate: [] },
  classTotals: [],
} as const;

/** Writes a program down, with numbers for buffers and kernels. */
export class ProgramWriter {
  private readonly persistent: Persistent;
  /** The graph of a training step; the forward one where there is none. */
  private readonly trained: Graph;

  constructor(
    private readonly plan: ProgramPlan,
    private readonly options: WriteOptions,
    private readonly numbering: Numbering,
  ) {
    this.persistent = plan.persistent;
    this.trained = plan.lists.train?.graph ?? plan.forward;
  }

  write({ preparations, ...lists }: Drafts): Program {
    const { options, numbering } = this;
    const { forward } = this.plan;
    const measured = options.predictOnly ? NOT_MEASURED : this.measured();
    const parameters = this.persistent.parameters.map((parameter, index) =>
      this.parameter(parameter, index + 1),
    );
    const lossScale = this.numberPorts();
    const steps = this.steps(lists);
    const prepared = this.preparations(preparations);
    return {
      format: PROGRAM_FORMAT,
      target: options.target,
      precision: options.precision?.kind,
      lossScale,
      adapter: options.adapter,
      model: forward.name,
      source: options.source,
      ...this.tensors(),
      ...measured,
      ...withoutUndefined({ classes: options.classNames }),
      parameters,
      buffers: numbering.buffers,
      kernels: numbering.kernels,
      steps,
      optimizer: options.optimizer,
      turns: options.turns?.slice(1).map(({ optimizer }) => optimizer),
      measured: this.measuredLayers(parameters),
      preparations: Object.keys(prepared).length > 0 ? prepared : undefined,
    };
  }

  /** What the list `statistics` leaves of each layer. */
  private measuredLayers(parameters: readonly ProgramParameter[]): Program["measured"] {
    const { average } = this.options;
    const { measured } = this.persistent;
    if (average?.kind !== "swa" || measured.length === 0) return undefined;
    const layers = measured.map(({ names, storage, pixels }) => ({
      parameters: names.map((name) => parameters.findIndex((each) => each.name === name)),
      buffers: storage.map((each) => this.numbering.buffer(each)),
      words: storage[0]!.bytes.fixed / 4,
      pixels,
    }));
    return { start: average.start, every: average.every, layers };
  }

  /** What training and evaluation give. */
  private measured() {
    const { options, trained } = this;
    const { forward } = this.plan;
    const totals = classTotals(options.turns ? forward : trained);
    return {
      metrics: forward.metrics.map(({ name }) => name),
      fractions: options.fractions ?? [],
      sums: {
        train: sumsOf(trained, totals),
        evaluate: sumsOf(forward, totals),
        ...this.ofTurns(
          (_, turn) => {
            return sumsOf(this.plan.lists[`train${turn}`]!.graph, totals);
          },
          ["train", "accumulate"],
        ),
      },
      classTotals: totals,
      accuracies: accuraciesOf(forward),
    };
  }

  /** Predictions come last. Returns the loss scale's. */
  private numberPorts(): number | undefined {
    const { ports, metrics } = this.persistent;
    const { numbering } = this;
    const scale = ports.get(LOSS_SCALE_KEY);
    const lossScale = scale && numbering.buffer(scale);
    const isPrediction = (key: string) => key.startsWith("prediction ");
    for (const [key, io] of ports) if (!isPrediction(key)) numbering.buffer(io);
    if (metrics) numbering.buffer(metrics);
    for (const [key, io] of ports) if (isPrediction(key)) numbering.buffer(io);
    return lossScale;
  }

  private steps(lists: Omit<Drafts, "preparations">): Program["steps"] {
    const { numbering } = this;
    return {
      initialize: this.options.predictOnly ? [] : numbering.steps(lists.initialize),
      train: numbering.steps(lists.train),
      accumulate: numbering.steps(lists.accumulate),
      update: numbering.steps(lists.update),
      average: numbering.steps(lists.average),
      fold: numbering.steps(lists.fold),
      evaluate: numbering.steps(lists.evaluate),
      predict: numbering.steps(lists.predict),
      ...withoutUndefined({
        statistics: this.plan.lists.statistics && numbering.steps(lists.statistics),
      }),
      ...this.ofTurns((list) => numbering.steps(lists[list] ?? [])),
    };
  }

  /** Something of each list of the turns behind the first. */
  private ofTurns<Made>(
    make: (list: TurnList, turn: number) => Made,
    kinds: readonly ("train" | "accumulate" | "update")[] = ["train", "accumulate", "update"],
  ): Record<TurnList, Made> {
    const turns = (this.options.turns ?? []).slice(1).map((_, index) => index + 1);
    const made = turns.flatMap((turn) =>
      kinds.map((kind) => {
        const list: TurnList = `${kind}${turn}`;
        return [list, make(list, turn)] as const;
      }),
    );
    return Object.fromEntries(made);
  }

  private preparations({ train, eval: evaluation, evalTuples }: Drafts["preparations"]) {
    return withoutUndefined({
      train: train && this.preparation(train),
      eval: evaluation && this.preparation(evaluation),
      evalTuples: evalTuples && this.preparation(evalTuples),
    });
  }

  private preparation({ staged, draws, steps, ...plain }: PreparationDraft): Preparation {
    const { storage: stagedStorage, ...size } = staged;
    const crops = imagesOf(plain.transforms);
    return withoutUndefined({
      ...plain,
      crops: crops > 1 ? crops : undefined,
      staged: { ...size, buffer: this.numbering.buffer(stagedStorage) },
      draws: { words: draws.words, buffer: this.numbering.buffer(draws.storage) },
      steps: this.numbering.steps(steps),
    });
  }

  /** What crosses the border in a call, and which lists read and leave it. */
  private tensors(): Pick<Program, "tensors" | "tokens" | "uses"> {
    const { options, persistent, trained } = this;
    const tensorOf = (port: Port) =>
      describeTensor(port, options, this.numbering.buffer(persistent.ports.get(portKey(port))!));
    const predicted = this.plan.lists.predict.graph.inputs.map(({ name }) => name);
    const isLeftOut = ({ role, name }: Port) =>
      role === "loss scale" ||
      (options.predictOnly && role === "input" && !predicted.includes(name));
    const inputs = trained.inputs.filter((port) => !isLeftOut(port)).map(tensorOf);
    const metrics = persistent.metrics && metricsTensor(this.numbering.buffer(persistent.metrics));
    const outputs = this.plan.forward.outputs.map(tensorOf);
    const tensors = [...inputs, ...(metrics ? [metrics] : []), ...outputs];
    const of = (...roles: readonly TensorRole[]) =>
      tensors.flatMap(({ role }, index) => (roles.includes(role) ? [index] : []));
    const read = of("input", "noise").filter((index) => predicted.includes(tensors[index]!.name));
    const training = { reads: of("input", "target", "partner", "share"), gives: of("metrics") };
    const uses = {
      train: training,
      accumulate: training,
      ...this.ofTurns(() => training, ["train", "accumulate"]),
      evaluate: { reads: of("input", "target"), gives: of("metrics") },
      predict: { reads: read, gives: of("prediction") },
      ...withoutUndefined({ statistics: this.measuring(tensors) }),
    };
    const tokens = tensors.some(({ role, dtype }) => role === "input" && dtype === "u32");
    return { tensors, uses, ...withoutUndefined({ tokens: tokens || undefined }) };
  }

  /** Inputs that statistics depend on. */
  private measuring(tensors: Program["tensors"]): ListTensors | undefined {
    const read = this.plan.lists.statistics?.graph.inputs.map(({ name }) => name);
    const isRead = ({ role, name }: ProgramTensor) => role === "input" && read?.includes(name);
    return (
      read && {
        reads: tensors.flatMap((tensor, index) => (isRead(tensor) ? [index] : [])),
        gives: [],
      }
    );
  }

  private parameter(
    { parameter, layout, pieces, storage, trained, average }: KeptParameter,
    stream: number,
  ): ProgramParameter {
    const { value, role, initializer, trainable, isKept, isTeacher } = parameter;
    const { numbering } = this;
    const { keepGradients, exchange } = this.options;
    const gradient = keepGradients || exchange ? trained?.gradient : undefined;
    return {
      name: value.name,
      shape: fileShapeOf(parameter),
      layout,
      pieces: pieces.map(({ start, count }, index) => {
        const states = trained?.states.map((state) => numbering.buffer(state[index]!));
        return {
          start,
          count,
          buffer: numbering.buffer(storage[index]!),
          states,
          average: average && numbering.buffer(average[index]!),
          gradient: gradient && numbering.buffer(gradient[index]!),
        };
      }),
      initializer,
      stream,
      role: role === "statistic" ? role : undefined,
      kept: role === "statistic" && isKept ? true : undefined,
      trainable,
      teacher: isTeacher ? true : undefined,
      location: locationOf(value.origin),
    };
  }
}
