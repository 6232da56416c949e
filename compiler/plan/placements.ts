/** The memory of each value of a step graph. */
import type { AnyNode, Graph, OpKind, Port, Value } from "../ir/graph.js";
import { BATCH, elementCount, imageShape, isSequence } from "../ir/shape.js";
import { movesNothing } from "../layout/strides.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import { isActivation } from "../layout/choose-layouts.js";
import { codeWidth } from "../layout/code-width.js";
import type { StoredParameter } from "../layout/parameters.js";
import { gradientsOf } from "./parameters.js";
import { portKey, type Persistent } from "./persistent.js";
import { layoutOf, type GraphSettings } from "./settings.js";
import { fixed, inHalf, perImage, scratch, type Storage } from "./storage.js";

/** By the id of the value: a storage for each of its pieces. */
export type Placements = ReadonlyMap<number, readonly Storage[]>;

export interface PlacementOptions {
  readonly persistent: Persistent;
  /** Of the values that outlive the step: parameters, states, and what is folded. */
  readonly kept: Placements;
  /** Of the gradients that are to be read after the step, by the id of their parameter's value. */
  readonly gradients: Placements;
}

/**
 * Places what a graph reads and makes. Values that are not stored, such as the codes of a pooling
 * without a gradient, have no place.
 */
export function placeValues(settings: GraphSettings, options: PlacementOptions): Placements {
  return new Placing(settings, options).run();
}

/** Ops whose result may be another name for what they read. */
const RENAMING = new Set<OpKind>(["reshape", "rearrange", "rearrangeGradient"]);

class Placing {
  private readonly placed: Map<number, readonly Storage[]>;
  private readonly gradients: ReadonlyMap<number, StoredParameter>;
  private readonly predictions: ReadonlyMap<Value, Port>;

  constructor(
    private readonly settings: GraphSettings,
    private readonly options: PlacementOptions,
  ) {
    const { graph, parameters } = settings;
    this.placed = new Map(options.kept);
    this.gradients = gradientsOf(graph, parameters);
    this.predictions = new Map(graph.outputs.map((port) => [port.value, port]));
  }

  run(): Placements {
    const { inputs, nodes }: Graph = this.settings.graph;
    for (const port of inputs) this.placed.set(port.value.id, [this.input(port)]);
    for (const node of nodes) for (const output of node.outputs) this.place(node, output);
    return this.placed;
  }

  private input(port: Port): Storage {
    return isActivation(port.value) ? this.activation(port.value) : this.port(port);
  }

  private place(node: AnyNode, output: Value): void {
    if (this.placed.has(output.id)) return;
    const pieces = this.piecesOf(node, output);
    if (pieces) this.placed.set(output.id, pieces);
  }

  private piecesOf(node: AnyNode, output: Value): readonly Storage[] | undefined {
    const whole = this.settings.wholes.get(output.id);
    if (whole) return this.memoryOf(whole);
    if (this.isRenamed(node, output)) {
      return this.placed.get(node.inputs[0]!.id);
    }
    const parameter = this.gradients.get(output.id);
    if (parameter) return this.gradient(parameter, output);
    if (node.kind === "batchSums") return [this.options.persistent.metrics!];
    if (isActivation(output)) return [this.activation(output)];
    const words = this.wordsOf(node, output);
    return words && [scratch(output.name, words)];
  }

  /** Of a value in which others lie, some of which are made before it. */
  private memoryOf(whole: Value): readonly Storage[] {
    const known = this.placed.get(whole.id);
    if (known) return known;
    const made = [this.activation(whole)];
    this.placed.set(whole.id, made);
    return made;
  }

  /**
   * Whether a node moves nothing: a reshape between [N, C, 1, 1] and [N, C], or an image's pixels
   * that become tokens.
   */
  private isRenamed(node: AnyNode, output: Value): boolean {
    const [input] = node.inputs;
    if (!RENAMING.has(node.kind)) return false;
    if (!input || this.predictions.has(output) || this.predictions.has(input)) return false;
    switch (node.kind) {
      case "reshape":
        return [input, output].every((value) => this.liesInOrder(value));
      case "rearrange":
      case "rearrangeGradient":
        return movesNothing(node, (value) => layoutOf(this.settings, value));
      default:
        return false;
    }
  }

  /** Whether a value's elements lie in their logical order, with nothing in between. */
  private liesInOrder(value: Value): boolean {
    const { pixels, isContiguous, channels } = layoutOf(this.settings, value);
    return isContiguous && (pixels === 1 || (isSequence(value.shape) && channels % 4 === 0));
  }

  private port(port: Port): Storage {
    const storage = this.options.persistent.ports.get(portKey(port));
    if (!storage) throw new Error(`there is no buffer for the ${port.role} ${port.name}`);
    return storage;
  }

  /**
   * Laid out like the parameter's pieces; scratch, unless somebody is to read it after the step.
   */
  private gradient({ parameter, pieces }: StoredParameter, gradient: Value): readonly Storage[] {
    const kept = this.options.gradients.get(parameter.value.id);
    const isPart = this.settings.uses.readers(gradient).some(({ kind }) => kind === "sumGradients");
    if (kept && !isPart) return kept;
    return pieces.map(({ bytes }) => scratch(`${parameter.value.name} gradient`, fixed(bytes)));
  }

  /** A prediction that lies in rows of channels is made where the runtime reads it. */
  private activation(value: Value): Storage {
    const layout = layoutOf(this.settings, value);
    const output = this.predictions.get(value);
    if (output && layout.pixels === 1 && layout.isContiguous) return this.port(output);
    const { bytes, zeros } = layout;
    const storage = { ...scratch(value.name, bytes), zeros: zeros || undefined };
    return this.settings.half.has(value.id) ? inHalf(storage) : storage;
  }

  /** Bytes of a vector, of a number for each image, or of a pooling's codes. */
  private wordsOf(node: AnyNode, value: Value) {
    const { shape } = value;
    if (shape[0] !== BATCH) return fixed(4 * roundUpTo4(elementCount(shape)));
    if (shape.length === 1) return perImage(4);
    if (node.kind !== "maxPool") throw new Error(`${value.name} is neither activation nor code`);
    if (this.settings.uses.readers(value).length === 0) return undefined;
    // A word for each channel quad of each output pixel, or for each element.
    const { channels, height, width } = imageShape(shape);
    const words = codeWidth(node.attributes.kernel) === "bytes" ? 1 : 4;
    return perImage(4 * (roundUpTo4(channels) / 4) * height * width * words);
  }
}
