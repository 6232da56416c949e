/**
 * Runs a spec as test/oracle/make_expected.py ran the same network in PyTorch, and measures how far
 * apart they are.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../compiler/index.js";
import { createNetwork, findAdapter, type Network } from "../../runtime/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";

/** One case of test/oracle/expected. */
export interface Expected {
  /** Key of the hashed weights and labels; `images` that of the images. */
  readonly name: string;
  readonly images: string;
  readonly imageShape: readonly number[];
  /** Of tokens: how many different ones there are. */
  readonly vocabulary?: number;
  readonly batch: number;
  readonly classes: number;
  readonly optimizer: {
    readonly learningRate: number;
    readonly momentum: number;
    readonly weightDecay: number;
  };
  /** Before each step. */
  readonly losses: readonly number[];
  readonly logits: Summary;
  /** Of the first step, by parameter. */
  readonly gradients: Readonly<Record<string, Summary>>;
  /** After all steps. */
  readonly weights: Readonly<Record<string, Summary>>;
  /**
   * Running statistics after all steps, and the logits of a prediction with them; only of networks
   * that normalize.
   */
  readonly statistics?: Readonly<Record<string, Summary>>;
  readonly trainedLogits?: Summary;
  /** How far each parameter moved in all steps, relative to its norm. */
  readonly moved: Readonly<Record<string, number>>;
}

/** How far a tensor is from PyTorch's, relative to its norm, and how far it may be. */
export interface Difference {
  readonly tensor: string;
  readonly error: number;
  readonly tolerance: number;
}

/**
 * The largest relative error of a tensor that counts as equal to PyTorch's: 1e-4 of its norm, less
 * a fifth, since a sketch may show an error up to that much smaller than it is.
 */
const TOLERANCE = 0.8e-4;

/**
 * Weights move little in five steps, so a wrong update could hide within the tolerance: the error
 * is also compared with how far they moved. Rounding weighs more there.
 */
const MOVE_TOLERANCE = 1e-2;

export function readExpected<Content>(name: string): Content {
  const path = join(import.meta.dirname, "../oracle/expected", `${name}.json`);
  return JSON.parse(readFileSync(path, "utf8")) as Content;
}

export function readSpec(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../specs", `${name}.net`), "utf8");
}

/**
 * Gradients kept in separate memory, to be compared as well; or applied where they are made, as
 * in programs that users compile.
 */
export type Gradients = "kept" | "applied";

export interface ParityOptions {
  readonly gradients?: Gradients;
  /**
   * The most bytes that the device is to bind, so that a batch is split into slices; as many as
   * it can if absent.
   */
  readonly binding?: number;
  /** Slices that a batch is asked to come in. */
  readonly accumulate?: number;
}

/** A device that says it binds no more than that. */
async function limitedDevice(binding: number): Promise<GPUDevice> {
  const { adapter } = await findAdapter();
  const requiredFeatures = ["subgroups" as const].filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredFeatures });
  const { minUniformBufferOffsetAlignment, maxComputeWorkgroupsPerDimension } = device.limits;
  const limits = {
    minUniformBufferOffsetAlignment,
    maxComputeWorkgroupsPerDimension,
    maxBufferSize: device.limits.maxBufferSize,
    maxStorageBufferBindingSize: binding,
  };
  return new Proxy(device, {
    get(own, key) {
      if (key === "limits") return limits;
      const value: unknown = Reflect.get(own, key, own);
      return typeof value === "function" ? (value.bind(own) as unknown) : value;
    },
  });
}

