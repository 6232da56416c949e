/** Rules of ONNX that converters get wrong, each in a model made here. */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataLocation as DataLocation,
} from "../../interchange/onnx/onnx_pb.js";
import { specText } from "../../interchange/spec-text.js";
import { halvesOf } from "../../program/half.js";
import {
  evaluated,
  imported,
  predicted,
  readForeign,
  relativeError,
  sourceIn,
} from "./foreign-model.js";

interface Tensor {
  readonly dims: readonly number[];
  /** Of `TensorProto.DataType`. */
  readonly type: number;
  readonly raw: Uint8Array;
  /** The file that holds the bytes. */
  readonly file?: string;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray) =>
  new Uint8Array(buffer, byteOffset, byteLength);

const float = (dims: readonly number[], values: readonly number[]): Tensor => ({
  dims,
  type: 1,
  raw: bytesOf(Float32Array.from(values)),
});
const int64 = (values: readonly number[]): Tensor => ({
  dims: [values.length],
  type: 7,
  raw: bytesOf(BigInt64Array.from(values, BigInt)),
});

/** Numbers that all differ. */
const several = (...dims: readonly number[]): Tensor => {
  const length = dims.reduce((a, b) => a * b, 1);
  return float(
    dims,
    Array.from({ length }, (_, index) => Math.sin(index * index + 1)),
  );
};

interface NodeText {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  /** `v` and its number, if left out. */
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
}

const attributesOf = ({ attributes = {} }: NodeText) =>
  Object.entries(attributes).map(([name, value]) => {
    if (typeof value === "string") {
      return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
    }
    if (typeof value !== "number") {
      return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
    }
    const isInteger = Number.isInteger(value);
    return isInteger
      ? { name, type: AttributeType.INT, i: BigInt(value) }
      : { name, type: AttributeType.FLOAT, f: value };
  });

/** In the model, or behind the first 4 bytes of a file. */
function storage(raw: Uint8Array, file: string | undefined) {
  if (file === undefined) return { rawData: raw };
  const externalData = [
    { key: "location", value: file },
    { key: "offset", value: "4" },
    { key: "length", value: String(raw.length) },
  ];
  return { dataLocation: DataLocation.EXTERNAL, externalData };
}

/** A model whose nodes give `v0`, `v1` and so on; the last is the output. */
function model(
  nodes: readonly NodeText[],
  tensors: Readonly<Record<string, Tensor>>,
  input: readonly number[],
  elemType = 1,
): Uint8Array {
  const valueInfo = (name: string, dims: readonly number[]) => ({
    name,
    type: {
      value: {
        case: "tensorType" as const,
        value: {
          elemType,
          shape: {
            dim: dims.map((d) => ({ value: { case: "dimValue" as const, value: BigInt(d) } })),
          },
        },
      },
    },
  });
  const initializer = Object.entries(tensors).map(([name, { dims, type, raw, file }]) => ({
    name,
    dims: dims.map(BigInt),
    dataType: type,
    ...storage(raw, file),
  }));
  const node = nodes.map((each, index) => ({
    opType: each.op,
    domain: each.domain ?? "",
    input: [...each.inputs],
    output: [...(each.outputs ?? [`v${index}`])],
    attribute: attributesOf(each),
  }));
  const graph = {
    name: "g",
    node,
    initializer,
    input: [valueInfo("x", input)],
    output: [valueInfo(`v${nodes.length - 1}`, [])],
  };
  const opsetImport = [{ version: 13n }];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, graph, opsetImport }),
  );
}

const images = (length: number) =>
  Float32Array.from({ length }, (_, index) => Math.cos(index * index * 0.37));

