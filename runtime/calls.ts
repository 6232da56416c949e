/** What a network's calls take: their options, their results, and the checks of settings. */
import type { OptimizerSettings } from "../program/program.js";
import { InputError } from "./errors.js";
import type { Frame } from "./frame.js";
import type { Targets } from "./examples.js";
import type { Loaded } from "./loaded.js";
import { assertNumber, type OptionNames } from "./options.js";
import type { Given } from "./pictures/picture.js";
import type { TensorOf } from "./parameters.js";
import type { CompileProgress } from "./pipelines.js";
import type { Work } from "./runner.js";
import type { StepListName } from "./schedule.js";

/** The optimizer's settings; those left out are the spec's. */
export interface OptimizerOptions {
  readonly learningRate?: number;
  /** Of SGD and RMSprop. */
  readonly momentum?: number;
  readonly weightDecay?: number;
}

/** Options of the generated `create` function, such as `createDigits`. */
export interface NetworkOptions extends OptimizerOptions {
  /**
   * The most examples of one call. 16 unless given. Memory grows with it, up to what the device can
   * bind: more are split into slices, with one update for all.
   */
  readonly batch?: number;
  /**
   * Slices of a batch, to save memory; 1 unless given. More where the device needs them.
   */
  readonly accumulate?: number;
  /** Of initial weights and dropout. 0 unless given. */
  readonly seed?: number;
  /**
   * A device of your own, with the features `subgroups`, and `shader-f16` for mixed precision, if
   * it can; otherwise the network opens one.
   */
  readonly device?: GPUDevice;
  /**
   * `auto`, `embedded`, `lavapipe` or part of an adapter's name (in Node; browsers choose
   * themselves).
   */
  readonly adapter?: string;
  /**
   * Called while kernels compile: for all of a step list at once when it first runs, for each
   * only once for all lists.
   */
  readonly onCompile?: (progress: CompileProgress) => unknown;
  /**
   * Names of the classes, in the order of the network's outputs, for `classify` and `save`; those
   * of the weights file or the module unless given.
   */
  readonly classes?: readonly string[];
  /** Called with what the device cannot do as the recipe says; default: `console.warn`. */
  readonly onWarning?: (message: string) => unknown;
}

/** Settings for one step; those left out are the network's. */
export interface StepOptions extends OptimizerOptions {
  /** Slices that the step's examples come in, at least. */
  readonly accumulate?: number;
  /**
   * Whether the images are the network's from now on, so that it need not copy them; false unless
   * given.
   */
  readonly transfer?: boolean;
  /**
   * Makes the call a part of a step that several networks do together (`fit` with `exchange`);
   * needs a program compiled with `exchange`.
   */
  readonly share?: SharedStep;
}

/** A step that several networks do together, each on a part of its examples. */
export interface SharedStep {
  /** Whether this network has no examples in the step. */
  readonly isEmpty: boolean;
  /** Index of this network's first example among those of the step. */
  readonly first: number;
  /** Examples of the step in all networks. */
  readonly images: number;
  /** What the program's class totals come to over all of them. */
  readonly totals: readonly number[];
  /**
   * Runs a list of the step in the network's place, with what the networks exchange in the list and
   * before an update. The result of `update` are the sums of the metrics, alone in a list.
   */
  readonly run: (
    loaded: Loaded,
    list: StepListName,
    work: Work,
  ) => Promise<{ readonly result: Promise<readonly Float32Array[]> }>;
}

/** Loss and metrics by name, each the mean over the examples of the call. */
export type Metrics<Name extends string = string> = { readonly [name in Name]: number };

/** A parameter of a network: its name, its shape in PyTorch's order, its role. */
export interface ParameterInfo<Name extends string = string> {
  readonly name: Name;
  /** PyTorch's. */
  readonly shape: readonly number[];
  /** `statistic`: measured while training, not trained (a running mean). A weight if absent. */
  readonly role?: "statistic";
  readonly trainable: boolean;
}

/** What a step list is inspected on; `optimizer` as in a step. */
export interface InspectionExamples {
  readonly images: Given;
  readonly targets?: Targets;
  readonly optimizer?: OptimizerOptions;
}

