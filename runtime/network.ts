/** A compiled program running on a device: the network that users train and run. */
import type { Program, ProgramParameter } from "../program/program.js";
import {
  DEFAULT_BATCH,
  READ_OPTIONS,
  STEP_OPTIONS,
  type CallExamples,
  type ClassifyOptions,
  type InspectionExamples,
  type LoadOptions,
  type Metadata,
  type Metrics,
  type NetworkOptions,
  type ParameterInfo,
  type ReadOptions,
  type SaveOptions,
  type StepOptions,
  type WeightsSource,
} from "./calls.js";
import type { Copies } from "./copies.js";
import type { Images } from "./data/dataset.js";
import type { AdapterSummary, Device } from "./device.js";
import type { Inputs, Labels, Targets } from "./examples.js";
import type { InspectableRun, InspectionParts } from "./inspection.js";
import { meansOf, type Measurement } from "./measurement.js";
import type { MemoryUse } from "./memory.js";
import { assertInteger, assertKnown } from "./options.js";
import { ownValues } from "./parameters.js";
import { Phases } from "./phases.js";
import type { Classification } from "./pictures/classify.js";
import type { Given, Picture, Pictures } from "./pictures/picture.js";
import { Queue } from "./queue.js";
import { importFile, Saving } from "./saving.js";
import type { StepListName } from "./schedule.js";
import type { InspectedCall } from "./slices.js";
import { Stepping } from "./stepping.js";

export interface OpenOptions extends NetworkOptions {
  readonly copies: Copies;
}

/**
 * A network on a device. Calls run in the order they are made, each on its arguments as they were
 * when it was made. Every method but `destroy` rejects with InputError for wrong arguments and
 * after `destroy`, and with DeviceLostError once the device is lost.
 */
export class Network<
  Metric extends string = string,
  Name extends string = string,
  /** What `step` and `evaluate` take in addition to the images. */
  Target extends Targets = Labels,
  Input extends Inputs = Images,
  /** What `predict` returns: by name where the model has several outputs. */
  Output = Float32Array,
  /** Names of the classes. */
  Class extends string = string,
  /** What `predict` takes: of several inputs those that the outputs depend on. */
  Predicted extends Inputs = Input,
