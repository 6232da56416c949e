// What is timed, and on which adapters.

const TRAINERS = ["netc", "jax-js", "tensorflow"];

export const CASES = {
  "alexnet-train-8": {
    title: "AlexNet, training step, batch 8",
    network: "alexnet",
    mode: "train",
    batch: 8,
    contenders: [...TRAINERS, "prototype"],
  },
  "cifar-train-64": {
    title: "CIFAR network, training step, batch 64",
    network: "cifar",
    mode: "train",
    batch: 64,
    contenders: TRAINERS,
  },
  "alexnet-infer-1": {
    title: "AlexNet, inference, batch 1",
    network: "alexnet",
    mode: "infer",
    batch: 1,
    contenders: [...TRAINERS, "onnxruntime"],
  },
  "alexnet-infer-8": {
    title: "AlexNet, inference, batch 8",
    network: "alexnet",
    mode: "infer",
    batch: 8,
    contenders: [...TRAINERS, "onnxruntime"],
  },
  "vit-tiny-train-64": {
    title: "vit_tiny on CIFAR-10, training step, batch 64",
    network: "vit_tiny",
    mode: "train",
    batch: 64,
    contenders: TRAINERS,
  },
  "vit-tiny-infer-8": {
    title: "vit_tiny on CIFAR-10, inference, batch 8",
    network: "vit_tiny",
    mode: "infer",
    batch: 8,
    contenders: TRAINERS,
  },
};

/**
 * SwiftShader is several times slower, and TensorFlow.js takes minutes there for a training step of
 * AlexNet.
 */
export const PLAN = {
  lavapipe: Object.keys(CASES),
  embedded: ["cifar-train-64", "alexnet-infer-1"],
};

export const PACKAGES = {
  netc: "netc",
  "jax-js": "@jax-js/jax",
  tensorflow: "@tensorflow/tfjs-backend-webgpu",
  onnxruntime: "onnxruntime-web",
};

export const TITLES = {
  netc: "netc",
  "jax-js": "jax-js",
  tensorflow: "TensorFlow.js",
  onnxruntime: "ONNX Runtime Web",
  prototype: "hand-written skeleton",
};
