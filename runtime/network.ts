/** A program on a device: the network that users train and run. */
import {
  PROGRAM_FORMAT,
  type OptimizerSettings,
  type Program,
  type ProgramParameter,
} from "../program/program.js";
import { bindableBytes } from "../program/limits.js";
import { inLossScale } from "../program/loss-scale.js";
import { largestSlice } from "../program/slices.js";
import type { Images } from "./data/dataset.js";
import { Device, type AdapterProvider, type AdapterSummary } from "./device.js";
import { InputError, NetcError, WeightsError } from "./errors.js";
import { Copies } from "./copies.js";
import { describe } from "./describe.js";
import { assertFinite, checkTargets, countImages, type Labels, type Targets } from "./examples.js";
import type { Frame } from "./frame.js";
import type { InspectableRun, InspectionParts } from "./inspection.js";
import { meansOf, readMeasurement, totalsOf, type Measurement } from "./measurement.js";
import { assertInteger, assertKnown, assertNumber, type OptionNames } from "./options.js";
import { Memory, type MemoryUse } from "./memory.js";
import { Parameters, sizeOf, type TensorOf } from "./parameters.js";
import type { CompileProgress } from "./pipelines.js";
import { Runner, type Work } from "./runner.js";
import { readBuffer } from "./readback.js";
import { parseTensors, serializeTensors } from "./safetensors.js";
import type { StepListName } from "./schedule.js";
import { partOf, runsOf, type Call, type ListRun, type Slice } from "./slices.js";
import { chooseProgram } from "./targets.js";
import {
  AVERAGE_PREFIX,
  matchWeights,
  statePrefix,
  statesOf,
  type MatchedWeights,
} from "./weights.js";

/** The optimizer's settings; those left out are the spec's. */
export interface OptimizerOptions {
  readonly learningRate?: number;
  /** Of SGD and RMSprop. */
  readonly momentum?: number;
  readonly weightDecay?: number;
}

export interface NetworkOptions extends OptimizerOptions {
  /**
   * The most examples of one call. 16 unless given. Memory grows with it, up to what the device can bind: more come in slices, one after the
   * other, with one update for all.
   */
  readonly batch?: number;
  /** Slices that a batch comes in, to save memory; 1 unless given. More where the device needs them. */
  readonly accumulate?: number;
  /** Of initial weights and dropout. 0 unless given. */
  readonly seed?: number;
  /** A device of your own, with the features `subgroups`, and `shader-f16` for mixed precision, if it can; otherwise the network opens one. */
  readonly device?: GPUDevice;
  /** `auto`, `embedded`, `lavapipe` or part of an adapter's name (in Node; browsers choose themselves). */
  readonly adapter?: string;
  /** Hears of kernels that are being compiled: all of a step list at once when it first runs, each once for all lists. */
  readonly onCompile?: (progress: CompileProgress) => unknown;
  /** Hears of what the device cannot do as the recipe has it; `console.warn` unless given. */
  readonly onWarning?: (message: string) => unknown;
}

/** Settings for one step; those left out are the network's. */
export interface StepOptions extends OptimizerOptions {
  /** Slices that the step's examples come in, at least. */
  readonly accumulate?: number;
  /** Whether the images are the network's from now on, so that it need not copy them; false unless given. */
  readonly transfer?: boolean;
}

/** Loss and metrics by name, each the mean over the examples of the call. */
export type Metrics<Name extends string = string> = { readonly [name in Name]: number };

export interface ParameterInfo<Name extends string = string> {
  readonly name: Name;
  /** PyTorch's. */
  readonly shape: readonly number[];
  /** `statistic`: measured while training, not trained (a running mean). A weight if absent. */
  readonly role?: "statistic";
  readonly trainable: boolean;
}

/** What a step list is inspected on; `optimizer` as in a step. */
export interface InspectionExamples {
  readonly images: Images;
  readonly targets?: Targets;
  readonly optimizer?: OptimizerOptions;
}

/** What a call is inspected on. */
export interface CallExamples extends InspectionExamples {
  /** Slices that the examples come in, at least; as in a step. */
  readonly accumulate?: number | undefined;
}

