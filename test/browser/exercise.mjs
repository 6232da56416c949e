// What the browser test does with a generated module, in Node and in the browser alike. Plain
// JavaScript, served as it is.

/** Numbers in [-1, 1) that are the same everywhere. */
function values(length, seed) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const sizeOf = ({ shape }) => shape.reduce((product, size) => product * size, 1);

/** What a call accepts as the tensors of a role: by name, or the only one as it is. */
function examples(program, role, batch) {
  const tensors = program.tensors.filter((tensor) => tensor.role === role);
  const made = tensors.map((tensor, index) => [
    tensor.name,
    tensor.classes
      ? Uint32Array.from({ length: batch * sizeOf(tensor) }, (_, at) => at % tensor.classes.count)
      : values(batch * sizeOf(tensor), 1 + index),
  ]);
  return made.length === 1 ? made[0][1] : Object.fromEntries(made);
}

/** Predictions as one list, by the order of the outputs. */
const listed = (predicted) =>
  (ArrayBuffer.isView(predicted) ? [predicted] : Object.values(predicted)).flatMap((each) => [
    ...each,
  ]);

/** Imports a module, predicts, makes one training step, and predicts again. */
export async function exercise(url, { batch, ...options }) {
  const module = await import(url);
  const [create] = Object.entries(module).find(([name]) => name.startsWith("create")) ?? [];
  const network = await module[create]({ batch, seed: 7, ...options });
  const images = examples(network.program, "input", batch);
  const targets = examples(network.program, "target", batch);
  const before = listed(await network.predict(images));
  const metrics = await network.step(images, targets);
  const after = listed(await network.predict(images));
  const adapter = network.adapter.name;
  network.destroy();
  return { adapter, before, metrics, after };
}
