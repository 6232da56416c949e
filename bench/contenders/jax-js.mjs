// jax-js: a training step is one jitted function of weights, velocities, images and labels.
import { provideNavigatorGpu } from "../device.mjs";
import { convolutionsOf, elements, isSplit, linearsOf } from "../networks.mjs";

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

function stepOf(network) {
  const forward = forwardOf(network);
  const { learningRate, momentum, weightDecay } = network.optimizer;
  const loss = (weights, images, targets) =>
    nn
      .logSoftmax(forward(weights, images), 1)
      .mul(targets)
      .sum()
      .mul(-1 / targets.shape[0]);
  return jax.jit((weights, velocities, images, targets) => {
    const copies = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, w.ref]));
    const [value, gradients] = jax.valueAndGrad(loss)(copies, images, targets);
    const nextWeights = {};
    const nextVelocities = {};
    for (const name of Object.keys(weights)) {
      const gradient = gradients[name].add(weights[name].ref.mul(weightDecay));
      const velocity = velocities[name].mul(momentum).add(gradient);
      nextVelocities[name] = velocity.ref;
      nextWeights[name] = weights[name].sub(velocity.mul(learningRate));
    }
    return [value, nextWeights, nextVelocities];
  });
}

/** The parameters themselves, or their halves along the output axis. */
function pieces(network, parameters) {
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
  const velocities = () =>
    Object.fromEntries(all.map(({ name, shape }) => [name, np.zeros(shape)]));
  return {
    weights,
    velocities,
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
  const { weights: initial, velocities: zeros, input } = await start(problem);
  const targets = oneHot(problem);
  const step = stepOf(problem.network);
  let [weights, velocities] = [initial, zeros()];
  return async () => {
    const [value, nextWeights, nextVelocities] = step(weights, velocities, input.ref, targets.ref);
    [weights, velocities] = [nextWeights, nextVelocities];
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