/** A network from a spec, without dropout, that starts from the case's weights. */
async function openNetwork(
  spec: string,
  expected: Expected,
  {
    gradients,
    device,
    accumulate = 1,
  }: ParityOptions & { readonly device?: GPUDevice | undefined },
): Promise<Network> {
  const text = spec.replaceAll(/dropout\([^)]*\)/g, "dropout(0)");
  const { programs, diagnostics } = compile(text, {
    file: "parity.net",
    keepGradients: gradients === "kept",
  });
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join("\n"));
  // Whether momentum is Nesterov's is said by the spec.
  const { learningRate, momentum, weightDecay } = expected.optimizer;
  const rates = { learningRate, momentum, weightDecay };
  const options = { batch: expected.batch, accumulate, ...rates };
  const network = await createNetwork(programs, device ? { ...options, device } : options);
  for (const { name, shape } of network.parameters) {
    await network.write(name, parameterValues(`${expected.name}/${name}`, shape));
  }
  return network;
}

/** Below this a loss is the difference of larger numbers, and compared as if it were so large. */
const SMALLEST_LOSS = 1e-2;

/**
 * Compares logits, gradients if they are kept, the loss of each step and the weights after the
 * last.
 */
export async function compareWithPyTorch(
  spec: string,
  expected: Expected,
  options: ParityOptions = {},
): Promise<Difference[]> {
  const { gradients = "kept", binding } = options;
  const device = binding === undefined ? undefined : await limitedDevice(binding);
  const network = await openNetwork(spec, expected, { ...options, gradients, device });
  if (binding !== undefined && network.slice >= expected.batch) {
    throw new Error(`a batch of ${expected.batch} fits into ${binding} bytes`);
  }
  try {
    const pixels = expected.imageShape.reduce((product, size) => product * size, expected.batch);
    const { vocabulary } = expected;
    // A network of tokens takes them where others take images.
    const images =
      vocabulary === undefined
        ? uniformValues(expected.images, pixels, 1)
        : (labelValues(expected.images, pixels, vocabulary) as never);
    const labels = labelValues(`${expected.name}/labels`, expected.batch, expected.classes);
    const trained = network.parameters.filter(({ role }) => role !== "statistic");
    const differences: Difference[] = [];
    const note = (tensor: string, error: number, tolerance = TOLERANCE) =>
      differences.push({ tensor, error, tolerance });

    note("logits", relativeError(await network.predict(images), expected.logits));
    for (const [step, expectedLoss] of expected.losses.entries()) {
      const { loss } = await network.step(images, labels);
      const size = Math.max(Math.abs(expectedLoss), SMALLEST_LOSS);
      note(`loss of step ${step + 1}`, Math.abs(loss! - expectedLoss) / size);
      if (step > 0 || gradients === "applied") continue;
      for (const { name } of trained) {
        const gradient = await network.read(name, { of: "gradient" });
        note(`gradient of ${name}`, relativeError(gradient, expected.gradients[name]!));
      }
    }
    for (const { name } of trained) {
      const error = relativeError(await network.read(name), expected.weights[name]!);
      note(`${name} after training`, error);
      note(`${name}, its change by training`, error / expected.moved[name]!, MOVE_TOLERANCE);
    }
    for (const [name, statistic] of Object.entries(expected.statistics ?? {})) {
      note(`${name} after training`, relativeError(await network.read(name), statistic));
    }
    if (expected.trainedLogits) {
      note("trained logits", relativeError(await network.predict(images), expected.trainedLogits));
    }
    return differences;
  } finally {
    network.destroy();
    device?.destroy();
  }
}

/** What exceeds its tolerance, as text; empty if nothing does. Not a number exceeds any. */
export function describeWrong(differences: readonly Difference[]): string {
  return describe(differences.filter(({ error, tolerance }) => !(error <= tolerance)));
}

/** The differences that come nearest to their tolerance, as text. */
export function describeWorst(differences: readonly Difference[]): string {
  const share = ({ error, tolerance }: Difference) => error / tolerance;
  return describe(differences.toSorted((a, b) => share(b) - share(a)).slice(0, 3));
}

function describe(differences: readonly Difference[]): string {
  return differences.map(({ tensor, error }) => `${tensor}: ${error.toExponential(1)}`).join(", ");
}
