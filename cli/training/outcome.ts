/** What a user reads when a run has ended. */
import { join } from "node:path";
import type { EarlyStopping } from "../../program/recipe.js";
import type { Evaluation, FitResult } from "../../runtime/training/index.js";
import { formatDuration, formatMetrics, plural } from "../format.js";
import type { TrainingParts } from "./parts.js";

/** Of a run that was completed: its results, its files, and how to use them. */
export function describeResult(
  { compiled, folder, network, recipe }: TrainingParts,
  { state, evaluation, stoppedEarly }: FitResult,
  seconds: number,
): string {
  const file = (name: string) => join(folder, name);
  const use = `${compiled.spec.path} --weights ${file("weights.safetensors")}`;
  const { fractions } = network.program;
  return [
    `trained ${plural(state.step, "step")} in ${formatDuration(seconds)}`,
    ...(stoppedEarly && recipe.stop ? [describeEarlyStop(recipe.stop)] : []),
    ...(evaluation ? [describeEvaluation(evaluation, fractions)] : []),
    "",
    `weights  ${file("weights.safetensors")}`,
    ...(evaluation ? [`best     ${file("best.safetensors")}`] : []),
    `report   ${file("report.html")}`,
    `metrics  ${file("metrics.jsonl")}`,
    "",
    "use them:",
    `  npx netc eval ${use}`,
    `  npx netc predict ${use} IMAGE`,
  ].join("\n");
}

/** Of a run that was stopped: where it stands and how to go on. */
export function describeStop({ folder }: TrainingParts, { state }: FitResult): string {
  return [
    `stopped after ${plural(state.step, "step")}; the checkpoint is in ${folder}`,
    "",
    "go on with the same command and --resume:",
    `  npx netc ${resumeArguments().join(" ")}`,
  ].join("\n");
}

function describeEarlyStop({ metric, patience }: EarlyStopping): string {
  return `stopped early: ${metric} was no better in ${plural(patience, "evaluation")}`;
}

function describeEvaluation(
  { examples, metrics }: Evaluation,
  fractions: readonly string[],
): string {
  const { loss, ...others } = metrics;
  const ordered = { ...others, ...(loss !== undefined && { loss }) };
  const noun = fractions.length > 0 ? "test accuracy" : "test";
  return `${noun}: ${formatMetrics(ordered, fractions)} on ${plural(examples, "image")}`;
}

/** This command line again, with --resume, as a shell takes it. */
function resumeArguments(): string[] {
  const kept = (argument: string) => !["--resume", "--overwrite"].includes(argument);
  const given = process.argv.slice(2).filter(kept);
  return [...given, "--resume"].map(quote);
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
