// AlexNet's training step in netc and its peers, on one adapter and one Dawn.
//
//     node run.mjs [--batch 8] [--steps 7] [--adapter lavapipe|auto] [--contenders netc,jax-js,tensorflow]
//
// Each contender has a process of its own and all start from the same weights and images. They take turns, one step each, so
// that whatever else the machine does touches all alike; the losses of every round must agree before a time counts. Results
// go to results/.
import { fork } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    batch: { type: "string", default: "8" },
    steps: { type: "string", default: "7" },
    adapter: { type: "string", default: "lavapipe" },
    contenders: { type: "string", default: "netc,jax-js,tensorflow" },
  },
});
const batch = Number(options.batch);
const steps = Number(options.steps);

const PACKAGES = {
  netc: "netc",
  "jax-js": "@jax-js/jax",
  tensorflow: "@tensorflow/tfjs-backend-webgpu",
};
const DRIVERS = "/usr/share/vulkan/icd.d";
const FIRST_LOSS_TOLERANCE = 1e-3;
/** Rounding differs and training amplifies it. */
const LATER_LOSS_TOLERANCE = 1e-2;

/** netc is told by its own variable, the others by Vulkan's. */
function environmentFor(adapter) {
  const environment = { ...process.env, NETC_ADAPTER: adapter };
  if (adapter !== "lavapipe") return environment;
  const driver = readdirSync(DRIVERS).find((file) => file.startsWith("lvp_icd"));
  if (!driver) throw new Error(`lavapipe is not installed: no lvp_icd*.json in ${DRIVERS}`);
  return { ...environment, VK_ICD_FILENAMES: `${DRIVERS}/${driver}` };
}

async function versionOf(contender) {
  const path = new URL(`node_modules/${PACKAGES[contender]}/package.json`, import.meta.url);
  return JSON.parse(await readFile(path, "utf8")).version;
}

/** The next message of a contender; rejects if its process ends instead. */
function nextMessage(child, name) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`${name} ended with exit code ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
}

async function start(name) {
  console.error(`${name}: preparing`);
  const script = new URL("alexnet-step.mjs", import.meta.url);
  const child = fork(script, [name, "--batch", options.batch], {
    env: environmentFor(options.adapter),
  });
  const { adapter, milliseconds } = await nextMessage(child, name);
  return {
    name,
    child,
    adapter,
    prepared: milliseconds,
    version: await versionOf(name),
    steps: [],
  };
}

async function step(contender) {
  contender.child.send("step");
  const result = await nextMessage(contender.child, contender.name);
  contender.steps.push(result);
  const { loss, milliseconds } = result;
  const time = `${(milliseconds / 1000).toFixed(2)} s`;
  console.error(
    `${contender.name}: step ${contender.steps.length}, loss ${loss.toFixed(5)}, ${time}`,
  );
}

/** Fails unless all contenders computed the same in a round. */
function checkLosses(contenders, round) {
  const [reference, ...others] = contenders.map(({ steps }) => steps[round].loss);
  const tolerance = round === 0 ? FIRST_LOSS_TOLERANCE : LATER_LOSS_TOLERANCE;
  for (const [index, loss] of others.entries()) {
    const agrees = Math.abs(loss - reference) <= tolerance * Math.max(1, Math.abs(reference));
    if (agrees) continue;
    const names = `${contenders[0].name} ${reference}, ${contenders[index + 1].name} ${loss}`;
    throw new Error(`losses of step ${round + 1} differ, so times mean nothing: ${names}`);
  }
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Times of a contender: the first step, which compiles shaders, and the others. */
function summarize({ name, version, adapter, prepared, steps: [first, ...rest] }) {
  const times = rest.map(({ milliseconds }) => milliseconds);
  const losses = [first, ...rest].map(({ loss }) => loss);
  return {
    name,
    version,
    adapter,
    prepared,
    first: first.milliseconds,
    median: median(times),
    fastest: Math.min(...times),
    slowest: Math.max(...times),
    losses,
  };
}

const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;

function report(result) {
  const [base] = result.contenders;
  const rows = result.contenders.map((row) => {
    const spread = `${seconds(row.fastest)} to ${seconds(row.slowest)}`;
    const ratio = (row.median / base.median).toFixed(2);
    return `| ${row.name} ${row.version} | ${seconds(row.first)} | ${seconds(row.median)} | ${spread} | ${ratio} |`;
  });
  return [
    `# AlexNet's training step at batch ${result.batch}`,
    "",
    `${result.date}, ${result.contenders[0].adapter}, ${result.cores} cores of ${result.processor}, Node ${result.node}.`,
    `Forward, loss, backward and SGD with momentum, dropout off; ${result.steps} steps each, in turns; the losses of every`,
    "round agreed. The first step compiles shaders. Made by `bench/run.mjs`.",
    "",
    `| | first step | median step | fastest to slowest | median / ${base.name} |`,
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

async function save(name, text) {
  const target = new URL(`results/${name}`, import.meta.url);
  const temporary = new URL(`results/${name}.tmp`, import.meta.url);
  await mkdir(new URL("results/", import.meta.url), { recursive: true });
  await writeFile(temporary, text);
  await rename(temporary, target);
}

const contenders = [];
try {
  for (const name of options.contenders.split(",")) contenders.push(await start(name));
  for (let round = 0; round <= steps; round++) {
    for (const contender of contenders) await step(contender);
    checkLosses(contenders, round);
  }
  const result = {
    date: new Date().toISOString().slice(0, 10),
    batch,
    steps,
    node: process.versions.node,
    processor: cpus()[0].model,
    cores: cpus().length,
    contenders: contenders.map(summarize),
  };
  const name = `alexnet-step-${options.adapter}-batch${batch}`;
  await save(`${name}.json`, JSON.stringify(result, null, 2) + "\n");
  await save(`${name}.md`, report(result));
  console.log(report(result));
} catch (error) {
  console.error(`benchmark stopped: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const { child } of contenders) child.disconnect();
}
