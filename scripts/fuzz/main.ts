// Mutated specs through parser, checker, compiler, formatter and language server:
// npm run fuzz -- --count 100000 --seed 1
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { examine, type Examination, type Finding } from "./examine.js";
import { type Mutant, mutantOf, mutationKinds } from "./mutants.js";
import { readSeeds } from "./seeds.js";

/** Milliseconds that a text may take in all. */
const LONGEST = 2000;

const { values } = parseArgs({
  // node scripts/run.mjs scripts/fuzz/main.ts OPTIONS
  args: process.argv.slice(3),
  options: {
    count: { type: "string", default: "1000" },
    first: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    layers: { type: "string", default: "60" },
    keep: { type: "string", default: ".cache/fuzz" },
  },
});
const [count, first, seed] = [values.count, values.first, values.seed].map(Number) as [
  number,
  number,
  number,
];

const tally = { valid: 0, compiled: 0, failed: 0, slow: 0, longest: 0 };
const byStage = new Map<string, number>();
/** Findings of one kind are shown once. */
const known = new Map<string, number>();

const sum = (times: Iterable<number>) => [...times].reduce((total, time) => total + time, 0);

function note(index: number, mutant: Mutant, { findings, times, ...rest }: Examination): void {
  const total = sum(times.values());
  for (const [stage, time] of times) byStage.set(stage, (byStage.get(stage) ?? 0) + time);
  tally.valid += Number(rest.isValid);
  tally.compiled += Number(rest.isCompiled);
  tally.failed += Number(findings.length > 0);
  tally.slow += Number(total > LONGEST);
  tally.longest = Math.max(tally.longest, total);
  for (const finding of findings) show(index, mutant, finding);
  if (total > LONGEST) show(index, mutant, slowFinding(times, total));
}

function slowFinding(times: ReadonlyMap<string, number>, total: number): Finding {
  const [stage, time] = [...times].toSorted((a, b) => b[1] - a[1])[0]!;
  return { stage, what: `slow: ${total.toFixed(0)} ms, of which ${time.toFixed(0)} here` };
}

function show(index: number, mutant: Mutant, { stage, what }: Finding): void {
  const key = what.startsWith("slow") ? `slow ${stage}` : what.split("\n").slice(0, 3).join("\n");
  known.set(key, (known.get(key) ?? 0) + 1);
  if (known.get(key)! > 3) return;
  mkdirSync(values.keep, { recursive: true });
  const path = join(values.keep, `${seed}-${index}.net`);
  writeFileSync(path, mutant.text);
  const shown = what.split("\n").slice(0, 8).join("\n    ");
  console.log(`${path} (${mutant.file}; ${mutant.kinds.join(", ")}) ${stage}:\n    ${shown}`);
}

const seeds = readSeeds(resolve("specs"));
const start = performance.now();
for (let index = first; index < first + count; index++) {
  const mutant = mutantOf(seeds, seed, index);
  note(index, mutant, await examine(mutant, { mostLayers: Number(values.layers) }));
  if ((index + 1) % 1000 === 0) {
    const seconds = (performance.now() - start) / 1000;
    console.error(`${index + 1 - first} of ${count} in ${seconds.toFixed(0)} s`, tally);
  }
}

const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.log(`${count} mutants of ${seeds.length} specs, seed ${seed}, ${seconds} s`);
console.log(`${mutationKinds.length} kinds of mutations, one to three in each mutant`);
console.log(`${tally.valid} are right, of which ${tally.compiled} were compiled`);
console.log(`${tally.failed} with an exception or NET9; ${tally.slow} over ${LONGEST} ms`);
console.log(`the longest took ${tally.longest.toFixed(0)} ms`);
for (const [stage, time] of byStage) console.log(`  ${stage}: ${(time / count).toFixed(2)} ms`);
process.exitCode = tally.failed + tally.slow > 0 ? 1 : 0;