export interface ReadOptions {
  /** Which of a parameter's tensors, its value unless given; gradients only in a program compiled to keep them. */
  readonly of?: TensorOf;
}

export interface SaveOptions {
  /** Whether to save what training needs to go on: the optimizer's state, the step and the seed. */
  readonly optimizer?: boolean;
  /** More text for the file's metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** Whether to restore the optimizer's state, step and seed where the file holds them; true unless given. */
  readonly optimizer?: boolean;
  /**
   * Names of parameters that keep the values they have. Given, be it without names, tensors that the model does not have are passed
   * over; they are an error otherwise.
   */
  readonly except?: readonly string[];
}

const DEFAULT_BATCH = 16;

const OPTIMIZER_OPTIONS: OptionNames<OptimizerOptions> = {
  learningRate: true,
  momentum: true,
  weightDecay: true,
};

const NETWORK_OPTIONS: OptionNames<NetworkOptions> = {
  ...OPTIMIZER_OPTIONS,
  batch: true,
  accumulate: true,
  seed: true,
  device: true,
  adapter: true,
  onCompile: true,
  onWarning: true,
};

const STEP_OPTIONS: OptionNames<StepOptions> = {
  ...OPTIMIZER_OPTIONS,
  accumulate: true,
  transfer: true,
};

const READ_OPTIONS: OptionNames<ReadOptions> = { of: true };
const SAVE_OPTIONS: OptionNames<SaveOptions> = { optimizer: true, metadata: true };
const LOAD_OPTIONS: OptionNames<LoadOptions> = { optimizer: true, except: true };

/** What a call is about. */
type Examples = Omit<Work, "frame" | "collects"> & { readonly count: number };

interface Manner {
  readonly optimizer: OptimizerSettings;
  /** At least so many. */
  readonly slices?: number;
  readonly transfer?: boolean;
  /** What the program's class totals come to over the call's examples; none if absent. */
  readonly totals?: readonly number[];
}

/** A program on the device. */
interface Loaded {
  readonly program: Program;
  readonly memory: Memory;
  readonly parameters: Parameters;
  readonly runner: Runner;
}

/** What a slice left: a prediction, or metrics. */
type Result = Slice & { readonly values: Float32Array };

/**
 * What a run uploads: its slice of the examples, and nothing for an update, which reads the sums of
 * the slices.
 */
function partOfRun(
  { count, ...values }: Examples,
  { list, slice }: ListRun,
): Omit<Examples, "count"> {
  if (list === "update") return {};
  const parts = Object.entries(values).map(([name, all]) => [
    name,
    typeof all === "string" ? all : partOf(all, slice, count),
  ]);
  return Object.fromEntries(parts) as Omit<Examples, "count">;
}

/**
 * A network on a device. Calls run in the order they are made, each on its arguments as they were when it was made. Every method but `destroy` rejects with InputError for wrong arguments and after `destroy`, and with
 * DeviceLostError once the device is lost.
 */
export class Network<
  Metric extends string = string,
  Name extends string = string,
  /** What `step` and `evaluate` take beside the images. */
  Target extends Targets = Labels,
