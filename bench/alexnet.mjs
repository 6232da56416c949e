// torchvision's AlexNet as plain numbers: the layers, and the same weights and images for everyone, made by a hash.

export const CLASSES = 1000;
export const IMAGE = [3, 224, 224];
export const OPTIMIZER = { learningRate: 1e-5, momentum: 0.9, weightDecay: 5e-4 };

/** Convolutions with their pooling, then linear layers; names as netc and PyTorch have them. */
export const CONVOLUTIONS = [
  { name: "features.conv1", shape: [64, 3, 11, 11], stride: 4, padding: 2, pool: true },
  { name: "features.conv2", shape: [192, 64, 5, 5], stride: 1, padding: 2, pool: true },
  { name: "features.conv3", shape: [384, 192, 3, 3], stride: 1, padding: 1, pool: false },
  { name: "features.conv4", shape: [256, 384, 3, 3], stride: 1, padding: 1, pool: false },
  { name: "features.conv5", shape: [256, 256, 3, 3], stride: 1, padding: 1, pool: true },
];
export const LINEARS = [
  { name: "classifier.fc6", shape: [4096, 9216], relu: true },
  { name: "classifier.fc7", shape: [4096, 4096], relu: true },
  { name: "classifier.logits", shape: [CLASSES, 4096], relu: false },
];

export const elements = (shape) => shape.reduce((product, size) => product * size, 1);

function mix(word) {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}

/** Values in [-scale, scale), from a hash of the stream and the index. */
function uniform(stream, length, scale) {
  const key = mix(stream);
  const values = new Float32Array(length);
  for (let index = 0; index < length; index++) {
    values[index] = (mix((mix(index) + key) >>> 0) / 2 ** 31 - 1) * scale;
  }
  return values;
}

/** Every parameter in PyTorch's layout. Weights have He's bound, so that activations keep their size. */
export function parameters() {
  return [...CONVOLUTIONS, ...LINEARS].flatMap(({ name, shape }, index) => {
    const fanIn = elements(shape) / shape[0];
    const weight = uniform(2 * index, elements(shape), Math.sqrt(6 / fanIn));
    const bias = uniform(2 * index + 1, shape[0], 0.1);
    return [
      { name: `${name}.weight`, shape, values: weight },
      { name: `${name}.bias`, shape: [shape[0]], values: bias },
    ];
  });
}

/** A batch in NCHW order, and its labels. */
export function examples(batch) {
  const images = uniform(1000, batch * elements(IMAGE), 1);
  const labels = Uint32Array.from({ length: batch }, (_, index) => mix(index) % CLASSES);
  return { images, labels };
}
