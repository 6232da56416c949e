import type { Command } from "commander";
import { bufferBytes } from "../../runtime/memory.js";
import type { AnalyzedLayer } from "../../compiler/semantics/index.js";
import { stepsFor, type Program, type ProgramStep } from "../../program/program.js";
import { compileSpec } from "../compiled.js";
import { formatBytes, formatCount } from "../format.js";
import { jsonOption, positiveInteger } from "../options.js";
import { renderTable, type Column } from "../table.js";
import { print, printJson, styled, widthOf } from "../terminal.js";
import { describeCommand } from "./command.js";

interface SummaryOptions {
  readonly batch?: number;
  readonly model?: string;
  readonly train?: string;
  readonly json?: boolean;
}

/** What `summary --json` prints. Bytes; shapes without the batch axis; multiply-adds per image. */
interface Summary {
  readonly model: string;
  readonly batch: number;
  readonly layers: readonly LayerSummary[];
  readonly totals: {
    readonly parameters: number;
    readonly macs: number;
    readonly macsBackward: number;
  };
  readonly memory: {
    readonly weights: number;
    readonly training: number;
    readonly inference: number;
  };
  readonly dispatches: { readonly train: number; readonly predict: number };
}

interface LayerSummary {
  readonly name: string;
  readonly kind: string;
  readonly line: number;
  readonly output: readonly number[];
  readonly parameters: number;
  readonly macs: number;
  readonly macsBackward: number;
}

export function summaryCommand(): Command {
  return describeCommand(
    "summary",
    "Show layers, shapes, parameters, multiply-adds and planned memory. Needs no GPU.",
    ["summary specs/alexnet.net --batch 128"],
  )
    .argument("<spec>", "the spec file")
    .option("--batch <n>", "images a step (default: the recipe's batch, else 1)", positiveInteger)
    .option("--model <name>", "the model, where the spec has several")
    .option("--train <name>", "the recipe whose model and batch to show")
    .addOption(jsonOption())
    .action(summarize);
}

async function summarize(path: string, options: SummaryOptions): Promise<void> {
  const { model, recipe, compilation } = await compileSpec(path, options);
  const batch = options.batch ?? recipe?.batch ?? 1;
  const summary = summaryOf(model.name, model.layers, compilation.programs[0]!, batch);
  if (options.json) printJson(summary);
  else print(describeSummary(summary, widthOf(process.stdout)));
}

function summaryOf(
  model: string,
  layers: readonly AnalyzedLayer[],
  program: Program,
  batch: number,
): Summary {
  const train = stepsFor(program.steps.train, batch);
  const predict = stepsFor(program.steps.predict, batch);
  return {
    model,
    batch,
    layers: layers.map(summarizeLayer),
    totals: {
      parameters: sum(layers, (layer) => layer.parameters),
      macs: sum(layers, (layer) => layer.macs),
      macsBackward: sum(layers, (layer) => layer.macsBackward),
    },
    memory: {
      weights: parameterBytes(program, batch),
      training: bytesOf(program, train, batch),
      inference: bytesOf(program, predict, batch),
    },
    dispatches: { train: train.length, predict: predict.length },
  };
}

function summarizeLayer(layer: AnalyzedLayer): LayerSummary {
  const { name, kind, line, output, parameters, macs, macsBackward } = layer;
  return { name, kind, line, output: output ?? [], parameters, macs, macsBackward };
}

function parameterBytes(program: Program, batch: number): number {
  const buffers = program.buffers.filter((buffer) => buffer.purpose === "parameter");
  return sum(buffers, (buffer) => bufferBytes(buffer.bytes, batch));
}

/** Bytes of every buffer that the steps bind: nothing else is allocated for them. */
function bytesOf(program: Program, steps: readonly ProgramStep[], batch: number): number {
  const used = new Set(steps.flatMap((step) => step.buffers));
  return sum([...used], (index) => bufferBytes(program.buffers[index]!.bytes, batch));
}

function sum<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}

// The table

const columns: readonly Column[] = [
  { title: "layer", align: "left", expendable: 0 },
  { title: "kind", align: "left", expendable: 2 },
  { title: "output", align: "right", expendable: 0 },
  { title: "parameters", align: "right", expendable: 0 },
  { title: "MACs", align: "right", expendable: 0 },
  { title: "MACs backward", align: "right", expendable: 1 },
  { title: "line", align: "right", expendable: 3 },
];

function describeSummary(summary: Summary, width: number | undefined): string {
  const rows = [...summary.layers.map(layerRow), totalsRow(summary)];
  const { weights, training, inference } = summary.memory;
  const { train, predict } = summary.dispatches;
  return [
    styled("bold", `${summary.model}, batch ${summary.batch}`, process.stdout),
    "",
    renderTable(columns, rows, width),
    "",
    `weights          ${formatBytes(weights)}`,
    ...(train > 0
      ? [`memory, training ${formatBytes(training)} (${train} dispatches a step)`]
      : []),
    `memory, predict  ${formatBytes(inference)} (${predict} dispatches)`,
  ].join("\n");
}

function layerRow(layer: LayerSummary): string[] {
  return [
    layer.name,
    layer.kind,
    layer.output.join(" x "),
    orDash(layer.parameters),
    orDash(layer.macs),
    orDash(layer.macsBackward),
    String(layer.line),
  ];
}

function totalsRow({ totals }: Summary): string[] {
  const { parameters, macs, macsBackward } = totals;
  return ["total", "", "", ...[parameters, macs, macsBackward].map(formatCount), ""];
}

function orDash(count: number): string {
  return count === 0 ? "-" : formatCount(count);
}