interface Made {
  /** Of the input, of `TensorProto.DataType`. */
  readonly elemType?: number;
  readonly nodes: readonly NodeText[];
  readonly tensors?: Readonly<Record<string, Tensor>>;
  readonly input?: readonly number[];
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/** Imports a model and compares it with the rules of ONNX; the kinds of its layers. */
async function same({ nodes, tensors = {}, input = [1, 3, 6, 6], files = {}, elemType }: Made) {
  const bytes = model(nodes, tensors, input, elemType);
  const graph = await readForeign(sourceIn({ ...files, "m.onnx": bytes }, ["m.onnx"]));
  const found = imported(graph);
  const given = images(input.reduce((a, b) => a * b, 1));
  const got = predicted(found, given);
  expect(relativeError(got, evaluated(graph, given, input))).toBeLessThan(1e-5);
  await specText(found, "m.onnx");
  return { found, got, kinds: found.network.layers.map(({ definition }) => definition.name) };
}

const conv = (attributes: NodeText["attributes"], input = "x"): NodeText => ({
  op: "Conv",
  inputs: [input, "w"],
  attributes,
});

test("the zeros of a Pad before MaxPool win over negative pixels", async () => {
  const { kinds, got } = await same({
    nodes: [
      { op: "Mul", inputs: ["x", "zero"] },
      { op: "Sub", inputs: ["v0", "one"] },
      { op: "Pad", inputs: ["v1", "pads"] },
      { op: "MaxPool", inputs: ["v2"], attributes: { kernel_shape: [3, 3], strides: [2, 2] } },
    ],
    tensors: {
      zero: float([], [0]),
      one: float([], [1]),
      pads: int64([0, 0, 1, 1, 0, 0, 1, 1]),
    },
  });
  expect(kinds).toContain("pad");
  expect(Math.max(...got)).toBe(0);
});

test("a mean that is subtracted before a padded convolution stays before it", async () => {
  const { kinds } = await same({
    nodes: [{ op: "Sub", inputs: ["x", "mean"] }, conv({ pads: [1, 1, 1, 1] }, "v0")],
    tensors: { mean: float([1, 3, 1, 1], [3, 4, 5]), w: several(2, 3, 3, 3) },
  });
  expect(kinds).toEqual(["scale", "conv"]);
});

test.each([
  ["SAME_LOWER", { top: 1, bottom: 0, left: 1, right: 0 }],
  ["SAME_UPPER", { top: 0, bottom: 1, left: 0, right: 1 }],
])("%s puts the odd row and column on its side", async (auto_pad, padding) => {
  const { found } = await same({
    nodes: [conv({ auto_pad, strides: [2, 2] })],
    tensors: { w: several(2, 3, 3, 3) },
  });
  expect(found.network.layers[0]!.values.padding).toEqual(padding);
});

describe("weights", () => {
  test("of 8 bits are scaled, with a zero point for each channel", async () => {
    const raw = Uint8Array.from({ length: 54 }, (_, index) => (index * 37) % 256);
    const { found } = await same({
      nodes: [
        { op: "DequantizeLinear", inputs: ["q", "scale", "zero"], attributes: { axis: 0 } },
        { op: "Conv", inputs: ["x", "v0"] },
      ],
      tensors: {
        q: { dims: [2, 3, 3, 3], type: 2, raw },
        scale: float([2], [0.5, 0.25]),
        zero: { dims: [2], type: 2, raw: Uint8Array.of(100, 20) },
      },
    });
    const { values } = found.tensors[0]!;
    expect(values[1]).toBe((37 - 100) * 0.5);
    expect(values[27]).toBe((((27 * 37) % 256) - 20) * 0.25);
  });

  test("of bfloat16 are widened", async () => {
    // 1, -2, 0.5 in the upper halves of 32-bit floats.
    const raw = bytesOf(Uint16Array.of(0x3f80, 0xc000, 0x3f00));
    const { found } = await same({
      nodes: [
        { op: "Cast", inputs: ["w"], attributes: { to: 1 } },
        { op: "Conv", inputs: ["x", "v0"] },
      ],
      tensors: { w: { dims: [1, 3, 1, 1], type: 16, raw } },
    });
    expect([...found.tensors[0]!.values]).toEqual([1, -2, 0.5]);
  });

  test("of 16 bits, in a model that computes in 16 bits", async () => {
    const half = ({ dims, raw }: Tensor): Tensor => {
      const values = new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4);
      return { dims, type: 10, raw: bytesOf(halvesOf(values)) };
    };
    const { kinds, found } = await same({
      elemType: 10,
      nodes: [
        { op: "Cast", inputs: ["x"], attributes: { to: 10 } },
        { ...conv({ pads: [1, 1, 1, 1] }, "v0"), inputs: ["v0", "w", "b"] },
        { op: "BatchNormalization", inputs: ["v1", "b", "b", "b", "variance"] },
        { op: "Clip", inputs: ["v2", "zero", "six"] },
        { op: "Mul", inputs: ["v3", "factor"] },
        { op: "GlobalAveragePool", inputs: ["v4"] },
        { op: "Flatten", inputs: ["v5"] },
        { op: "Gemm", inputs: ["v6", "fc", "bias"], attributes: { transB: 1 } },
        { op: "Softmax", inputs: ["v7"], attributes: { axis: 1 } },
      ],
      tensors: {
        w: half(several(2, 3, 3, 3)),
        b: half(several(2)),
        variance: half(float([2], [0.5, 0.7])),
        zero: half(float([], [0])),
        six: half(float([], [6])),
        factor: half(float([1], [0.1])),
        fc: half(several(4, 2)),
        bias: half(several(4)),
      },
    });
    const layers = ["conv", "batchnorm", "relu6", "scale", "global_avgpool", "flatten"];
    expect(kinds).toEqual([...layers, "linear", "softmax"]);
    // A half of 0.1, and not the f32 that is nearest to it.
    const scale = found.tensors.find(({ name }) => /^scale.*weight$/.test(name))!;
    expect(scale.values[0]).toBe(0.0999755859375);
  });

  test("in another file are read from their offset; one that is missing is named", async () => {
    const weight = several(2, 3, 3, 3);
    const tensors = { w: { ...weight, file: "w.bin" } };
    const nodes = [conv({})];
    const whole = new Uint8Array([9, 9, 9, 9, ...weight.raw]);
    const source = sourceIn({ "m.onnx": model(nodes, tensors, [1, 3, 6, 6]) }, ["m.onnx"]);
    const sibling = (_: string, { offset = 0, length = 0 } = {}) =>
      Promise.resolve(whole.slice(offset, offset + length));
    const found = imported(await readForeign({ ...source, sibling }));
    expect(bytesOf(found.tensors[0]!.values)).toEqual(weight.raw);
    await expect(readForeign(source)).rejects.toThrow("w.bin");
  });
});

