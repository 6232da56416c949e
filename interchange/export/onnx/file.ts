/** A graph as the bytes of an ONNX file. */
import { create, toBinary } from "@bufbuild/protobuf";
import { halvesOf } from "../../../program/half.js";
import type { ForeignAttribute, ForeignNode, ForeignTensor } from "../../foreign-graph.js";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "../../onnx/onnx_pb.js";
import { TooLarge } from "../refusal.js";
import type { OnnxGraph } from "./graph.js";
import type { StoredType } from "./node-writer.js";

const OPSET = 17n;
/** Of the time of opset 17. */
const IR_VERSION = 8n;

export interface OnnxFacts {
  readonly version: string;
  readonly documentation: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A message of protocol buffers ends here; ONNX keeps more in separate files. */
const LARGEST = 2 ** 31 - 1;
/** For nodes and names. */
const ROOM = 1 << 24;

const WIDTHS: Readonly<Record<StoredType, number>> = { f16: 2, i8: 1, u8: 1 };

/** Throws a TooLarge error, before anything is allocated, where the weights exceed 2 GiB. */
function requireRoom({ graph, stored }: OnnxGraph): void {
  let bytes = ROOM;
  for (const [name, { kind, values }] of graph.constants) {
    const type = stored.get(name);
    bytes += values.length * (type ? WIDTHS[type] : kind === "float" ? 4 : 8);
  }
  if (bytes <= LARGEST) return;
  const instead = "--as f16 halves the weights; PyTorch's and Keras' files may have 4 GiB";
  throw new TooLarge("An ONNX file", { bytes, most: LARGEST }, instead);
}

export function onnxFile(model: OnnxGraph, facts: OnnxFacts): Uint8Array {
  requireRoom(model);
  const { graph, outputShapes, stored } = model;
  const proto = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: OPSET })],
    producerName: "netc",
    producerVersion: facts.version,
    docString: facts.documentation,
    metadataProps: Object.entries(facts.metadata).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
    graph: create(GraphProtoSchema, {
      name: graph.name,
      node: graph.nodes.map(nodeProto),
      initializer: [...graph.constants].map(([name, tensor]) =>
        tensorProto(name, tensor, stored.get(name)),
      ),
      input: graph.inputs.map(({ name, shape, integers }) =>
        valueInfo(name, shape, integers ? DataType.INT64 : DataType.FLOAT),
      ),
      output: graph.outputs.map((name, index) => valueInfo(name, outputShapes[index]!)),
    }),
  });
  return toBinary(ModelProtoSchema, proto);
}

function nodeProto({ operator, name, inputs, outputs, attributes }: ForeignNode) {
  return create(NodeProtoSchema, {
    opType: operator,
    name,
    output: [...outputs],
    input: inputs.map((input) => input ?? ""),
    attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
  });
}

/** Attributes that are floats, even if their value is an integer. */
const FLOATS = new Set(["cubic_coeff_a", "alpha", "beta", "bias", "epsilon", "momentum"]);

function attributeProto(name: string, value: ForeignAttribute) {
  if (typeof value === "number") {
    return FLOATS.has(name)
      ? create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value })
      : create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === "string") {
    const s = new TextEncoder().encode(value);
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s });
  }
  if (!Array.isArray(value)) throw new Error(`the attribute \`${name}\` is of an unknown type`);
  const ints = (value as readonly number[]).map(BigInt);
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints });
}

function tensorProto(name: string, tensor: ForeignTensor, stored: StoredType | undefined) {
  const { dataType, bytes } = encoded(tensor, stored);
  const rawData = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return create(TensorProtoSchema, { name, dims: tensor.shape.map(BigInt), dataType, rawData });
}

/** Little-endian, as every platform that Node runs on has it. */
function encoded({ kind, values }: ForeignTensor, stored: StoredType | undefined) {
  switch (stored) {
    case "f16":
      return { dataType: DataType.FLOAT16, bytes: halvesOf(values) };
    case "i8":
      return { dataType: DataType.INT8, bytes: Int8Array.from(values) };
    case "u8":
      return { dataType: DataType.UINT8, bytes: Uint8Array.from(values) };
    default:
      return kind === "float"
        ? { dataType: DataType.FLOAT, bytes: Float32Array.from(values) }
        : { dataType: DataType.INT64, bytes: BigInt64Array.from([...values], BigInt) };
  }
}

function valueInfo(
  name: string,
  shape: readonly (number | undefined)[],
  elemType = DataType.FLOAT,
) {
  const dim = shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        size === undefined
          ? { case: "dimParam", value: "N" }
          : { case: "dimValue", value: BigInt(size) },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } });
  return create(ValueInfoProtoSchema, { name, type });
}
