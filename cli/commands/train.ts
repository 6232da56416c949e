import { loadInitialWeights, loadTeacher } from "../initial-weights.js";
import { Option, type Command } from "commander";
import { join } from "node:path";
import type { TrainRecipe } from "../../program/recipe.js";
import { checkRun } from "../../compiler/semantics/recipes/check-run.js";
import type { FittedProgram } from "../../compiler/budget.js";
import { DataError } from "../../runtime/data/error.js";
import type { Network } from "../../runtime/network.js";
import { runLength, type WireKind } from "../../runtime/training/index.js";
import { describeFit, normalizesSlices, requireFit, requireSomeFit } from "../budget.js";
import {
  compileSpec,
  parametersOf,
  requireData,
  requireRecipe,
  compiledProgramOf,
  type CompiledSpec,
} from "../compiled.js";
import { openRecipeData, type DataFlags, type TrainedData } from "../data.js";
import { warn } from "../terminal.js";
import { wrongUsage } from "../failure.js";
import { formatBytes } from "../../program/format-bytes.js";
import { openNetwork } from "../open-network.js";
import {
  adapterOption,
  byteSize,
  memoryWish,
  positiveInteger,
  positiveNumber,
  seedValue,
  type AdapterOptions,
} from "../options.js";
import { showDiagnostics } from "../spec.js";
import { CHECKPOINTS, RunFolder } from "../training/folder.js";
import type { TrainingParts } from "../training/parts.js";
import { checkCurveFile, findRate } from "../training/find-rate-command.js";
import { follow } from "../training/follower.js";
import { isLaunched, onRanks, type TrainingRanks } from "../training/ranks.js";
import { TrainingRun } from "../training/run.js";
import { warnOfLateParts } from "../training/late-parts.js";
import { say } from "../terminal.js";
import { classNamesIn, loadWeights, readWeights, tableIn, type WeightsFile } from "../weights.js";
import { describeCommand } from "./command.js";

interface TrainOptions extends AdapterOptions, DataFlags {
  readonly train?: string;
  readonly epochs?: number;
  readonly batch?: number;
  readonly steps?: number;
  readonly lr?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly weights?: string;
  readonly checkpointSteps?: number;
  readonly log?: string;
  readonly open?: boolean;
  readonly tensorboard?: string | true;
  readonly memory?: number;
  readonly timeout?: number;
  readonly wire?: WireKind;
  readonly devices?: number;
  readonly findLr?: string | true;
}

export function trainCommand(): Command {
  return describeCommand(
    "train",
    "Train a network on its data. Ctrl-C saves a checkpoint and ends; --resume continues.",
    [
      "train specs/digits.net",
      "train specs/cifar10-quick.net --data cifar10 --epochs 20 --out runs/quick",
    ],
  )
    .argument("<spec>", "the spec file")
    .option("--train <name>", "the recipe, if the spec has several (default: the first)")
    .option("--data <dir>", "read this folder instead of the one in the spec")
    .option("--epochs <n>", "passes over the data, instead of the recipe's", positiveInteger)
    .option("--batch <n>", "examples per step, instead of the recipe's", positiveInteger)
    .addOption(
      new Option("--steps <n>", "end after this many steps, instead of the recipe's epochs")
        .argParser(positiveInteger)
        .conflicts("epochs"),
    )
    .option("--lr <x>", "the learning rate, instead of the recipe's", positiveNumber)
    .option("--seed <n>", "the seed of all random numbers, instead of the recipe's", seedValue)
    .option(
      "--out <dir>",
      "the run's folder (default: runs/NAME, or runs/NAME-RECIPE for all but the first recipe)",
    )
    .option("--resume", "continue from the folder's last checkpoint")
    .addOption(new Option("--overwrite", "replace the folder's earlier run").conflicts("resume"))
    .option("--weights <file>", "start from these weights: safetensors, or PyTorch's .pth")
    .option(
      "--memory <size>",
      "memory limit for training, such as 512MiB: netc recomputes values or splits the batch",
      byteSize,
    )
    .option(
      "--checkpoint-steps <n>",
      "save a checkpoint every n steps (always every 10 minutes and after epochs)",
      positiveInteger,
    )
    .option("--log <file>", "write the lines of metrics.jsonl to this file, too")
    .addOption(findRateOption())
    .option("--open", "show the report in the browser during the run")
    .option("--tensorboard [dir]", "write TensorBoard's event files (default: OUT/tensorboard)")
    .option(
      "--timeout <seconds>",
      "under mpirun: end the run if a rank does not respond for this long (default: 60)",
      positiveNumber,
    )
    .addOption(
      new Option(
        "--wire <type>",
        "under mpirun: send gradients as f32 or, in half the bytes, as f16",
      ).choices(["f32", "f16"]),
    )
    .option("--devices <n>", "train on n GPUs of this machine, through mpirun", positiveInteger)
    .option("--max-skipped <n>", "unreadable files to tolerate (default: 1%)", positiveInteger)
    .addOption(adapterOption())
    .action((path: string, options: TrainOptions) =>
      onRanks(options, (ranks) => train(path, options, ranks)),
    );
}

