import type { Command } from "commander";
import type { RepeatedValue } from "../../compiler/budget.js";
import {
  type AnalyzedLayer,
  countParameters,
  macsOfBackward,
} from "../../compiler/semantics/index.js";
import {
  bufferBytes,
  bytesOf,
  trainingBytes,
  type SlicedBatch,
} from "../../program/planned-memory.js";
import type { Duration, TrainRecipe } from "../../program/recipe.js";
import { stepsFor, type Program, type ProgramParameter } from "../../program/program.js";
import { requireFit } from "../budget.js";
import { wrongUsage } from "../failure.js";
import { compileSpec } from "../compiled.js";
import { formatBytes } from "../../program/format-bytes.js";
import { formatCount } from "../format.js";
import { byteSize, jsonOption, memoryWish, positiveInteger } from "../options.js";
import { renderTable, type Column } from "../table.js";
import { print, printJson, styled, widthOf } from "../terminal.js";
import { watching } from "../watch.js";
import { describeCommand } from "./command.js";

interface SummaryOptions {
  readonly batch?: number;
  readonly model?: string;
  readonly train?: string;
  readonly weights?: boolean;
  readonly json?: boolean;
  readonly memory?: number;
  readonly watch?: boolean;
}

/** What `summary --json` prints. Bytes; shapes without the batch axis; multiply-adds per image. */
interface Summary {
  readonly model: string;
  readonly batch: number;
  /** Slices of a training step's batch. */
  readonly slices: number;
  readonly layers: readonly LayerSummary[];
  readonly weights: readonly WeightSummary[];
  readonly totals: {
    readonly parameters: number;
    readonly macs: number;
    readonly macsBackward: number;
  };
  /** What `unfreeze` changes, in the order of time. */
  readonly phases?: readonly PhaseSummary[];
  readonly memory: MemorySummary;
  /** Of a recipe with `precision = f16`: what the same takes on adapters without `shader-f16`. */
  readonly memoryInFloats?: MemorySummary;
  readonly dispatches: { readonly train: number; readonly predict: number };
  /**
   * With `--memory`: what is computed again in the backward pass, and the step's multiply-adds as a
   * multiple of those without it.
   */
  readonly repeated?: { readonly values: readonly RepeatedValue[]; readonly work: number };
}

interface PhaseSummary {
  readonly after: Duration;
  /** Of an image, from then on. */
  readonly macsBackward: number;
}

interface MemorySummary {
  readonly weights: number;
  readonly training: number;
  readonly inference: number;
}

interface LayerSummary {
  readonly name: string;
  readonly kind: string;
  readonly line: number;
  readonly output: readonly number[];
  readonly parameters: number;
  /** What names of its weights start with, where other layers use them, too. */
  readonly weights?: string | undefined;
  readonly macs: number;
  readonly macsBackward: number;
  /** Whether it has weights of which none is trained. */
  readonly isFrozen: boolean;
}

/** A tensor of the weights file, by the name that it has there. */
interface WeightSummary {
  readonly name: string;
  readonly shape: readonly number[];
  /** `statistic`: measured while training, as a running mean is. */
  readonly role: "trained" | "frozen" | "statistic";
  readonly line: number;
}

export function summaryCommand(): Command {
  return describeCommand(
    "summary",
    "Show layers, shapes, parameters, multiply-adds and planned memory. Needs no GPU.",
    ["summary specs/alexnet.net --batch 128", "summary specs/resnet18.net --weights"],
  )
    .argument("<spec>", "the spec file")
    .option(
      "--batch <n>",
      "examples per step (default: the recipe's batch, else 1)",
      positiveInteger,
    )
    .option("--model <name>", "the model, if the spec has several")
    .option("--train <name>", "the recipe whose model and batch to show")
    .option("--weights", "list the weights: names, shapes and what changes them")
    .option(
      "--memory <size>",
      "memory limit for training, such as 512MiB: shows what netc recomputes, and the slices",
      byteSize,
    )
    .option("--watch", "show it again when the spec changes, until Ctrl-C")
    .addOption(jsonOption())
    .action(summary);
}

async function summary(path: string, options: SummaryOptions): Promise<void> {
  if (!options.watch) return void (await summarize(path, options));
  if (options.json) throw wrongUsage("--json prints one document, and --watch would print several");
  await watching(path, () => summarize(path, options));
}

