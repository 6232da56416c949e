import type { Builder } from "../ir/builder.js";
import { ops } from "./index.js";
import { LOSS_SCALE_WORDS } from "../../program/loss-scale.js";
import { externalValues } from "../ir/graph.js";
import type {
  AnyNode,
  Graph,
  Node,
  OpAttributes,
  OpKind,
  Parameter,
  Port,
  PortRole,
  Value,
} from "../ir/graph.js";
import type { Distribution } from "../../program/noise.js";
import type { Origin } from "../ir/origin.js";
import { asImage, BATCH, shapeOfPort, type Shape } from "../ir/shape.js";

/**
 * Builds a graph node by node; shapes come from the ops. Layers, gradients and passes all build
 * with this.
 */
export class GraphBuilder implements Builder {
  private nextId = 0;
  private readonly nodes: AnyNode[] = [];
  private readonly parameters: Parameter[] = [];
  private readonly parametersByName = new Map<string, Value>();
  private readonly states: Value[] = [];
  private readonly inputs: Port[] = [];

  constructor(private readonly name: string) {}

  /**
   * Continues from an existing graph: its values may be used, its nodes and parameters are kept.
   */
  static from(graph: Graph): GraphBuilder {
    const builder = GraphBuilder.withoutNodes(graph);
    builder.nodes.push(...graph.nodes);
    return builder;
  }

  /**
   * Continues from an existing graph whose nodes are to be replaced; ids stay unique over both.
   */
  static withoutNodes(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.name);
    builder.parameters.push(...graph.parameters);
    for (const { value } of graph.parameters) builder.parametersByName.set(value.name, value);
    builder.states.push(...graph.states);
    builder.inputs.push(...graph.inputs);
    for (const { id } of [
      ...externalValues(graph),
      ...graph.nodes.flatMap((node) => node.outputs),
    ]) {
      builder.nextId = Math.max(builder.nextId, id + 1);
    }
    return builder;
  }

  input(name: string, shape: Shape, origin: Origin, distribution?: Distribution): Value {
    const value = this.value(name, asImage(shape), "f32", origin);
    return this.port("input", value, { distribution, ...shapeOfPort(shape) });
  }

  /** Integers in 0 .. vocabulary - 1. */
  tokens(name: string, shape: Shape, origin: Origin, vocabulary: number): Value {
    const value = this.value(name, shape, "u32", origin);
    return this.port("input", value, { classes: vocabulary });
  }

  labels(name: string, origin: Origin, classes?: number): Value {
    return this.port("target", this.value(name, [BATCH], "u32", origin), { classes });
  }

  /** Labels of pixels, [N, H, W], or of tokens, [N, T]. */
  mask(
    name: string,
    shape: Shape,
    origin: Origin,
    labels: Pick<Port, "classes" | "ignore">,
  ): Value {
    return this.port("target", this.value(name, shape, "u32", origin), labels);
  }

  targets(name: string, shape: Shape, origin: Origin): Value {
    const value = this.value(name, asImage(shape), "f32", origin);
    return this.port("target", value, shapeOfPort(shape));
  }

  /** Boxes, [N, boxes, 5]: their class, or -1, and then their middle and size. */
  boxes(name: string, shape: Shape, origin: Origin, boxClasses: number): Value {
    return this.port("target", this.value(name, shape, "f32", origin), { boxClasses });
  }

  /** Room for what mixed images have in addition to their labels. */
  mixture({ name, origin }: Value): { readonly partners: Value; readonly shares: Value } {
    const partners = this.value(`${name} of the partner`, [BATCH], "u32", origin);
    const shares = this.value(`share of ${name}`, [BATCH], "f32", origin);
    return { partners: this.port("partner", partners), shares: this.port("share", shares) };
  }

  /** Room for the state of a dynamic loss scale. */
  lossScale(origin: Origin): Value {
    const known = this.inputs.find(({ role }) => role === "loss scale");
    if (known) return known.value;
    const value = this.value("loss scale", [LOSS_SCALE_WORDS], "f32", origin);
    return this.port("loss scale", value);
  }

  private port(
    role: PortRole,
    value: Value,
    labels: Omit<Port, "name" | "role" | "value" | "gives"> = {},
  ): Value {
    const { name } = value;
    this.inputs.push({ name, role, value, classes: labels.classes, ...labels });
    return value;
  }

  /** One for each name: layers that share weights ask for the same ones. */
  parameter(name: string, shape: Shape, settings: Omit<Parameter, "value">, origin: Origin): Value {
    const known = this.parametersByName.get(name);
    if (known) return known;
    const value = this.value(name, shape, "f32", origin);
    this.parameters.push({ value, ...settings });
    this.parametersByName.set(name, value);
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

  /** Adds a node unchanged, with the outputs it has. */
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

  makerOf(value: Value): AnyNode | undefined {
    return this.nodes.findLast(({ outputs }) => outputs.includes(value));
  }

  /**
   * What a function builds: the values that it returns, and the nodes that it adds, which the
   * builder does not keep.
   */
  collect(build: (builder: Builder) => readonly Value[]): {
    readonly values: readonly Value[];
    readonly nodes: readonly AnyNode[];
  } {
    const start = this.nodes.length;
    const values = build(this);
    return { values, nodes: this.nodes.splice(start) };
  }

  /** A graph of what was added, with these results: `predictions` makes the outputs of values. */
  finish({ outputs, metrics }: Pick<Graph, "outputs" | "metrics">): Graph {
    return {
      name: this.name,
      inputs: this.inputs,
      parameters: this.parameters,
      states: this.states,
      nodes: this.nodes,
      outputs,
      metrics,
    };
  }

  private value(name: string, shape: Shape, type: Value["type"], origin: Origin): Value {
    return { id: this.nextId++, name, shape, type, origin };
  }
}

/** The outputs of a graph that predicts these values. */
export const predictions = (...values: readonly Value[]): readonly Port[] =>
  values.map((value) => ({ name: value.name, role: "prediction", value }));
