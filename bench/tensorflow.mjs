// AlexNet's training step in TensorFlow.js: its momentum optimizer on its WebGPU backend.
import { provideNavigatorGpu } from "./device.mjs";
import { CONVOLUTIONS, IMAGE, LINEARS, OPTIMIZER, examples, parameters } from "./alexnet.mjs";

const gpu = provideNavigatorGpu();
const { default: tf } = await import("@tensorflow/tfjs");
await import("@tensorflow/tfjs-backend-webgpu");

/** fc6 (144 MiB) exceeds WebGPU's default binding limit of 128 MiB, so its outputs are computed in two halves. */
const SPLIT = "classifier.fc6";

/** A linear layer's columns, transposed for TensorFlow.js; fc6 reads pixels in its NHWC order. */
function linearWeight({ name, shape, values }) {
  if (name !== `${SPLIT}.weight`) return tf.tidy(() => tf.tensor(values, shape).transpose());
  return tf.tidy(() =>
    tf.tensor(values, [shape[0], 256, 6, 6]).transpose([2, 3, 1, 0]).reshape([9216, -1]),
  );
}

function variablesOf(parameter) {
  const { name, shape, values } = parameter;
  if (shape.length === 4)
    return [[name, tf.variable(tf.tensor(values, shape).transpose([2, 3, 1, 0]))]];
  if (!name.startsWith(SPLIT)) {
    return [[name, tf.variable(shape.length === 1 ? tf.tensor(values) : linearWeight(parameter))]];
  }
  return [0, 1].map((index) => {
    const half = values.slice((index * values.length) / 2, ((index + 1) * values.length) / 2);
    const piece = { name, shape: [shape[0] / 2, ...shape.slice(1)], values: half };
    const tensor = shape.length === 1 ? tf.tensor(half) : linearWeight(piece);
    return [name.replace(SPLIT, `${SPLIT}.${index}`), tf.variable(tensor)];
  });
}

function linear(x, weights, name, relu) {
  const y = tf.matMul(x, weights[`${name}.weight`]).add(weights[`${name}.bias`]);
  return relu ? tf.relu(y) : y;
}

function forward(weights, images) {
  let x = images;
  for (const { name, stride, padding, pool } of CONVOLUTIONS) {
    x = tf.relu(
      tf.conv2d(x, weights[`${name}.weight`], stride, padding).add(weights[`${name}.bias`]),
    );
    if (pool) x = tf.maxPool(x, 3, 2, "valid");
  }
  x = x.reshape([-1, 9216]);
  for (const { name, relu } of LINEARS) {
    x =
      name === SPLIT
        ? tf.concat(
            [0, 1].map((index) => linear(x, weights, `${name}.${index}`, relu)),
            1,
          )
        : linear(x, weights, name, relu);
  }
  return x;
}

/** Momentum with weight decay, as PyTorch has it: v = momentum v + g + decay w; w = w - rate v. */
function update(weight, gradient, velocity) {
  tf.tidy(() => {
    const decayed = gradient.add(weight.mul(OPTIMIZER.weightDecay));
    velocity.assign(velocity.mul(OPTIMIZER.momentum).add(decayed));
    weight.assign(weight.sub(velocity.mul(OPTIMIZER.learningRate)));
  });
}

export async function prepare({ batch }) {
  await tf.setBackend("webgpu");
  await tf.ready();
  const { info } = await gpu.requestAdapter();
  const weights = Object.fromEntries(parameters().flatMap(variablesOf));
  const velocities = Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [name, tf.variable(tf.zerosLike(weight))]),
  );
  const names = new Map(Object.entries(weights).map(([name, variable]) => [variable.name, name]));
  const { images, labels } = examples(batch);
  const input = tf.tensor(images, [batch, ...IMAGE]).transpose([0, 2, 3, 1]);
  const targets = tf.oneHot(tf.tensor1d([...labels], "int32"), 1000);
  return {
    adapter: info.description,
    async step() {
      const { value, grads } = tf.variableGrads(() =>
        tf.losses.softmaxCrossEntropy(targets, forward(weights, input)),
      );
      for (const [variable, gradient] of Object.entries(grads)) {
        const name = names.get(variable);
        update(weights[name], gradient, velocities[name]);
      }
      const [result] = await value.data();
      tf.dispose([value, grads]);
      await tf.backend().device.queue.onSubmittedWorkDone();
      return result;
    },
  };
}