function findRateOption(): Option {
  return new Option(
    "--find-lr [file]",
    "test learning rates and suggest one; trains nothing; draws the curve: .svg or .png",
  ).conflicts(NOT_WITH_FIND_LR);
}

/** Flags of runs: the test of learning rates is not one. */
const NOT_WITH_FIND_LR = [
  ...["epochs", "lr", "out", "resume", "overwrite", "checkpointSteps", "log", "open"],
  ...["tensorboard", "devices", "wire"],
];

async function train(path: string, options: TrainOptions, ranks?: TrainingRanks): Promise<void> {
  if (options.findLr !== undefined) checkCurveFile(options.findLr);
  if (options.findLr !== undefined && ranks) {
    throw wrongUsage("--find-lr runs on one rank: start it without mpirun");
  }
  // A resumed run, or one that starts from other weights, does not load the recipe's weights.
  const checksWeights = !options.resume && options.weights === undefined;
  const wish = memoryWish(options);
  const memory = wish && { ...wish, ranks: ranks?.size };
  const { epochs, batch, lr } = options;
  // Steps of the test are not those of a run.
  const steps = options.findLr === undefined ? options.steps : undefined;
  const compiled = await compileSpec(path, {
    train: options.train,
    overrides: { epochs, batch, steps, learningRate: lr },
    checksWeights,
    memory,
    exchange: isLaunched(),
  });
  requireSomeFit(compiled.compilation, options.memory);
  const declared = requireRecipe(compiled);
  if (options.findLr !== undefined && declared.steps) throw findsNoRate(declared);
  const wanted = { ...declared, seed: options.seed ?? declared.seed };
  const weights =
    options.weights === undefined
      ? undefined
      : await readWeights(options.weights, parametersOf(compiled));
  const folder = options.out ?? defaultFolder(compiled);
  const starts = startsOf(folder, compiled, options);
  const before = { classNames: classNamesIn(starts), table: tableIn(starts) };
  const { dataset, evaluation, notices } = await openSplits(compiled, options, before);
  // No batch holds more than there is, and memory is planned for the batch.
  const recipe = { ...wanted, batch: Math.min(wanted.batch, Math.max(1, dataset.length)) };
  if (options.findLr !== undefined) {
    return testRates({ compiled, recipe, dataset, weights }, options, options.findLr);
  }
  warnOfLateParts(recipe, dataset, options.steps);
  await ranks?.compare({ compiled, recipe, dataset, evaluation, ...options });
  const claim =
    ranks?.isFirst === false
      ? undefined
      : await RunFolder.claim(folder, { ...options, reads: sourceOf(compiled, options) });
  try {
    const network = await openFor(compiled, recipe, options, ranks);
    warnOfRun({ compiled, recipe, dataset, network }, options, ranks);
    const initialize = () => initializeNetwork(network, compiled, weights);
    const parts = { compiled, recipe, dataset, evaluation, notices, network, initialize, ranks };
    const run = claim
      ? new TrainingRun({ ...parts, claim, folder: claim.path }, options).start()
      : follow(parts, ranks!, options);
    await run.finally(() => network.destroy());
  } finally {
    await claim?.release();
  }
}

/** What a rate range test looks at, the fall of one loss, losses that compete do not have. */
const findsNoRate = ({ name }: TrainRecipe) =>
  wrongUsage(
    `--find-lr looks for the rate at which the loss falls, and recipe ${name} has a loss a step`,
    "compare samples of runs at a few rates: --lr scales the rates of all steps",
  );

/** A test of learning rates claims no folder: it leaves no trace of a run. */
async function testRates(
  {
    compiled,
    recipe,
    dataset,
    weights,
  }: Pick<TrainingParts, "compiled" | "recipe" | "dataset"> & {
    readonly weights: WeightsFile | undefined;
  },
  options: TrainOptions,
  file: string | true,
): Promise<void> {
  const network = await openFor(compiled, recipe, options);
  try {
    const initialize = () => initializeNetwork(network, compiled, weights);
    const { steps } = options;
    await findRate({ compiled, recipe, dataset, network, initialize }, { file, steps });
  } finally {
    network.destroy();
  }
}

