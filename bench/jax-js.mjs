// AlexNet's training step in jax-js: one jitted function of weights, velocities, images and labels.
import { provideNavigatorGpu } from "./device.mjs";
import { CONVOLUTIONS, IMAGE, LINEARS, OPTIMIZER, examples, parameters } from "./alexnet.mjs";

const gpu = provideNavigatorGpu();
const jax = await import("@jax-js/jax");
const { numpy: np, lax, nn } = jax;

/** fc6 (144 MiB) exceeds WebGPU's default binding limit of 128 MiB, so its outputs are computed in two halves. */
const SPLIT = "classifier.fc6";

function convolution(x, weights, { name, stride, padding, pool }) {
  const sides = [padding, padding];
  const y = lax.conv(x, weights[`${name}.weight`], [stride, stride], [sides, sides]);
  const channels = weights[`${name}.bias`];
  const activated = nn.relu(y.add(channels.reshape([1, channels.shape[0], 1, 1])));
  return pool ? lax.reduceWindow(activated, np.max, [3, 3], [2, 2]) : activated;
}

function linear(x, weights, name, relu) {
  const y = np.dot(x, np.transpose(weights[`${name}.weight`])).add(weights[`${name}.bias`]);
  return relu ? nn.relu(y) : y;
}

function forward(weights, images) {
  let x = images;
  for (const layer of CONVOLUTIONS) x = convolution(x, weights, layer);
  x = x.reshape([x.shape[0], 9216]);
  for (const { name, relu } of LINEARS) {
    if (name === SPLIT) {
      const first = linear(x.ref, weights, `${name}.0`, relu);
      x = np.concatenate([first, linear(x, weights, `${name}.1`, relu)], 1);
    } else {
      x = linear(x, weights, name, relu);
    }
  }
  return x;
}

function loss(weights, images, targets) {
  const logs = nn.logSoftmax(forward(weights, images), 1);
  return logs
    .mul(targets)
    .sum()
    .mul(-1 / targets.shape[0]);
}

const step = jax.jit((weights, velocities, images, targets) => {
  const copies = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, w.ref]));
  const [value, gradients] = jax.valueAndGrad(loss)(copies, images, targets);
  const nextWeights = {};
  const nextVelocities = {};
  for (const name of Object.keys(weights)) {
    const gradient = gradients[name].add(weights[name].ref.mul(OPTIMIZER.weightDecay));
    const velocity = velocities[name].mul(OPTIMIZER.momentum).add(gradient);
    nextVelocities[name] = velocity.ref;
    nextWeights[name] = weights[name].sub(velocity.mul(OPTIMIZER.learningRate));
  }
  return [value, nextWeights, nextVelocities];
});

/** The parameter itself, or its halves along the output axis. */
function pieces({ name, shape, values }) {
  if (!name.startsWith(SPLIT)) return [{ name, shape, values }];
  const half = [shape[0] / 2, ...shape.slice(1)];
  return [0, 1].map((index) => ({
    name: name.replace(SPLIT, `${SPLIT}.${index}`),
    shape: half,
    values: values.subarray((index * values.length) / 2, ((index + 1) * values.length) / 2),
  }));
}

export async function prepare({ batch }) {
  await jax.init("webgpu");
  jax.defaultDevice("webgpu");
  const all = parameters().flatMap(pieces);
  let weights = {};
  let velocities = {};
  for (const { name, shape, values } of all) {
    weights[name] = np.array(values.slice()).reshape(shape);
    velocities[name] = np.zeros(shape);
  }
  const { images, labels } = examples(batch);
  const input = np.array(images).reshape([batch, ...IMAGE]);
  const hot = new Float32Array(batch * 1000);
  labels.forEach((label, example) => (hot[example * 1000 + label] = 1));
  const targets = np.array(hot).reshape([batch, 1000]);
  const { info } = await gpu.requestAdapter();
  return {
    adapter: info.description,
    async step() {
      const [value, nextWeights, nextVelocities] = step(
        weights,
        velocities,
        input.ref,
        targets.ref,
      );
      [weights, velocities] = [nextWeights, nextVelocities];
      const [result] = await value.data();
      await jax.getWebGPUDevice().queue.onSubmittedWorkDone();
      return result;
    },
  };
}
