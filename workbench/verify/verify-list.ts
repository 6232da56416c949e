/**
 * A step list held against the references, node by node, each on what the device itself gave it to
 * read.
 */
import { changesOf, isUpdate, readsOf } from "../../compiler/ir/fusion.js";
import { portsOf, type Port, type Value } from "../../compiler/ir/graph.js";
import { isActivation } from "../../compiler/layout/choose-layouts.js";
import type { StepDraft } from "../../compiler/lower/step-draft.js";
import { tensorsOf } from "../../program/tensors.js";
import type { ProgramTensor } from "../../program/program.js";
import type { ReferenceContext, Tensor } from "../../compiler/ops/op.js";
import { tensorSize } from "../../compiler/ops/tensors.js";
import { checkNode } from "./check-node.js";
import { sampledReads } from "./check-update.js";
import { Comparison, compareTensors, type Finding } from "./comparison.js";
import { isHalf } from "../../compiler/plan/plan.js";
import type { WrittenList, WrittenNode } from "../../compiler/write/lists.js";
import type { WrittenProgram } from "../../compiler/write/program.js";
import { inspecting, type Inspection } from "../../runtime/inspection.js";
import type { Network } from "../../runtime/network.js";
import type { Examples } from "../random-examples.js";
import { DeviceTensors } from "./device-tensors.js";
import {
  addTallies,
  tallyOf,
  type Checked,
  type CheckOptions,
  type Divergence,
  type Tally,
} from "./tally.js";

export type WrittenListName = keyof WrittenProgram["lists"];

export interface VerifyOptions extends CheckOptions {
  /** Kernels with their constants that were found right before: they are not checked again. */
  readonly known: Set<string>;
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * The nodes to check, all unless given, and what comes before and after them; the others run all
   * the same.
   */
  readonly only?: (written: WrittenNode) => boolean;
  /**
   * Called with what diverges; returns whether to continue checking. Checking ends if absent.
   */
  readonly onDivergence?: (written: WrittenNode, divergence: Divergence) => boolean;
}

export function verifyList(
  network: Network,
  written: Pick<WrittenProgram, "lists">,
  list: WrittenListName,
  examples: Examples,
  options: VerifyOptions,
): Promise<Tally> {
  const training = list !== "evaluate" && list !== "predict";
  const { seed, stepCount: step, program } = network;
  const turn = /\d+$/.exec(list)?.[0];
  const optimizer = turn ? program.turns![Number(turn) - 1]! : program.optimizer;
  const common = { seed, step, training, optimizer };
  const visit = (inspection: Inspection) => {
    const context: ReferenceContext = { ...common, batch: inspection.batch };
    const settings = { list, context, examples, options };
    return new ListCheck(network, written.lists[list]!, inspection, settings).run();
  };
  return network.inspect(list, examples, inspecting(visit));
}

/**
 * The parts that a list is checked in: bringing in the batch, each node, taking out the prediction.
 */
export const stagesOf = ({ nodes }: WrittenList): number => nodes.length + 2;

interface CheckSettings {
  readonly list: WrittenListName;
  readonly context: ReferenceContext;
  readonly examples: Examples;
  readonly options: VerifyOptions;
}

/** Steps of a list from `first` up to `end`, and what is to be found after them. */
interface Stage {
  readonly first: number;
  readonly end: number;
  readonly written?: WrittenNode;
  /** Runs the steps and looks at what they leave. */
  check(): Promise<Finding>;
}

class ListCheck {
  private readonly device: DeviceTensors;
  /** What values hold, as long as any is still to be read. */
  private readonly tensors = new Map<number, Tensor>();
  private readonly lastReader = new Map<number, number>();
  /** Of each step of the list for any batch, its place among those for this one. */
  private readonly places: readonly number[];

  constructor(
    private readonly network: Network,
    private readonly list: WrittenList,
    private readonly inspection: Inspection,
    private readonly settings: CheckSettings,
  ) {
    this.device = new DeviceTensors(list, inspection);
    const kept = new Set(inspection.steps);
    let place = 0;
    this.places = network.program.steps[settings.list]!.map((step) =>
      kept.has(step) ? place++ : place,
    ).concat(inspection.steps.length);
  }

