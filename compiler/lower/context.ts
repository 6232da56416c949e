import { bindableBytes, type DeviceLimits } from "../../program/limits.js";
import type { BatchRange, Target } from "../../program/program.js";
import { trainedParameters } from "../ir/fusion.js";
import type { AnyNode, Graph, Port, Value } from "../ir/graph.js";
import { BATCH, elementCount, imageShape } from "../ir/shape.js";
import { Uses } from "../ir/uses.js";
import { withHalves } from "../kernels/half.js";
import type { ContractionSchedule } from "../schedules/schedule.js";
import { isActivation, type Layouts } from "../layout/choose-layouts.js";
import type { HalfValues } from "../layout/halves.js";
import {
  chooseSchedule,
  chooseSchedules,
  type ContractionProblem,
  type PartialSums,
  type RangedSchedule,
  type TunedSchedules,
} from "../schedules/index.js";
import type { Choice, TracedNode } from "../trace.js";
import { Plan } from "../plan/plan.js";
import { roundUpTo4, type ActivationLayout } from "../layout/activation-layout.js";
import { codeWidth } from "./code-width.js";
import type { LeftParts } from "./gather.js";
import type { StoredParameter } from "../layout/parameters.js";
import { fixed, inHalf, inPlanes, perImage, type StepDraft, type Storage } from "./storage.js";

/** Buffers that outlive a step, shared by all of a program's step lists. */
export interface Persistent {
  /** Of what comes in and goes out, by `portKey`. */
  readonly ports: ReadonlyMap<string, Storage>;
  readonly metrics?: Storage;
  /** By the id of the parameter's value, and of the optimizer's states: one storage a piece. */
  readonly parameters: ReadonlyMap<number, readonly Storage[]>;
  readonly states: ReadonlyMap<number, readonly Storage[]>;
  /** Of the gradients that are to be read after the step, by the id of their parameter's value. */
  readonly gradients?: ReadonlyMap<number, readonly Storage[]> | undefined;
}

/**
 * How the values of a graph are stored: where their elements lie, and which of them have 16 bits.
 */
export interface ValueStorage {
  readonly layouts: Layouts;
  readonly half: HalfValues;
}

/**
 * What evaluation and prediction read in place of parameters, by the ids of values, which both have
 * in common.
 */
export interface Folded {
  readonly storage: Map<number, readonly Storage[]>;
  /** By their node's first output. */
  readonly steps: Map<number, readonly StepDraft[]>;
}

/** Scaled weights lie as the weights do. */
function withScaled(
  stored: ReadonlyMap<number, StoredParameter>,
  { nodes }: Graph,
): ReadonlyMap<number, StoredParameter> {
  const scaled = nodes.flatMap(({ kind, inputs, outputs }) => {
    const weights = kind === "scaledWeights" ? stored.get(inputs[0]!.id) : undefined;
    return weights ? [[outputs[0]!.id, weights] as const] : [];
  });
  return scaled.length > 0 ? new Map([...stored, ...scaled]) : stored;
}

/** The gradients of layers that share a parameter lie as their sum does. */
function withParts(
  gradients: Map<number, StoredParameter>,
  { nodes }: Graph,
): ReadonlyMap<number, StoredParameter> {
  for (const { kind, inputs, outputs } of nodes.toReversed()) {
    const parameter = kind === "sumGradients" ? gradients.get(outputs[0]!.id) : undefined;
    if (parameter) for (const { id } of inputs) gradients.set(id, parameter);
  }
  return gradients;
}

/** Values have ids of their own in some graphs; a port is known by its role and its name. */
export const portKey = ({ role, name }: Pick<Port, "role" | "name">): string => `${role} ${name}`;

/** What lowering an op has at hand: where values lie, and where to put its dispatches. */
export class LoweringContext {
  readonly steps: StepDraft[] = [];
  /** How each node of the graph was lowered. */
  readonly nodes: TracedNode[] = [];
  private choices: Choice[] = [];
  private batches: BatchRange | undefined;
  private readonly stored: ReadonlyMap<number, StoredParameter>;
  /** Where steps go. */
  private into = this.steps;
  private readonly storage = new Map<number, readonly Storage[]>();
  private readonly gradients: ReadonlyMap<number, StoredParameter>;
  private readonly parameterOfState: ReadonlyMap<Value, Value>;
  readonly uses: Uses;
  readonly plan: Plan;
  /** What is left for reductions, by the node that leaves it (gather.ts). */
  readonly left = new Map<AnyNode, readonly LeftParts[]>();

