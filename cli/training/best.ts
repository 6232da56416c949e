/** best.safetensors: the weights of the evaluation that went best. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBytes } from "../../runtime/node/read-file.js";
import { saveWeights } from "../../runtime/node/training.js";
import type { EpochReport, FitResult, TrainingState } from "../../runtime/training/index.js";
import { warn } from "../terminal.js";
import { dataMetadata } from "../weights.js";
import type { RunObserver, TrainingParts } from "./parts.js";

export const BEST_WEIGHTS = "best.safetensors";

export class BestWeights implements RunObserver {
  constructor(private readonly parts: TrainingParts) {}

  async epoch({ isBest }: EpochReport): Promise<void> {
    if (!isBest) return;
    const { folder, network, dataset } = this.parts;
    await saveWeights(join(folder, BEST_WEIGHTS), network, dataMetadata(dataset));
  }

  /**
   * Puts the best weights in place of the last ones: what is told of the run after it is of them.
   */
  async finish({ state, completed }: FitResult): Promise<void> {
    const { folder, network } = this.parts;
    if (!completed || !state.best || state.best.step === state.step) return;
    await network.load(await readBytes(join(folder, BEST_WEIGHTS)), { optimizer: false });
  }
}

/** The state without its best evaluation where the weights of that are gone. */
export function withBestOf(folder: string, state: TrainingState): TrainingState {
  const { best, ...others } = state;
  if (!best || existsSync(join(folder, BEST_WEIGHTS))) return state;
  warn(
    `${join(folder, BEST_WEIGHTS)}, the weights of epoch ${best.epoch}, is missing: ` +
      "the best is chosen among the epochs to come",
  );
  return others;
}
