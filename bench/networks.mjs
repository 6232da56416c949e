// The networks as plain numbers: their layers, and the same weights and images for everyone, made
// by a hash.
import { mix, uniform } from "./noise.mjs";
import { transformerParametersOf } from "./transformer.mjs";

const maxpool = (size, stride) => ({ size, stride });

/**
 * Convolutions with their pooling, then linear layers, or a transformer; names as netc and PyTorch
 * have them.
 */
export const NETWORKS = {
  alexnet: {
    spec: "../specs/alexnet.net",
    image: [3, 224, 224],
    classes: 1000,
    optimizer: { learningRate: 1e-5, momentum: 0.9, weightDecay: 5e-4 },
    convolutions: [
      {
        name: "features.conv1",
        outputs: 64,
        kernel: 11,
        stride: 4,
        padding: 2,
        pool: maxpool(3, 2),
      },
      {
        name: "features.conv2",
        outputs: 192,
        kernel: 5,
        stride: 1,
        padding: 2,
        pool: maxpool(3, 2),
      },
      { name: "features.conv3", outputs: 384, kernel: 3, stride: 1, padding: 1 },
      { name: "features.conv4", outputs: 256, kernel: 3, stride: 1, padding: 1 },
      {
        name: "features.conv5",
        outputs: 256,
        kernel: 3,
        stride: 1,
        padding: 1,
        pool: maxpool(3, 2),
      },
    ],
    linears: [
      { name: "classifier.fc6", outputs: 4096, relu: true },
      { name: "classifier.fc7", outputs: 4096, relu: true },
      { name: "classifier.logits", outputs: 1000, relu: false },
    ],
  },
  cifar: {
    spec: "cifar.net",
    image: [3, 32, 32],
    classes: 10,
    optimizer: { learningRate: 1e-3, momentum: 0.9, weightDecay: 5e-4 },
    convolutions: [
      {
        name: "features.conv1",
        outputs: 32,
        kernel: 5,
        stride: 1,
        padding: 2,
        pool: maxpool(2, 2),
      },
      {
        name: "features.conv2",
        outputs: 64,
        kernel: 5,
        stride: 1,
        padding: 2,
        pool: maxpool(2, 2),
      },
      {
        name: "features.conv3",
        outputs: 64,
        kernel: 3,
        stride: 1,
        padding: 1,
        pool: maxpool(2, 2),
      },
    ],
    linears: [{ name: "classifier.logits", outputs: 10, relu: false }],
  },
  vit_tiny: {
    spec: "../specs/vit_tiny.net",
    image: [3, 32, 32],
    classes: 10,
    optimizer: { learningRate: 1e-3, weightDecay: 0.05 },
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    transformer: { patch: 4, width: 96, heads: 3, hidden: 384, encoders: 4 },
  },
};

/**
 * WebGPU's default limit on a binding. Peers do not split what exceeds it, so it is split for them
 * by hand.
 */
const BINDING_LIMIT = 128 * 1024 ** 2;

export const elements = (shape) => shape.reduce((product, size) => product * size, 1);

/**
 * Whether a linear layer's outputs must be computed in two halves by those who bind a weight whole.
 */
export const isSplit = ({ weight }) => 4 * elements(weight) > BINDING_LIMIT;

const slide = (size, window, stride, padding = 0) =>
  Math.floor((size + 2 * padding - window) / stride) + 1;

/** The convolutions with their shapes: input and output in CHW order, without the batch. */
export function convolutionsOf({ image, convolutions }) {
  let input = image;
  return convolutions.map((layer) => {
    const [channels, height, width] = input;
    const { outputs, kernel, stride, padding, pool } = layer;
    const sides = [height, width].map((size) => slide(size, kernel, stride, padding));
    const pooled = pool ? sides.map((size) => slide(size, pool.size, pool.stride)) : sides;
    const shaped = { ...layer, weight: [outputs, channels, kernel, kernel], input };
    input = [outputs, ...pooled];
    return { ...shaped, output: [outputs, ...sides], pooled: input };
  });
}

/** The linear layers with their weights' shapes. */
export function linearsOf(network) {
  let inputs = elements(convolutionsOf(network).at(-1).pooled);
  return network.linears.map((layer) => {
    const weight = [layer.outputs, inputs];
    inputs = layer.outputs;
    return { ...layer, weight };
  });
}

/** Multiply-adds of a layer's forward pass, for one image. Each gradient takes as many. */
export const multiplyAdds = ({ weight, output }) =>
  elements(weight) * (output ? output[1] * output[2] : 1);

/**
 * Every parameter in PyTorch's layout. Weights have He's bound, so that activations keep their
 * size.
 */
export function parametersOf(network) {
  if (network.transformer) return transformerParametersOf(network);
  return [...convolutionsOf(network), ...linearsOf(network)].flatMap(({ name, weight }, index) => {
    const fanIn = elements(weight) / weight[0];
    const values = uniform(2 * index, elements(weight), Math.sqrt(6 / fanIn));
    const bias = uniform(2 * index + 1, weight[0], 0.1);
    return [
      { name: `${name}.weight`, shape: weight, values },
      { name: `${name}.bias`, shape: [weight[0]], values: bias },
    ];
  });
}

/** A batch in NCHW order, and its labels. */
export function examplesOf({ image, classes }, batch) {
  const images = uniform(1000, batch * elements(image), 1);
  const labels = Uint32Array.from({ length: batch }, (_, index) => mix(index) % classes);
  return { images, labels };
}