> {
  readonly adapter: AdapterSummary;
  /** The most examples of one call. */
  readonly batch: number;
  /** The most examples on the device at a time: a call with more of them comes in slices. */
  readonly slice: number;
  readonly #optimizer: OptimizerSettings;
  readonly #onCompile: NetworkOptions["onCompile"];
  readonly #onWarning: NonNullable<NetworkOptions["onWarning"]>;
  readonly #copies = new Copies();
  /** One for each phase of training. */
  readonly #phases: readonly Program[];
  #loaded: Loaded;
  #phase = 0;
  /** The step before which the phase began. */
  #since = 0;
  #seed: number;
  #step = 0;
  #destroyed = false;
  /** Whether what is folded is of the parameters as they are. */
  #folded = false;
  /** Settles when every call so far has been submitted. */
  #submitted: Promise<unknown> = Promise.resolve();

  private constructor(
    program: Program,
    private device: Device,
    options: NetworkOptions,
    /** Opens another device like the first; absent where the device is the user's own. */
    private readonly openDevice: (() => Promise<Device>) | undefined,
  ) {
    this.adapter = device.summary;
    this.batch = options.batch ?? DEFAULT_BATCH;
    const wanted = Math.ceil(this.batch / (options.accumulate ?? 1));
    this.#phases = [program, ...(program.phases ?? [])];
    this.slice = Math.min(
      ...this.#phases.map((phase) => {
        const most = Math.min(wanted, phase.slice ?? wanted);
        // Where not even one image fits, the allocation says so.
        return largestSlice(phase.buffers, most, bindableBytes(device.gpu.limits)) || most;
      }),
    );
    this.#onCompile = options.onCompile;
    this.#onWarning = options.onWarning ?? console.warn;
    this.#loaded = this.#assemble(program);
    this.#optimizer = withSettings(program.optimizer, options);
    this.#seed = options.seed ?? 0;
  }

  /** The program that runs: that of the present phase of training. */
  get program(): Program {
    return this.#loaded.program;
  }

  get parameters(): readonly ParameterInfo<Name>[] {
    return this.program.parameters as readonly (ProgramParameter & { name: Name })[];
  }

  /** A network with its parameters filled from their initializers. */
  static async create<Metric extends string, Name extends string, Target extends Targets>(
    program: Program,
    device: Device,
    options: NetworkOptions,
    openDevice?: () => Promise<Device>,
  ): Promise<Network<Metric, Name, Target>> {
    const network = new Network<Metric, Name, Target>(program, device, options, openDevice);
    try {
      await network.#initialize();
      return network;
    } catch (error) {
      network.#loaded.memory.destroy();
      throw error;
    }
  }

  /**
   * One step of training on 1 to `batch` examples: forward, loss, backward, update. `images` is NCHW, preprocessed, or bytes that the
   * device prepares (`loadBatches` makes them); `targets` are labels, or numbers in the order of the model's target, or nothing where the
   * loss is of the images themselves. Resolves to the loss and the metrics before the update. More examples than the device takes at a
   * time come in slices, which changes nothing but the order of sums, and batch normalization, whose statistics are then each slice's own.
   */
  async step(images: Images, targets: Target, options: StepOptions = {}): Promise<Metrics<Metric>> {
    return meansOf(await this.measureStep(images, targets, options)) as Metrics<Metric>;
  }

  /** A step as `step` does it, whose loss and metrics come as sums with their weights. */
  async measureStep(
    images: Images,
    targets: Target,
    options: StepOptions = {},
  ): Promise<Measurement> {
    assertKnown(options, STEP_OPTIONS, "step");
    const { accumulate: slices = 1, transfer = false, ...settings } = options;
    assertInteger(slices, 1, "`accumulate`");
    const optimizer = withSettings(this.#optimizer, settings);
    return this.#runOnExamples("train", images, targets, { optimizer, slices, transfer });
  }

  /** Loss and metrics of 1 to `batch` examples; nothing is changed, dropout is off. */
  async evaluate(images: Images, targets: Target): Promise<Metrics<Metric>> {
    return meansOf(await this.measure(images, targets)) as Metrics<Metric>;
  }

  /** The same as sums with their weights, for means over more than one call. */
  async measure(images: Images, targets: Target): Promise<Measurement> {
    return this.#runOnExamples("evaluate", images, targets, { optimizer: this.#optimizer });
  }

  /** The model's output for 1 to `batch` images: images x values, row-major. */
  async predict(images: Images): Promise<Float32Array> {
    return this.#keeping(images, async (own) => {
      const count = countImages(this.program, own, this.batch);
      const optimizer = this.#optimizer;
      const parts = await this.#run("predict", { count, ...imageData(own) }, { optimizer });
      return this.#joined(parts, count);
    });
  }

  /** A parameter's values in PyTorch's order. */
  async read(name: Name, options: ReadOptions = {}): Promise<Float32Array> {
    assertKnown(options, READ_OPTIONS, "read");
    const parameter = this.#loaded.parameters.find(name);
    return this.#enqueue(() => this.#loaded.parameters.read(parameter, options.of ?? "value"));
  }

  /** Replaces a parameter's values, given in PyTorch's order, and its average. */
  async write(name: Name, values: Float32Array): Promise<void> {
    const parameter = this.#loaded.parameters.find(name);
    const expected = sizeOf(parameter.shape);
    if (!(values instanceof Float32Array)) {
      throw new InputError(`\`${name}\` must be a Float32Array, not ${describe(values)}`);
    }
    if (values.length !== expected) {
      const shape = `[${parameter.shape.join(", ")}]`;
      throw new InputError(
        `\`${name}\` has ${expected} values (${shape}), and ${values.length} were given`,
      );
    }
    const own = new Float32Array(values);
    assertFinite(own, `\`${name}\``);
    await this.#enqueue(() => {
      const { parameters } = this.#loaded;
      this.#folded = false;
      for (const of of ["value", "average"] as const) parameters.write(parameter, of, own);
    });
  }

  /**
   * The parameters as a safetensors file, their averages where the program keeps them; with `optimizer: true`, all that is needed to go on
   * training: the parameters themselves, their averages apart.
   */
  async save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    assertKnown(options, SAVE_OPTIONS, "save");
    const { model, source } = this.program;
    return this.#enqueue(async () => {
      const { parameters } = this.#loaded;
      const isWhole = options.optimizer === true;
      const tensors = await parameters.readAll("value");
      tensors.push(...(await parameters.readAll("average", isWhole ? AVERAGE_PREFIX : "")));
      // `format` tells PyTorch's readers whose order the values are in.
      const metadata: Record<string, string> = { format: "pt", model, spec: source.hash };
      if (isWhole) {
        for (const state of statesOf(this.program)) {
          tensors.push(...(await parameters.readAll(state, statePrefix(state))));
        }
        const phase = this.#phases.length > 1 && { phase: this.#phase, since: this.#since };
        const counts = { step: this.#step, seed: this.#seed, ...phase };
        for (const [name, count] of Object.entries(counts)) metadata[name] = String(count);
        const scale = await this.#lossScale();
        if (scale) metadata["loss_scale"] = scale.join(" ");
      }
      // Of two by the same name, a value and its average, the later one counts.
      const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
      return serializeTensors([...named.values()], { ...metadata, ...options.metadata });
    });
  }

  /**
   * Loads what `save` made, or any safetensors file with the same names and shapes. Resolves to the file's metadata.
   * Throws WeightsError, and changes nothing, if the file is broken or belongs to another network.
   */
  async load(
    bytes: Uint8Array | ArrayBuffer,
    options: LoadOptions = {},
  ): Promise<Readonly<Record<string, string>>> {
    assertKnown(options, LOAD_OPTIONS, "load");
    const { tensors, metadata } = parseTensors(bytes);
    const restores = options.optimizer ?? true;
    const phase = (restores ? readCount(metadata, "phase") : undefined) ?? this.#phase;
    const { except } = options;
    const program = this.#programOf(phase);
    const matched = matchWeights(program, tensors, { optimizer: restores, except });
    const counts = ["step", "seed", "since"].map((name) => readCount(metadata, name));
    await this.#enqueue(async () => {
      await this.#enter(phase);
      await this.#put(matched, restores);
      if (!restores) return;
      const [step = this.#step, seed = this.#seed, since = 0] = counts;
      [this.#step, this.#seed, this.#since] = [step, seed, since];
      await this.#lossScale(metadata["loss_scale"]?.split(" ").map(Number));
    });
    if (matched.prefix !== "") await this.#onWarning(describePrefix(matched.prefix));
    return metadata;
  }

  /**
   * For tools: makes a step list ready to be run one dispatch at a time, and hands it to `visit` (inspection.ts). Other calls wait for
   * the promise that `visit` returns.
   */
  async inspect<Result>(
    list: StepListName,
    { images, targets, optimizer = {} }: InspectionExamples,
    visit: (parts: InspectionParts) => Promise<Result>,
  ): Promise<Result> {
    return this.#keeping(images, (own) => {
      const count = countImages(this.program, own, this.slice);
      const training = list !== "evaluate" && list !== "predict";
      const work = { ...this.#examplesOf(own, targets, { list, count, training }), training };
      const manner = {
        optimizer: withSettings(this.#optimizer, optimizer),
        totals: totalsOf(this.program, work),
      };
      return this.#inspect([{ list, slice: { first: 0, count } }], work, manner, ([run]) =>
        run!.begin().then(visit),
      );
    });
  }

  /**
   * For tools: the runs of step lists that a call of 1 to `batch` images comes to, in order, each
   * ready to be begun and then run one dispatch at a time. Other calls wait for the promise that
   * `visit` returns.
   */
  async inspectCall<Result>(
    call: Call,
    { images, targets, optimizer = {}, accumulate }: CallExamples,
    visit: (runs: readonly InspectableRun[]) => Promise<Result>,
  ): Promise<Result> {
    return this.#keeping(images, (own) => {
      const count = countImages(this.program, own, this.batch);
      const training = call === "train";
      const about = { list: call, count, training };
      const work = { ...this.#examplesOf(own, targets, about), training };
      const manner = {
        optimizer: withSettings(this.#optimizer, optimizer),
        totals: totalsOf(this.program, work),
      };
      return this.#inspect(this.#runsOf(call, count, accumulate), work, manner, visit);
    });
  }

  async #inspect<Result>(
    runs: readonly ListRun[],
    { training, ...examples }: Examples & { readonly training: boolean },
    manner: Manner,
    visit: (runs: readonly InspectableRun[]) => Promise<Result>,
  ): Promise<Result> {
    const { count } = examples;
    const begin = ({ list, slice }: ListRun): Promise<InspectionParts> => {
      const frame = this.#frame(slice, { training, count, manner });
      const own = partOfRun(examples, { list, slice });
      return this.#loaded.runner.inspect(list, { ...own, frame, collects: false });
    };
    return this.#enqueue(async () => {
      const whole = { first: 0, count: Math.min(count, this.slice) };
      await this.#fold(runs[0]!.list, this.#frame(whole, { training, count, manner }));
      return visit(runs.map((run) => ({ ...run, begin: () => begin(run) })));
    });
  }

  #examplesOf(
    images: Images,
    targets: Targets,
    { list, count, training }: { list: StepListName; count: number; training: boolean },
  ): Examples {
    const checked =
      list === "predict" ? {} : checkTargets(this.program, targets, { images: count, training });
    return { count, ...imageData(images), ...checked };
  }

  #runsOf(call: Call, images: number, atLeast?: number): readonly ListRun[] {
    const { steps } = this.program;
    return runsOf(call, images, { steps, most: this.slice, batch: this.batch, atLeast });
  }

  /** The phase of training, from 0: each stage of a recipe's `unfreeze` begins another. */
  get phase(): number {
    return this.#phase;
  }

  /**
   * Trains the weights of another phase from now on. Weights, their averages and the step stay what they are; the optimizer begins anew, as
   * when another is made in PyTorch. Throws InputError where the recipe has no such phase.
   */
  async enterPhase(phase: number): Promise<void> {
    this.#programOf(phase);
    await this.#enqueue(() => this.#enter(phase));
  }

  /** Training steps done. Dropout depends on it, so a resumed run sets it. */
  get stepCount(): number {
    return this.#step;
  }

  setStep(step: number): void {
    assertInteger(step, 0, "the step");
    this.#step = step;
  }

  get seed(): number {
    return this.#seed;
  }

  /** Bytes allocated on the device; grows with the first step, evaluation and prediction, then never again. */
  get memory(): MemoryUse {
    return this.#loaded.memory.use;
  }

  /** Whether `reopen` can be called: not with a device of the user's own. */
  get canReopen(): boolean {
    return this.openDevice !== undefined && !this.#destroyed;
  }

  /**
   * Goes over to another device after one was lost, with the parameters as they began: `load` brings back what `save` kept. Throws
   * NoAdapterError where there is none, and InputError where the device is the user's own.
   */
  async reopen(): Promise<void> {
    if (!this.openDevice || this.#destroyed) {
      throw new InputError("the network cannot open a device itself: create another on a new one");
    }
    this.#loaded.memory.destroy();
    this.device.release();
    this.device = await this.openDevice();
    this.#loaded = this.#assemble(this.#phases[0]!);
    this.#submitted = Promise.resolve();
    [this.#step, this.#phase, this.#since] = [0, 0, 0];
    await this.#initialize();
  }

  /** Frees the device's memory, so that the process can end. Calls under way reject. May be called again. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#loaded.memory.destroy();
    this.device.release();
  }

  #assemble(program: Program): Loaded {
    const { gpu } = this.device;
    const memory = new Memory(gpu, program, this.slice);
    const parameters = new Parameters(gpu, program, memory);
    const runner = new Runner(gpu, program, memory, this.#onCompile);
    return { program, memory, parameters, runner };
  }

  #programOf(phase: number): Program {
    const program = this.#phases[phase];
    if (program) return program;
    throw new InputError(`the recipe has no phase ${phase} of training`);
  }

  /** Puts another phase's program in the place of the present one, with all that it has of the parameters. */
  async #enter(phase: number): Promise<void> {
    if (phase === this.#phase) return;
    const { parameters, memory } = this.#loaded;
    const values = await parameters.readAll("value");
    const averages = await parameters.readAll("average", AVERAGE_PREFIX);
    // The powers of Adam's betas begin anew with the optimizer.
    const scale = await this.#lossScale();
    if (scale) for (const power of ["power1", "power2"] as const) scale[inLossScale(power)] = 1;
    // What is under way reads its results from the memory that goes.
    await this.device.gpu.queue.onSubmittedWorkDone();
    memory.destroy();
    const program = this.#programOf(phase);
    this.#loaded = this.#assemble(program);
    const tensors = new Map([...values, ...averages].map((tensor) => [tensor.name, tensor]));
    await this.#put(matchWeights(program, tensors, { optimizer: false }), false);
    await this.#lossScale(scale);
    [this.#phase, this.#since] = [phase, this.#step];
  }

  /** The state of a dynamic loss scale, after it was set if it is given; undefined in programs without one. */
  async #lossScale(values?: ArrayLike<number>): Promise<Float32Array | undefined> {
    const { program, memory } = this.#loaded;
    const { lossScale } = program;
    if (lossScale === undefined) return undefined;
    await memory.allocate([lossScale]);
    const { gpu } = this.device;
    const buffer = memory.buffer(lossScale);
    if (values) gpu.queue.writeBuffer(buffer, 0, Float32Array.from(values));
    return readBuffer(gpu, buffer);
  }

  /** Fills the parameters, and what the optimizer keeps of them. Averages that are not given begin with the parameters. */
  async #put({ values, averages, states }: MatchedWeights, optimizer: boolean): Promise<void> {
    const { parameters } = this.#loaded;
    this.#folded = false;
    const all = [
      ["value", values] as const,
      ["average", new Map([...values, ...averages])] as const,
      ...(optimizer ? states : []),
    ];
    for (const [of, tensors] of all) await parameters.allocate(tensors.keys(), of);
    for (const [of, tensors] of all) {
      for (const [parameter, tensor] of tensors) parameters.write(parameter, of, tensor);
    }
  }

  async #initialize(): Promise<void> {
    const { steps, parameters } = this.program;
    await this.#enqueue(async () => {
      await this.#loaded.parameters.allocate(parameters, "value");
      this.#folded = false;
      const about = { training: false, count: 1, manner: { optimizer: this.#optimizer } };
      const work = { frame: this.#frame({ first: 0, count: 1 }, about), collects: false };
      await this.#loaded.runner.run("initialize", work);
      if (steps.average.length > 0) await this.#loaded.runner.run("average", work);
    });
    await this.#explain(this.device.gpu.queue.onSubmittedWorkDone());
  }

  async #runOnExamples(
    list: "train" | "evaluate",
    images: Images,
    targets: Targets,
    manner: Manner,
  ): Promise<Measurement> {
    const measure = async (own: Images) => {
      const { program } = this;
      const count = countImages(program, own, this.batch);
      const about = { list, count, training: list === "train" };
      const examples = this.#examplesOf(own, targets, about);
      const totals = totalsOf(program, examples);
      const parts = await this.#run(list, examples, { ...manner, totals });
      const { values } = parts.at(-1)!;
      return readMeasurement(program.sums[list], values, { examples: count, totals });
    };
    return this.#keeping(images, measure, manner.transfer);
  }

  /**
   * Submits a call's runs in its turn, and waits for its results while later calls are submitted.
   * The results are a prediction each slice, or the metrics of all of them with the last.
   */
  async #run(call: Call, examples: Examples, manner: Manner): Promise<readonly Result[]> {
    const { count } = examples;
    const about = { training: call === "train", count, manner };
    const results = await this.#enqueue(async () => {
      // In its turn: a phase of training that begins before it has other lists.
      const runs = this.#runsOf(call, count, manner.slices);
      const last = runs.filter(({ list }) => list !== "update").at(-1);
      await this.#fold(call, this.#frame({ first: 0, count }, about));
      const submitted: { slice: Slice; result: Promise<Float32Array> }[] = [];
      for (const run of runs) {
        const { list, slice, after } = run;
        const { result } = await this.#loaded.runner.run(list, {
          ...partOfRun(examples, run),
          frame: this.#frame(slice, about),
          collects: call === "predict" || run === last,
          after,
        });
        if (list !== "update") submitted.push({ slice, result });
      }
      if (call === "train") this.#step++;
      return submitted;
    });
    const read = results.map(async ({ slice, result }) => ({ ...slice, values: await result }));
    return this.#explain(Promise.all(read));
  }

  /** Makes anew what is folded, if the list reads it and parameters have changed. */
  async #fold(list: StepListName, frame: Frame): Promise<void> {
    const reads = list === "evaluate" || list === "predict";
    if (reads && !this.#folded && this.program.steps.fold.length > 0) {
      await this.#loaded.runner.run("fold", { frame, collects: false });
    }
    this.#folded = reads;
  }

  #frame(
    slice: Slice,
    { training, count, manner }: { training: boolean; count: number; manner: Manner },
  ): Frame {
    return {
      batch: slice.count,
      slice: { first: slice.first, images: count },
      step: this.#step,
      since: this.#since,
      seed: this.#seed,
      training,
      optimizer: manner.optimizer,
      ...(manner.totals && { totals: manner.totals }),
    };
  }

  /** Gives `work` images that the caller cannot change meanwhile: a copy, unless the network may have them. */
  async #keeping<T>(
    images: Images,
    work: (own: Images) => Promise<T>,
    transfer = false,
  ): Promise<T> {
    const own = transfer ? images : this.#copies.ofImages(images);
    try {
      return await work(own);
    } finally {
      if (own !== images) this.#copies.release(own);
    }
  }

  #joined(parts: readonly Result[], count: number): Float32Array {
    if (parts.length === 1) return this.#withoutPitch(parts[0]!.values, parts[0]!.count);
    const result = new Float32Array(count * sizeOf(this.program.prediction.shape));
    for (const part of parts) {
      const values = this.#withoutPitch(part.values, part.count);
      result.set(values, part.first * (values.length / part.count));
    }
    return result;
  }

  #withoutPitch(values: Float32Array, count: number): Float32Array {
    const { shape, pitch } = this.program.prediction;
    const length = sizeOf(shape);
    if (length === pitch) return values;
    const result = new Float32Array(count * length);
    for (let image = 0; image < count; image++) {
      result.set(values.subarray(image * pitch, image * pitch + length), image * length);
    }
    return result;
  }

  /** Runs `work` when all earlier calls are submitted. */
  #enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#submitted.then(() => {
      this.#assertAlive();
      return work();
    });
    this.#submitted = turn.catch(() => undefined);
    return this.#explain(turn);
  }

  /** What WebGPU reports when a device goes away under a call is less helpful than what we know. */
  async #explain<T>(result: Promise<T>): Promise<T> {
    try {
      const value = await result;
      this.#assertAlive();
      return value;
    } catch (error) {
      if (!(error instanceof NetcError)) {
        await this.device.settled();
        this.#assertAlive();
      }
      throw error;
    }
  }

  #assertAlive(): void {
    if (this.#destroyed) throw new InputError("the network was destroyed: create another");
    this.device.assertUsable();
  }
}