test("an input of integers is refused, unless a Cast reads it", async () => {
  const half = { op: "Div", inputs: ["x", "two"] };
  const two = { ...int64([2]), type: 7, dims: [] };
  const readInteger = (nodes: readonly NodeText[]) => {
    const bytes = model(nodes, { two }, [1, 3, 6, 6], 2);
    return readForeign(sourceIn({ "m.onnx": bytes }, ["m.onnx"]));
  };
  await expect(readInteger([half])).rejects.toThrow("its input `x` holds integers");
  const cast = { op: "Cast", inputs: ["x"], attributes: { to: 1 } };
  const graph = await readInteger([cast, { ...half, inputs: ["v0", "two"] }]);
  expect(imported(graph).network.layers.map(({ definition }) => definition.name)).toEqual([
    "scale",
  ]);
});

test("a Conv of another domain is not ONNX's", async () => {
  const nodes = [{ ...conv({}), domain: "com.example" }];
  const bytes = model(nodes, { w: several(2, 3, 3, 3) }, [1, 3, 6, 6]);
  const graph = await readForeign(sourceIn({ "m.onnx": bytes }, ["m.onnx"]));
  expect(() => imported(graph)).toThrow("com.example.Conv (node 0): netc has no layer");
});

test("a product over NHWC is a convolution of kernel 1, as in ConvNeXt", async () => {
  const { kinds } = await same({
    nodes: [
      { op: "Transpose", inputs: ["x"], attributes: { perm: [0, 2, 3, 1] } },
      { op: "MatMul", inputs: ["v0", "w"] },
      { op: "Add", inputs: ["v1", "b"] },
      { op: "Transpose", inputs: ["v2"], attributes: { perm: [0, 3, 1, 2] } },
    ],
    tensors: { w: several(3, 5), b: several(5) },
  });
  expect(kinds).toEqual(["conv"]);
});

