// ONNX Runtime Web on its WebGPU provider; it infers only. The network becomes an ONNX model in
// memory.
import { readFile } from "node:fs/promises";
import onnxProto from "onnx-proto";
import { provideNavigatorGpu } from "../device.mjs";
import { convolutionsOf, linearsOf } from "../networks.mjs";

provideNavigatorGpu();
acceptSharedMemory();
const ort = await import("onnxruntime-web/webgpu");
const { onnx } = onnxProto;

const OPSET = 13;
const { FLOAT } = onnx.TensorProto.DataType;
const { INT, INTS } = onnx.AttributeProto.AttributeType;

function attribute(name, value) {
  if (Array.isArray(value)) return { name, type: INTS, ints: value };
  return { name, type: INT, i: value };
}

/**
 * Its memory is shared, which Dawn in Node refuses to read from: what it writes (uniforms, images)
 * is copied first.
 */
function acceptSharedMemory() {
  const { prototype } = globalThis.GPUQueue;
  const { writeBuffer } = prototype;
  prototype.writeBuffer = function (buffer, offset, data, start = 0, size = undefined) {
    const end = size === undefined ? undefined : start + size;
    return writeBuffer.call(this, buffer, offset, data.slice(start, end));
  };
}

const node = (opType, input, output, attributes = {}) => ({
  opType,
  input,
  output: [output],
  attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
});

const square = (size) => [size, size];
const withWeights = (x, name) => [x, `${name}.weight`, `${name}.bias`];

function convolutionNodes(x, { name, kernel, stride, padding, pool }) {
  const convolved = node("Conv", withWeights(x, name), `${name}.y`, {
    kernel_shape: square(kernel),
    strides: square(stride),
    pads: [...square(padding), ...square(padding)],
  });
  const activated = node("Relu", [`${name}.y`], `${name}.relu`);
  if (!pool) return [convolved, activated];
  const settings = { kernel_shape: square(pool.size), strides: square(pool.stride) };
  return [convolved, activated, node("MaxPool", [`${name}.relu`], `${name}.pool`, settings)];
}

function linearNodes(x, { name, relu }) {
  const product = node("Gemm", withWeights(x, name), `${name}.y`, { transB: 1 });
  return relu ? [product, node("Relu", [`${name}.y`], `${name}.relu`)] : [product];
}

function nodesOf(network) {
  const nodes = [];
  const last = () => nodes.at(-1)?.output[0] ?? "images";
  for (const layer of convolutionsOf(network)) nodes.push(...convolutionNodes(last(), layer));
  nodes.push(node("Flatten", [last()], "features", { axis: 1 }));
  for (const layer of linearsOf(network)) nodes.push(...linearNodes(last(), layer));
  return nodes;
}

const described = (name, shape) => ({
  name,
  type: {
    tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } },
  },
});

function modelOf({ network, batch, parameters }) {
  const nodes = nodesOf(network);
  const graph = {
    name: "network",
    node: nodes,
    initializer: parameters.map(({ name, shape, values }) => ({
      name,
      dims: shape,
      dataType: FLOAT,
      rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    })),
    input: [described("images", [batch, ...network.image])],
    output: [described(nodes.at(-1).output[0], [batch, network.classes])],
  };
  const model = { irVersion: 8, opsetImport: [{ domain: "", version: OPSET }], graph };
  return onnx.ModelProto.encode(model).finish();
}

export async function inference(problem) {
  const { network, batch, examples } = problem;
  const wasm = import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm");
  ort.env.wasm.wasmBinary = await readFile(new URL(wasm));
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(modelOf(problem), {
    executionProviders: ["webgpu"],
  });
  const images = new ort.Tensor("float32", examples.images, [batch, ...network.image]);
  return async () => {
    const results = await session.run({ images });
    return results[session.outputNames[0]].data;
  };
}
