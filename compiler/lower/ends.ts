import { groupsOf, runLength } from "../../program/pieces.js";
import type { Initializer } from "../../program/program.js";
import type { Graph, Value } from "../ir/graph.js";
import { average } from "../kernels/average.js";
import { importImages } from "../kernels/copy.js";
import { DISTRIBUTIONS, initialize, INITIALIZE_WORKGROUP } from "../kernels/initialize.js";
import { UPDATE_QUADS, UPDATE_WORKGROUP } from "../kernels/update.js";
import { isActivation } from "../layout/choose-layouts.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StoredParameter } from "../layout/parameters.js";
import { fixed, floatBits, perImage, type StepDraft, type Storage } from "./storage.js";

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
function distribution(initializer: Initializer): { kind: number; a: number; b: number } {
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
  const { kind, a, b } = distribution(parameter.initializer);
  return pieces.map((piece, index) => {
    const size = piece.bytes / 4;
    const common = { size, distribution: kind, a: floatBits(a), b: floatBits(b), stream };
    const constants =
      layout.kind === "contraction"
        ? {
            ...common,
            length: size,
            kernel_height: layout.kernel[0],
            kernel_width: layout.kernel[1],
            inputs: layout.inputs,
            input_pitch: layout.inputPitch,
            outputs: groupsOf(piece, layout).outputs,
            first_output: piece.start,
            output_pitch: roundUpTo4(groupsOf(piece, layout).outputs),
            run: runLength(layout),
          }
        : { ...common, length: layout.length };
    return {
      kernel: initialize(layout.kind === "contraction" ? "contraction" : "dense"),
      storage: [storage[index]!],
      constants,
      workgroups: { x: { ...fixed(size), tile: INITIALIZE_WORKGROUP }, z: 1 },
      label: `${parameter.value.name} initial values`,
      origin: parameter.value.origin,
      macs: 0,
    };
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