/** What a call is inspected on. */
export interface CallExamples extends InspectionExamples {
  /** What the call's frames have instead of what they would have. */
  readonly frame?: Partial<Pick<Frame, "step" | "first" | "images">>;
  /** Slices that the examples come in, at least; as in a step. */
  readonly accumulate?: number | undefined;
}

/** Options of `read`. */
export interface ReadOptions {
  /**
   * Which of a parameter's tensors, its value unless given; gradients only in a program compiled to
   * keep them.
   */
  readonly of?: TensorOf;
}

/** Options of `classify`. */
export interface ClassifyOptions {
  /** How many classes to give, the most probable first; 5 unless given. */
  readonly top?: number;
}

/** Text by key, of a file. */
export type Metadata = Readonly<Record<string, string>>;

/** Options of `save`. */
export interface SaveOptions {
  /** Whether to save what training needs to continue: optimizer state, step and seed. */
  readonly optimizer?: boolean;
  /** More text for the file's metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How far a download has come. */
export interface DownloadProgress {
  /** Bytes. */
  readonly loaded: number;
  /** Of the file; absent where the server does not say, or compresses it. */
  readonly total: number | undefined;
}

/** Of weights that come from a URL or a Response. */
export interface DownloadOptions {
  /** Called after each part of the file, and once for a copy that the browser kept; awaited. */
  readonly onProgress?: (progress: DownloadProgress) => unknown;
  /**
   * Keeps the file in the browser, in the Cache API or the origin's private file system. The server
   * is asked each time whether it has another one.
   */
  readonly cache?: "cache-api" | "opfs";
  /** Stops the download: `load` then rejects with the signal's reason, and changes nothing. */
  readonly signal?: AbortSignal;
}

/** A file of weights: its bytes, where `fetch` finds it, or what it found. */
export type WeightsSource = Uint8Array | ArrayBufferLike | Blob | Response | URL | string;

/** Options of `load`. */
export interface LoadOptions extends DownloadOptions {
  /**
   * Whether to restore the optimizer's state, step and seed where the file holds them; true unless
   * given.
   */
  readonly optimizer?: boolean;
  /**
   * Names of parameters that keep the values they have. If given, even without names, tensors that
   * the model does not have are ignored; they are an error otherwise.
   */
  readonly except?: readonly string[];
}

/** The most examples of a call, unless given. */
export const DEFAULT_BATCH = 16;

const OPTIMIZER_OPTIONS: OptionNames<OptimizerOptions> = {
  learningRate: true,
  momentum: true,
  weightDecay: true,
};

export const NETWORK_OPTIONS: OptionNames<NetworkOptions> = {
  ...OPTIMIZER_OPTIONS,
  batch: true,
  accumulate: true,
  seed: true,
  device: true,
  adapter: true,
  onCompile: true,
  classes: true,
  onWarning: true,
};

export const STEP_OPTIONS: OptionNames<StepOptions> = {
  ...OPTIMIZER_OPTIONS,
  accumulate: true,
  transfer: true,
  share: true,
};

export const READ_OPTIONS: OptionNames<ReadOptions> = { of: true };
export const SAVE_OPTIONS: OptionNames<SaveOptions> = { optimizer: true, metadata: true };

export const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  optimizer: true,
  except: true,
  onProgress: true,
  cache: true,
  signal: true,
};

/**
 * The optimizer's settings with those of a call in their place. Throws InputError for a number
 * out of range, and for a momentum that the optimizer does not have.
 */
export function withSettings(
  base: OptimizerSettings,
  options: OptimizerOptions,
): OptimizerSettings {
  const { momentum, learningRate, weightDecay } = options;
  const settings = {
    learningRate: learningRate ?? base.learningRate,
    weightDecay: weightDecay ?? base.weightDecay,
  };
  for (const [name, value] of Object.entries(settings)) {
    assertNumber(value, { minimum: 0 }, `\`${name}\``);
  }
  if (momentum === undefined) return { ...base, ...settings };
  if (!("momentum" in base)) throw new InputError(`the optimizer ${base.kind} has no momentum`);
  assertNumber(momentum, { minimum: 0, below: 1 }, "`momentum`");
  return { ...base, ...settings, momentum };
}
