/**
 * A program written by hand, small enough to compute in one's head: a linear model of 3 inputs and
 * 2 classes whose "training" makes every word of the frame visible in the parameters.
 */
import { FRAME, frameStruct, type FrameWord } from "../../program/frame.js";
import { PROGRAM_FORMAT, type Program, type ProgramStep } from "../../program/program.js";

export const LONG = 70_000;

const WORDS = Object.keys(FRAME) as FrameWord[];

const FRAME_STRUCT = /* wgsl */ `
${frameStruct(new Set(WORDS), 0)}
@group(0) @binding(0) var<uniform> frame: Frame;
`;

/**
 * Fills a buffer with seed + base + index, one workgroup an element, so that a long one has to be
 * folded.
 */
const FILL = /* wgsl */ `${FRAME_STRUCT}
struct Constants { length: u32, base: i32 }
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let index = id.x + id.y * count.x;
  if (index < constants.length) {
    values[index] = f32(frame.seed) + f32(constants.base) + f32(index);
  }
}
`;

/** prediction[image] = W image + b, with W as [input, padded to 4][output, padded to 4]. */
const FORWARD = /* wgsl */ `${FRAME_STRUCT}
@group(0) @binding(2) var<storage, read> images: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> prediction: array<f32>;
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= frame.batch) { return; }
  for (var o = 0u; o < 2u; o++) {
    var sum = bias[o];
    for (var c = 0u; c < 3u; c++) { sum += images[id.x * 3u + c] * weight[c * 4u + o]; }
    prediction[id.x * 4u + o] = sum;
  }
}
`;

/**
 * loss: the mean of the label's prediction. top1: the share of images whose larger prediction is
 * the label's.
 */
const LOSS = /* wgsl */ `${FRAME_STRUCT}
@group(0) @binding(2) var<storage, read> prediction: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> metrics: array<f32>;
@compute @workgroup_size(1)
fn main() {
  var loss = 0.0;
  var hits = 0.0;
  for (var n = 0u; n < frame.batch; n++) {
    let label = labels[n];
    loss += prediction[n * 4u + label];
    hits += select(0.0, 1.0, prediction[n * 4u + label] > prediction[n * 4u + 1u - label]);
  }
  metrics[0] = loss;
  metrics[1] = hits;
  metrics[2] = 0.0;
}
`;

/**
 * velocity = momentum * velocity + 1 + weight decay; bias -= learning rate * velocity, + 100 *
 * step.
 */
const UPDATE = /* wgsl */ `${FRAME_STRUCT}
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> velocity: array<f32>;
@compute @workgroup_size(2)
fn main(@builtin(global_invocation_id) id: vec3u) {
  velocity[id.x] = frame.momentum * velocity[id.x] + 1.0 + frame.weight_decay;
  bias[id.x] += 100.0 * f32(frame.step * frame.training) - frame.learning_rate * velocity[id.x];
}
`;

const WEIGHT = 0;
const BIAS = 1;
const LONG_BUFFER = 2;
const VELOCITY = 3;
const IMAGES = 4;
const LABELS = 5;
const METRICS = 6;
const PREDICTION = 7;

const LOCATION = { line: 7, column: 3 };
const ONCE = { x: { fixed: 1, perImage: 0, tile: 1 }, z: 1 };

function step(
  kernel: number,
  buffers: readonly number[],
  overrides: Partial<ProgramStep> = {},
): ProgramStep {
  const label = `kernel ${kernel}`;
  return {
    kernel,
    buffers,
    constants: [],
    workgroups: ONCE,
    label,
    location: LOCATION,
    macs: 0,
    ...overrides,
  };
}

function fill(buffer: number, length: number, base: number): ProgramStep {
  const workgroups = { x: { fixed: length, perImage: 0, tile: 1 }, z: 1 };
  return step(0, [buffer], { constants: [length, base], workgroups });
}

const forward = step(1, [IMAGES, WEIGHT, BIAS, PREDICTION], {
  workgroups: { x: { fixed: 0, perImage: 1, tile: 8 }, z: 1 },
});
const loss = step(2, [PREDICTION, LABELS, METRICS]);
const update = step(3, [BIAS, VELOCITY]);

const READ = { access: "read", element: "f32" } as const;
const READ_WHOLE = { access: "read", element: "u32" } as const;
const WRITTEN = { access: "read_write", element: "f32" } as const;

