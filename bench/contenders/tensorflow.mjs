// TensorFlow.js on its WebGPU backend.
import { provideNavigatorGpu } from "../device.mjs";
import { convolutionsOf, isSplit, linearsOf } from "../networks.mjs";
import { isDecayed } from "../transformer.mjs";
import { transformerOf } from "./tensorflow-transformer.mjs";

provideNavigatorGpu();
const { default: tf } = await import("@tensorflow/tfjs");
await import("@tensorflow/tfjs-backend-webgpu");

/**
 * A linear layer's weight, transposed for TensorFlow.js; the first reads pixels in its NHWC order.
 */
function linearWeight({ shape: [outputs, inputs], values }, pooled) {
  return tf.tidy(() => {
    if (!pooled) return tf.tensor(values, [outputs, inputs]).transpose();
    return tf
      .tensor(values, [outputs, ...pooled])
      .transpose([2, 3, 1, 0])
      .reshape([inputs, outputs]);
  });
}

function tensorOf(parameter, pooled) {
  const { shape, values } = parameter;
  if (shape.length === 1) return tf.tensor(values);
  if (shape.length === 2) return linearWeight(parameter, pooled);
  return tf.tidy(() => tf.tensor(values, shape).transpose([2, 3, 1, 0]));
}

/** Tokens' own numbers as they are; matrices transposed. */
const transformerTensor = (parameter) =>
  /^(class_token|positions)$/.test(parameter.name)
    ? tf.tensor(parameter.values, parameter.shape)
    : tensorOf(parameter);

/** The parameters as variables by name; those of a split layer in halves. */
function variablesOf(network, parameters) {
  if (network.transformer) {
    return Object.fromEntries(
      parameters.map((parameter) => [parameter.name, tf.variable(transformerTensor(parameter))]),
    );
  }
  const linears = linearsOf(network);
  const { pooled } = convolutionsOf(network).at(-1);
  const entries = parameters.flatMap((parameter) => {
    const { name, shape, values } = parameter;
    const layer = linears.find((candidate) => name.startsWith(`${candidate.name}.`));
    const order = layer === linears[0] ? pooled : undefined;
    if (!layer || !isSplit(layer)) return [[name, tf.variable(tensorOf(parameter, order))]];
    return [0, 1].map((index) => {
      const half = values.slice((index * values.length) / 2, ((index + 1) * values.length) / 2);
      const piece = { shape: [shape[0] / 2, ...shape.slice(1)], values: half };
      return [
        name.replace(layer.name, `${layer.name}.${index}`),
        tf.variable(tensorOf(piece, order)),
      ];
    });
  });
  return Object.fromEntries(entries);
}

function linear(x, weights, name, relu) {
  const y = tf.matMul(x, weights[`${name}.weight`]).add(weights[`${name}.bias`]);
  return relu ? tf.relu(y) : y;
}

function forwardOf(network) {
  return network.transformer ? transformerOf(tf, network) : convolutionalOf(network);
}

function convolutionalOf(network) {
  const convolutions = convolutionsOf(network);
  const linears = linearsOf(network);
  return (weights, images) => {
    let x = images;
    for (const { name, stride, padding, pool } of convolutions) {
      const y = tf.conv2d(x, weights[`${name}.weight`], stride, padding);
      x = tf.relu(y.add(weights[`${name}.bias`]));
      if (pool) x = tf.maxPool(x, pool.size, pool.stride, "valid");
    }
    x = x.reshape([images.shape[0], -1]);
    for (const layer of linears) {
      const { name, relu } = layer;
      const names = isSplit(layer) ? [`${name}.0`, `${name}.1`] : [name];
      const parts = names.map((part) => linear(x, weights, part, relu));
      x = parts.length === 1 ? parts[0] : tf.concat(parts, 1);
    }
    return x;
  };
}

/** Momentum with weight decay, as PyTorch has it: v = momentum v + g + decay w; w = w - rate v. */
function update({ weight, gradient, kept: [velocity] }, { optimizer }) {
  const { learningRate, momentum, weightDecay } = optimizer;
  tf.tidy(() => {
    const decayed = gradient.add(weight.mul(weightDecay));
    velocity.assign(velocity.mul(momentum).add(decayed));
    weight.assign(weight.sub(velocity.mul(learningRate)));
  });
}

/** AdamW, as PyTorch has it. */
function updateAdam({ name, weight, gradient, kept: [mean, square], step }, { optimizer, adam }) {
  const { learningRate, weightDecay } = optimizer;
  const { beta1, beta2, epsilon } = adam;
  const rate = learningRate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  tf.tidy(() => {
    mean.assign(mean.mul(beta1).add(gradient.mul(1 - beta1)));
    square.assign(square.mul(beta2).add(gradient.square().mul(1 - beta2)));
    const change = mean.mul(rate).div(square.sqrt().mul(correction).add(epsilon));
    const decayed = isDecayed(name) ? weight.mul(1 - learningRate * weightDecay) : weight;
    weight.assign(decayed.sub(change));
  });
}

async function start({ network, batch, parameters, examples }) {
  await tf.setBackend("webgpu");
  await tf.ready();
  const weights = variablesOf(network, parameters);
  const input = tf.tidy(() =>
    tf.tensor(examples.images, [batch, ...network.image]).transpose([0, 2, 3, 1]),
  );
  return { weights, input, forward: forwardOf(network) };
}

export async function training(problem) {
  const { weights, input, forward } = await start(problem);
  const { network } = problem;
  const zeros = (weight) => tf.variable(tf.zerosLike(weight));
  const follow = network.adam ? updateAdam : update;
  const states = Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [
      name,
      network.adam ? [zeros(weight), zeros(weight)] : [zeros(weight)],
    ]),
  );
  const names = new Map(Object.entries(weights).map(([name, variable]) => [variable.name, name]));
  const targets = tf.oneHot(tf.tensor1d([...problem.examples.labels], "int32"), network.classes);
  let step = 0;
  return async () => {
    const { value, grads } = tf.variableGrads(() =>
      tf.losses.softmaxCrossEntropy(targets, forward(weights, input)),
    );
    step++;
    for (const [variable, gradient] of Object.entries(grads)) {
      const name = names.get(variable);
      follow({ name, weight: weights[name], gradient, kept: states[name], step }, network);
    }
    const loss = await value.data();
    tf.dispose([value, grads]);
    await tf.backend().device.queue.onSubmittedWorkDone();
    return loss;
  };
}

export async function inference(problem) {
  const { weights, input, forward } = await start(problem);
  return async () => {
    const logits = tf.tidy(() => forward(weights, input));
    const values = await logits.data();
    logits.dispose();
    return values;
  };
}
