// AlexNet's training step in netc, from specs/alexnet.net. Dropout is off, as for the peers, so that losses can be compared.
import { readFile } from "node:fs/promises";
import { OPTIMIZER, examples, parameters } from "./alexnet.mjs";

const { compile } = await import("netc");
const { createNetwork } = await import("netc/runtime");

export async function prepare({ batch }) {
  const spec = await readFile(new URL("../specs/alexnet.net", import.meta.url), "utf8");
  const { programs } = compile(spec.replaceAll("dropout(0.5)", "dropout(0)"), {
    file: "alexnet.net",
  });
  const network = await createNetwork(programs, { batch, ...OPTIMIZER });
  for (const { name, values } of parameters()) await network.write(name, values);
  const { images, labels } = examples(batch);
  return {
    adapter: network.adapter.name,
    async step() {
      const { loss } = await network.step(images, labels);
      return loss;
    },
  };
}
