/** A layer as an exporter reads it: arguments by their types, shapes and weights. */
import type { Expression } from "../../compiler/ir/expression.js";
import type { Padding, Pair } from "../../compiler/ir/graph.js";
import type { ChosenAxis } from "../../compiler/layers/chosen-axes.js";
import { byLastAxis, imageShape, type ImageShape, type Shape } from "../../compiler/ir/shape.js";
import type { ResolvedLayer } from "../../compiler/network/resolved.js";
import { typeOf } from "../../compiler/network/facts.js";
import { nameOf, shapeOf, type ExportModel, type ExportTensor } from "./model.js";

export interface NamedTensor extends ExportTensor {
  /** `features.conv1.weight`; layers that share weights have the same. */
  readonly name: string;
}

export class LayerCall {
  readonly kind: string;
  readonly name: string;
  /** Names of the values that it reads. */
  readonly inputs: readonly string[];
  /** Of what it reads, the batch axis first. */
  readonly inputShapes: readonly Shape[];
  readonly output: Shape;

  constructor(
    readonly model: ExportModel,
    readonly layer: ResolvedLayer,
  ) {
    this.kind = layer.definition.name;
    this.name = layer.name;
    this.inputs = layer.inputs.map((value) => nameOf(model.network, value));
    this.inputShapes = layer.inputs.map((value) => shapeOf(model.network, value));
    this.output = layer.type.shape;
  }

  /** Of its first input. */
  get shape(): Shape {
    return this.inputShapes[0]!;
  }

  get image(): ImageShape {
    return imageShape(byLastAxis(this.shape));
  }

  /** Of its first input: how many different tokens there are. */
  get vocabulary(): number {
    const { vocabulary } = typeOf(this.model.network, this.layer.inputs[0]!);
    if (vocabulary === undefined) throw new Error(`${this.kind} reads no tokens`);
    return vocabulary;
  }

  /** Axes of its first input; 0 for a layer that reads nothing. */
  get rank(): number {
    return this.inputShapes[0]?.length ?? 0;
  }

  get isImage(): boolean {
    return this.rank === 4;
  }

  /** Whether the channels are last: of a sequence, and of a value of more axes than an image. */
  get isSequence(): boolean {
    return this.rank === 3 || this.rank > 4;
  }

  /** The axis that the language uses for channels. */
  get channelAxis(): number {
    return this.isSequence ? this.rank - 1 : 1;
  }

  has(name: string): boolean {
    return this.layer.values[name] !== undefined;
  }

  number(name: string): number {
    return this.value(name, (value) => typeof value === "number");
  }

  flag(name: string): boolean {
    return this.value(name, (value) => typeof value === "boolean");
  }

  text(name: string): string {
    return this.value(name, (value) => typeof value === "string");
  }

  pair(name: string): Pair {
    return this.value(name, (value) => Array.isArray(value) && value.length === 2);
  }

  /** An axis by name or by number. */
  axis(name: string): ChosenAxis {
    return this.value(name, (value) => typeof value === "number" || typeof value === "string");
  }

  axes(name: string): readonly ChosenAxis[] {
    return this.value(name, (value) => Array.isArray(value));
  }

  numbers(name: string): readonly number[] {
    return this.value(name, (value) => Array.isArray(value));
  }

  padding(name: string): Padding {
    return this.value(name, (value) => typeof value === "object" && value !== null);
  }

  /** What a `let` computes for each element. */
  get formula(): Expression {
    return this.value("expression", (value) => typeof value === "object" && value !== null);
  }

  /** One of its weights or statistics by the last part of its name. */
  tensor(part: string): NamedTensor {
    return this.named(`${this.layer.weights}.${part}`);
  }

  /** The numbers of a `parameter`, which have its name. */
  ownTensor(): NamedTensor {
    return this.named(this.layer.weights);
  }

  private named(name: string): NamedTensor {
    const tensor = this.model.tensors.get(name);
    if (!tensor) throw new Error(`the weights have no \`${name}\``);
    return { name, shape: tensor.shape, values: tensor.values };
  }

  private value<Value>(name: string, is: (value: unknown) => boolean): Value {
    const value = this.layer.values[name];
    if (is(value)) return value as Value;
    throw new Error(`\`${name}\` of ${this.kind} is ${String(value)}, and an exporter misreads it`);
  }
}
