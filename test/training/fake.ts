import { tensorsFor } from "../tensors.js";
import type { Dataset } from "../../runtime/data/dataset.js";
import type { Measurement } from "../../runtime/measurement.js";
import type { Metrics, TrainableNetwork } from "../../runtime/training/network.js";
import type { TrainRecipe } from "../../program/recipe.js";

/** A training step as the network saw it. */
export interface SeenStep {
  readonly step: number;
  readonly learningRate: number;
  readonly accumulate?: number | undefined;
  readonly labels: readonly number[];
}

/**
 * A network that learns nothing and remembers what it was given. Its loss is the mean label.
 * Answers come after `delay` turns of the event loop.
 */
export class FakeNetwork implements TrainableNetwork {
  readonly program = { tensors: tensorsFor({ channels: 1, height: 2, width: 2 }) };
  readonly seen: SeenStep[] = [];
  evaluations = 0;
  /**
   * What evaluations of a batch give as their loss, one after the other; the mean label beyond
   * them.
   */
  evaluationLosses: readonly number[] = [];
  /** Most steps under way at once. */
  overlap = 0;
  private step_ = 0;
  private underWay = 0;

  constructor(
    readonly batch: number,
    private readonly lossAt: (step: number) => number | undefined = () => undefined,
  ) {}

  setStep(step: number): void {
    this.step_ = step;
  }

  async measureStep(
    _: Float32Array,
    labels: Uint32Array,
    { learningRate, accumulate }: { learningRate: number; accumulate?: number },
  ): Promise<Measurement> {
    const step = this.step_++;
    this.seen.push({ step, learningRate, accumulate, labels: [...labels] });
    this.overlap = Math.max(this.overlap, ++this.underWay);
    await new Promise((resolve) => setImmediate(resolve));
    this.underWay--;
    return measured({ loss: this.lossAt(step) ?? mean(labels), top1: 0.5 }, labels.length);
  }

  async measure(images: Float32Array, labels: Uint32Array): Promise<Measurement> {
    const loss = this.evaluationLosses[this.evaluations++] ?? mean(labels);
    await Promise.resolve();
    return measured({ loss, top1: images[0]! }, labels.length);
  }
}

/** Means over this many examples, as sums. */
export function measured(metrics: Metrics, examples: number): Measurement {
  const sums = Object.entries(metrics).map(([metric, mean]) => {
    return { metric, factor: 1, sum: mean * examples, weight: examples };
  });
  const isFinite = Object.values(metrics).every(Number.isFinite);
  return { examples, notFinite: isFinite ? 0 : examples, sums };
}

function mean(labels: Uint32Array): number {
  return labels.reduce((sum, label) => sum + label, 0) / labels.length;
}

/** Gray 2x2 images whose labels are their indices. */
export function numberedDataset(length: number): Dataset {
  const image = { width: 2, height: 2, channels: 1, pixels: new Uint8Array(4), maximum: 1 };
  return {
    name: "numbers",
    classes: Array.from({ length }, (_, index) => String(index)),
    length,
    get: (index) => Promise.resolve({ image, label: index }),
  };
}

export const RECIPE: TrainRecipe = {
  name: "Base",
  model: "Fake",
  epochs: 3,
  batch: 4,
  seed: 5,
  optimizer: {
    kind: "sgd",
    learningRate: 0.2,
    momentum: 0,
    weightDecay: 0,
    nesterov: false,
    convention: "pytorch",
  },
  schedule: { kind: "step", every: { count: 1, unit: "epochs" }, gamma: 0.5 },
  location: { line: 1, column: 1 },
};