/** Images as the runner takes them. */
const imageData = (images: Images) => (images instanceof Float32Array ? { images } : images);

function withSettings(base: OptimizerSettings, options: OptimizerOptions): OptimizerSettings {
  const { momentum, learningRate, weightDecay } = options;
  if (momentum !== undefined && !("momentum" in base)) {
    throw new InputError(`the optimizer ${base.kind} has no momentum`);
  }
  const settings = {
    learningRate: learningRate ?? base.learningRate,
    weightDecay: weightDecay ?? base.weightDecay,
  };
  for (const [name, value] of Object.entries(settings)) {
    assertNumber(value, { minimum: 0 }, `\`${name}\``);
  }
  if (momentum !== undefined) assertNumber(momentum, { minimum: 0, below: 1 }, "`momentum`");
  return { ...base, ...settings, ...(momentum !== undefined && { momentum }) };
}

const describePrefix = (prefix: string) =>
  `all names in the weights file begin with \`${prefix}\`, as PyTorch's wrappers write them: they were loaded without it`;

/** A count in a file's metadata. Throws WeightsError if it is none. */
function readCount(metadata: Readonly<Record<string, string>>, key: string): number | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 0xffffffff) return count;
  throw new WeightsError(`the file's \`${key}\` is no count: ${text}`);
}

