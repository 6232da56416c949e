/** Runs a call's examples through step lists, slice by slice. */
import type { OptimizerSettings, Program } from "../program/program.js";
import {
  withSettings,
  type CallExamples,
  type InspectionExamples,
  type NetworkOptions,
  type OptimizerOptions,
  type SharedStep,
  type StepOptions,
} from "./calls.js";
import type { Copies } from "./copies.js";
import { tensorsOf } from "../program/tensors.js";
import {
  checkInputs,
  checkTargets,
  rowsOf,
  type Checkable,
  type Targets,
  type TensorData,
} from "./examples.js";
import type { Frame } from "./frame.js";
import type { InspectableRun, InspectionParts } from "./inspection.js";
import type { CapturedPictures, Given } from "./pictures/picture.js";
import { readMeasurement, totalsOf, type Measurement } from "./measurement.js";
import { assertInteger } from "./options.js";
import type { Phases } from "./phases.js";
import type { Queue } from "./queue.js";
import type { Work } from "./runner.js";
import type { StepListName } from "./schedule.js";
import {
  joinSlices,
  partOfRun,
  runsOf,
  type Call,
  type InspectedCall,
  type ListRun,
  type Slice,
} from "./slices.js";

export interface SteppingOptions extends OptimizerOptions {
  readonly onWarning: NonNullable<NetworkOptions["onWarning"]>;
  /** The most examples of a call. */
  readonly batch: number;
  readonly copies: Copies;
}

/** What a slice left: predictions in the program's order, or metrics. */
type SliceResults = Slice & { readonly values: readonly Float32Array[] };

/** The examples of a call, checked, as the device takes them. */
export type Data = Partial<Omit<Work, "frame" | "collects">>;

/** The same with its pictures, which are read and prepared in the call's turn. */
type GivenData = Data & { readonly pictures?: CapturedPictures };

interface Examples {
  readonly count: number;
  readonly data: GivenData;
  /** What the program's class totals come to over the call's examples. */
  readonly totals: readonly number[];
}

/** What the frames of a call's runs have in common; a step that networks share is one of them. */
export interface FrameParts extends Partial<SharedStep> {
  readonly training: boolean;
  /** Examples of the call. */
  readonly count: number;
  readonly optimizer?: OptimizerSettings | undefined;
  /** The phases' unless given. */
  readonly step?: number;
}

/** The runs that a call is inspected by. */
type ChooseRuns = (parts: FrameParts) => Promise<readonly ListRun[]>;

/** Of a network that has no examples in a shared step. */
const NO_EXAMPLES: Examples = { count: 0, data: {}, totals: [] };

export class Stepping {
  private readonly queue: Queue;
  readonly phases: Phases;
  private readonly batch: number;
  private readonly optimizer: OptimizerSettings;
  private readonly copies: Copies;
  private readonly onWarning: SteppingOptions["onWarning"];
  /** Whether an array was looked at. */
  private isWatched = false;

  constructor(
    queue: Queue,
    phases: Phases,
    { batch, copies, onWarning, ...settings }: SteppingOptions,
  ) {
    this.onWarning = onWarning;
    this.copies = copies;
    this.queue = queue;
    this.phases = phases;
    this.batch = batch;
    this.optimizer = withSettings(phases.loaded.program.optimizer, settings);
  }

  private get program(): Program {
    return this.phases.loaded.program;
  }

  /** Fills parameters from their initializers; averages begin with them. */
  async initialize(): Promise<void> {
    const { loaded } = this.phases;
    const { steps, parameters } = loaded.program;
    await this.queue.enqueue(async () => {
      await loaded.parameters.allocate(parameters, "value");
      loaded.isFolded = false;
      const frame = this.frame({ first: 0, count: 1 }, { training: false, count: 1 });
      const work = { frame, collects: false };
      await loaded.runner.run("initialize", work);
      if (steps.average.length > 0) await loaded.runner.run("average", work);
    });
    await this.queue.explain(this.queue.device.gpu.queue.onSubmittedWorkDone());
  }

