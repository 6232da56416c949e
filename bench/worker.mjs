// One library in a separate process. Alone: `node worker.mjs CONTENDER CASE [--steps 3]` prints
// each step's time. Under run.mjs it makes one step for each message, so that contenders take
// turns.
import { parseArgs } from "node:util";
import { CASES } from "./cases.mjs";
import { beginCounting } from "./counters.mjs";
import { adapterName } from "./device.mjs";
import { examplesOf, NETWORKS, parametersOf } from "./networks.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: "string", default: "3" } },
});
const [name, caseName] = positionals;
const { mode, network: networkName, batch } = CASES[caseName];
const network = NETWORKS[networkName];
const problem = {
  network,
  batch,
  parameters: parametersOf(network),
  examples: examplesOf(network, batch),
};

// Weights and images are made before the clock starts: a user has them.
const started = performance.now();
const contender = await import(`./contenders/${name}.mjs`);
const step = await (mode === "train" ? contender.training : contender.inference)(problem);
const prepared = performance.now() - started;
const adapter = await adapterName();

/**
 * A step's output (the loss of a training step, else the logits), its time, and what it asked of
 * WebGPU.
 */
async function measuredStep() {
  const endCounting = beginCounting();
  const start = performance.now();
  const output = await step();
  const milliseconds = performance.now() - start;
  return { output: Array.from(output), milliseconds, ...endCounting() };
}

if (process.send) {
  process.on("message", async () => process.send(await measuredStep()));
  process.on("disconnect", () => process.exit(0));
  process.send({ adapter, milliseconds: prepared });
} else {
  console.log(`${name} on ${adapter}: prepared in ${(prepared / 1000).toFixed(1)} s`);
  for (let index = 1; index <= Number(values.steps); index++) {
    const { output, ...counts } = await measuredStep();
    console.log(`step ${index}:`, output.slice(0, 4), counts);
  }
  process.exit(0);
}
