// jax-js: a training step is one jitted function of weights, velocities, images and labels.
import { provideNavigatorGpu } from "../device.mjs";
import { convolutionsOf, elements, isSplit, linearsOf } from "../networks.mjs";
import { isDecayed } from "../transformer.mjs";
import { transformerOf } from "./jax-js-transformer.mjs";

provideNavigatorGpu();
const jax = await import("@jax-js/jax");
const { numpy: np, lax, nn } = jax;

function convolution(x, weights, { name, stride, padding, pool }) {
  const sides = [padding, padding];
  const y = lax.conv(x, weights[`${name}.weight`], [stride, stride], [sides, sides]);
  const channels = weights[`${name}.bias`];
  const activated = nn.relu(y.add(channels.reshape([1, channels.shape[0], 1, 1])));
  if (!pool) return activated;
  const { size, stride: step } = pool;
  return lax.reduceWindow(activated, np.max, [size, size], [step, step]);
}

function linear(x, weights, name, relu) {
  const y = np.dot(x, np.transpose(weights[`${name}.weight`])).add(weights[`${name}.bias`]);
  return relu ? nn.relu(y) : y;
}

function forwardOf(network) {
  return network.transformer ? transformerOf(jax, network) : convolutionalOf(network);
}

function convolutionalOf(network) {
  const convolutions = convolutionsOf(network);
  const linears = linearsOf(network);
  return (weights, images) => {
    let x = images;
    for (const layer of convolutions) x = convolution(x, weights, layer);
    x = x.reshape([x.shape[0], elements(convolutions.at(-1).pooled)]);
    for (const layer of linears) {
      const { name, relu } = layer;
      if (isSplit(layer)) {
        const first = linear(x.ref, weights, `${name}.0`, relu);
        x = np.concatenate([first, linear(x, weights, `${name}.1`, relu)], 1);
      } else {
        x = linear(x, weights, name, relu);
      }
    }
    return x;
  };
}

/** Momentum with weight decay, as PyTorch has it. Velocities are what it keeps. */
function descend({ weight, gradient, kept: [velocity] }, { optimizer }) {
  const { learningRate, momentum, weightDecay } = optimizer;
  const decayed = gradient.add(weight.ref.mul(weightDecay));
  const next = velocity.mul(momentum).add(decayed);
  return { weight: weight.sub(next.ref.mul(learningRate)), kept: [next] };
}

/** AdamW, as PyTorch has it. `corrections` are 1 - beta1^step and sqrt(1 - beta2^step). */
function descendAdam({ name, weight, gradient, kept, corrections }, { optimizer, adam }) {
  const { learningRate, weightDecay } = optimizer;
  const { beta1, beta2, epsilon } = adam;
  const [first, second] = corrections;
  const mean = kept[0].mul(beta1).add(gradient.ref.mul(1 - beta1));
  const square = kept[1].mul(beta2).add(gradient.ref.mul(gradient).mul(1 - beta2));
  const root = np.sqrt(square.ref).div(second.ref).add(epsilon);
  const change = mean.ref.div(first.ref).div(root).mul(learningRate);
  const decayed = isDecayed(name) ? weight.mul(1 - learningRate * weightDecay) : weight;
  return { weight: decayed.sub(change), kept: [mean, square] };
}

function stepOf(network) {
  const forward = forwardOf(network);
  const follow = network.adam ? descendAdam : descend;
  const loss = (weights, images, targets) =>
    nn
      .logSoftmax(forward(weights, images), 1)
      .mul(targets)
      .sum()
      .mul(-1 / targets.shape[0]);
  return jax.jit((weights, states, images, targets, corrections) => {
    const copies = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, w.ref]));
    const [value, gradients] = jax.valueAndGrad(loss)(copies, images, targets);
    const nextWeights = {};
    const nextStates = {};
    for (const name of Object.keys(weights)) {
      const place = { name, weight: weights[name], gradient: gradients[name], kept: states[name] };
      const { weight, kept } = follow({ ...place, corrections }, network);
      nextWeights[name] = weight;
      nextStates[name] = kept;
    }
    for (const correction of corrections) correction.dispose();
    return [value, nextWeights, nextStates];
  });
}

/** What Adam's sums are divided by in a step, counted from 1. */
const correctionsOf = ({ adam }, step) =>
  adam ? [1 - adam.beta1 ** step, Math.sqrt(1 - adam.beta2 ** step)] : [];

/** The parameters themselves, or their halves along the output axis. */
function pieces(network, parameters) {
  if (network.transformer) return parameters;
  const split = linearsOf(network).filter(isSplit);
  return parameters.flatMap((parameter) => {
    const { name, shape, values } = parameter;
    const layer = split.find((candidate) => name.startsWith(`${candidate.name}.`));
    if (!layer) return [parameter];
    return [0, 1].map((index) => ({
      name: name.replace(layer.name, `${layer.name}.${index}`),
      shape: [shape[0] / 2, ...shape.slice(1)],
      values: values.subarray((index * values.length) / 2, ((index + 1) * values.length) / 2),
    }));
  });
}

async function start({ network, batch, parameters, examples }) {
  await jax.init("webgpu");
  jax.defaultDevice("webgpu");
  const all = pieces(network, parameters);
  const weights = Object.fromEntries(
    all.map(({ name, shape, values }) => [name, np.array(values.slice()).reshape(shape)]),
  );
  const stateCount = network.adam ? 2 : 1;
  const states = () =>
    Object.fromEntries(
      all.map(({ name, shape }) => [
        name,
        Array.from({ length: stateCount }, () => np.zeros(shape)),
      ]),
    );
  return {
    weights,
    states,
    input: np.array(examples.images).reshape([batch, ...network.image]),
  };
}

function oneHot({ network: { classes }, batch, examples }) {
  const hot = new Float32Array(batch * classes);
  examples.labels.forEach((label, example) => (hot[example * classes + label] = 1));
  return np.array(hot).reshape([batch, classes]);
}

const finished = () => jax.getWebGPUDevice().queue.onSubmittedWorkDone();

export async function training(problem) {
  const { network } = problem;
  const { weights: initial, states: zeros, input } = await start(problem);
  const targets = oneHot(problem);
  const step = stepOf(network);
  let [weights, states] = [initial, zeros()];
  let count = 0;
  return async () => {
    const corrections = correctionsOf(network, ++count).map((value) => np.array(value));
    const results = step(weights, states, input.ref, targets.ref, corrections);
    const [value] = results;
    [, weights, states] = results;
    const loss = await value.data();
    await finished();
    return loss;
  };
}

export async function inference(problem) {
  const { weights, input } = await start(problem);
  const forward = jax.jit(forwardOf(problem.network));
  const kept = () => Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, w.ref]));
  return () => forward(kept(), input.ref).data();
}