const turn = (input: string, perm: readonly number[]): NodeText => ({
  op: "Transpose",
  inputs: [input],
  attributes: { perm },
});
const normalize = (input: string, axis: number): NodeText => ({
  op: "LayerNormalization",
  inputs: [input, "w", "b"],
  attributes: { axis },
});

test.each<readonly [string, readonly number[], readonly NodeText[], readonly string[]]>([
  [
    "tokens are normalized, turned and multiplied",
    [1, 6, 5],
    [
      normalize("x", -1),
      turn("v0", [0, 2, 1]),
      { op: "MatMul", inputs: ["v0", "v1"] },
      { op: "Softmax", inputs: ["v2"], attributes: { axis: 1 } },
      { op: "Concat", inputs: ["v3", "x"], attributes: { axis: -1 } },
    ],
    ["layernorm", "matmul", "transpose", "softmax", "transpose", "concat"],
  ],
  [
    "a product with itself turned needs no transpose",
    [1, 6, 5],
    [
      { op: "Concat", inputs: ["x", "x"], attributes: { axis: 1 } },
      turn("v0", [0, 2, 1]),
      { op: "MatMul", inputs: ["v0", "v1"] },
      { op: "Gather", inputs: ["v2", "last"], attributes: { axis: 1 } },
    ],
    ["concat", "matmul", "token"],
  ],
  [
    "an image's pixels become tokens, and their mean",
    [1, 5, 3, 2],
    [
      { op: "Reshape", inputs: ["x", "pixels"] },
      turn("v0", [0, 2, 1]),
      normalize("v1", 2),
      { op: "ReduceMean", inputs: ["v2"], attributes: { axes: [1], keepdims: 0 } },
    ],
    ["tokens", "layernorm", "global_avgpool"],
  ],
  [
    "the last axis of an image is normalized, and its order is the output's",
    [1, 2, 3, 5],
    [normalize("x", 3), turn("v0", [0, 3, 1, 2])],
    ["reshape", "layernorm", "reshape", "permute"],
  ],
  [
    "channels of tokens are reduced, axes of an image joined",
    [1, 2, 6],
    [
      { op: "ReduceMax", inputs: ["x"], attributes: { axes: [-1] } },
      { op: "ReduceMean", inputs: ["x"], attributes: { axes: [-1] } },
      { op: "Concat", inputs: ["v0", "v1"], attributes: { axis: 2 } },
      turn("v2", [0, 2, 1]),
    ],
    ["reshape", "maxpool", "reshape", "reshape", "avgpool", "reshape", "concat", "transpose"],
  ],
])("%s", async (_, input, nodes, expected) => {
  const last = { ...int64([-1]), dims: [] };
  const tensors = { w: several(5), b: several(5), last, pixels: int64([0, 5, 6]) };
  const { kinds } = await same({ nodes, tensors, input });
  expect(kinds).toEqual(expected);
});

test("channels that are joined again and again are joined pairwise, as in DenseNet", async () => {
  const layer = (input: string): NodeText => conv({ pads: [1, 1, 1, 1] }, input);
  const { kinds, found } = await same({
    nodes: [
      { op: "Concat", inputs: ["x"], attributes: { axis: 1 } },
      layer("v0"),
      { op: "Concat", inputs: ["x", "v1"], attributes: { axis: 1 } },
      { op: "Conv", inputs: ["v2", "w2"], attributes: { pads: [1, 1, 1, 1] } },
      { op: "Concat", inputs: ["x", "v1", "v3"], attributes: { axis: 1 } },
    ],
    tensors: { w: several(2, 3, 3, 3), w2: several(2, 5, 3, 3) },
  });
  expect(kinds).toEqual(["conv", "concat", "conv", "concat"]);
  expect(found.network.layers.map(({ inputs }) => inputs.length)).toEqual([1, 2, 1, 2]);
});

