// The WGSL of a peer's contractions for AlexNet's layers at batch 8:
// `node shaders.mjs CONTENDER FILE` runs each layer's forward pass and gradients once, listens to
// the dispatches, and writes them to FILE as JSON.
import { writeFile } from "node:fs/promises";
import { listenToDispatches } from "./counters.mjs";
import { convolutionsOf, elements, examplesOf, isSplit, linearsOf } from "./networks.mjs";
import { multiplyAdds, NETWORKS, parametersOf } from "./networks.mjs";

const BATCH = 8;
const network = NETWORKS.alexnet;
const layers = [
  ...convolutionsOf(network),
  // The halves of a split layer run the same kernel.
  ...linearsOf(network).map((layer) => ({
    ...layer,
    weight: isSplit(layer) ? [layer.weight[0] / 2, layer.weight[1]] : layer.weight,
    macs: multiplyAdds(layer),
  })),
];

/** What is dispatched while `action` runs. */
async function dispatchesOf(action) {
  const dispatches = [];
  listenToDispatches((dispatch) => dispatches.push(dispatch));
  await action();
  listenToDispatches(undefined);
  return dispatches;
}

/** A layer's three contractions, each without the kernels that its forward pass runs, too. */
async function contractionsOf(layer, { forward, inputGradient, weightGradient }) {
  const common = { layer: layer.name, macs: (layer.macs ?? multiplyAdds(layer)) * BATCH };
  const first = await dispatchesOf(forward);
  const known = new Set(first.map(({ code }) => code));
  const without = (dispatches) => dispatches.filter(({ code }) => !known.has(code));
  const rows = [{ ...common, operation: "forward", dispatches: first }];
  if (layer !== layers[0]) {
    const dispatches = without(await dispatchesOf(inputGradient));
    rows.push({ ...common, operation: "input gradient", dispatches });
  }
  const dispatches = without(await dispatchesOf(weightGradient));
  return [...rows, { ...common, operation: "weight gradient", dispatches }];
}

const PEERS = {
  async tensorflow() {
    await import("./contenders/tensorflow.mjs");
    const { default: tf } = await import("@tensorflow/tfjs");
    await tf.setBackend("webgpu");
    await tf.ready();
    const run = (action) => async () => {
      const result = tf.tidy(action);
      await result.data();
      result.dispose();
    };
    const convolution = ({ weight: [outputs, inputs, kernel], stride, padding, input, output }) => {
      const x = tf.ones([BATCH, input[1], input[2], input[0]]);
      const w = tf.ones([kernel, kernel, inputs, outputs]);
      const dy = tf.ones([BATCH, output[1], output[2], outputs]);
      const apply = (image, filter) => tf.conv2d(image, filter, stride, padding);
      return {
        forward: run(() => apply(x, w)),
        inputGradient: run(() => tf.grad((image) => apply(image, w))(x, dy)),
        weightGradient: run(() => tf.grad((filter) => apply(x, filter))(w, dy)),
      };
    };
    const linear = ({ weight: [outputs, inputs] }) => {
      const x = tf.ones([BATCH, inputs]);
      const w = tf.ones([inputs, outputs]);
      const dy = tf.ones([BATCH, outputs]);
      return {
        forward: run(() => tf.matMul(x, w)),
        inputGradient: run(() => tf.matMul(dy, w, false, true)),
        weightGradient: run(() => tf.matMul(x, dy, true, false)),
      };
    };
    return eachLayer(convolution, linear);
  },

  async "jax-js"() {
    await import("./contenders/jax-js.mjs");
    const jax = await import("@jax-js/jax");
    const { numpy: np, lax } = jax;
    await jax.init("webgpu");
    jax.defaultDevice("webgpu");
    const operations = (apply, shapes) => {
      const [x, w, dy] = shapes.map((shape) =>
        np.array(new Float32Array(elements(shape)).fill(1)).reshape(shape),
      );
      const gradient = (index) =>
        jax.jit((image, filter, slope) => {
          const [y, back] = jax.vjp(apply, [image, filter]);
          y.dispose?.();
          return back(slope)[index];
        });
      const run = (action) => async () => void (await action().data());
      return {
        forward: run(() => jax.jit(apply)(x.ref, w.ref)),
        inputGradient: run(() => gradient(0)(x.ref, w.ref, dy.ref)),
        weightGradient: run(() => gradient(1)(x.ref, w.ref, dy.ref)),
      };
    };
    const convolution = ({ weight, stride, padding, input, output }) => {
      const sides = [padding, padding];
      const apply = (x, w) => lax.conv(x, w, [stride, stride], [sides, sides]);
      return operations(apply, [[BATCH, ...input], weight, [BATCH, ...output]]);
    };
    const linear = ({ weight }) => {
      const apply = (x, w) => np.dot(x, np.transpose(w));
      return operations(apply, [[BATCH, weight[1]], weight, [BATCH, weight[0]]]);
    };
    return eachLayer(convolution, linear);
  },

  /** Infers only, and fuses across layers: the dispatches of a run, in order. */
  async onnxruntime() {
    const { inference } = await import("./contenders/onnxruntime.mjs");
    const examples = examplesOf(network, BATCH);
    const parameters = parametersOf(network);
    const step = await inference({ network, batch: BATCH, parameters, examples });
    await step();
    const dispatches = await dispatchesOf(step);
    return [{ operation: "forward", dispatches }];
  },
};

async function eachLayer(convolution, linear) {
  const rows = [];
  for (const layer of layers) {
    console.error(layer.name);
    const operations = layer.output ? convolution(layer) : linear(layer);
    rows.push(...(await contractionsOf(layer, operations)));
  }
  return rows;
}

const [name, file] = process.argv.slice(2);
await writeFile(file, JSON.stringify(await PEERS[name]()));
process.exit(0);
