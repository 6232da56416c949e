import { basename, relative } from "node:path";
import type { Command } from "commander";
import { formatBytes } from "../../program/format-bytes.js";
import { renderVerifyPage } from "../../report/verify-page.js";
import type { PageData } from "../../workbench/page/main.js";
import type { Deviation } from "../../workbench/verify/comparison.js";
import type { Divergence } from "../../workbench/verify/tally.js";
import { verifySpec, type Opened } from "../../workbench/verify/verify-spec.js";
import { compileSpec, compiledProgramOf, type CompiledSpec } from "../compiled.js";
import { tensorsOf } from "../../program/tensors.js";
import { wrongInput } from "../failure.js";
import { ExitCode, Reported } from "../failure.js";
import { writeOutput } from "../files.js";
import { formatCount, formatDuration, formatNumber } from "../format.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { readPageAssets, version } from "../package.js";
import { createCounter, type Counter } from "../progress.js";
import { print, printJson, styled } from "../terminal.js";
import { tuningBeside } from "../tuning/tune-file.js";
import { describeCommand } from "./command.js";

interface VerifyFlags extends AdapterOptions {
  readonly batch: number;
  readonly model?: string;
  readonly train?: string;
  readonly rounds?: number;
  readonly page?: string;
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
    "Compare every kernel and gradient on this adapter with plain loops on the CPU.",
    ["verify specs/alexnet.net", "verify specs/resnet18.net --page resnet18.html"],
  )
    .argument("<spec>", "the spec file")
    .option("--batch <n>", "examples per step", positiveInteger, 2)
    .option("--model <name>", "the model, if the spec has several")
    .option("--train <name>", "the recipe whose model and optimizer to use")
    .option(
      "--rounds <n>",
      "how often all checks run, since some drivers are right in the first run only " +
        "(default: 1; of a page 2)",
      positiveInteger,
    )
    .option("--page <file>", "write a page that runs the checks in the browser that opens it")
    .addOption(jsonOption().conflicts("page"))
    .addOption(adapterOption())
    .action((path: string, flags: VerifyFlags) =>
      flags.page === undefined ? verify(path, flags) : writePage(path, flags.page, flags),
    );
}

async function verify(path: string, flags: VerifyFlags): Promise<void> {
  const start = performance.now();
  const { rounds = 1 } = flags;
  const counter = partsCounter();
  const verdict = verifySpec((options) => open(path, { ...flags, ...options }), {
    rounds,
    onProgress: counter.update,
  });
  const { adapter, model, tally } = await verdict.finally(counter.stop);
  const { divergence = null, kernels, values } = tally;
  const report: VerifyReport = {
    adapter: adapter.name,
    model,
    batch: flags.batch,
    kernels,
    values,
    seconds: (performance.now() - start) / 1000,
    ok: divergence === null,
    first: divergence,
  };
  if (flags.json) printJson(report);
  else print(describeReport(report, path));
  if (!report.ok) throw new Reported(ExitCode.wrongInput);
}

async function open(
  path: string,
  { batch, adapter, ...select }: VerifyFlags & { readonly keepGradients: boolean },
): Promise<Opened> {
  const compiled = await compileSpec(path, select);
  requireInput(compiled);
  const network = await openNetwork(compiled, { batch, adapter });
  return { network, written: compiledProgramOf(compiled, network) };
}

/** A bar for each part of the checks. */
function partsCounter() {
  let counter: Counter | undefined;
  const stop = () => {
    counter?.stop();
    counter = undefined;
  };
  const update = (done: number, total: number) => {
    counter ??= createCounter(total, "checked");
    counter.update(done);
    if (done === total) stop();
  };
  return { update, stop };
}

async function writePage(path: string, output: string, flags: VerifyFlags): Promise<void> {
  const { batch, model, train, rounds = 2 } = flags;
  const { spec } = await compileSpec(path, { model, train });
  const imports = spec
    .imports()
    .map((file) => [toPosix(relative(spec.folder, file)), spec.textOf(file)] as const);
  const data: PageData = {
    spec: spec.text,
    file: basename(spec.path),
    imports: Object.fromEntries(imports),
    settings: { model, train, tuned: await tuningBeside(spec) },
    batch,
    rounds,
    netc: version(),
  };
  const assets = await readPageAssets("workbench");
  const page = renderVerifyPage({ spec: data.file, data }, assets);
  await writeOutput(output, page);
  print(`wrote ${output} (${formatBytes(Buffer.byteLength(page))})`);
  print("phones need https or localhost for WebGPU: see docs/deploy/verify.md");
}

const toPosix = (path: string) => path.replaceAll("\\", "/");

/** Digits enough to see a difference of the tolerance; f32 has no more than 9. */
function digitsFor({ expected, actual, tolerance }: Deviation): (value: number) => string {
  const size = Math.max(Math.abs(expected), Math.abs(actual));
  // Of whole calls, whose bits must be equal, all digits.
  const digits = Math.min(9, Math.ceil(Math.log10(size / tolerance)) + 2);
  return (value) =>
    Number.isFinite(digits)
      ? String(Number(value.toPrecision(Math.max(4, digits))))
      : formatNumber(value);
}

function describeReport(report: VerifyReport, path: string): string {
  const { adapter, model, batch, kernels, values, seconds, first } = report;
  const checked =
    `${formatCount(kernels)} kernels, ` +
    `${formatCount(values)} values compared in ${formatDuration(seconds)}`;
  if (!first) {
    const right = styled("green", "right", process.stdout);
    return `${right}: ${model}, batch ${batch}, on ${adapter}: ${checked}`;
  }
  return [
    `${styled("red", "wrong", process.stdout)}: ${model}, batch ${batch}, on ${adapter}`,
    ...(first.list === "calls" ? describeCall(first, path) : describeKernel(first, path)),
    `found after ${checked}; what runs later was not checked`,
  ].join("\n");
}

function describeKernel({ line, name, list, kernels, deviation }: Divergence, path: string) {
  const { value, index, expected, actual, tolerance } = deviation;
  const show = digitsFor(deviation);
  return [
    `${path}:${line}: ${name} (${list}) diverges from the reference`,
    `  ${value}[${index}] is ${show(actual)}, ` +
      `expected ${show(expected)} to within ${formatNumber(tolerance)}`,
    `  computed by ${kernels.join(", ")}`,
  ];
}

function describeCall({ name, deviation }: Divergence, path: string) {
  const { value, index, expected, actual } = deviation;
  const show = digitsFor(deviation);
  return [
    `${path}: ${name}: kernels in one submission differ from the same kernels one at a time`,
    `  ${value}[${index}] is ${show(actual)}, and ${show(expected)} one at a time`,
  ];
}

/** Calls of a model of noise alone have no examples to compare. */
function requireInput({ compilation, model, spec }: CompiledSpec): void {
  if (tensorsOf(compilation.programs[0]!, "input").length > 0) return;
  throw wrongInput(
    `model ${model.name} of ${spec.path} makes its values of noise alone: there are no examples`,
    "`--model` names the model that trains it",
  );
}
