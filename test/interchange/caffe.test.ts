/** Prototxts that show one rule of Caffe each, with weights made here. */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { NetSchema } from "../../interchange/caffe/generated/weights_pb.js";
import { preprocessed } from "../../interchange/preprocessing.js";
import {
  evaluated,
  imported,
  predicted,
  readForeign,
  relativeError,
  sourceIn,
} from "./foreign-model.js";

interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Numbers that all differ. */
function weights(...shape: readonly number[]): Weights {
  const length = shape.reduce((a, b) => a * b, 1);
  return { shape, values: Float32Array.from({ length }, (_, index) => Math.sin(index * index)) };
}

const blobOf = ({ shape, values }: Weights) => ({
  shape: { dim: shape.map(BigInt) },
  data: new Uint8Array(values.buffer),
});

/** @param inV1 in the form of `layers`, whose blobs have four axes */
function caffemodel(
  all: Readonly<Record<string, readonly Weights[]>>,
  { inV1 }: { readonly inV1: boolean } = { inV1: false },
): Uint8Array {
  const layers = Object.entries(all).map(([name, blobs]) => ({ name, blobs: blobs.map(blobOf) }));
  return toBinary(NetSchema, create(NetSchema, inV1 ? { layers } : { layer: layers }));
}

const INPUT =
  'layer { name: "data" type: "Input" top: "data" ' +
  "input_param { shape { dim: [1, 3, 6, 6] } } }";
const CONV = `layer {
  name: "c" type: "Convolution" bottom: "data" top: "c"
  convolution_param { num_output: 4 kernel_size: 3 pad: 1 }
}`;

const read = (text: string, model: Uint8Array) => {
  const files = { "net.prototxt": new TextEncoder().encode(text), "net.caffemodel": model };
  return readForeign(sourceIn(files, ["net.prototxt", "net.caffemodel"]));
};

const CONV_WEIGHTS = { c: [weights(4, 3, 3, 3), weights(4)] };
const images = Float32Array.from({ length: 108 }, (_, index) => Math.cos(index * index * 0.37));

describe("phases", () => {
  test("layers of training are left out, by include, exclude and level", async () => {
    const text = `${INPUT} ${CONV}
      layer { name: "noise" type: "Python" bottom: "c" top: "c" include { phase: TRAIN } }
      layer { name: "stage" type: "Python" bottom: "c" top: "c" include { stage: "deploy" } }
      layer { name: "level" type: "Python" bottom: "c" top: "c" include { min_level: 1 } }
      layer { name: "not" type: "Python" bottom: "c" top: "c" exclude { phase: TEST } }
      layer { name: "r" type: "ReLU" bottom: "c" top: "r" exclude { phase: TRAIN } }`;
    const { network } = imported(await read(text, caffemodel(CONV_WEIGHTS)));
    expect(network.layers.map(({ definition }) => definition.name)).toEqual(["conv", "relu"]);
  });

  test("data of training give the size, a loss becomes a comment", async () => {
    const text = `
      layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
        transform_param { crop_size: 5 } }
      layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
        transform_param { crop_size: 6 mean_value: 104 mean_value: 117 mean_value: 123 } }
      ${CONV}
      layer { name: "l" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" top: "l" }`;
    const { network, report } = imported(await read(text, caffemodel(CONV_WEIGHTS)));
    expect(network.inputs[0]!.type.shape).toEqual(["N", 3, 6, 6]);
    expect(report.remarks.join("\n")).toContain("by SoftmaxWithLoss in `l`");
    expect(report.remarks.join("\n")).toContain("normalize(mean=[0.407843, 0.458824, 0.482353]");
  });
});

test("a network in the form of V1, with its enum of types", async () => {
  const text = `input: "data" input_dim: 1 input_dim: 3 input_dim: 6 input_dim: 6
    layers { name: "c" type: CONVOLUTION bottom: "data" top: "c"
      convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
    layers { name: "r" type: RELU bottom: "c" top: "c" }
    layers { name: "f" type: INNER_PRODUCT bottom: "c" top: "f"
      inner_product_param { num_output: 5 } }`;
  const blobs = {
    c: [weights(4, 3, 3, 3), weights(1, 1, 1, 4)],
    f: [weights(1, 1, 5, 144), weights(1, 1, 1, 5)],
  };
  const old = await read(text, caffemodel(blobs, { inV1: true }));
  const model = imported(old);
  const kinds = model.network.layers.map(({ definition }) => definition.name);
  expect(kinds).toEqual(["conv", "relu", "flatten", "linear"]);
  const got = predicted(model, images);
  expect(relativeError(got, evaluated(old, images, [1, 3, 6, 6]))).toBeLessThan(1e-5);
});

test("Deconvolution is a transposed convolution, groups and all", async () => {
  const text = `${INPUT} layer {
    name: "d" type: "Deconvolution" bottom: "data" top: "d"
    convolution_param { num_output: 6 kernel_size: 4 stride: 2 pad: 1 group: 3 bias_term: false }
  }`;
  const graph = await read(text, caffemodel({ d: [weights(3, 2, 4, 4)] }));
  const model = imported(graph);
  expect(model.network.layers[0]!.definition.name).toBe("conv_transpose");
  expect(model.network.layers[0]!.type.shape).toEqual(["N", 6, 12, 12]);
  const got = predicted(model, images);
  expect(relativeError(got, evaluated(graph, images, [1, 3, 6, 6]))).toBeLessThan(1e-5);
});

test("LRN within channels is refused by name and line", async () => {
  const text = `${INPUT}
${CONV}
layer { name: "n" type: "LRN" bottom: "c" top: "n" lrn_param { norm_region: WITHIN_CHANNEL } }`;
  await expect(read(text, caffemodel(CONV_WEIGHTS))).rejects.toThrow(
    "LRN `n` (net.prototxt:6): it normalizes within channels (instead: norm_region: ACROSS_",
  );
});

describe("images in BGR", () => {
  test("the network gives for RGB what the model gives for BGR", async () => {
    const graph = await read(`${INPUT} ${CONV}`, caffemodel(CONV_WEIGHTS));
    const model = imported(preprocessed(graph, { bgr: true }));
    const [red, green, blue] = [0, 36, 72].map((at) => images.subarray(at, at + 36));
    const turned = Float32Array.from([...blue!, ...green!, ...red!]);
    const got = predicted(model, images);
    expect(relativeError(got, evaluated(graph, turned, [1, 3, 6, 6]))).toBeLessThan(1e-5);
    expect(relativeError(got, evaluated(graph, images, [1, 3, 6, 6]))).toBeGreaterThan(0.1);
  });

  test("a mean in BGR becomes a transform for RGB", async () => {
    const graph = await read(`${INPUT} ${CONV}`, caffemodel(CONV_WEIGHTS));
    const remarks = (bgr: boolean) =>
      preprocessed(graph, { bgr, mean: [51, 102, 255] }).remarks!.join(" ");
    expect(remarks(true)).toContain("normalize(mean=[1, 0.4, 0.2], std=[0.00392157");
    expect(remarks(false)).toContain("normalize(mean=[0.2, 0.4, 1], std=[0.00392157");
  });

  test("a model that does not begin with a convolution is refused", async () => {
    const text = `${INPUT} layer { name: "r" type: "ReLU" bottom: "data" top: "r" }`;
    const graph = await read(text, caffemodel({}));
    expect(() => preprocessed(graph, { bgr: true })).toThrow("ReLU `r` (net.prototxt:1) reads");
  });
});