async function initializeNetwork(
  network: Network,
  { spec, recipe }: CompiledSpec,
  weights: WeightsFile | undefined,
): Promise<void> {
  if (weights) await loadWeights(network, weights);
  else if (recipe?.weights) await loadInitialWeights(network, spec, recipe.weights);
  await loadTeacher(network, spec, recipe);
}

/** Recipes of one spec do not share a folder: one may start from the weights of another. */
function defaultFolder({ spec, recipe, analysis }: CompiledSpec): string {
  const [first] = analysis.recipes;
  const isFirst = recipe === undefined || first === undefined || recipe.name === first.name;
  return join("runs", isFirst ? spec.name : `${spec.name}-${recipe.name}`);
}

/** The file of weights that the run starts from. */
function sourceOf({ spec, recipe }: CompiledSpec, { weights }: TrainOptions): string | undefined {
  if (weights !== undefined) return weights;
  return recipe?.weights && join(spec.folder, recipe.weights.path);
}

async function openFor(
  compiled: CompiledSpec,
  recipe: TrainRecipe,
  { adapter, memory }: TrainOptions,
  ranks?: TrainingRanks,
): Promise<Network> {
  const size = ranks?.size ?? 1;
  const network = await openNetwork(compiled, {
    batch: Math.ceil(recipe.batch / size),
    accumulate: recipe.accumulate && Math.ceil(recipe.accumulate / size),
    seed: recipe.seed,
    adapter: adapter ?? ranks?.adapter,
  });
  try {
    ranks?.announce(recipe, network);
    const fitted = compiledProgramOf(compiled, network);
    requireFit(fitted, memory);
    announceFit(fitted);
  } catch (error) {
    network.destroy();
    throw error;
  }
  return network;
}

/** Shows what cannot work in this run, as far as only its data tell. */
function warnOfRun(
  {
    compiled,
    recipe,
    dataset,
    network,
  }: Pick<TrainingParts, "compiled" | "recipe" | "dataset" | "network">,
  { steps }: TrainOptions,
  ranks?: TrainingRanks,
): void {
  const { batch, accumulate = 1 } = recipe;
  const slices = Math.ceil((ranks?.partOfBatch(batch) ?? batch) / network.slice);
  const diagnostics = checkRun(compiled.analysis, {
    steps: runLength(dataset.length, recipe, steps).steps,
    batch,
    slices: Math.max(accumulate, slices * (ranks?.size ?? 1)),
    classes: dataset.classes.length,
    largestPixel: dataset.largestPixel,
  });
  showDiagnostics(compiled.spec, diagnostics);
}

/**
 * Files whose class names the run keeps, in the order of preference: the checkpoint that it
 * resumes, or all the weights that it starts from. A recipe that excepts some trains other classes.
 */
function startsOf(
  folder: string,
  { spec, recipe }: CompiledSpec,
  { resume, weights }: TrainOptions,
): readonly string[] {
  const checkpoints = resume ? CHECKPOINTS.map((name) => join(folder, name)) : [];
  if (weights !== undefined) return [...checkpoints, weights];
  const { path, except } = recipe?.weights ?? {};
  const isWhole = path !== undefined && (except === undefined || except.length === 0);
  return isWhole ? [...checkpoints, join(spec.folder, path)] : checkpoints;
}

/** Says what is done to keep to `--memory`, if anything is. */
function announceFit(fitted: FittedProgram): void {
  if (!fitted.fit) return;
  say(`training takes ${formatBytes(fitted.fit.bytes)}: ${describeFit(fitted.fit)}`);
  if (normalizesSlices(fitted)) {
    warn("in training, batch normalization takes the statistics of each slice, not of the batch");
  }
}

async function openSplits(
  compiled: CompiledSpec,
  flags: DataFlags,
  before: TrainedData,
): Promise<Pick<TrainingParts, "dataset" | "evaluation" | "notices">> {
  const data = requireData(compiled);
  const { train, evaluation, notices } = await openRecipeData(compiled, data, flags, before);
  if (train !== undefined) return { dataset: train, evaluation, notices };
  throw new DataError(
    `data ${data.name} of ${compiled.spec.path} has no train split`,
    `add \`train folder("...") { ... }\` to it`,
  );
}