test("shapes that are known only while a graph is mapped are computed", async () => {
  const { kinds } = await same({
    nodes: [
      { op: "Shape", inputs: ["x"] },
      { op: "Gather", inputs: ["v0", "channels"], attributes: { axis: 0 } },
      { op: "Div", inputs: ["v1", "three"] },
      { op: "Unsqueeze", inputs: ["v2", "axis"] },
      { op: "Concat", inputs: ["zero", "v3", "rest"], attributes: { axis: 0 } },
      { op: "Reshape", inputs: ["x", "v4"] },
    ],
    tensors: {
      channels: { ...int64([1]), dims: [] },
      three: { ...int64([3]), dims: [] },
      axis: int64([0]),
      zero: int64([0]),
      rest: int64([-1, 6]),
    },
  });
  expect(kinds).toEqual(["reshape"]);
});

test.each([
  ["another batch than the file's", [2, 8, -1], [1, 3, 6, 6], "the batch must stay the first axis"],
  ["the file's batch", [2, -1], [2, 3, 6, 6], undefined],
])("a Reshape to %s", async (_, sizes, input, refusal) => {
  const made = { nodes: [{ op: "Reshape", inputs: ["x", "sizes"] }] };
  const tensors = { sizes: int64(sizes) };
  const graph = await readForeign(
    sourceIn({ "m.onnx": model(made.nodes, tensors, input) }, ["m.onnx"]),
  );
  if (refusal === undefined) expect(imported(graph).network.layers).toHaveLength(1);
  else expect(() => imported(graph)).toThrow(refusal);
});

test.each([
  ["Einsum", [{ op: "Einsum", inputs: ["x", "slope"] }], "Einsum (node 0): netc has no layer"],
])("%s is refused by name", async (_, nodes, message) => {
  const tensors = {
    slope: float([3, 1, 1], [0.1, 0.2, 0.3]),
    start: int64([0]),
    end: int64([2]),
    axis: int64([1]),
  };
  const bytes = model(nodes, tensors, [1, 3, 6, 6]);
  const graph = await readForeign(sourceIn({ "m.onnx": bytes }, ["m.onnx"]));
  expect(() => imported(graph)).toThrow(message);
});

describe("formulas", () => {
  const tensors = {
    half: float([], [0.5]),
    two: float([1], [2]),
    third: float([1, 1, 1, 1], [1 / 3]),
    twenty: float([], [20]),
    each: float([3, 1, 1], [0.1, 0.2, 0.3]),
    w: several(3, 3, 1, 1),
  };
  const squared = [
    { op: "Conv", inputs: ["x", "w"] },
    { op: "Pow", inputs: ["v0", "two"] },
  ];

  test.each<[string, NodeText[]]>([
    ["Sub", [{ op: "Sub", inputs: ["x", "v0"] }]],
    ["Div", [{ op: "Div", inputs: ["x", "v1"] }]],
    ["Div of a number", [{ op: "Div", inputs: ["half", "v1"] }]],
    ["Pow", [{ op: "Pow", inputs: ["v1", "third"] }]],
    ["Pow of a number", [{ op: "Pow", inputs: ["half", "v0"] }]],
    ["Sqrt", [{ op: "Sqrt", inputs: ["v1"] }]],
    ["Exp", [{ op: "Exp", inputs: ["x"] }]],
    ["Log", [{ op: "Log", inputs: ["v1"] }]],
    ["Abs", [{ op: "Abs", inputs: ["v0"] }]],
    ["Reciprocal", [{ op: "Reciprocal", inputs: ["v1"] }]],
    ["Min", [{ op: "Min", inputs: ["x", "v0", "half"] }]],
    ["Max", [{ op: "Max", inputs: ["half", "x", "v0"] }]],
    [
      "comparisons and Where",
      [
        { op: "Greater", inputs: ["x", "v0"] },
        { op: "LessOrEqual", inputs: ["v1", "half"] },
        { op: "Not", inputs: ["v3"] },
        { op: "And", inputs: ["v2", "v4"] },
        { op: "Equal", inputs: ["v0", "v0"] },
        { op: "Or", inputs: ["v5", "v3"] },
        { op: "Where", inputs: ["v7", "x", "half"] },
      ],
    ],
    [
      "a Cast of a comparison",
      [
        { op: "Less", inputs: ["x", "v0"] },
        { op: "Cast", inputs: ["v2"], attributes: { to: 1 } },
        { op: "Mul", inputs: ["v3", "x"] },
      ],
    ],
  ])("%s", async (_, nodes) => {
    const { kinds } = await same({ nodes: [...squared, ...nodes], tensors });
    expect(kinds).toContain("let");
  });

  test("of a transposed image are of its elements", async () => {
    await same({
      nodes: [
        { op: "Transpose", inputs: ["x"], attributes: { perm: [0, 2, 3, 1] } },
        { op: "Abs", inputs: ["v0"] },
        { op: "Sub", inputs: ["v1", "v0"] },
        { op: "Transpose", inputs: ["v2"], attributes: { perm: [0, 3, 1, 2] } },
        conv({}, "v3"),
      ],
      tensors,
    });
  });

  test.each<[string, NodeText[], string]>([
    ["a number for each channel", [{ op: "Max", inputs: ["x", "each"] }], "has several numbers"],
    ["a large power", [{ op: "Pow", inputs: ["x", "twenty"] }], "its exponent is 20"],
    [
      "values of other axes",
      [
        { op: "Flatten", inputs: ["x"] },
        { op: "Sub", inputs: ["x", "v0"] },
      ],
      "it computes with values of 4 and of 2 axes",
    ],
  ])("%s is refused", async (_, nodes, message) => {
    const bytes = model(nodes, tensors, [1, 3, 6, 6]);
    const graph = await readForeign(sourceIn({ "m.onnx": bytes }, ["m.onnx"]));
    expect(() => imported(graph)).toThrow(message);
  });

  test("functions are declared once, and blocks use them", async () => {
    const { found } = await same({
      nodes: [
        { op: "Exp", inputs: ["x"] },
        { op: "Exp", inputs: ["v0"] },
        { op: "Sub", inputs: ["v1", "x"] },
      ],
    });
    expect(found.text).toContain("fn exponential(a) = exp(a)");
    expect(found.text.match(/^fn /gm)).toHaveLength(2);
  });
});

