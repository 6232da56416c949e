/** ONNX, opset 7 to 23. */
import { fromBinary } from "@bufbuild/protobuf";
import { withoutUndefined } from "../../program/without-undefined.js";
import { ImportError } from "../error.js";
import type {
  ForeignAttribute,
  ForeignGraph,
  ForeignInput,
  ForeignNode,
  ForeignTensor,
} from "../foreign-graph.js";
import type { ImportFile, Importer, ImportSource } from "../importer.js";
import { moduleNames } from "./module-names.js";
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "./onnx_pb.js";
import { requireModestFile } from "./modest-file.js";
import { readTensor } from "./tensor.js";
import { upgrade } from "./upgrade.js";

const OPSETS = { least: 7, most: 23 };

export const onnx: Importer = {
  format: "ONNX",
  extensions: [".onnx"],
  sniff: ({ path, bytes }) => /\.onnx$/i.test(path) || beginsLikeModel(bytes),
  read: readModel,
};

/** A ModelProto begins with its `ir_version`, field 1, and a field of text or the graph follows. */
function beginsLikeModel(bytes: Uint8Array): boolean {
  const [tag, version = 0, next = 0] = bytes;
  return tag === 0x08 && version >= 3 && version <= 32 && [0x12, 0x1a, 0x22, 0x3a].includes(next);
}

async function readModel(source: ImportSource): Promise<ForeignGraph> {
  const { file } = source;
  const model = decode(file);
  const { graph } = model;
  if (!graph || graph.node.length + graph.initializer.length === 0) {
    throw new ImportError(`${file.path} has no graph: it is not an ONNX model`);
  }
  const opset = opsetOf(model, file);
  if (graph.sparseInitializer.length > 0) {
    throw new ImportError(`${file.path} has sparse weights, which netc does not read`);
  }
  const constants = new Map<string, ForeignTensor>();
  for (const tensor of graph.initializer) {
    constants.set(tensor.name, await readTensor(tensor, source));
  }
  const nodes: ForeignNode[] = [];
  for (const [index, proto] of graph.node.entries()) {
    const node = await readNode(proto, index, source);
    const value = constantOf(node);
    if (value) constants.set(node.outputs[0]!, value);
    else nodes.push(...upgrade(node, opset, constants));
  }
  requireFloats(graph, nodes, constants);
  const tool = [model.producerName, model.producerVersion].filter((text) => text !== "").join(" ");
  return {
    name: graph.name,
    source: `ONNX, opset ${opset}${tool === "" ? "" : `, by ${tool}`}`,
    inputs: graph.input
      .filter(({ name }) => !constants.has(name))
      .map((input) => inputOf(input, nodes)),
    outputs: graph.output.map(({ name }) => name),
    nodes: moduleNames(ordered(nodes, graph, constants)),
    constants,
  };
}

function decode({ path, bytes }: ImportFile): ModelProto {
  requireModestFile(path, bytes);
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    throw new ImportError(
      `${path} is not an ONNX model, or is truncated: ${(error as Error).message}`,
    );
  }
}

function opsetOf({ opsetImport, functions }: ModelProto, { path }: ImportFile): number {
  const own = opsetImport.find(({ domain }) => isOwnDomain(domain));
  const opset = Number(own?.version ?? 0);
  if (opset < OPSETS.least || opset > OPSETS.most) {
    throw new ImportError(
      `${path} has opset ${opset}, and netc reads ${OPSETS.least} to ${OPSETS.most}`,
      ["convert it with onnx.version_converter, or export it again"],
    );
  }
  if (functions.length > 0) {
    throw new ImportError(`${path} defines functions, which netc does not read`, [
      "export it with the functions inlined (onnx.inliner)",
    ]);
  }
  return opset;
}

const isOwnDomain = (domain: string) => domain === "" || domain === "ai.onnx";

async function readNode(
  { opType, domain, name, input, output, attribute }: NodeProto,
  index: number,
  source: ImportSource,
): Promise<ForeignNode> {
  const attributes: Record<string, ForeignAttribute> = {};
  for (const each of attribute) {
    attributes[each.name] = await readAttribute(each, source);
  }
  // Operators of other domains may have the names of ONNX's own, and another meaning.
  const operator = isOwnDomain(domain) ? opType : `${domain}.${opType}`;
  return {
    operator,
    name,
    place: `node ${index}`,
    attributes,
    inputs: input.map((each) => (each === "" ? undefined : each)),
    outputs: output,
  };
}