  constructor(
    readonly graph: Graph,
    readonly target: Target,
    private readonly values: ValueStorage,
    readonly persistent: Persistent,
    stored: ReadonlyMap<number, StoredParameter>,
    /** Of the devices that are to run it. */
    readonly limits: DeviceLimits,
    private readonly tuned?: TunedSchedules,
    /** What is made of parameters alone is put there; among the other steps if it is absent. */
    private readonly folded?: Folded,
  ) {
    this.stored = withScaled(stored, graph);
    this.uses = new Uses(graph);
    this.plan = new Plan({
      ...{ target, limits, tuned, layouts: values.layouts },
      parameter: (value) => this.parameter(value),
    });
    const trained = trainedParameters(graph);
    this.parameterOfState = new Map(
      trained.flatMap(({ parameter, states }) => states.map((state) => [state, parameter])),
    );
    this.gradients = withParts(
      new Map(
        trained.flatMap(({ parameter, gradient }) =>
          gradient ? [[gradient.id, this.parameter(parameter)] as const] : [],
        ),
      ),
      graph,
    );
    for (const port of graph.inputs) {
      if (!isActivation(port.value)) this.storage.set(port.value.id, [this.portStorage(port)]);
    }
    for (const [id, pieces] of [...persistent.parameters, ...persistent.states]) {
      this.storage.set(id, pieces);
    }
  }

  get layouts(): Layouts {
    return this.values.layouts;
  }

  layout(value: Value): ActivationLayout {
    const layout = this.layouts.get(value.id);
    if (!layout) throw new Error(`${value.name} is not an activation`);
    return layout;
  }

  /** The parameter whose gradient a value is. */
  parameterOfGradient(gradient: Value): StoredParameter {
    const parameter = this.gradients.get(gradient.id);
    if (!parameter) throw new Error(`${gradient.name} is not the gradient of a parameter`);
    return parameter;
  }

  /**
   * The parameter whose layout a value shares: itself, or the one that it is the gradient or a
   * state of.
   */
  layoutParameter(value: Value): StoredParameter | undefined {
    const { id } = this.parameterOfState.get(value) ?? value;
    return this.stored.get(id) ?? this.gradients.get(id);
  }

  parameter(value: Value): StoredParameter {
    const parameter = this.stored.get(value.id);
    if (!parameter) throw new Error(`${value.name} is not a parameter`);
    return parameter;
  }

  /** The one buffer of a value. */
  storageOf(value: Value): Storage {
    const [only, ...others] = this.piecesOf(value);
    if (!only || others.length > 0) throw new Error(`${value.name} lies in several buffers`);
    return only;
  }

  piecesOf(value: Value): readonly Storage[] {
    const existing = this.storage.get(value.id);
    if (existing) return existing;
    const parameter = this.gradients.get(value.id);
    const created = parameter
      ? this.gradientStorage(parameter, value)
      : [this.activationStorage(value)];
    this.storage.set(value.id, created);
    return created;
  }

  /** Whether a value that the list stores has 16 bits. */
  isHalf(value: Value): boolean {
    return this.piecesOf(value)[0]?.element === "f16";
  }

  /** The buffer of a tensor that comes in or goes out. */
  portStorage(port: Port): Storage {
    const storage = this.persistent.ports.get(portKey(port));
    if (!storage) throw new Error(`there is no buffer for the ${port.role} ${port.name}`);
    return storage;
  }

  isPrediction(value: Value): boolean {
    return this.graph.outputs.some((port) => port.value === value);
  }

  /** Makes `value` another name for the memory of `source`. */
  alias(value: Value, source: Value): void {
    this.storage.set(value.id, this.piecesOf(source));
  }

  /** `partialBytes`: what each part of K leaves, where it is split. */
  schedule(
    problem: ContractionProblem,
    {
      batches,
      partialBytes,
    }: { readonly batches?: BatchRange | undefined; readonly partialBytes: number },
  ): ContractionSchedule {
    const sums = this.sumsOf(partialBytes);
    const schedule = chooseSchedule(problem, this.target, { ...sums, tuned: this.tuned });
    this.choices.push({ problem, schedule, sums, ...(batches && { batches }) });
    return schedule;
  }

  /**
   * The same, where each part of K leaves so many bytes an image: one for each range of batches
   * that does best with its own.
   */
  schedules(problem: ContractionProblem, partialBytes: number): readonly RangedSchedule[] {
    const sums = this.sumsOf(partialBytes);
    const chosen = chooseSchedules(problem, this.target, { ...sums, tuned: this.tuned });
    this.choices.push({ problem, schedule: chosen[0]!.schedule, sums });
    return chosen;
  }

