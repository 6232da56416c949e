import { columnPitch, groupsOf, runLength } from "../../program/pieces.js";
import type { Initializer } from "../../program/program.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { Port } from "../ir/graph.js";
import { BATCH, elementCount, formatShape, isSequence } from "../ir/shape.js";
import type { WeightAverage } from "../../program/recipe.js";
import { average, meanOfWeights } from "../kernels/average.js";
import { copyChannels, importImages } from "../kernels/copy.js";
import { DISTRIBUTIONS, initializeContraction, initializeDense } from "../kernels/initialize.js";
import { UPDATE_QUADS, UPDATE_WORKGROUP } from "../kernels/update.js";
import { isActivation } from "../layout/choose-layouts.js";
import { ActivationLayout } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { KeptParameter } from "../plan/persistent.js";
import { fixed, perImage, type Storage } from "../plan/storage.js";
import { reshapeStep } from "./elementwise.js";
import type { StepDraft } from "./step-draft.js";

/** Uploaded images, and targets that are numbers, into the layouts of their readers. */
export const importBatch = (context: LoweringContext): readonly StepDraft[] =>
  context.plan.graph.inputs
    .filter(({ value }) => isActivation(value))
    .map((port) => importActivation(context, port));

function importActivation(context: LoweringContext, port: Port): StepDraft {
  const { value } = port;
  const layout = context.layout(value);
  const { channels, height, width } = layout;
  if (isSequence(value.shape)) return importSequence(context, port);
  return dispatch(importImages(), {
    buffers: { input: context.portStorage(port), result: context.storageOf(value) },
    constants: { channels, height, width, result: layout.inFloats() },
    threads: perImage(channels * height * width),
    label: `${value.name} import`,
    origin: value.origin,
  });
}

/** A sequence comes as it lies, but for what is between its tokens. */
function importSequence(context: LoweringContext, port: Port): StepDraft {
  const { value } = port;
  const layout = context.layout(value);
  const { channels, width: tokens } = layout;
  const uploaded = { image: tokens * channels, row: 0, column: channels, base: 0 };
  return dispatch(copyChannels(), {
    buffers: { input: context.portStorage(port), result: context.storageOf(value) },
    constants: { channels, height: 1, width: tokens, input: uploaded, result: layout.inFloats() },
    threads: perImage(channels * tokens),
    label: `${value.name} import`,
    origin: value.origin,
  });
}

/** Predictions that lie otherwise than in rows of channels are copied there, in PyTorch's order. */
export const exportPredictions = (context: LoweringContext): readonly StepDraft[] =>
  context.plan.graph.outputs
    .filter((port) => context.storageOf(port.value) !== context.portStorage(port))
    .map((port) => exportPrediction(context, port));

function exportPrediction(context: LoweringContext, port: Port): StepDraft {
  const { origin, shape } = port.value;
  return reshapeStep(context, origin, {
    label: `prediction ${formatShape(shape)}`,
    from: port.value,
    storage: context.portStorage(port),
    shape: [BATCH, elementCount(shape)],
    layout: new ActivationLayout([BATCH, elementCount(shape)]),
  });
}

/** A distribution with its two numbers. */
function distributionOf(initializer: Initializer): { kind: number; first: number; second: number } {
  switch (initializer.kind) {
    case "constant":
      return { kind: DISTRIBUTIONS.constant, first: initializer.value, second: 0 };
    case "uniform":
      return { kind: DISTRIBUTIONS.uniform, first: initializer.low, second: initializer.high };
    case "normal":
      return { kind: DISTRIBUTIONS.normal, first: initializer.mean, second: initializer.deviation };
  }
}

/** One dispatch for each buffer of a parameter. */
export function initializeParameter(
  { parameter, layout, pieces, storage }: KeptParameter,
  stream: number,
): readonly StepDraft[] {
  const { kind: distribution, first, second } = distributionOf(parameter.initializer);
  return pieces.map((piece, index) => {
    const size = piece.bytes / 4;
    const values = { size, distribution, first, second, stream };
    const common = {
      buffers: { result: storage[index]! },
      threads: fixed(size),
      label: `${parameter.value.name} initial values`,
      origin: parameter.value.origin,
    };
    if (layout.kind !== "contraction") {
      const { zeros } = parameter.initializer;
      const constants = { ...values, length: layout.length };
      const ofZeros = withoutUndefined({ first_zero: zeros?.first, zeros: zeros?.count });
      return dispatch(initializeDense({ hasZeros: zeros !== undefined }), {
        ...common,
        constants: { ...constants, ...ofZeros },
      });
    }
    const { outputs } = groupsOf(piece, layout);
    const [kernelHeight, kernelWidth] = layout.kernel;
    return dispatch(initializeContraction(), {
      ...common,
      constants: {
        ...values,
        kernel_height: kernelHeight,
        kernel_width: kernelWidth,
        inputs: layout.inputs,
        input_pitch: layout.inputPitch,
        outputs,
        first_output: piece.start,
        output_pitch: columnPitch({ outputs }),
        run: runLength(layout),
      },
    });
  });
}

interface AverageOptions {
  readonly averages: readonly Storage[];
  /** The state of a dynamic loss scale, by which steps are skipped. */
  readonly lossScale: Storage | undefined;
  readonly average: WeightAverage;
}

/** One dispatch for each buffer of a parameter: its average follows it. */
export function averageParameter(
  { parameter: { value }, pieces, storage }: KeptParameter,
  { averages, lossScale, average: rule }: AverageOptions,
): readonly StepDraft[] {
  return pieces.map(({ bytes }, index) => {
    const quads = bytes / 16;
    const buffers = { weights: storage[index]!, average: averages[index]! };
    const common = {
      workgroups: { x: { ...fixed(quads), tile: UPDATE_WORKGROUP * UPDATE_QUADS }, z: 1 },
      label: `${value.name} average`,
      origin: value.origin,
    };
    if (rule.kind === "swa") {
      // Of a step that a loss scale skips, the weights are those of the step before.
      const constants = { quads, start: rule.start, every: rule.every };
      return dispatch(meanOfWeights(), { ...common, buffers, constants });
    }
    const { decay, every } = rule;
    return dispatch(average({ skips: lossScale !== undefined, every }), {
      ...common,
      buffers: { ...buffers, loss_scale: lossScale },
      constants: { quads, decay },
    });
  });
}