  /** Runs the list up to the last stage that is not known to be right. */
  async run(): Promise<Tally> {
    const { known, onProgress } = this.settings.options;
    const stages = this.stages();
    const due = stages.slice(0, stages.findLastIndex((stage) => this.isDue(stage)) + 1);
    this.noteReaders(due);
    let tally: Tally = { kernels: 0, values: 0 };
    for (const [index, stage] of due.entries()) {
      if (this.isDue(stage)) {
        const found = await this.visit(stage);
        tally = addTallies(tally, found);
        if (!found.divergence) known.add(this.keyOf(stage));
        else if (!this.continuesAfter(stage, found.divergence)) return tally;
      } else this.runSteps(stage);
      this.forget(index);
      onProgress?.(index + 1, stages.length);
    }
    onProgress?.(stages.length, stages.length);
    return tally;
  }

  /** Runs and checks the kernels of a stage. */
  private async visit(stage: Stage): Promise<Tally> {
    const finding = await stage.check();
    const result = { ...this.describe(stage), ...finding };
    this.settings.options.onChecked?.(result);
    return tallyOf(result, this.kernelsOf(stage));
  }

  private continuesAfter({ written }: Stage, divergence: Divergence): boolean {
    const { continues = false, onDivergence } = this.settings.options;
    return (written && onDivergence?.(written, divergence)) ?? continues;
  }

  private stages(): readonly Stage[] {
    const { nodes, steps } = this.list;
    const first = nodes[0]?.first ?? 0;
    const last = nodes.at(-1)?.end ?? first;
    return [
      { first: 0, end: first, check: () => this.checkImport(first) },
      ...nodes.map((written) => ({ ...written, written, check: () => this.checkNode(written) })),
      { first: last, end: steps.length, check: () => this.checkExport(last) },
    ];
  }

  private isDue(stage: Stage): boolean {
    const { known, only } = this.settings.options;
    const isWanted = !only || (stage.written !== undefined && only(stage.written));
    return isWanted && this.kernelsOf(stage) > 0 && !known.has(this.keyOf(stage));
  }

  /** Those of its list, or those that have run before it. */
  private kernelsOf({ first, end, written }: Stage): number {
    return written?.folded?.length ?? this.placeOf(end) - this.placeOf(first);
  }

  private stepsOf({ first, end, written }: Stage): readonly StepDraft[] {
    return written?.folded ?? this.list.steps.slice(first, end);
  }

  private placeOf(step: number): number {
    return this.places[step]!;
  }

  private runSteps({ first, end }: Pick<Stage, "first" | "end">): void {
    const [from, to] = [this.placeOf(first), this.placeOf(end)];
    if (to > from) this.inspection.run(from, to);
  }

  /** The uploaded batch, where its readers want it. */
  private async checkImport(end: number): Promise<Finding> {
    this.runSteps({ first: 0, end });
    const { graph } = this.list.plan;
    const isDrawn = ({ distribution }: Port) => distribution && this.settings.list !== "predict";
    const imported = graph.inputs.filter((port) => isActivation(port.value) && !isDrawn(port));
    const inputs = portsOf(graph, "input");
    const comparison = new Comparison(this.halvesOf(inputs).halves);
    for (const port of imported) {
      const data = this.givenFor(port);
      const actual = await this.tensorOf(port.value);
      compareTensors(comparison, port.value, { expected: { shape: actual.shape, data }, actual });
    }
    return comparison.finding;
  }

  /** What the examples hold for a tensor. */
  private givenFor({ role, name }: Port): Float32Array {
    const { images, targets } = this.settings.examples;
    const given = role === "input" ? images : targets;
    if (given instanceof Float32Array) return given;
    return (given as Readonly<Record<string, Float32Array>>)[name]!;
  }

