/** A step list held against the references, node by node, each on what the device itself gave it to read. */
import type { AnyNode, Value } from "../../compiler/ir/graph.js";
import { changedInputs, checkNode, type Deviation } from "../../compiler/verify/check-node.js";
import type { ReferenceContext, Tensor } from "../../compiler/ops/op.js";
import type { TracedList, TracedNode, TracedProgram } from "../../compiler/trace.js";
import type { Inspection } from "../../runtime/inspection.js";
import type { Network } from "../../runtime/network.js";
import type { Examples } from "../random-examples.js";
import { DeviceTensors } from "./device-tensors.js";

export type VerifiedList = keyof TracedProgram["lists"];

/** What is wrong first, in the order in which kernels run. */
export interface Divergence {
  readonly list: VerifiedList;
  /** What is computed: `features.conv1 forward`. */
  readonly name: string;
  readonly layer: string;
  readonly line: number;
  /** The names of the kernels that computed it. */
  readonly kernels: readonly string[];
  readonly deviation: Deviation;
}

export interface Tally {
  /** Dispatches whose results were checked, and elements that were compared. */
  kernels: number;
  values: number;
  readonly divergence?: Divergence;
}

export interface VerifyOptions {
  /** Kernels with their constants that were found right before: they are not checked again. */
  readonly known: Set<string>;
  readonly onProgress?: (done: number, total: number) => void;
  /** The nodes to check, all unless given; the others run all the same. */
  readonly only?: (traced: TracedNode) => boolean;
  /** Hears of what diverges, and whether checking should go on is its answer; it ends unless given. */
  readonly onDivergence?: (traced: TracedNode, divergence: Divergence) => boolean;
}

export function verifyList(
  network: Network,
  traced: Pick<TracedProgram, "lists">,
  list: VerifiedList,
  examples: Examples,
  options: VerifyOptions,
): Promise<Tally> {
  const context: ReferenceContext = {
    ...{ seed: network.seed, step: network.stepCount, training: list === "train" },
    optimizer: network.program.optimizer,
  };
  return network.inspect(list, examples, (inspection) =>
    new ListCheck(network, traced.lists[list]!, inspection, { list, context, options }).run(),
  );
}

interface CheckSettings {
  readonly list: VerifiedList;
  readonly context: ReferenceContext;
  readonly options: VerifyOptions;
}

class ListCheck {
  private readonly device: DeviceTensors;
  /** What values hold, as long as somebody is to read them. */
  private readonly tensors = new Map<number, Tensor>();
  private readonly lastReader = new Map<number, number>();
  /** Of each step of the list for any batch, its place among those for this one. */
  private readonly places: readonly number[];

  constructor(
    private readonly network: Network,
    private readonly list: TracedList,
    private readonly inspection: Inspection,
    private readonly settings: CheckSettings,
  ) {
    this.device = new DeviceTensors(list, inspection);
    list.nodes.forEach(({ node }, index) => {
      for (const { id } of [...node.inputs, ...node.outputs]) this.lastReader.set(id, index);
    });
    const kept = new Set(inspection.steps);
    let place = 0;
    this.places = network.program.steps[settings.list]
      .map((step) => (kept.has(step) ? place++ : place))
      .concat(inspection.steps.length);
  }

  async run(): Promise<Tally> {
    const { nodes } = this.list;
    const tally: Tally = { kernels: 0, values: 0 };
    this.runSteps(0, nodes[0]?.first ?? 0);
    for (const [index, traced] of nodes.entries()) {
      const found = await this.check(traced);
      tally.kernels += found.kernels;
      tally.values += found.values;
      const { divergence } = found;
      const goesOn = divergence && this.settings.options.onDivergence?.(traced, divergence);
      if (divergence && !goesOn) return { ...tally, divergence };
      this.forget(index);
      this.settings.options.onProgress?.(index + 1, nodes.length);
    }
    return tally;
  }

  private runSteps(first: number, end: number): void {
    const [from, to] = [this.places[first]!, this.places[end]!];
    if (to > from) this.inspection.run(from, to);
  }

  private async check(traced: TracedNode): Promise<Tally> {
    const { node, first, end } = traced;
    const { known, only } = this.settings.options;
    const nothing = { kernels: 0, values: 0 };
    const [from, to] = [this.places[first]!, this.places[end]!];
    const key = this.keyOf(traced);
    if (to === from || known.has(key) || only?.(traced) === false) {
      this.runSteps(first, end);
      return nothing;
    }
    const inputs = await Promise.all(node.inputs.map((input) => this.tensorOf(input)));
    this.runSteps(first, end);
    const changed = new Map<number, Tensor>();
    for (const place of changedInputs(node)) {
      changed.set(place, (await this.device.read(node.inputs[place]!))!);
    }
    const outputs = await Promise.all(node.outputs.map((output) => this.outputOf(node, output)));
    const finding = checkNode(node, { inputs, outputs, changed }, this.settings.context);
    for (const [place, tensor] of changed) this.tensors.set(node.inputs[place]!.id, tensor);
    node.outputs.forEach((output, place) => {
      if (outputs[place]) this.tensors.set(output.id, outputs[place]);
    });
    const tally = { kernels: to - from, values: finding.compared };
    if (finding.deviation)
      return { ...tally, divergence: this.describe(traced, finding.deviation) };
    known.add(key);
    return tally;
  }

  /** What was found when it was made, so that memory which is used again too early shows in its reader; else what there is now. */
  private async tensorOf(value: Value): Promise<Tensor> {
    const tensor = this.tensors.get(value.id) ?? (await this.device.read(value));
    if (!tensor) throw new Error(`${value.name} is read and not stored`);
    this.tensors.set(value.id, tensor);
    return tensor;
  }

  private async outputOf(node: AnyNode, output: Value): Promise<Tensor | undefined> {
    if (node.kind !== "batchMean") return this.device.read(output);
    const { buffers } = this.network.program;
    const metrics = buffers.findIndex(({ purpose }) => purpose === "metrics");
    const count = Number(output.shape[0]);
    const values = await this.inspection.read(metrics);
    return { shape: [count], data: values.subarray(0, count) };
  }

  private forget(index: number): void {
    for (const id of this.tensors.keys()) {
      if ((this.lastReader.get(id) ?? 0) <= index) this.tensors.delete(id);
    }
  }

  private keyOf({ first, end }: TracedNode): string {
    const steps = this.list.steps.slice(first, end);
    return JSON.stringify(
      steps.map(({ kernel, constants, workgroups }) => [kernel.wgsl, constants, workgroups]),
    );
  }

  private describe({ node, first, end }: TracedNode, deviation: Deviation): Divergence {
    const steps = this.list.steps.slice(first, end);
    return {
      list: this.settings.list,
      name: steps[0]!.label,
      layer: node.origin.name,
      line: node.origin.span.start.line,
      kernels: [...new Set(steps.map(({ kernel }) => kernel.name))],
      deviation,
    };
  }
}