/** Prints it once; gives the files that it is about. */
async function summarize(path: string, options: SummaryOptions): Promise<readonly string[]> {
  const selected = { ...options, memory: memoryWish(options) };
  // The program for GPUs is the one that is summarized.
  const compiled = await compileSpec(path, { ...selected, target: "gpu" });
  const { spec, model, recipe, compilation } = compiled;
  requireFit(compilation, options.memory);
  const batch = options.batch ?? recipe?.batch ?? 1;
  const { program, fit } = compilation.compiled[0]!;
  const floats = compilation.programs.find(({ precision }) => !precision)!;
  const slices = fit?.slices ?? recipe?.accumulate ?? 1;
  const found = {
    ...summaryOf(model.name, model.layers, program, { batch, slices }),
    phases: recipe ? phasesOf(recipe, model.layers, program) : [],
    memoryInFloats: program !== floats ? memoryOf(floats, { batch, slices }) : undefined,
    repeated: fit ? { values: fit.repeated, work: fit.work } : undefined,
  };
  const describe = options.weights ? describeWeights : describeSummary;
  if (options.json) printJson(found);
  else print([describe(found, widthOf(process.stdout)), ...phasesIn(found)].join("\n"));
  return spec.files();
}

function summaryOf(
  model: string,
  layers: readonly AnalyzedLayer[],
  program: Program,
  { batch, slices }: SlicedBatch,
): Summary {
  const train = stepsFor(program.steps.train, batch);
  const predict = stepsFor(program.steps.predict, batch);
  const summaries = summarizeLayers(layers, program.parameters);
  return {
    model,
    batch,
    slices,
    layers: summaries,
    weights: program.parameters.map(summarizeWeight),
    totals: {
      parameters: countParameters(layers),
      macs: sum(layers, (layer) => layer.macs),
      macsBackward: sum(summaries, (layer) => layer.macsBackward),
    },
    memory: memoryOf(program, { batch, slices }),
    dispatches: { train: train.length, predict: predict.length },
  };
}

/** Multiply-adds of the backward pass once `unfreeze` has trained more of the weights. */
function phasesOf(
  { unfreeze = [] }: TrainRecipe,
  layers: readonly AnalyzedLayer[],
  { parameters }: Program,
): readonly PhaseSummary[] {
  const unfrozen = new Set<string>();
  return unfreeze.map(({ after, names }) => {
    for (const name of names) unfrozen.add(name);
    const now = parameters.map((each) => {
      return { ...each, trainable: each.trainable || unfrozen.has(each.name) };
    });
    const summaries = summarizeLayers(layers, now);
    return { after, macsBackward: sum(summaries, (layer) => layer.macsBackward) };
  });
}

function phasesIn({ phases = [] }: Summary): readonly string[] {
  return phases.map(
    ({ after, macsBackward }) =>
      `unfreeze         after ${after.count} ${after.unit}: ` +
      `${formatCount(macsBackward)} MACs backward in all`,
  );
}

/** For training, what the phase with the most trained weights takes: `unfreeze` adds phases. */
function memoryOf(program: Program, { batch, slices }: SlicedBatch): MemorySummary {
  const phases = [program, ...(program.phases ?? [])];
  const { fold, predict } = program.steps;
  return {
    weights: parameterBytes(program, batch),
    training: Math.max(...phases.map((phase) => trainingBytes(phase, { batch, slices }))),
    inference: bytesOf(program, [...fold, ...stepsFor(predict, batch)], batch),
  };
}

/** What the recipe freezes counts as the program has it: its gradients are not computed. */
function summarizeLayers(
  layers: readonly AnalyzedLayer[],
  parameters: readonly ProgramParameter[],
): readonly LayerSummary[] {
  const names = new Set(layers.map(({ weights }) => weights));
  const own = ({ weights }: AnalyzedLayer) =>
    parameters.filter(({ name, role }) => !role && layerOf(name, names) === weights);
  const isTrained = (layer: AnalyzedLayer) => own(layer).some(({ trainable }) => trainable);
  const backward = macsOfBackward(layers, (index) => isTrained(layers[index]!));
  return layers.map((layer, index) => ({
    ...summarizeLayer(layer),
    macsBackward: backward[index]!,
    isFrozen: own(layer).length > 0 && !isTrained(layer),
  }));
}

/**
 * A weight's name begins with its layer's: `encoder.attention1` of `encoder.attention1.qkv.weight`.
 * That of a declared parameter is the name itself.
 */
function layerOf(weight: string, layers: ReadonlySet<string>): string {
  let name = weight;
  while (!layers.has(name) && name.includes(".")) name = name.slice(0, name.lastIndexOf("."));
  return name;
}

function summarizeLayer(layer: AnalyzedLayer): Omit<LayerSummary, "isFrozen" | "macsBackward"> {
  const { name, kind, line, output = [], parameters, weights, macs } = layer;
  return {
    name,
    kind,
    line,
    output,
    parameters,
    weights: weights !== name && parameters > 0 ? weights : undefined,
    macs,
  };
}

function summarizeWeight(parameter: ProgramParameter): WeightSummary {
  const { name, shape, trainable, location } = parameter;
  const role = parameter.role ?? (trainable ? "trained" : "frozen");
  return { name, shape, role, line: location.line };
}

