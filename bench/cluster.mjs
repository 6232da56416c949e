// What a step of many GPUs takes: the formula of docs/guides/cluster-cost.md, and a simulation of
// the same step in which each bucket of gradients is read, travels and is written in its turn.
//
//   node bench/cluster.mjs [--tflops 20] [--batch 64] [--ranks 8,64,1024] [--gbps 100,400]
//
// The schedule of the backward pass and the buckets come from the compiled program. The copies and
// the meetings are measured: `--copies` and `--meeting` take the numbers of another machine. The
// speed of a GPU is an assumption, `--tflops`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "../dist/compiler/index.js";
import { bucketsOf } from "../dist/runtime/training/sums.js";

const { values: flags } = parseArgs({
  options: {
    tflops: { type: "string", default: "20" },
    batch: { type: "string", default: "64" },
    ranks: { type: "string", default: "8,64,1024" },
    gbps: { type: "string", default: "100,400" },
    // GB/s of reading gradients to memory, and of writing them back: 244 MB in 32 and 50 ms.
    copies: { type: "string", default: "7.6,4.9" },
    // Milliseconds of a meeting of two ranks.
    meeting: { type: "string", default: "1" },
    // Microseconds of a message of the network.
    latency: { type: "string", default: "5" },
  },
});
const numbersIn = (text) => text.split(",").map(Number);
const [readRate, writeRate] = numbersIn(flags.copies).map((rate) => rate * 1e9);
const flops = Number(flags.tflops) * 1e12;
const batch = Number(flags.batch);

/** Multiply-adds of an image up to each bucket, and those of the whole step. */
function scheduleOf(spec) {
  const file = join(import.meta.dirname, "..", "specs", `${spec}.net`);
  const { programs } = compile(readFileSync(file, "utf8"), { file, target: "gpu", exchange: true });
  const [program] = programs;
  const steps = program.steps.accumulate.filter(({ batches }) => inRange(batches));
  let macs = 0;
  const until = steps.map((step) => (macs += step.macs));
  const buckets = bucketsOf(program, steps);
  return { macs, buckets: buckets.map(({ after, bytes }) => ({ macs: until[after], bytes })) };
}

const inRange = ({ atLeast = 1, atMost = Infinity } = {}) => atLeast <= batch && batch <= atMost;

/** Seconds that a multiply-add of each image of the batch takes. */
const perMac = (2 * batch) / flops;

/** Seconds of an all-reduce in a ring: each rank sends 2 (N - 1) / N of the bytes. */
function ring(bytes, { ranks, rate }) {
  const messages = 2 * (ranks - 1) * Number(flags.latency) * 1e-6;
  return (2 * ((ranks - 1) / ranks) * bytes) / rate + messages;
}

/** Seconds of a meeting: rank 0 hears all others, a message each. */
const meeting = ({ ranks }) =>
  Number(flags.meeting) * 1e-3 + 2 * ranks * Number(flags.latency) * 1e-6;

const readOf = ({ bytes }) => bytes / readRate;

const exchangeOf = ({ bytes }, cluster) =>
  meeting(cluster) + ring(bytes, cluster) + bytes / writeRate;

/**
 * Compute, and of the exchange what is not hidden: all of it, at the pace of the slower of reading
 * and exchanging, less what can travel until the backward pass ends; but at least the last bucket.
 */
function formula({ macs, buckets }, cluster) {
  const compute = macs * perMac;
  const paces = buckets.map((bucket) => Math.max(readOf(bucket), exchangeOf(bucket, cluster)));
  const all = paces.reduce((sum, seconds) => sum + seconds, readOf(buckets[0]));
  const last = readOf(buckets.at(-1)) + exchangeOf(buckets.at(-1), cluster);
  const window = compute - buckets[0].macs * perMac;
  return compute + Math.max(last, all - window) + 2 * meeting(cluster);
}

/** The same, event by event: a bucket is read while the one before it travels. */
function simulate({ macs, buckets }, cluster) {
  const compute = macs * perMac;
  let [copied, exchanged, hidden] = [0, 0, 0];
  for (const bucket of buckets) {
    copied = Math.max(copied, bucket.macs * perMac) + readOf(bucket);
    const start = Math.max(copied, exchanged);
    exchanged = start + exchangeOf(bucket, cluster);
    hidden += Math.max(0, Math.min(exchanged, compute) - start);
  }
  const step = Math.max(compute, exchanged) + 2 * meeting(cluster);
  return { step, hidden };
}

const milliseconds = (seconds) => (1000 * seconds).toFixed(1);
console.log(`${batch} images on each GPU, ${flags.tflops} TFLOP/s, ${flags.meeting} ms a meeting`);
console.log("| network | GPUs | Gb/s | compute | step, formula | step, simulated | efficiency |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const spec of ["alexnet", "resnet50"]) {
  const schedule = scheduleOf(spec);
  for (const ranks of numbersIn(flags.ranks)) {
    for (const gbps of numbersIn(flags.gbps)) {
      const cluster = { ranks, rate: (gbps * 1e9) / 8 };
      const { step } = simulate(schedule, cluster);
      const compute = schedule.macs * perMac;
      const cells = [
        ...[spec, ranks, gbps, `${milliseconds(compute)} ms`],
        `${milliseconds(formula(schedule, cluster))} ms`,
        `${milliseconds(step)} ms`,
        `${((100 * compute) / step).toFixed(0)}%`,
      ];
      console.log(`| ${cells.join(" | ")} |`);
    }
  }
}