  private async checkNode({ node, first, end }: WrittenNode): Promise<Finding> {
    // What the optimizer keeps begins with zeros, and counts from the second time on.
    if (isUpdate(node)) this.runSteps({ first, end });
    const sampled = sampledReads(node, this.inspection.batch);
    const tensorOf = async (value: Value) => {
      const places = sampled.get(value);
      const tensor = places ? this.device.gather(value, places) : this.tensorOf(value);
      return [value, await tensor] as const;
    };
    const read = new Map(await Promise.all([...new Set(readsOf(node))].map(tensorOf)));
    this.runSteps({ first, end });
    const changes = changesOf(node);
    for (const { id } of changes) this.tensors.delete(id);
    const changed = new Map(await Promise.all(changes.map(tensorOf)));
    const inputs = node.inputs.map((value) => read.get(value)!);
    const outputs = await Promise.all(node.outputs.map((output) => this.device.read(output)));
    node.outputs.forEach((output, place) => {
      if (outputs[place]) this.tensors.set(output.id, outputs[place]);
    });
    const values = { inputs, read, outputs, changed, ...this.halvesOf(node.outputs) };
    return checkNode(node, values, this.settings.context);
  }

  /** In a program of mixed precision, those of some values that are stored in 16 bits. */
  private halvesOf(values: readonly Value[]): { readonly halves?: ReadonlySet<Value> } {
    if (!this.network.program.precision) return {};
    return { halves: new Set(values.filter((value) => isHalf(this.list.plan, value))) };
  }

  /** The predictions, where a caller wants them. */
  private async checkExport(first: number): Promise<Finding> {
    this.runSteps({ first, end: this.list.steps.length });
    const tensors = tensorsOf(this.network.program, "prediction");
    const comparison = new Comparison();
    for (const [index, { value }] of this.list.plan.graph.outputs.entries()) {
      const expected = await this.tensorOf(value);
      const data = await this.exported(tensors[index]!, expected);
      compareTensors(comparison, value, { expected, actual: { shape: expected.shape, data } });
    }
    return comparison.finding;
  }

  private async exported({ shape, pitch, buffer }: ProgramTensor, { data }: Tensor) {
    const packed = await this.inspection.read(buffer);
    const size = tensorSize(shape);
    return data.map((_, index) => packed[Math.floor(index / size) * pitch! + (index % size)]!);
  }

  /**
   * What was found when it was made, so that memory which is used again too early shows in its
   * reader; else what there is now.
   */
  private async tensorOf(value: Value): Promise<Tensor> {
    const tensor = this.tensors.get(value.id) ?? (await this.device.read(value));
    if (!tensor) throw new Error(`${value.name} is read and not stored`);
    this.tensors.set(value.id, tensor);
    return tensor;
  }

  /** Which of the stages is the last to read the whole of a value. */
  private noteReaders(stages: readonly Stage[]): void {
    for (const [index, stage] of stages.entries()) {
      if (!stage.written) {
        for (const { value } of this.list.plan.graph.outputs) this.lastReader.set(value.id, index);
      } else if (this.isDue(stage)) {
        const { node } = stage.written;
        const sampled = sampledReads(node, this.inspection.batch);
        for (const value of readsOf(node))
          if (!sampled.has(value)) this.lastReader.set(value.id, index);
      }
    }
  }

  private forget(index: number): void {
    for (const id of this.tensors.keys()) {
      if ((this.lastReader.get(id) ?? 0) <= index) this.tensors.delete(id);
    }
  }

  private keyOf(stage: Stage): string {
    return JSON.stringify(
      this.stepsOf(stage).map(({ kernel, constants, workgroups }) => [
        kernel.wgsl,
        constants,
        workgroups,
      ]),
    );
  }

  private describe(stage: Stage): Checked {
    const steps = this.stepsOf(stage);
    const { label, origin } = steps[0]!;
    return {
      list: this.settings.list,
      name: label,
      layer: origin.name,
      line: origin.span.start.line,
      kernels: [...new Set(steps.map(({ kernel }) => kernel.name))],
    };
  }
}
