/** What a user reads when a run has ended. */
import { join } from "node:path";
import { LAST_CHECKPOINT } from "../../runtime/node/training.js";
import { DataError } from "../../runtime/data/error.js";
import { DeviceLostError } from "../../runtime/errors.js";
import type { EarlyStopping } from "../../program/recipe.js";
import type { Program } from "../../program/program.js";
import { exampleNoun } from "../../program/tensors.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import {
  DivergedError,
  objectiveOf,
  PeerFailedError,
  type Evaluation,
  type FitResult,
} from "../../runtime/training/index.js";
import { describeNotFinite } from "../evaluation-text.js";
import { ExitCode, Failure } from "../failure.js";
import { describeError } from "../report.js";
import { argumentsOf, type CompiledSpec } from "../compiled.js";
import { makesSamples } from "../samples.js";
import { readsRows } from "../table-rows.js";
import { formatDuration, formatMetrics, plural } from "../format.js";
import { BEST_WEIGHTS } from "./best.js";
import type { TrainingParts } from "./parts.js";

/** Of a run that was completed: its results, its files, and how to use them. */
export function describeResult(
  { compiled, folder, network, recipe }: TrainingParts,
  { state, evaluation, stoppedEarly }: FitResult,
  seconds: number,
): string {
  const file = (name: string) => join(folder, name);
  const { best } = state;
  const recommended = file(best ? BEST_WEIGHTS : "weights.safetensors");
  const use = `${argumentsOf(compiled)} --weights ${recommended}`;
  const { program } = network;
  const { metric } = objectiveOf(recipe, program, (best ?? evaluation)?.metrics);
  const judged = best && metric in best.metrics ? metric : "loss";
  return [
    `trained ${plural(state.step, "step")} in ${formatDuration(seconds)}`,
    ...(stoppedEarly && recipe.stop ? [describeEarlyStop(recipe.stop)] : []),
    ...(best ? [`${describeEvaluation(best, program)} (epoch ${best.epoch}, best ${judged})`] : []),
    ...(evaluation && best?.step !== state.step
      ? [`last epoch's ${describeEvaluation(evaluation, program)}`]
      : []),
    ...(!best && evaluation ? describeNoBest(evaluation, metric) : []),
    "",
    ...(best ? [`best     ${file(BEST_WEIGHTS)} (epoch ${best.epoch})`] : []),
    `weights  ${file("weights.safetensors")}${best ? " (last epoch)" : ""}`,
    `report   ${file("report.html")}`,
    `metrics  ${file("metrics.jsonl")}`,
    "",
    "use them:",
    ...usesOf(compiled, program, use),
  ].join("\n");
}

/** Weights are the best by a number only: where there was none, these are the last ones. */
function describeNoBest({ metrics }: Evaluation, metric: string): readonly string[] {
  const value = metrics[metric];
  if (value === undefined || Number.isFinite(value)) return [];
  return [`no best weights: ${metric} was not finite in any evaluation`];
}

function usesOf(compiled: CompiledSpec, program: Program, use: string): readonly string[] {
  if (makesSamples(program)) return [`  npx netc predict ${use} --samples samples.png`];
  // The command predicts from one image, or from rows of a table.
  const isOfRows = readsRows(compiled);
  const isPredicted = isOfRows || program.uses.predict.reads.length <= 1;
  const from = isOfRows ? "ROWS.csv" : "IMAGE";
  return [`  npx netc eval ${use}`, ...(isPredicted ? [`  npx netc predict ${use} ${from}`] : [])];
}

/** Of a run that was stopped: how far it is and how to continue. */
export function describeStop({ folder }: TrainingParts, { state }: FitResult): string {
  return [
    `stopped after ${plural(state.step, "step")}; the checkpoint is in ${folder}`,
    "",
    "continue with the same command and --resume:",
    `  npx netc ${resumeArguments().join(" ")}`,
  ].join("\n");
}

function describeEarlyStop({ metric, patience }: EarlyStopping): string {
  return `stopped early: ${metric} did not improve in ${plural(patience, "evaluation")}`;
}

/**
 * What the user reads of a run that failed: the spec's line, where there is one, and what can be
 * continued from.
 */
export function explainFailure(error: unknown, parts: TrainingParts): unknown {
  if (error instanceof DivergedError) return explainDivergence(error, parts);
  const isSaved = [DataError, DeviceLostError, PeerFailedError].some(
    (kind) => error instanceof kind,
  );
  if (!isSaved) return error;
  // A run without a step leaves nothing that it could be resumed from.
  if (!parts.claim.hasStarted) return error;
  const { exitCode, message, help } = describeError(error);
  const saved = `the trained weights are in ${checkpointOf(parts)}: --resume continues from there`;
  return new Failure(exitCode, message, [...help, saved]);
}

function explainDivergence(
  { message, hint, divergence }: DivergedError,
  parts: TrainingParts,
): Failure {
  const { spec } = parts.compiled;
  const { culprit, good } = divergence;
  const line = culprit && spec.text.split("\n")[culprit.location.line - 1];
  const text = line
    ? `${message}\n  ${spec.path}:${culprit.location.line}: ${line.trim()}`
    : message;
  const last = good === undefined ? "" : `, of step ${good}`;
  return new Failure(ExitCode.runFailed, text, [
    ...(hint ? [hint] : []),
    ...(parts.claim.hasStarted
      ? [`the last good checkpoint is ${checkpointOf(parts)}${last}`]
      : []),
  ]);
}

const checkpointOf = ({ folder }: TrainingParts) => join(folder, LAST_CHECKPOINT);

function describeEvaluation(
  evaluation: Pick<Evaluation, "examples" | "metrics" | "notFinite">,
  program: Program,
): string {
  const { fractions } = program;
  const { examples, metrics, notFinite } = evaluation;
  const { loss, ...others } = metrics;
  const ordered = { ...others, ...withoutUndefined({ loss }) };
  const noun = fractions.length > 0 ? "test accuracy" : "test";
  const count = plural(examples, exampleNoun(program));
  const result = `${noun}: ${formatMetrics(ordered, fractions)} on ${count}`;
  return notFinite ? `${result}\n${describeNotFinite(evaluation, fractions)}` : result;
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
