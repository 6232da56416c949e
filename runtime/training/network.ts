import type { Program } from "../../program/program.js";
import { describe } from "../describe.js";
import { InputError } from "../errors.js";
import type { SharedStep } from "../calls.js";
import type { Targets } from "../examples.js";
import type { InspectableRun } from "../inspection.js";
import type { Given } from "../pictures/picture.js";
import type { Measurement } from "../measurement.js";
import type { InspectedCall } from "../slices.js";

/** Means over the examples of a step or a split: `loss`, then the model's metrics by name. */
export type Metrics = Readonly<Record<string, number>>;

/** What training uses of a network. `Network` has it; tests make do with less than a GPU. */
export interface TrainableNetwork {
  /** The most examples that one call takes. */
  readonly batch: number;
  /** The most examples on the device at a time; all of a call's if absent. */
  readonly slice?: number;
  readonly program: Pick<Program, "preparations" | "tensors"> &
    Partial<
      Pick<
        Program,
        | "accuracies"
        | "classTotals"
        | "fractions"
        | "kernels"
        | "lossScale"
        | "measured"
        | "metrics"
        | "model"
        | "predictOnly"
        | "steps"
        | "sums"
        | "turns"
        | "uses"
      >
    >;
  /**
   * Forward, loss, backward and update. Calls are carried out in order, also where they overlap, on
   * the examples as they are when it is called; with `transfer`, they are the network's to keep.
   */
  measureStep(
    images: Given,
    targets: Targets,
    options: {
      readonly learningRate: number;
      readonly accumulate?: number;
      readonly transfer?: boolean;
      readonly share?: SharedStep;
    },
  ): Promise<Measurement>;
  /** Loss and metrics without an update, dropout off. */
  measure(images: Given, targets: Targets): Promise<Measurement>;
  /**
   * Images to rows of the model's output, by name where there are several; what evaluation over
   * several views of an image needs.
   */
  predict?(images: Given): Promise<Float32Array | Readonly<Record<string, Float32Array>>>;
  /**
   * Trains the weights of another phase of the recipe from now on; nothing where that is the
   * present one.
   */
  enterPhase?(phase: number): Promise<void>;
  /** Sets the count of steps done, which keys dropout. */
  setStep(step: number): void;
  readonly stepCount?: number;
  /**
   * What follows is for runs that outlive a lost device, and for those that end because numbers are
   * not finite.
   */
  readonly canReopen?: boolean;
  /** Another device after one was lost, with initial weights. */
  reopen?(): Promise<void>;
  save?(options: { readonly optimizer: true }): Promise<Uint8Array>;
  load?(bytes: Uint8Array): Promise<unknown>;
  /** What ranks that train together compare. */
  readonly parameters?: readonly { readonly name: string }[];
  read?(name: string): Promise<Float32Array>;
  inspectCall?<Result>(
    call: InspectedCall,
    examples: {
      readonly images: Given;
      readonly targets?: Targets;
      readonly optimizer?: { readonly learningRate: number };
      readonly accumulate?: number | undefined;
      readonly frame?: { readonly step: number; readonly first: number; readonly images: number };
    },
    visit: (runs: readonly InspectableRun[]) => Promise<Result>,
  ): Promise<Result>;
}

/**
 * Throws InputError for all but networks, and for one whose module leaves out training and
 * evaluation.
 */
export function assertMeasures(
  network: { readonly program: Partial<Pick<Program, "predictOnly">> },
  call: string,
): void {
  if (!(network instanceof Object && "program" in network)) {
    throw new InputError(
      `\`${call}\` takes a network, not ${describe(network)}: ` +
        "pass what `create...` of the module resolves to",
    );
  }
  if (!network.program.predictOnly) return;
  throw new InputError(
    `\`${call}\` needs training or evaluation, and the module of this network was compiled with ` +
      "`--predict-only`: compile it without",
  );
}

/** Throws InputError for a network in a worker, whose batches cannot be looked into. */
export function assertInspects(
  { inspectCall }: Pick<TrainableNetwork, "inspectCall">,
  call: string,
) {
  if (inspectCall) return;
  throw new InputError(
    `\`${call}\` measures \`batchnorm\` for the mean of weights that \`swa\` keeps, which a ` +
      "network in a worker cannot: create it without `inWorker`, or leave `swa` out of the recipe",
  );
}
