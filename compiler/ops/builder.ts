import type { Builder } from "../ir/builder.js";
import { ops } from "./index.js";
import { LOSS_SCALE_WORDS } from "../../program/loss-scale.js";
import { externalValues } from "../ir/graph.js";
import type {
  AnyNode,
  Graph,
  Mixture,
  Node,
  OpAttributes,
  OpKind,
  Parameter,
  Value,
} from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { BATCH, type Shape } from "../ir/shape.js";

/** Builds a graph node by node; shapes come from the ops. Layers, gradients and passes all build with this. */
export class GraphBuilder implements Builder {
  private nextId = 0;
  private readonly nodes: AnyNode[] = [];
  private readonly parameters: Parameter[] = [];
  private readonly states: Value[] = [];
  private imagesValue?: Value;
  private labelsValue?: Value;
  private mixtureValues?: Mixture;
  private lossScaleValue?: Value;

  constructor(private readonly name: string) {}

  /** Continues from an existing graph: its values may be used, its nodes and parameters are kept. */
  static from(graph: Graph): GraphBuilder {
    const builder = GraphBuilder.withoutNodes(graph);
    builder.nodes.push(...graph.nodes);
    return builder;
  }

  /** Continues from an existing graph whose nodes are to be written anew; ids stay unique over both. */
  static withoutNodes(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.name);
    builder.parameters.push(...graph.parameters);
    builder.states.push(...graph.states);
    builder.imagesValue = graph.images;
    builder.labelsValue = graph.labels;
    builder.mixtureValues = graph.mixture;
    builder.lossScaleValue = graph.lossScale;
    const values = [...externalValues(graph), ...graph.nodes.flatMap((node) => node.outputs)];
    builder.nextId = Math.max(...values.map((value) => value.id)) + 1;
    return builder;
  }

  images(name: string, shape: Shape, origin: Origin): Value {
    return (this.imagesValue = this.value(name, shape, "f32", origin));
  }

  labels(name: string, origin: Origin): Value {
    return (this.labelsValue = this.value(name, [BATCH], "u32", origin));
  }

  targets(name: string, shape: Shape, origin: Origin): Value {
    return (this.labelsValue = this.value(name, shape, "f32", origin));
  }

  /** Room for what mixed images have beside their labels. */
  mixture({ name, origin }: Value): Mixture {
    const partners = this.value(`${name} of the partner`, [BATCH], "u32", origin);
    const shares = this.value(`share of ${name}`, [BATCH], "f32", origin);
    return (this.mixtureValues = { partners, shares });
  }

  /** Room for the state of a dynamic loss scale. */
  lossScale(origin: Origin): Value {
    return (this.lossScaleValue ??= this.value("loss scale", [LOSS_SCALE_WORDS], "f32", origin));
  }

  parameter(name: string, shape: Shape, settings: Omit<Parameter, "value">, origin: Origin): Value {
    const value = this.value(name, shape, "f32", origin);
    this.parameters.push({ value, ...settings });
    return value;
  }

  /** Room for what an optimizer keeps of a parameter that is trained. */
  state(parameter: Value, kind: string): Value {
    const { name, shape, origin } = parameter;
    const value = this.value(`${name} ${kind}`, shape, "f32", origin);
    this.states.push(value);
    return value;
  }

  /** Room for another value like one that there is. */
  like({ shape, type, origin }: Value, name: string): Value {
    return this.value(name, shape, type, origin);
  }

  /** Adds a node as it stands, with the outputs it has. */
  keep(node: AnyNode): void {
    this.nodes.push(node);
  }

  /** Adds a node and returns its outputs. */
  addAll<Kind extends OpKind>(
    kind: Kind,
    inputs: readonly Value[],
    attributes: OpAttributes[Kind],
    origin: Origin,
  ): readonly Value[] {
    const types = ops[kind].outputs(inputs, attributes);
    const outputs = types.map(({ shape, type }) => this.value(origin.name, shape, type, origin));
    const node: Node<Kind> = { kind, inputs, outputs, attributes, origin };
    this.nodes.push(node as unknown as AnyNode);
    return outputs;
  }

  /** Adds a node and returns its first output. */
  add<Kind extends OpKind>(
    kind: Kind,
    inputs: readonly Value[],
    attributes: OpAttributes[Kind],
    origin: Origin,
  ): Value {
    return this.addAll(kind, inputs, attributes, origin)[0]!;
  }

  /** What a function builds: the values that it returns, and the nodes that it adds, which the builder does not keep. */
  collect(build: (builder: Builder) => readonly Value[]): {
    readonly values: readonly Value[];
    readonly nodes: readonly AnyNode[];
  } {
    const start = this.nodes.length;
    const values = build(this);
    return { values, nodes: this.nodes.splice(start) };
  }

  finish({ prediction, metrics }: Pick<Graph, "prediction" | "metrics">): Graph {
    if (!this.imagesValue) throw new Error("a graph needs images");
    return {
      name: this.name,
      images: this.imagesValue,
      labels: this.labelsValue,
      ...(this.mixtureValues && { mixture: this.mixtureValues }),
      ...(this.lossScaleValue && { lossScale: this.lossScaleValue }),
      parameters: this.parameters,
      states: this.states,
      nodes: this.nodes,
      prediction,
      metrics,
    };
  }

  private value(name: string, shape: Shape, type: Value["type"], origin: Origin): Value {
    return { id: this.nextId++, name, shape, type, origin };
  }
}
