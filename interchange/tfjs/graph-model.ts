/**
 * Graph models of TensorFlow.js: nodes of TensorFlow as the converter leaves them for inference,
 * with channels last and weights in the shards.
 */
import { ChannelsLast, type Tensor } from "../channels-last.js";
import { ImportError } from "../error.js";
import type { ForeignGraph, ForeignInput, ForeignTensor } from "../foreign-graph.js";
import { GraphWriter, RefusedLayer } from "../graph-writer.js";
import { inOrder } from "../in-order.js";
import { isList, isObject, type Json, type JsonObject } from "../settings.js";
import { NodeAttributes } from "./attributes.js";
import { operations, type GraphValue } from "./operations.js";
import type { NamedTensor } from "./weights.js";

interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** Names of nodes; control inputs are left out. */
  readonly inputs: readonly string[];
  readonly attributes: NodeAttributes;
}

/** Throws an ImportError that names every node without a counterpart. */
export function readGraphModel(
  topology: JsonObject,
  tensors: readonly NamedTensor[],
  source: string,
  signature: Json | undefined,
): ForeignGraph {
  const nodes = nodesIn(topology);
  const outputs = outputsOf(nodes, signature);
  const needed = neededNodes(nodes, outputs);
  const inputs = new Map(needed.flatMap((node) => inputOf(node)));
  if (inputs.size === 0) throw broken("it reads no input");
  const writer = new GraphWriter();
  const values = new GraphWalk(new ChannelsLast(writer), tensors).run(needed, inputs);
  const names = outputs.map((output) => values.get(output)?.value ?? "");
  return writer.finish("", source, [...inputs.values()], names);
}

function nodesIn({ node }: JsonObject): readonly GraphNode[] {
  if (!isList(node)) throw broken("its `node` is not a list");
  return node.map((each): GraphNode => {
    if (!isObject(each) || typeof each["name"] !== "string" || typeof each["op"] !== "string") {
      throw broken("a node has no name or no operator");
    }
    const inputs = isList(each["input"]) ? each["input"] : [];
    const attributes = isObject(each["attr"]) ? each["attr"] : {};
    return {
      name: each["name"],
      op: each["op"],
      inputs: inputs.flatMap((input) =>
        typeof input === "string" && !input.startsWith("^") ? [input.replace(/:0$/, "")] : [],
      ),
      attributes: new NodeAttributes(attributes),
    };
  });
}

/** Those of the signature, else the nodes that no other node reads. */
function outputsOf(nodes: readonly GraphNode[], signature: Json | undefined): readonly string[] {
  const outputs = isObject(signature) ? signature["outputs"] : undefined;
  if (isObject(outputs)) {
    const named = Object.values(outputs).flatMap((each) => {
      const name = isObject(each) ? each["name"] : undefined;
      return typeof name === "string" ? [name.replace(/:0$/, "")] : [];
    });
    if (named.length > 0) return named;
  }
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return nodes
    .filter(({ name, op }) => !read.has(name) && op !== "Placeholder")
    .map(({ name }) => name);
}

function neededNodes(
  nodes: readonly GraphNode[],
  outputs: readonly string[],
): readonly GraphNode[] {
  const places = new Map(nodes.map(({ name }, index) => [name, index]));
  const placeOf = (name: string) => {
    const place = places.get(name);
    if (place !== undefined) return place;
    throw broken(`a node reads \`${name}\`, which it does not have`);
  };
  const needed = new Set<number>();
  const open = outputs.map(placeOf);
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (needed.has(place)) continue;
    needed.add(place);
    open.push(...nodes[place]!.inputs.map(placeOf));
  }
  const ordered = inOrder(nodes, (node, index) =>
    needed.has(index) ? node.inputs.map(placeOf) : [],
  );
  if (!ordered) throw broken("its nodes form a cycle");
  const kept = new Set([...needed].map((place) => nodes[place]!));
  return ordered.filter((node) => kept.has(node));
}

/** With channels first; nothing for a node of another kind. */
function inputOf({ name, op, attributes }: GraphNode): readonly [string, ForeignInput][] {
  if (op !== "Placeholder") return [];
  const shape = attributes.shape("shape");
  if (shape?.length === 2) return [[name, { name, shape: [undefined, shape[1]] }]];
  const [, height, width, channels] = shape ?? [];
  return [[name, { name, shape: [undefined, channels, height, width] }]];
}

class GraphWalk {
  private readonly values = new Map<string, Tensor>();
  private readonly constants = new Map<string, ForeignTensor>();
  private readonly weights: ReadonlyMap<string, NamedTensor>;

  constructor(
    private readonly build: ChannelsLast,
    tensors: readonly NamedTensor[],
  ) {
    this.weights = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  }

  run(
    nodes: readonly GraphNode[],
    inputs: ReadonlyMap<string, ForeignInput>,
  ): ReadonlyMap<string, Tensor> {
    for (const [name, input] of inputs) this.values.set(name, tensorOf(input));
    nodes.forEach((node, index) => this.visit(node, index));
    return this.values;
  }

  private visit(node: GraphNode, index: number): void {
    if (node.op === "Placeholder") return;
    if (node.op === "Const") this.constants.set(node.name, this.constantOf(node.name));
    else this.map(node, index);
  }

  private constantOf(name: string): ForeignTensor {
    const tensor = this.weights.get(name);
    if (tensor) return tensor.read();
    throw broken(`the constant \`${name}\` is not among its weights`);
  }

  private map({ name, op, inputs, attributes }: GraphNode, index: number): void {
    this.build.writer.begin({ name, type: op, place: `node ${index + 1}` });
    const read = inputs.map((input): GraphValue | undefined => {
      return this.values.get(input) ?? this.constants.get(input);
    });
    const known = read.filter((each) => each !== undefined);
    if (known.length < read.length) return;
    try {
      const mapping = Object.hasOwn(operations, op) ? operations[op] : undefined;
      if (!mapping) throw new RefusedLayer("netc has no layer for this operator");
      const result = mapping({ build: this.build, inputs: known, attributes });
      if ("rank" in result) this.values.set(name, result);
      else this.constants.set(name, result);
    } catch (error) {
      if (!(error instanceof RefusedLayer)) throw error;
      this.build.writer.refuse(error.message, error.instead);
    }
  }
}

function tensorOf({ name, shape }: ForeignInput): Tensor {
  const [, channels, height, width] = shape;
  const sizes = [height, width, channels];
  const image = { value: name, rank: shape.length };
  return sizes.every((size) => size !== undefined) ? { ...image, sizes } : image;
}

const broken = (why: string) =>
  new ImportError(`this TensorFlow.js graph model cannot be read: ${why}`);
