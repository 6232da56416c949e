import { groupsOf, runLength } from "../../program/pieces.js";
import type { Initializer } from "../../program/program.js";
import type { Graph, Value } from "../ir/graph.js";
import { average } from "../kernels/average.js";
import { importImages } from "../kernels/copy.js";
import { DISTRIBUTIONS, initializeContraction, initializeDense } from "../kernels/initialize.js";
import { UPDATE_QUADS, UPDATE_WORKGROUP } from "../kernels/update.js";
import { isActivation } from "../layout/choose-layouts.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StoredParameter } from "../layout/parameters.js";
import { fixed, perImage, type StepDraft, type Storage } from "./storage.js";

/** Uploaded images, and targets that are numbers, into the layouts of their readers. */
export function importBatch(context: LoweringContext, { inputs }: Graph): void {
  for (const port of inputs) {
    if (isActivation(port.value)) importActivation(context, port.value, context.portStorage(port));
  }
}

function importActivation(context: LoweringContext, value: Value, uploaded: Storage): void {
  const layout = context.layout(value);
  const { channels, height, width } = layout;
  const elements = channels * height * width;
  context.emit(
    dispatch(importImages(), {
      buffers: { a: uploaded, result: context.storageOf(value) },
      constants: { channels, height, width, y: layout.inFloats() },
      threads: perImage(elements),
      label: `${value.name} import`,
      origin: value.origin,
    }),
  );
}

/** A distribution with its two numbers. */
function distributionOf(initializer: Initializer): { kind: number; a: number; b: number } {
  switch (initializer.kind) {
    case "constant":
      return { kind: DISTRIBUTIONS.constant, a: initializer.value, b: 0 };
    case "uniform":
      return { kind: DISTRIBUTIONS.uniform, a: initializer.low, b: initializer.high };
    case "normal":
      return { kind: DISTRIBUTIONS.normal, a: initializer.mean, b: initializer.deviation };
  }
}

/** One dispatch for each buffer of a parameter. */
export function initializeParameter(
  { parameter, layout, pieces }: StoredParameter,
  storage: readonly Storage[],
  stream: number,
): StepDraft[] {
  const { kind: distribution, a, b } = distributionOf(parameter.initializer);
  return pieces.map((piece, index) => {
    const size = piece.bytes / 4;
    const values = { size, distribution, a, b, stream };
    const common = {
      buffers: { y: storage[index]! },
      threads: fixed(size),
      label: `${parameter.value.name} initial values`,
      origin: parameter.value.origin,
    };
    if (layout.kind !== "contraction") {
      const constants = { ...values, length: layout.length };
      return dispatch(initializeDense(), { ...common, constants });
    }
    const { outputs } = groupsOf(piece, layout);
    const [kernelHeight, kernelWidth] = layout.kernel;
    return dispatch(initializeContraction(), {
      ...common,
      constants: {
        ...values,
        length: size,
        kernel_height: kernelHeight,
        kernel_width: kernelWidth,
        inputs: layout.inputs,
        input_pitch: layout.inputPitch,
        outputs,
        first_output: piece.start,
        output_pitch: roundUpTo4(outputs),
        run: runLength(layout),
      },
    });
  });
}

interface AveragedStorage {
  readonly storage: readonly Storage[];
  readonly averages: readonly Storage[];
  /** The state of a dynamic loss scale, by which steps are skipped. */
  readonly lossScale: Storage | undefined;
}

/** One dispatch for each buffer of a parameter: its average follows it. */
export function averageParameter(
  { parameter: { value }, pieces }: StoredParameter,
  { storage, averages, lossScale }: AveragedStorage,
  decay: number,
): StepDraft[] {
  return pieces.map(({ bytes }, index) => {
    const quads = bytes / 16;
    return dispatch(average({ skips: lossScale !== undefined }), {
      buffers: {
        weights: storage[index]!,
        average: averages[index]!,
        loss_scale: lossScale,
      },
      constants: { quads, decay },
      workgroups: { x: { ...fixed(quads), tile: UPDATE_WORKGROUP * UPDATE_QUADS }, z: 1 },
      label: `${value.name} average`,
      origin: value.origin,
    });
  });
}
