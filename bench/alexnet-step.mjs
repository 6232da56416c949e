// One contender in a process of its own. Alone: `node alexnet-step.mjs CONTENDER [--batch 8] [--steps 3]` prints each
// step's loss and time. Under run.mjs it makes one step for each message, so that contenders take turns.
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { batch: { type: "string", default: "8" }, steps: { type: "string", default: "3" } },
});
const [name] = positionals;
const started = performance.now();
const { prepare } = await import(`./${name}.mjs`);
const contender = await prepare({ batch: Number(values.batch) });
const prepared = performance.now() - started;

async function timedStep() {
  const start = performance.now();
  const loss = await contender.step();
  return { loss, milliseconds: performance.now() - start };
}

if (process.send) {
  process.on("message", async () => process.send(await timedStep()));
  process.on("disconnect", () => process.exit(0));
  process.send({ adapter: contender.adapter, milliseconds: prepared });
} else {
  console.log(`${name} on ${contender.adapter}: prepared in ${(prepared / 1000).toFixed(1)} s`);
  for (let step = 1; step <= Number(values.steps); step++) {
    const { loss, milliseconds } = await timedStep();
    console.log(`step ${step}: loss ${loss.toFixed(5)}, ${(milliseconds / 1000).toFixed(2)} s`);
  }
  process.exit(0);
}