  /** The loss and metrics of a training step or an evaluation, as sums with their weights. */
  async measure(
    call: "train" | "evaluate",
    { images, targets }: InspectionExamples,
    { accumulate = 1, transfer, share, ...settings }: StepOptions = {},
  ): Promise<Measurement> {
    assertInteger(accumulate, 1, "`accumulate`");
    const optimizer = withSettings(this.optimizer, settings);
    return this.copies.keeping(images, transfer, async (own) => {
      const { program } = this;
      const examples = share?.isEmpty ? NO_EXAMPLES : this.examplesOf(call, own, targets);
      const { count, totals } = examples;
      const parts = {
        training: call === "train",
        count,
        images: count,
        totals,
        optimizer,
        ...share,
      };
      const results = await this.run(call, examples, parts, accumulate);
      if (call === "train" && program.turns)
        return (await import("./turns.js")).measureTurns(program, results, parts, readMeasurement);
      return readMeasurement(program.sums[call], results.at(-1)!.values[0]!, parts);
    });
  }

  /** The model's output: images x values, row-major; by name where there are several. */
  predict(images: Given): Promise<Float32Array | Readonly<Record<string, Float32Array>>> {
    return this.copies.keeping(images, false, async (own) => {
      const examples = this.examplesOf("predict", own);
      const count = rowsOf(this.program, examples);
      const parts = await this.run("predict", { ...examples, count }, { training: false, count });
      const outputs = tensorsOf(this.program, "prediction").map((tensor, place) => {
        const slices = parts.map((part) => ({ ...part, values: part.values[place]! }));
        return [tensor.name, joinSlices(tensor, slices, count)] as const;
      });
      const values = outputs.length > 1 ? Object.fromEntries(outputs) : outputs[0]![1];
      if (count === examples.count) return values;
      const { averageViews } = await import("./evaluation/average-views.js");
      return averageViews(values, count / examples.count, this.program);
    });
  }

  /** Hands `visit` one run of a step list, on examples that fit the device. */
  inspect<Result>(
    list: StepListName,
    examples: InspectionExamples,
    visit: (parts: InspectionParts) => Promise<Result>,
  ): Promise<Result> {
    return this.visiting(list, examples, { most: this.phases.slice }, ([run]) =>
      run!.begin().then(visit),
    );
  }

  /** Hands `visit` the runs of a call, in order. */
  inspectCall<Result>(
    call: InspectedCall,
    examples: CallExamples,
    visit: (runs: readonly InspectableRun[]) => Promise<Result>,
  ): Promise<Result> {
    const runs: ChooseRuns = (parts) => this.runsOf(call, parts, examples.accumulate);
    return this.visiting(call, examples, { runs }, visit);
  }

  private visiting<Result>(
    list: StepListName,
    { images, targets, optimizer = {}, frame }: CallExamples,
    { most, runs }: { readonly most?: number; readonly runs?: ChooseRuns },
    visit: (runs: readonly InspectableRun[]) => Promise<Result>,
  ): Promise<Result> {
    return this.copies.keeping(images, false, (own) => {
      const examples = this.examplesOf(list, own, targets, most);
      const { count, totals } = examples;
      const training = list !== "evaluate" && list !== "predict";
      const settings = withSettings(this.optimizer, optimizer);
      const parts = { training, count, totals, optimizer: settings, ...frame };
      return this.queue.enqueue(async () => {
        const data = await this.dataOf(examples);
        const { beginning } = await import("./begin-run.js");
        const own = { list, parts, data, runs: await runs?.(parts) };
        return visit(await beginning(this, own, partOfRun));
      });
    });
  }

