/** A format that models are written in. `formats.ts` lists them all. */
import type { ForTraining } from "./describe.js";
import type { ExportModel, Exported } from "./model.js";
import type { WeightType } from "./onnx/weight-types.js";

/** Options of a format. */
export interface ExportChoices {
  /** How weights of convolutions and linear layers are kept. */
  readonly as: WeightType;
  /** Whether logits become probabilities. */
  readonly softmax: boolean;
  /** Whether the model takes pixels and scales and normalizes them itself. */
  readonly preprocessing: boolean;
}

export interface ExportRequest extends ExportChoices {
  /** The file to write, as the user named it. Others are next to it. */
  readonly path: string;
  /** Of netc. */
  readonly version: string;
}

export interface Exporter {
  /** What `--to` calls it. */
  readonly name: string;
  /** What messages call it. */
  readonly title: string;
  /** Of the file that `-o` names. */
  readonly extension: string;
  /** Choices that the format has; others are refused before anything is read. */
  readonly choices: readonly (keyof ExportChoices)[];
  /** Layers that act only in training, and are still in the model for whoever trains it further. */
  readonly keptForTraining: readonly ForTraining[];
  /** Whether there is a place for the optimizer's state. */
  readonly keepsOptimizer: boolean;
  /** Whether it has layers of sequences, `[N, T, C]`. */
  readonly holdsSequences: boolean;
  /** Throws an ExportError for layers that the format cannot hold. */
  write(model: ExportModel, request: ExportRequest): Exported;
}
