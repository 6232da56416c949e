// netc and its peers side by side, on one adapter and one Dawn.
//
//     node run.mjs [--adapters lavapipe,embedded] [--cases NAME,...] [--contenders NAME,...]
//     [--rounds 5] [--prototypes DIR]
//
// Each library has a separate process, and all start from the same weights and images. They take
// turns, one step each, so that whatever else the machine does touches all alike. A contender whose
// output the others contradict, or that fails, is reported as such and left out; the rest
// continues. results/ keeps what came of each case; report.mjs makes tables of it.
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { dissenters, toleranceOf } from "./agreement.mjs";
import { CASES, PACKAGES, PLAN } from "./cases.mjs";
import { startContender } from "./contender-process.mjs";
import { saveResult } from "./results.mjs";
import { writeReport } from "./report.mjs";

const { values: options } = parseArgs({
  options: {
    adapters: { type: "string", default: Object.keys(PLAN).join() },
    cases: { type: "string" },
    contenders: { type: "string" },
    rounds: { type: "string", default: "5" },
    prototypes: { type: "string" },
  },
});
const rounds = Number(options.rounds);

async function versionOf(name) {
  if (!PACKAGES[name]) return undefined;
  const path = new URL(`node_modules/${PACKAGES[name]}/package.json`, import.meta.url);
  return JSON.parse(await readFile(path, "utf8")).version;
}

/** The state of netc's sources: a commit, and whether something was changed since. */
function revision() {
  try {
    const git = (...words) => execFileSync("git", words, { encoding: "utf8" }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no", "..", ":!results");
    return git("rev-parse", "--short", "HEAD") + (changed ? " and changes" : "");
  } catch {
    return undefined;
  }
}

const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;

/** Runs a contender's action; if it fails, that becomes the contender's result. */
async function attempt(contender, action) {
  if (contender.failure) return undefined;
  try {
    return await action();
  } catch (error) {
    giveUp(contender, error.message);
    return undefined;
  }
}

function giveUp(contender, reason) {
  console.error(`${contender.name}: ${reason}`);
  contender.failure = reason;
  contender.process?.end();
}

async function start(name, setting) {
  console.error(`${name}: preparing`);
  const contender = { name, steps: [] };
  await attempt(contender, async () => {
    contender.version = await versionOf(name);
    contender.process = startContender(name, setting);
    const { adapter, milliseconds } = await contender.process.prepare();
    Object.assign(contender, { adapter, prepared: milliseconds });
  });
  return contender;
}

async function step(contender) {
  const result = await attempt(contender, () => contender.process.step());
  if (!result) return;
  contender.steps.push(result);
  console.error(
    `${contender.name}: step ${contender.steps.length}, ${seconds(result.milliseconds)}`,
  );
}

/** Takes those out whose output of a round the others contradict. */
function check(contenders, mode, round) {
  const running = contenders.filter(({ failure, steps }) => !failure && steps[round]?.output);
  const outputs = new Map(running.map(({ name, steps }) => [name, steps[round].output]));
  const wrong = new Set(dissenters(outputs, toleranceOf(mode, round)));
  for (const contender of running) {
    if (wrong.has(contender.name)) {
      giveUp(contender, `its output of step ${round + 1} is not the others'`);
    }
  }
  return outputs.size - wrong.size;
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The figures of a contender: its first step, which compiles shaders, and the others. Times in
 * milliseconds.
 */
function summarize({ name, version, prepared, steps, failure }) {
  if (failure) return { name, version, failure };
  const [first, ...rest] = steps;
  const times = rest.map(({ milliseconds }) => milliseconds);
  const last = rest.at(-1);
  return {
    name,
    version,
    // The prototype measures its own start.
    first: first.first ?? prepared + first.milliseconds,
    median: median(times),
    fastest: Math.min(...times),
    slowest: Math.max(...times),
    javascript:
      last.javascript === undefined ? undefined : median(rest.map(({ javascript }) => javascript)),
    dispatches: last.dispatches,
    submits: last.submits,
    pipelines: last.pipelines,
    peakBytes: last.peakBytes || undefined,
    losses: last.output?.length === 1 ? steps.map(({ output }) => output[0]) : undefined,
  };
}

function namesFor({ contenders }) {
  const wanted = options.contenders?.split(",");
  return contenders.filter(
    (name) => (!wanted || wanted.includes(name)) && (name !== "prototype" || options.prototypes),
  );
}

async function runCase(adapter, caseName) {
  const { title, mode, batch } = CASES[caseName];
  console.error(`\n${title}, ${adapter}`);
  const setting = { caseName, adapter, prototypes: options.prototypes };
  const contenders = [];
  let agreeing;
  try {
    for (const name of namesFor(CASES[caseName])) contenders.push(await start(name, setting));
    for (let round = 0; round <= rounds; round++) {
      for (const contender of contenders) await step(contender);
      agreeing = check(contenders, mode, round);
    }
  } finally {
    for (const contender of contenders) contender.process?.end();
  }
  return {
    case: caseName,
    batch,
    adapter,
    adapterName: contenders.find((contender) => contender.adapter)?.adapter,
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    revision: revision(),
    command: ["node bench/run.mjs", ...shownArguments()].join(" "),
    rounds,
    agreeing,
    node: process.versions.node,
    processor: cpus()[0].model.trim(),
    cores: cpus().length,
    contenders: contenders.map(summarize),
  };
}

/** The command line without the names of this machine's folders. */
function shownArguments() {
  return process.argv.slice(2).map((word) => (word === options.prototypes ? "DIR" : word));
}

const started = performance.now();
for (const adapter of options.adapters.split(",")) {
  const cases = options.cases?.split(",") ?? PLAN[adapter] ?? Object.keys(CASES);
  for (const caseName of cases) {
    await saveResult(`${adapter}-${caseName}`, await runCase(adapter, caseName));
  }
}
await writeReport();
console.error(
  `\nall done in ${((performance.now() - started) / 60_000).toFixed(1)} min: bench/results/`,
);