/** The feature that programs of 16 bits need. */
const HALF = "shader-f16" as const;

/**
 * Opens a device and puts on it the one of the programs that suits it best. Throws NoAdapterError without a usable GPU,
 * DeviceLimitError or BatchTooLargeError if the network does not fit, InputError for wrong options.
 */
export async function openNetwork<
  Metric extends string,
  Name extends string,
  Target extends Targets = Labels,
>(
  programs: readonly Program[],
  options: NetworkOptions,
  findAdapter: AdapterProvider,
): Promise<Network<Metric, Name, Target>> {
  checkOptions(programs, options);
  const features = programs.some(({ precision }) => precision) ? [HALF] : ([] as const);
  const openDevice = async () => Device.open(await findAdapter(options.adapter), features);
  const device = options.device ? Device.borrow(options.device) : await openDevice();
  const again = options.device ? undefined : openDevice;
  try {
    const program = chooseProgram(programs, device.summary);
    if (features.length > 0 && !program.precision) {
      const warn: NonNullable<NetworkOptions["onWarning"]> = options.onWarning ?? console.warn;
      await warn(`${device.summary.name} has no \`${HALF}\`: this network runs in f32, not f16`);
    }
    return await Network.create(program, device, options, again);
  } catch (error) {
    device.release();
    throw error;
  }
}

function checkOptions(programs: readonly Program[], options: NetworkOptions): void {
  assertKnown(options, NETWORK_OPTIONS, "createNetwork");
  assertInteger(options.batch ?? DEFAULT_BATCH, 1, "`batch`");
  assertInteger(options.accumulate ?? 1, 1, "`accumulate`");
  assertInteger(options.seed ?? 0, 0, "`seed`");
  if (programs.length === 0) {
    throw new InputError(
      "there are no programs: what `compile` found wrong is in its `diagnostics`",
    );
  }
  for (const { format } of programs as readonly { readonly format: number }[]) {
    if (format !== PROGRAM_FORMAT) {
      throw new InputError(
        `this module has format ${format}, and this runtime reads ${PROGRAM_FORMAT}: ` +
          "compile it again",
      );
    }
  }
}
