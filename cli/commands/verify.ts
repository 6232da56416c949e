import type { Command } from "commander";
import { compileSpec, compiledProgramOf, type CompiledSpec } from "../compiled.js";
import { ExitCode, Reported } from "../failure.js";
import { formatCount, formatDuration, formatNumber } from "../format.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { createCounter, type Counter } from "../progress.js";
import { print, printJson, styled } from "../terminal.js";
import type { Deviation } from "../../workbench/verify/comparison.js";
import {
  addTallies,
  type Divergence,
  type Tally,
  type VerifiedList,
} from "../../workbench/verify/tally.js";
import { ALL_LISTS, verifyNetwork } from "../../workbench/verify/verify.js";
import { describeCommand } from "./command.js";

interface VerifyFlags extends AdapterOptions {
  readonly batch: number;
  readonly model?: string;
  readonly train?: string;
  readonly json?: boolean;
}

/** What `verify --json` prints. */
interface VerifyReport {
  readonly adapter: string;
  readonly model: string;
  readonly batch: number;
  /** Dispatches whose results were checked, and elements that were compared. */
  readonly kernels: number;
  readonly values: number;
  readonly seconds: number;
  readonly ok: boolean;
  readonly first: Divergence | null;
}

export function verifyCommand(): Command {
  return describeCommand(
    "verify",
    "Check every kernel and every gradient on this adapter against references in plain loops.",
    ["verify specs/alexnet.net", "verify specs/resnet18.net --adapter lavapipe --json"],
  )
    .argument("<spec>", "the spec file")
    .option("--batch <n>", "images a step", positiveInteger, 2)
    .option("--model <name>", "the model, where the spec has several")
    .option("--train <name>", "the recipe whose optimizer and model are used")
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(verify);
}

async function verify(path: string, flags: VerifyFlags): Promise<void> {
  const start = performance.now();
  const compiled = await compileSpec(path, flags);
  const known = new Set<string>();
  const first = await verifyCompiled(compiled, ALL_LISTS, flags, known);
  let { tally } = first;
  if (!tally.divergence && first.trainsAtOnce) {
    // The same with gradients stored, as those that add them up over slices of a batch have it.
    const keeping = await compileSpec(path, { ...flags, keepGradients: true });
    const second = await verifyCompiled(keeping, ["accumulate", "update"], flags, known);
    tally = addTallies(tally, second.tally);
  }
  const { divergence = null, kernels, values } = tally;
  const report: VerifyReport = {
    adapter: first.adapter,
    model: compiled.model.name,
    batch: flags.batch,
    kernels,
    values,
    seconds: (performance.now() - start) / 1000,
    ok: divergence === null,
    first: divergence,
  };
  if (flags.json) printJson(report);
  else print(describeReport(report, compiled));
  if (!report.ok) throw new Reported(ExitCode.wrongInput);
}

interface Verified {
  readonly adapter: string;
  readonly tally: Tally;
  /** Whether gradients are applied as they are made, and never stored. */
  readonly trainsAtOnce: boolean;
}

async function verifyCompiled(
  compiled: CompiledSpec,
  lists: readonly VerifiedList[],
  { batch, adapter }: VerifyFlags,
  known: Set<string>,
): Promise<Verified> {
  const network = await openNetwork(compiled, { batch, adapter });
  let counter: Counter | undefined;
  const onProgress = (done: number, total: number) => {
    counter ??= createCounter(total, "checked");
    counter.update(done);
  };
  try {
    const { steps } = network.program;
    const trainsAtOnce = steps.train.length > 0 && steps.accumulate.length === 0;
    const written = compiledProgramOf(compiled, network);
    const tally = await verifyNetwork(network, written, lists, { known, onProgress });
    return { adapter: network.adapter.name, tally, trainsAtOnce };
  } finally {
    counter?.stop();
    network.destroy();
  }
}

/** Digits enough to see a difference of the tolerance; f32 has no more than 9. */
function digitsFor({ expected, actual, tolerance }: Deviation): (value: number) => string {
  const size = Math.max(Math.abs(expected), Math.abs(actual));
  const digits = Math.ceil(Math.log10(size / tolerance)) + 2;
  return (value) =>
    Number.isFinite(digits)
      ? String(Number(value.toPrecision(Math.min(9, Math.max(4, digits)))))
      : formatNumber(value);
}

function describeReport(report: VerifyReport, { spec }: CompiledSpec): string {
  const { adapter, model, batch, kernels, values, seconds, first } = report;
  const checked =
    `${formatCount(kernels)} kernels, ` +
    `${formatCount(values)} values compared in ${formatDuration(seconds)}`;
  if (!first) {
    const right = styled("green", "right", process.stdout);
    return `${right}: ${model}, batch ${batch}, on ${adapter}: ${checked}`;
  }
  const { value, index, expected, actual, tolerance } = first.deviation;
  const show = digitsFor(first.deviation);
  return [
    `${styled("red", "wrong", process.stdout)}: ${model}, batch ${batch}, on ${adapter}`,
    `${spec.path}:${first.line}: ${first.name} (${first.list}) diverges from the reference`,
    `  ${value}[${index}] is ${show(actual)}, ` +
      `expected ${show(expected)} to within ${formatNumber(tolerance)}`,
    `  computed by ${first.kernels.join(", ")}`,
    `found after ${checked}; what runs later was not checked`,
  ].join("\n");
}
