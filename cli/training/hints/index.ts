/** Watches a run for signs of what commonly goes wrong, and says each once. */
import { classesOf } from "../../../program/tensors.js";
import type { ReportedExamination } from "../../../report/data.js";
import type { EpochReport, StepReport, TrainingState } from "../../../runtime/training/index.js";
import { styled } from "../../terminal.js";
import { countLabels } from "../count-labels.js";
import type { RunObserver, TrainingParts } from "../parts.js";
import {
  findOneClass,
  findOneSided,
  findOverfitting,
  findStuckLoss,
  OVERFITTING_EPOCHS,
  type EpochFacts,
  type EvaluatedEpoch,
} from "./epochs.js";
import type { Hint } from "./hint.js";
import { findDeadRelu, findExploding, WeightHistory, weightsBeforeRelu } from "./weights.js";

export class Hints implements RunObserver {
  private readonly hints: Hint[] = [];
  private readonly facts: EpochFacts;
  private readonly history: WeightHistory;
  private readonly beforeRelu: ReadonlySet<string>;
  /** The least learning rate that is not one of a warmup. */
  private readonly warmRate: number;
  private warmSteps = 0;
  /** Of the recipe, by their names. */
  private readonly steps: readonly string[];
  /** The last ones. */
  private epochs: readonly EvaluatedEpoch[] = [];

  /** `note` shows lines next to the run's progress. */
  constructor(
    { network, compiled, dataset, recipe }: TrainingParts,
    private readonly note: (text: string) => void,
  ) {
    const { program } = network;
    this.facts = {
      classes: isCrossEntropy(compiled) ? classesOf(program) : undefined,
      shares: sharesOf(countLabels(dataset, dataset.classes.length)),
      fractions: program.fractions,
    };
    this.warmRate = recipe.optimizer.learningRate / 2;
    this.steps = (recipe.steps ?? []).map(({ name }) => name);
    this.history = new WeightHistory(network);
    // Frozen weights do not move either.
    const { freeze = [], unfreeze = [] } = recipe;
    const isWhole = freeze.length + unfreeze.length === 0;
    this.beforeRelu = isWhole ? weightsBeforeRelu(compiled.model) : new Set();
  }

  /** Those of the run so far. */
  get list(): readonly Hint[] {
    return this.hints;
  }

  begin(start: TrainingState | undefined): Promise<void> {
    // A run that is resumed has mostly left its warmup behind.
    this.warmSteps = start?.step ?? 0;
    return this.history.begin();
  }

  step({ learningRate }: StepReport): void {
    if (learningRate >= this.warmRate) this.warmSteps++;
  }

  /** After a lost device the weights are those of a checkpoint. */
  restart(): Promise<void> {
    this.epochs = [];
    return this.history.begin();
  }

  async epoch(report: EpochReport): Promise<void> {
    this.add(findStuckLoss({ ...report, warmSteps: this.warmSteps }, this.facts));
    // Epochs without an evaluation do not show it.
    if (report.evaluation) this.epochs = [...this.epochs, report].slice(-OVERFITTING_EPOCHS);
    this.add(findOverfitting(this.epochs, this.facts));
    this.add(findOneSided(report, this.steps));
    const { sinceStart, sinceLast } = await this.history.next();
    this.add(findExploding(sinceStart, report.epoch));
    this.add(findDeadRelu(sinceLast, this.beforeRelu, report.epoch));
  }

  /** What the weights at the end predict. */
  examine(examination: Pick<ReportedExamination, "classes" | "confusion"> | undefined): void {
    if (!examination) return;
    const { classes, confusion } = examination;
    const names = classes.map(({ name }) => name);
    this.add(findOneClass(confusion, names));
  }

  /** Says a hint, unless one of its name was said. */
  private add(hint: Hint | undefined): void {
    if (!hint || this.hints.some(({ name }) => name === hint.name)) return;
    this.hints.push(hint);
    const title = styled("cyan", `hint ${hint.name}`, process.stderr);
    this.note(`${title}: ${hint.text}\n  ${hint.advice}`);
  }
}

/** Whether the loss is one cross entropy, of which the value of guessing is known. */
function isCrossEntropy({ model }: TrainingParts["compiled"]): boolean {
  const { losses = [] } = model.network ?? {};
  const [loss] = losses;
  return losses.length === 1 && loss!.factor === 1 && loss!.score.definition.name === CROSS_ENTROPY;
}

const CROSS_ENTROPY = "cross_entropy";

function sharesOf(counts: readonly number[] | undefined): readonly number[] | undefined {
  const total = counts?.reduce((sum, count) => sum + count, 0);
  return total ? counts!.map((count) => count / total) : undefined;
}