function parameterBytes(program: Program, batch: number): number {
  const buffers = program.buffers.filter((buffer) => buffer.purpose === "parameter");
  return sum(buffers, (buffer) => bufferBytes(buffer.bytes, batch));
}

function sum<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}

// The tables

const COLUMNS: readonly Column[] = [
  { title: "layer", align: "left", expendable: 0 },
  { title: "kind", align: "left", expendable: 2 },
  { title: "output", align: "right", expendable: 0 },
  { title: "parameters", align: "right", expendable: 0 },
  { title: "MACs", align: "right", expendable: 0 },
  { title: "MACs backward", align: "right", expendable: 1 },
  { title: "line", align: "right", expendable: 3 },
  { title: "weights", align: "left", expendable: 4 },
];

const WEIGHT_COLUMNS: readonly Column[] = [
  { title: "weight", align: "left", expendable: 0 },
  { title: "shape", align: "right", expendable: 0 },
  { title: "values", align: "right", expendable: 0 },
  { title: "role", align: "left", expendable: 1 },
  { title: "line", align: "right", expendable: 2 },
];

function describeSummary(summary: Summary, width: number | undefined): string {
  const nameOf = ({ name, weights = name }: LayerSummary) => weights;
  const weightsOf = weightsByLayer(summary.weights, new Set(summary.layers.map(nameOf)));
  const firsts = new Map(summary.layers.toReversed().map((layer) => [nameOf(layer), layer]));
  const layerRows = summary.layers.map((layer) => {
    const isCounted = firsts.get(nameOf(layer)) !== layer;
    const own = weightsOf.get(nameOf(layer)) ?? [];
    const prefix = layer.weights === undefined ? "" : `${layer.weights}: `;
    return [...layerRow(layer, { isCounted }), prefix + own.join(", ")];
  });
  const rows = [...layerRows, totalsRow(summary)];
  const { weights, training, inference } = summary.memory;
  const { train, predict } = summary.dispatches;
  return [
    styled("bold", `${summary.model}, batch ${summary.batch}`, process.stdout),
    "",
    renderTable(COLUMNS, rows, width),
    "",
    `weights          ${formatBytes(weights)}`,
    ...(train > 0
      ? [
          `memory, training ${formatBytes(training)} ` +
            `(${train} dispatches ${describeSlices(summary)})`,
        ]
      : []),
    ...describeRepeated(summary),
    `memory, predict  ${formatBytes(inference)} (${predict} dispatches)`,
    ...describeFloats(summary),
  ].join("\n");
}

function describeFloats({ memoryInFloats }: Summary): string[] {
  if (!memoryInFloats) return [];
  const { training, inference } = memoryInFloats;
  const both = `${formatBytes(training)} for training, ${formatBytes(inference)} to predict`;
  return [`in f32           ${both}, where an adapter has no \`shader-f16\``];
}

function describeRepeated({ repeated }: Summary): string[] {
  if (!repeated || repeated.values.length === 0) return [];
  const { values, work } = repeated;
  const names = values.map(({ name, macs }) =>
    macs > 0 ? `${name} (${formatCount(macs)} MACs)` : name,
  );
  return [`computed again   ${names.join(", ")}: +${(100 * (work - 1)).toFixed(1)}% multiply-adds`];
}

const describeSlices = ({ batch, slices }: Summary) =>
  slices === 1
    ? "a step"
    : `a slice, ${slices} slices of up to ${Math.ceil(batch / slices)} a step`;

/** Of each layer the rest of its weights' names, which declared parameters do not have. */
function weightsByLayer(
  weights: readonly WeightSummary[],
  layers: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { name } of weights) {
    const layer = layerOf(name, layers);
    if (layer === name) continue;
    names.set(layer, [...(names.get(layer) ?? []), name.slice(layer.length + 1)]);
  }
  return names;
}

function describeWeights(summary: Summary, width: number | undefined): string {
  const { model, weights } = summary;
  const rows = weights.map(({ name, shape, role, line }) => {
    const values = formatCount(shape.reduce((product, size) => product * size, 1));
    return [name, shape.join(" x "), values, role, String(line)];
  });
  return [
    styled("bold", `${model}, ${weights.length} weights`, process.stdout),
    "",
    renderTable(WEIGHT_COLUMNS, rows, width),
  ].join("\n");
}

/** Weights that an earlier layer has, too, are counted there. */
function layerRow(layer: LayerSummary, { isCounted }: { readonly isCounted: boolean }): string[] {
  return [
    layer.name,
    layer.kind,
    layer.output.join(" x "),
    isCounted ? "shared" : orDash(layer.parameters) + (layer.isFrozen ? " frozen" : ""),
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