async function readAttribute(
  attribute: AttributeProto,
  source: ImportSource,
): Promise<ForeignAttribute> {
  switch (attribute.type) {
    case AttributeType.FLOAT:
      return attribute.f;
    case AttributeType.INT:
      return Number(attribute.i);
    case AttributeType.STRING:
      return textOf(attribute.s);
    case AttributeType.FLOATS:
      return attribute.floats;
    case AttributeType.INTS:
      return attribute.ints.map(Number);
    case AttributeType.STRINGS:
      return attribute.strings.map(textOf);
    case AttributeType.TENSOR:
      if (attribute.t) return readTensor(attribute.t, source);
      throw new ImportError(`the attribute \`${attribute.name}\` has no tensor in it`);
    default:
      // Graphs and the like: operators that have them have no counterpart.
      return `an attribute of type ${attribute.type}`;
  }
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** `float`, `float16`, `double`, `bfloat16`; 0 says nothing. */
const FLOATS = new Set([0, 1, 10, 11, 16]);

/** Operators compute with integers by other rules: 7 / 2 is 3. A `Cast` of them is read. */
function requireFloats(
  { input }: GraphProto,
  nodes: readonly ForeignNode[],
  constants: ReadonlyMap<string, ForeignTensor>,
): void {
  for (const { name, type } of input) {
    const elements = type?.value.case === "tensorType" ? type.value.value.elemType : 0;
    const readers = nodes.filter(({ inputs }) => inputs.includes(name));
    const isCast = readers.every(({ operator }) => operator === "Cast");
    const areIndices = readers.every(isIndexedBy(name));
    if (constants.has(name) || FLOATS.has(elements) || isCast || areIndices) continue;
    throw new ImportError(`its input \`${name}\` holds integers, and netc's inputs are floats`, [
      "export the model with an input of floats, or with a Cast to float behind it",
    ]);
  }
}

/** Whether a node takes rows of a table by the numbers of an input: an embedding. */
const isIndexedBy =
  (name: string) =>
  ({ operator, inputs }: ForeignNode): boolean =>
    operator === "Gather" && inputs[0] !== name && inputs[1] === name;

function inputOf({ name, type }: ValueInfoProto, nodes: readonly ForeignNode[]): ForeignInput {
  const dims = type?.value.case === "tensorType" ? type.value.value.shape?.dim : undefined;
  const shape = (dims ?? []).map(({ value }) =>
    value.case === "dimValue" && value.value > 0n ? Number(value.value) : undefined,
  );
  const elements = type?.value.case === "tensorType" ? type.value.value.elemType : 0;
  const isOfTokens = !FLOATS.has(elements) && nodes.some(isIndexedBy(name));
  const integers = isOfTokens || undefined;
  return { name, shape, ...withoutUndefined({ integers }) };
}

/** The value of a `Constant`, in any of its forms. */
function constantOf({ operator, attributes }: ForeignNode): ForeignTensor | undefined {
  if (operator !== "Constant") return undefined;
  const [name] = Object.keys(attributes);
  const value = name === undefined ? undefined : attributes[name];
  if (typeof value === "object" && "kind" in value) return value;
  const isInteger = name === "value_int" || name === "value_ints";
  const kind = isInteger ? "int" : "float";
  const numbers = typeof value === "number" ? [value] : value;
  if (!Array.isArray(numbers) || !numbers.every((each) => typeof each === "number")) {
    return undefined;
  }
  const values = isInteger ? Float64Array.from(numbers) : Float32Array.from(numbers);
  return { kind, shape: typeof value === "number" ? [] : [values.length], values };
}

/** The standard asks for this order, and most files have it: what reads comes after what makes. */
function ordered(
  nodes: readonly ForeignNode[],
  { input }: GraphProto,
  constants: ReadonlyMap<string, ForeignTensor>,
): readonly ForeignNode[] {
  const makers = new Map(
    nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)),
  );
  const isKnown = new Set([...input.map(({ name }) => name), ...constants.keys()]);
  const done = new Set<ForeignNode>();
  const result: ForeignNode[] = [];
  for (const start of nodes) {
    const open = [start];
    const waiting = new Set<ForeignNode>();
    for (let node = open.at(-1); node; node = open.at(-1)) {
      const missing = done.has(node)
        ? undefined
        : node.inputs.find((name) => name && !isKnown.has(name) && isOpen(makers.get(name), done));
      const maker = missing === undefined ? undefined : makers.get(missing);
      if (maker && waiting.has(maker)) {
        throw new ImportError(`its nodes form a cycle at \`${missing}\`: it is not an ONNX model`);
      }
      if (maker) {
        waiting.add(node);
        open.push(maker);
        continue;
      }
      open.pop();
      if (!done.has(node)) result.push(node);
      done.add(node);
    }
  }
  return result;
}

const isOpen = (maker: ForeignNode | undefined, done: ReadonlySet<ForeignNode>) =>
  maker !== undefined && !done.has(maker);