> {
  readonly adapter: AdapterSummary;
  /** The most examples of one call. */
  readonly batch: number;
  private readonly queue: Queue;
  private readonly phases: Phases;
  private readonly stepping: Stepping;
  private readonly saving: Saving;

  private constructor(
    program: Program,
    private device: Device,
    options: OpenOptions,
    /** Opens another device like the first; absent where the device is the user's own. */
    openDevice: (() => Promise<Device>) | undefined,
  ) {
    const { batch = DEFAULT_BATCH, onWarning = console.warn } = options;
    this.adapter = device.summary;
    this.batch = batch;
    this.queue = new Queue(device, openDevice);
    this.phases = new Phases(program, device, { ...options, batch, layout: importFile });
    this.stepping = new Stepping(this.queue, this.phases, { ...options, batch, onWarning });
    this.saving = new Saving(this.queue, this.phases, onWarning);
  }

  /** A network with its parameters filled from their initializers. */
  static async create<
    Metric extends string,
    Name extends string,
    Target extends Targets,
    Input extends Inputs,
    Output,
    Class extends string,
  >(
    program: Program,
    device: Device,
    options: OpenOptions,
    openDevice?: () => Promise<Device>,
  ): Promise<Network<Metric, Name, Target, Input, Output, Class>> {
    const network = new Network<Metric, Name, Target, Input, Output, Class>(
      program,
      device,
      options,
      openDevice,
    );
    try {
      await network.stepping.initialize();
      return network;
    } catch (error) {
      network.phases.loaded.memory.destroy();
      throw error;
    }
  }

  /** The program of the present phase of training. */
  get program(): Program {
    return this.phases.loaded.program;
  }

  get parameters(): readonly ParameterInfo<Name>[] {
    return this.program.parameters as readonly (ProgramParameter & { name: Name })[];
  }

  /** The most examples on the device at a time: a call with more of them is split into slices. */
  get slice(): number {
    return this.phases.slice;
  }

  /**
   * One step of training on 1 to `batch` examples: forward, loss, backward, update. Several inputs
   * or targets come by name: `step({ left, right }, { label })`. `images` is
   * NCHW, preprocessed, or bytes that the device prepares (`loadBatches` makes them), or pictures,
   * which go through the transforms of the eval split; `targets` are
   * labels, or numbers in the order of the model's target, or nothing where the loss is of the
   * images themselves. Resolves to the loss and the metrics before the update. More than `slice`
   * examples are split into slices: only the order of sums changes, and the statistics of batch
   * normalization, which are then each slice's own.
   */
  async step(
    images: Input | Pictures,
    targets: Target,
    options: StepOptions = {},
  ): Promise<Metrics<Metric>> {
    return meansOf(await this.measureStep(images, targets, options)) as Metrics<Metric>;
  }

  /** A step as `step` does it, whose loss and metrics come as sums with their weights. */
  async measureStep(
    images: Input | Pictures,
    targets: Target,
    options: StepOptions = {},
  ): Promise<Measurement> {
    assertKnown(options, STEP_OPTIONS, "step");
    return this.stepping.measure("train", { images, targets }, options);
  }

  /** Loss and metrics of 1 to `batch` examples; nothing is changed, dropout is off. */
  async evaluate(images: Input | Pictures, targets: Target): Promise<Metrics<Metric>> {
    return meansOf(await this.measure(images, targets)) as Metrics<Metric>;
  }

  /** The same as sums with their weights, for means over several calls. */
  async measure(images: Input | Pictures, targets: Target): Promise<Measurement> {
    return this.stepping.measure("evaluate", { images, targets });
  }

  /** The model's outputs for 1 to `batch` images: images x values, row-major. */
  async predict(images: Predicted | Pictures): Promise<Output> {
    return (await this.stepping.predict(images)) as Output;
  }

  /**
   * The most probable classes of a picture, or of each picture of a list. Probabilities are the
   * softmax of logits, or what a model that ends in `softmax` gives. Throws InputError for a model
   * whose output holds no scores of classes.
   */
  classify(
    picture: Picture | Float32Array,
    options?: ClassifyOptions,
  ): Promise<readonly Classification<Class>[]>;
  classify(
    pictures: readonly Picture[],
    options?: ClassifyOptions,
  ): Promise<readonly (readonly Classification<Class>[])[]>;
  async classify(given: Given, options: ClassifyOptions = {}): Promise<unknown> {
    // Together: a prediction that fails while the file loads must not be an unhandled rejection.
    const [output, { rank }] = await Promise.all([
      this.predict(given as Predicted),
      import("./pictures/classify.js"),
    ]);
    return rank(this, { given, output, options });
  }

  /** Names of the classes, in the order of the outputs, where weights or module name them. */
  get classes(): readonly Class[] | undefined {
    return this.phases.classes as readonly Class[] | undefined;
  }

  /** A parameter's values in PyTorch's order. */
  async read(name: Name, options: ReadOptions = {}): Promise<Float32Array> {
    assertKnown(options, READ_OPTIONS, "read");
    const { of = "value" } = options;
    const parameter = this.phases.loaded.parameters.find(name);
    return this.queue.enqueue(() => this.phases.loaded.parameters.read(parameter, of));
  }

  /** Replaces a parameter's values, given in PyTorch's order, and its average. */
  async write(name: Name, values: Float32Array): Promise<void> {
    const parameter = this.phases.loaded.parameters.find(name);
    const own = ownValues(parameter, values);
    await this.queue.enqueue(() => this.phases.loaded.write(parameter, own));
  }

  /**
   * The parameters as a safetensors file, their averages where the program keeps them; with
   * `optimizer: true`, all that is needed to continue training: the parameters themselves, and
   * their averages under separate names.
   */
  async save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.saving.save(options);
  }

  /**
   * Loads what `save` made, or any safetensors file with the same names and shapes: its bytes, a
   * URL or a Response. Resolves to the file's metadata. Throws WeightsError, and changes nothing,
   * if the file is broken, cannot be had, or belongs to another network.
   */
  async load(source: WeightsSource, options: LoadOptions = {}): Promise<Metadata> {
    return this.saving.load(source, options);
  }

  /**
   * For tools: hands `visit` a step list, ready to be run one dispatch at a time (inspection.ts).
   * Other calls wait for the promise that it returns.
   */
  async inspect<Result>(
    list: StepListName,
    examples: InspectionExamples,
    visit: (parts: InspectionParts) => Promise<Result>,
  ): Promise<Result> {
    return this.stepping.inspect(list, examples, visit);
  }

  /**
   * For tools: hands `visit` the runs that a call of 1 to `batch` images takes, in order, each to
   * be begun and then run one dispatch at a time. Other calls wait for the promise that it returns.
   */
  async inspectCall<Result>(
    call: InspectedCall,
    examples: CallExamples,
    visit: (runs: readonly InspectableRun[]) => Promise<Result>,
  ): Promise<Result> {
    return this.stepping.inspectCall(call, examples, visit);
  }

  /** The phase of training, from 0: each stage of a recipe's `unfreeze` begins another. */
  get phase(): number {
    return this.phases.current;
  }

  /**
   * Trains the weights of another phase from now on. Weights, averages and the step stay; the
   * optimizer starts again, as a new one in PyTorch. Throws InputError if there is no such phase.
   */
  async enterPhase(phase: number): Promise<void> {
    await this.queue.enqueue(() => this.phases.enter(phase));
  }

  /** Training steps done. Dropout depends on it, so a resumed run sets it. */
  get stepCount(): number {
    return this.phases.step;
  }

  setStep(step: number): void {
    assertInteger(step, 0, "the step");
    this.phases.step = step;
  }

  get seed(): number {
    return this.phases.seed;
  }

  /**
   * Bytes on the device; grows with the first step, evaluation and prediction, then never again.
   */
  get memory(): MemoryUse {
    return this.phases.loaded.memory.use;
  }

  /** Whether `reopen` can be called: not with a device of the user's own. */
  get canReopen(): boolean {
    return this.queue.canReopen;
  }

  /**
   * Continues on another device after one was lost, with initial parameters: `load` brings back
   * what `save` kept. Throws NoAdapterError where there is none, and InputError where the device is
   * the user's own.
   */
  async reopen(): Promise<void> {
    this.queue.assertCanReopen();
    this.phases.loaded.memory.destroy();
    this.device = await this.queue.reopen();
    this.phases.restart(this.device);
    await this.stepping.initialize();
  }

  /** Frees the device's memory, so that the process can end. Calls under way reject. */
  destroy(): void {
    if (this.queue.isDestroyed) return;
    this.phases.loaded.memory.destroy();
    this.queue.destroy();
  }
}

/** What `inspectable` replaces in modules that were compiled with `--inspect`. */
async function notInspectable(this: Network): Promise<never> {
  throw (await import("./not-inspectable.js")).notInspectable(this.program);
}

Object.assign(Network.prototype, { activations: notInspectable, attribution: notInspectable });