  private sumsOf(partialBytes: number): PartialSums {
    return { bindable: bindableBytes(this.limits), partialBytes };
  }

  /** Notes that the node being lowered uses a choice of its plan. */
  note(choice: Choice): void {
    this.choices.push(choice);
  }

  /** What `lower` emits is for these batches alone. */
  forBatches(batches: BatchRange | undefined, lower: () => void): void {
    this.batches = batches;
    lower();
    this.batches = undefined;
  }

  /** Runs `lower`, and notes what it makes of the node. */
  trace(node: AnyNode, lower: () => void): void {
    const first = this.steps.length;
    this.choices = [];
    const folded = this.folded && this.dependsOnParameters(node) && this.fold(node, lower);
    if (!folded) lower();
    const traced = { node, first, end: this.steps.length, choices: this.choices };
    this.nodes.push(folded ? { ...traced, folded } : traced);
  }

  private dependsOnParameters({ inputs }: AnyNode): boolean {
    const { parameters } = this.persistent;
    return inputs.every(({ id }) => parameters.has(id) || this.folded!.storage.has(id));
  }

  /**
   * Puts a node's steps among those that are run where parameters change; once, whichever lists
   * read its results.
   */
  private fold({ outputs }: AnyNode, lower: () => void): readonly StepDraft[] {
    const { steps, storage } = this.folded!;
    const { id } = outputs[0]!;
    const known = steps.get(id);
    for (const output of outputs) {
      if (!known) storage.set(output.id, this.foldedStorage(output));
      this.storage.set(output.id, storage.get(output.id)!);
    }
    if (known) return known;
    const made: StepDraft[] = [];
    this.into = made;
    lower();
    this.into = this.steps;
    steps.set(id, made);
    return made;
  }

  private foldedStorage({ id, name, shape }: Value): readonly Storage[] {
    const vector = [{ bytes: 4 * roundUpTo4(elementCount(shape)) }];
    const pieces = this.stored.get(id)?.pieces ?? vector;
    return pieces.map(({ bytes }) => ({ name, purpose: "folded", bytes: fixed(bytes) }));
  }

  /** Kernels come as written for 32 bits, and read and write what they bind as it is stored. */
  emit(step: StepDraft): void {
    const kernel = withHalves(step.kernel, (index) => step.storage[index]!.element === "f16");
    const draft = { ...step, kernel, ...(this.batches && { batches: this.batches }) };
    this.into.push(...inPlanes(draft, this.limits.maxComputeWorkgroupsPerDimension));
  }

  /**
   * Laid out like the parameter's pieces; scratch, unless somebody is to read it after the step.
   */
  private gradientStorage(
    { parameter, pieces }: StoredParameter,
    gradient: Value,
  ): readonly Storage[] {
    const kept = this.persistent.gradients?.get(parameter.value.id);
    const isPart = this.uses.readers(gradient).some(({ kind }) => kind === "sumGradients");
    if (kept && !isPart) return kept;
    const name = `${parameter.value.name} gradient`;
    return pieces.map(({ bytes }) => ({ name, purpose: "scratch", bytes: fixed(bytes) }));
  }

  private activationStorage(value: Value): Storage {
    const name = value.name;
    const output = this.graph.outputs.find((port) => port.value === value);
    if (output && this.isPlain(value)) return this.portStorage(output);
    const layout = this.layouts.get(value.id);
    if (layout) {
      const { bytes, zeros } = layout;
      const storage: Storage = { name, purpose: "scratch", bytes, ...(zeros && { zeros }) };
      return this.values.half.has(value.id) ? inHalf(storage) : storage;
    }
    if (value.shape[0] !== BATCH) {
      return { name, purpose: "scratch", bytes: fixed(4 * roundUpTo4(elementCount(value.shape))) };
    }
    const words = value.shape.length === 1 ? 1 : this.codeWords(value);
    return { name, purpose: "scratch", bytes: perImage(4 * words) };
  }

  /**
   * Words of a pooling's codes, an image: one for each channel quad of each output pixel, or for
   * each element.
   */
  private codeWords(code: Value): number {
    const pool = this.uses.maker(code);
    if (pool?.kind !== "maxPool") throw new Error(`${code.name} is neither activation nor code`);
    const { channels, height, width } = imageShape(code.shape);
    const words = codeWidth(pool.attributes.kernel) === "bytes" ? 1 : 4;
    return (roundUpTo4(channels) / 4) * height * width * words;
  }

  /** Whether the value lies as the prediction buffer does: rows of channels and nothing between. */
  isPlain(value: Value): boolean {
    const layout = this.layout(value);
    return layout.pixels === 1 && layout.isContiguous;
  }
}