  /**
   * Submits a call's runs in its turn, and waits for its results while later calls are submitted.
   * The results are a prediction each slice, or the metrics of all of them with the last.
   */
  private async run(
    call: Call,
    examples: Examples,
    parts: FrameParts,
    atLeast?: number,
  ): Promise<readonly SliceResults[]> {
    const { count } = examples;
    const results = await this.queue.enqueue(async () => {
      // In its turn: a phase of training that begins before it has other lists.
      const runs = await this.runsOf(call, parts, atLeast);
      const { loaded } = this.phases;
      const data = await this.dataOf(examples);
      await this.fold(call, this.frame({ first: 0, count }, parts));
      const submitted: { slice: Slice; result: Promise<readonly Float32Array[]> }[] = [];
      for (const run of runs) {
        const { list, slice, after, collects } = run;
        const frame = this.frame(slice, { ...parts, ...run });
        const own = partOfRun(data, run, examples.count);
        const work = { ...own, frame, collects, after };
        const { result } = await (parts.run?.(loaded, list, work) ?? loaded.runner.run(list, work));
        if (collects || parts.run) submitted.push({ slice, result });
      }
      if (call === "train") this.phases.step++;
      return submitted;
    });
    const read = results.map(async ({ slice, result }) => ({ ...slice, values: await result }));
    return this.queue.explain(Promise.all(read));
  }

  /** What the runs of a call upload, once its pictures are prepared. */
  private async dataOf({ count, data: { pictures, ...data } }: Examples): Promise<Data> {
    return pictures ? { ...data, ...(await pictures.prepare(this.phases.loaded, count)) } : data;
  }

  /** Folds parameters again, if the list reads what is folded and they have changed. */
  async fold(list: StepListName, frame: Frame): Promise<void> {
    const { loaded } = this.phases;
    const { program } = loaded;
    const reads = list === "evaluate" || list === "predict";
    if (reads && !loaded.isFolded && program.steps.fold.length > 0) {
      if (program.measured) (await import("./measured.js")).assertMeasured(loaded, frame);
      await loaded.runner.run("fold", { frame, collects: false });
    }
    loaded.isFolded = reads;
  }

  frame(slice: Slice, parts: FrameParts): Frame {
    const { count, first = 0, images = count, optimizer = this.optimizer } = parts;
    const { step, since, seed } = this.phases;
    return {
      step,
      ...parts,
      batch: slice.count,
      first: first + slice.first,
      images,
      isFirst: slice.first === 0,
      isLast: slice.first + slice.count === count,
      since,
      seed,
      optimizer,
    };
  }

  /** Checks the examples of a call of at most `most`, and copies their targets. */
  private examplesOf(
    list: StepListName,
    images: Checkable,
    targets?: Targets,
    most = this.batch,
  ): Examples {
    const { count, data } = checkInputs(this.program, images, most, list);
    this.watch(data[0]);
    if (list === "predict") return { count, data, totals: [] };
    const training = list !== "evaluate";
    const compared = checkTargets(this.program, targets, { images: count, training });
    return { count, data: { ...data, ...compared }, totals: totalsOf(this.program, compared) };
  }

  /** Looks at the first array that is not all zeros, with which pages may compile kernels. */
  private watch(values: TensorData[number] | undefined): void {
    if (this.isWatched || !values?.some(Boolean)) return;
    this.isWatched = true;
    const first = values.slice(0, 4096) as Float32Array;
    void import("./misuse.js").then((misuse) =>
      misuse.warnOfMisuse(this.program, first, this.onWarning),
    );
  }

  private async runsOf(
    call: InspectedCall,
    { count, run, optimizer }: FrameParts,
    atLeast?: number,
  ): Promise<readonly ListRun[]> {
    const { program } = this;
    const { steps, turns } = program;
    const most = this.phases.slice;
    // The update of a shared step waits for the sums of others, as it does for those of slices.
    const batch = run ? Infinity : this.batch;
    const runs = runsOf(call, count, { steps, most, batch, atLeast });
    if (call !== "train" || !turns) return runs;
    return (await import("./turns.js")).inTurns(runs, program, optimizer);
  }
}
