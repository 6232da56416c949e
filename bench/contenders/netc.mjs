// netc, from the specs. Dropout is off, as for the peers, so that losses can be compared.
import { readFile } from "node:fs/promises";

const { compile } = await import("netc");
const { createNetwork } = await import("netc/runtime");

async function open({ network: { spec, optimizer }, batch, parameters }) {
  const url = new URL(`../${spec}`, import.meta.url);
  const text = (await readFile(url, "utf8")).replaceAll(/dropout\([\d.]+\)/g, "dropout(0)");
  const { programs, diagnostics } = compile(text, { file: spec });
  if (programs.length === 0) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const network = await createNetwork(programs, { batch, ...optimizer });
  for (const { name, values } of parameters) await network.write(name, values);
  return network;
}

export async function training(problem) {
  const network = await open(problem);
  const { images, labels } = problem.examples;
  return async () => [(await network.step(images, labels)).loss];
}

export async function inference(problem) {
  const network = await open(problem);
  return () => network.predict(problem.examples.images);
}
