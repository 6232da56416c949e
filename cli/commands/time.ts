import type { Command } from "commander";
import { measureCeilings, type Ceilings } from "../../workbench/ceilings.js";
import { compileSpec, compiledProgramOf } from "../compiled.js";
import { formatPercent } from "../format.js";
import { openNetwork } from "../open-network.js";
import { adapterOption, jsonOption, positiveInteger, type AdapterOptions } from "../options.js";
import { randomExamples } from "../../workbench/random-examples.js";
import { renderTable, type Column } from "../table.js";
import { print, printJson, say, styled, widthOf } from "../terminal.js";
import {
  timeNetwork,
  type KernelTime,
  type ListTime,
  type NetworkTimes,
  type TimedList,
} from "../timing.js";
import { describeCommand } from "./command.js";

interface TimeOptions extends AdapterOptions {
  readonly batch: number;
  readonly model?: string;
  readonly train?: string;
  readonly json?: boolean;
}

/** What `time --json` prints. */
interface TimeReport extends NetworkTimes {
  readonly adapter: string;
  readonly model: string;
  readonly batch: number;
  readonly ceilings: Ceilings;
}

export function timeCommand(): Command {
  return describeCommand(
    "time",
    "Time each kernel of training and prediction, and compare it with the adapter's peak.",
    ["time specs/alexnet.net", "time specs/alexnet.net --batch 1 --json"],
  )
    .argument("<spec>", "the spec file")
    .option("--batch <n>", "examples per step", positiveInteger, 8)
    .option("--model <name>", "the model, if the spec has several")
    .option("--train <name>", "the recipe whose model and optimizer to use")
    .addOption(jsonOption())
    .addOption(adapterOption())
    .action(time);
}

async function time(path: string, options: TimeOptions): Promise<void> {
  const { batch, adapter, json } = options;
  const compiled = await compileSpec(path, options);
  // As the recipe trains: kernels of a batch in slices are others.
  const { accumulate } = compiled.recipe ?? {};
  const network = await openNetwork(compiled, { batch, adapter, accumulate });
  try {
    say("measuring what the adapter can do");
    const ceilings = await measureCeilings(adapter, network.adapter);
    say(`timing ${network.program.model} at batch ${batch}`);
    const examples = randomExamples(network.program, batch);
    const times = await timeNetwork(
      network,
      compiledProgramOf(compiled, network),
      examples,
      ceilings,
    );
    const { model } = network.program;
    const report: TimeReport = { adapter: network.adapter.name, model, batch, ceilings, ...times };
    if (json) printJson(report);
    else print(describeReport(report, widthOf(process.stdout)));
  } finally {
    network.destroy();
  }
}

// The tables

const KERNEL_COLUMNS: readonly Column[] = [
  { title: "kernel", align: "left", expendable: 0 },
  { title: "line", align: "right", expendable: 3 },
  { title: "ms", align: "right", expendable: 0 },
  { title: "of all", align: "right", expendable: 4 },
  { title: "GFLOP/s", align: "right", expendable: 2 },
  { title: "GB/s", align: "right", expendable: 2 },
  { title: "of flops", align: "right", expendable: 1 },
  { title: "of bytes", align: "right", expendable: 1 },
];

function describeReport(report: TimeReport, width: number | undefined): string {
  const { adapter, model, batch, ceilings, method } = report;
  const clock = method === "timestamps" ? "the device's clock" : "repeated submissions";
  return [
    styled("bold", `${model}, batch ${batch}, on ${adapter}`, process.stdout),
    `at most ${formatRate(ceilings.gflops)} GFLOP/s and ${formatRate(ceilings.gbps)} GB/s, ` +
      `measured; times by ${clock}`,
    ...describeList(report, "train", width),
    ...describeList(report, "predict", width),
    "",
    describeLayers(report, width),
  ].join("\n");
}

function describeList(report: TimeReport, list: TimedList, width: number | undefined): string[] {
  const times = report[list];
  if (!times) return [];
  const kernels = report.kernels.filter((kernel) => kernel.list === list);
  const row = kernelRow(times.kernels);
  const rows = [...kernels.map(row), sumRow(kernels, report)];
  const whole = `${formatMilliseconds(times.milliseconds)} ms`;
  const share = formatPercent(times.kernels / times.milliseconds);
  return [
    "",
    `${styled("bold", list, process.stdout)}: ${kernels.length} kernels; ` +
      `${whole} in ${describeSubmissions(times)}, of which the kernels' own times are ${share}`,
    renderTable(KERNEL_COLUMNS, rows, width),
  ];
}

const describeSubmissions = ({ submissions }: ListTime) =>
  submissions === 1 ? "one submission" : `${submissions} submissions, slice by slice`;

const kernelRow =
  (all: number) =>
  ({ name, line, milliseconds, gflops, gbps, share }: KernelTime): string[] => [
    name,
    String(line),
    formatMilliseconds(milliseconds),
    formatPercent(milliseconds / all),
    gflops > 0 ? formatRate(gflops) : "-",
    formatRate(gbps),
    gflops > 0 ? formatPercent(share.multiplyAdds) : "-",
    formatPercent(share.memory),
  ];

function sumRow(kernels: readonly KernelTime[], { ceilings }: TimeReport): string[] {
  const milliseconds = sum(kernels, (kernel) => kernel.milliseconds);
  const average = (rate: (kernel: KernelTime) => number) =>
    sum(kernels, (kernel) => rate(kernel) * kernel.milliseconds) / milliseconds;
  const [gflops, gbps] = [average(({ gflops }) => gflops), average(({ gbps }) => gbps)];
  return [
    ...["total", "", formatMilliseconds(milliseconds), "", formatRate(gflops), formatRate(gbps)],
    ...[gflops / ceilings.gflops, gbps / ceilings.gbps].map(formatPercent),
  ];
}

const LAYER_COLUMNS: readonly Column[] = [
  { title: "layer", align: "left", expendable: 0 },
  { title: "line", align: "right", expendable: 1 },
  { title: "train ms", align: "right", expendable: 0 },
  { title: "predict ms", align: "right", expendable: 0 },
];

/** Kernels by what of the spec they work for. */
function describeLayers(
  { kernels, train, predict }: TimeReport,
  width: number | undefined,
): string {
  const layers = [...new Set(kernels.map(({ layer }) => layer))];
  const rows = layers.map((layer) => {
    const own = kernels.filter((kernel) => kernel.layer === layer);
    const of = (list: TimedList) => own.filter((kernel) => kernel.list === list);
    const total = (list: TimedList) =>
      of(list).length > 0
        ? formatMilliseconds(sum(of(list), (kernel) => kernel.milliseconds))
        : "-";
    return [layer, String(own[0]!.line), total("train"), total("predict")];
  });
  const totals = [train?.kernels, predict.kernels].map((total) =>
    total === undefined ? "-" : formatMilliseconds(total),
  );
  return renderTable(LAYER_COLUMNS, [...rows, ["total", "", ...totals]], width);
}

const formatMilliseconds = (milliseconds: number) =>
  milliseconds.toFixed(milliseconds < 10 ? 3 : milliseconds < 100 ? 2 : 1);

const formatRate = (rate: number) => rate.toFixed(rate < 100 ? 1 : 0);

function sum<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}