const SUMS: Program["sums"]["train"] = [
  { metric: "loss", factor: 1, mean: "examples" },
  { metric: "top1", factor: 1, mean: "examples" },
];

const MEASURING = { reads: [0, 1], gives: [2] };
const PREDICTING = { reads: [0], gives: [3] };

const tensor = (name: string, shape: readonly number[], dtype: "f32" | "u32" = "f32") => {
  return { name, dtype, shape, axes: shape.map(() => "channel" as const) };
};

export const tinyProgram: Program = {
  format: PROGRAM_FORMAT,
  target: "gpu",
  model: "Tiny",
  source: { file: "tiny.net", hash: "0123abcd" },
  tensors: [
    { ...tensor("image", [3]), role: "input", buffer: IMAGES },
    { ...tensor("label", [], "u32"), role: "target", buffer: LABELS, classes: { count: 2 } },
    { ...tensor("metrics", []), role: "metrics", buffer: METRICS },
    { ...tensor("logits", [2]), role: "prediction", buffer: PREDICTION, pitch: 4 },
  ],
  uses: { train: MEASURING, accumulate: MEASURING, evaluate: MEASURING, predict: PREDICTING },
  fractions: [],
  metrics: ["loss", "top1"],
  sums: { train: SUMS, evaluate: SUMS },
  classTotals: [],
  parameters: [
    {
      name: "fc.weight",
      shape: [2, 3],
      layout: {
        kind: "contraction",
        groups: 1,
        outputs: 2,
        inputs: 3,
        kernel: [1, 1],
        inputPitch: 3,
      },
      pieces: [{ start: 0, count: 2, buffer: WEIGHT }],
      initializer: { kind: "constant", value: 0 },
      stream: 0,
      trainable: true,
      location: LOCATION,
    },
    {
      name: "fc.bias",
      shape: [2],
      layout: { kind: "vector", length: 2 },
      pieces: [{ start: 0, count: 2, buffer: BIAS, states: [VELOCITY] }],
      initializer: { kind: "constant", value: 0 },
      stream: 1,
      trainable: true,
      location: LOCATION,
    },
    {
      name: "long",
      shape: [LONG],
      layout: { kind: "plain", length: LONG },
      pieces: [{ start: 0, count: LONG, buffer: LONG_BUFFER }],
      initializer: { kind: "constant", value: 0 },
      stream: 2,
      trainable: false,
      location: LOCATION,
    },
  ],
  buffers: [
    { name: "fc.weight", purpose: "parameter", bytes: { fixed: 64, perImage: 0 } },
    { name: "fc.bias", purpose: "parameter", bytes: { fixed: 16, perImage: 0 } },
    { name: "long", purpose: "parameter", bytes: { fixed: LONG * 4, perImage: 0 } },
    { name: "fc.bias velocity", purpose: "state", bytes: { fixed: 16, perImage: 0 } },
    { name: "image", purpose: "images", bytes: { fixed: 0, perImage: 12 } },
    { name: "label", purpose: "labels", bytes: { fixed: 0, perImage: 4 } },
    { name: "metrics", purpose: "metrics", bytes: { fixed: 16, perImage: 0 } },
    { name: "prediction", purpose: "prediction", bytes: { fixed: 0, perImage: 16 } },
  ],
  kernels: [
    { name: "fill", wgsl: FILL, bindings: [WRITTEN] },
    { name: "forward", wgsl: FORWARD, bindings: [READ, READ, READ, WRITTEN] },
    { name: "loss", wgsl: LOSS, bindings: [READ, READ_WHOLE, WRITTEN] },
    { name: "update", wgsl: UPDATE, bindings: [WRITTEN, WRITTEN] },
  ],
  steps: {
    // The weight's first two rows of outputs (padding between them): seed + 0, 1, ... 5.
    initialize: [fill(WEIGHT, 6, 0), fill(BIAS, 2, 10), fill(LONG_BUFFER, LONG, -5)],
    train: [forward, loss, update],
    accumulate: [],
    update: [],
    average: [],
    fold: [],
    evaluate: [forward, loss],
    predict: [forward],
  },
  optimizer: {
    kind: "sgd",
    learningRate: 0.5,
    momentum: 0.5,
    weightDecay: 0.25,
    nesterov: false,
    convention: "pytorch",
  },
};
