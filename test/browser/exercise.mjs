// What the browser test does with a generated module, in Node and in the browser alike. Plain JavaScript, served as it is.

/** Numbers in [-1, 1) that are the same everywhere. */
function values(length, seed) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Imports a module, predicts, makes one training step, and predicts again. */
export async function exercise(url, { batch, ...options }) {
  const module = await import(url);
  const [create] = Object.entries(module).find(([name]) => name.startsWith("create")) ?? [];
  const network = await module[create]({ batch, seed: 7, ...options });
  const [{ shape }] = network.program.tensors;
  const [channels, height, width] = shape;
  const images = values(batch * channels * height * width, 1);
  const labels = Uint32Array.from({ length: batch }, (_, index) => index % 10);
  const before = await network.predict(images);
  const metrics = await network.step(images, labels);
  const after = await network.predict(images);
  const adapter = network.adapter.name;
  network.destroy();
  return { adapter, before: [...before], metrics, after: [...after] };
}