describe("reductions", () => {
  test.each<[string, readonly number[], number, readonly number[]]>([
    ["ReduceSum", [1], 1, [1, 3, 6, 6]],
    ["ReduceMean", [1], 1, [1, 3, 6, 6]],
    ["ReduceMax", [1, 3], 1, [1, 3, 6, 6]],
    ["ReduceMin", [-1, -2], 0, [1, 3, 6, 5]],
    ["ReduceSum", [2], 0, [1, 3, 6, 5]],
    ["ReduceLogSumExp", [1], 0, [1, 3, 6, 5]],
    ["ReduceSum", [1], 0, [1, 4, 5]],
    ["ReduceMean", [1], 1, [1, 12]],
  ])("%s over %j, keepdims=%i", async (op, axes, keepdims, input) => {
    const isInput = op === "ReduceSum";
    const node: NodeText = isInput
      ? { op, inputs: ["x", "axes"], attributes: { keepdims } }
      : { op, inputs: ["x"], attributes: { axes, keepdims } };
    await same({ nodes: [node], tensors: isInput ? { axes: int64(axes) } : {}, input });
  });
});

describe("parts of values and activations", () => {
  test.each([
    [{ axis: 1 }, {}, ["x"], [1, 6, 4, 5]],
    [{ axis: -1 }, { sizes: int64([1, 4]) }, ["x", "sizes"], [1, 6, 4, 5]],
    [{ axis: 1 }, { sizes: int64([2, 3]) }, ["x", "sizes"], [1, 5, 4]],
  ] as const)(
    "Split with %j is a slice for each output",
    async (attributes, tensors, inputs, input) => {
      const outputs = ["left", "right"];
      const { kinds } = await same({
        nodes: [
          { op: "Split", inputs, outputs, attributes },
          { op: "ReduceSum", inputs: ["left", "axes"] },
          { op: "Mul", inputs: ["right", "v1"] },
        ],
        tensors: { ...tensors, axes: int64([(attributes.axis + input.length) % input.length]) },
        input,
      });
      expect(kinds.filter((kind) => kind === "slice")).toHaveLength(2);
    },
  );

  test.each([
    [1, [], [2]],
    [1, [1], [2]],
    [1, [2], [0, 2]],
    [2, [3], [1, 2, 3]],
    [3, [], [-1]],
  ])("Gather of axis %i takes parts", async (axis, dims, values) => {
    const indices = { dims, type: 7, raw: bytesOf(BigInt64Array.from(values, BigInt)) };
    await same({
      nodes: [{ op: "Gather", inputs: ["x", "indices"], attributes: { axis } }],
      tensors: { indices },
      input: [1, 3, 6, 5],
    });
  });

  test("Slice cuts channels and rows, counts from the end, and clips", async () => {
    const { found } = await same({
      nodes: [{ op: "Slice", inputs: ["x", "starts", "ends", "axes", "steps"] }, conv({}, "v0")],
      tensors: {
        starts: int64([1, -5]),
        ends: int64([9, 2 ** 40]),
        axes: int64([1, -2]),
        steps: int64([1, 2]),
        w: several(2, 2, 1, 1),
      },
    });
    const [channels, rows] = found.network.layers.map(({ values }) => values);
    expect(channels).toMatchObject({ axis: "channels", start: 1, end: 3, step: 1 });
    expect(rows).toMatchObject({ axis: "rows", start: 1, end: 6, step: 2 });
  });

  test("a Slice of everything is nothing, and one of the batch is refused", async () => {
    const whole = { starts: int64([0]), ends: int64([2 ** 31]), axes: int64([0]) };
    const slice = { op: "Slice", inputs: ["x", "starts", "ends", "axes"] };
    const w = several(2, 3, 1, 1);
    const { kinds } = await same({ nodes: [slice, conv({}, "v0")], tensors: { ...whole, w } });
    expect(kinds).toEqual(["conv"]);
    const first = { ...whole, ends: int64([1]), starts: int64([-1]) };
    const refused = same({ nodes: [slice, conv({}, "v0")], tensors: { ...first, w } });
    await expect(refused).rejects.toThrow("it cuts the batch");
  });

  test("Selu, Celu, Softsign and PRelu are layers", async () => {
    const { kinds, found } = await same({
      nodes: [
        { op: "Selu", inputs: ["x"] },
        { op: "Celu", inputs: ["v0"], attributes: { alpha: 0.5 } },
        { op: "Softsign", inputs: ["v1"] },
        { op: "PRelu", inputs: ["v2", "slopes"] },
        { op: "PRelu", inputs: ["v3", "slope"] },
      ],
      tensors: { slopes: float([3, 1, 1], [0.1, -0.2, 0.3]), slope: float([1], [0.5]) },
    });
    expect(kinds).toEqual(["selu", "celu", "softsign", "prelu", "prelu"]);
    expect(found.tensors.map(({ shape }) => shape)).toEqual([[3], [1]]);
  });

  test("DepthToSpace is pixel_shuffle in the mode CRD", async () => {
    const made = (mode: string) =>
      same({
        nodes: [
          conv({}),
          { op: "DepthToSpace", inputs: ["v0"], attributes: { blocksize: 2, mode } },
        ],
        tensors: { w: several(8, 3, 1, 1) },
      });
    expect((await made("CRD")).kinds).toEqual(["conv", "pixel_shuffle"]);
    await expect(made("DCR")).rejects.toThrow("CRD");
  });

  const shuffle = (perm: readonly number[], ...shape: readonly number[]) =>
    same({
      nodes: [
        conv({}),
        { op: "Reshape", inputs: ["v0", "apart"] },
        { op: "Transpose", inputs: ["v1"], attributes: { perm } },
        { op: "Reshape", inputs: ["v2", "together"] },
      ],
      tensors: { w: several(6, 3, 1, 1), apart: int64([0, 2, 3, 4, 5]), together: int64(shape) },
      input: [2, 3, 4, 5],
    });

  test("channels as groups, transposed, are channel_shuffle, as PyTorch writes it", async () => {
    const found = await shuffle([0, 2, 1, 3, 4], 0, 6, 4, 5);
    expect(found.kinds).toEqual(["conv", "channel_shuffle"]);
    // What reads the elements in a row gets them in the same order.
    expect((await shuffle([0, 2, 1, 3, 4], 0, -1)).kinds).toContain("channel_shuffle");
    await expect(shuffle([0, 2, 1, 4, 3], 0, 6, 5, 4)).rejects.toThrow("two axes");
  });
});
