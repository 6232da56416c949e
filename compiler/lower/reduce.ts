import { SUMS_AT_ONCE } from "../../program/program.js";
import { sumChunks, sumsOfValue, type Node, type Value } from "../ir/graph.js";
import {
  batchSums,
  channelSum,
  elementLoss,
  elementMean,
  exampleSum,
  rowSums,
  softmax,
  softmaxGradient,
} from "../kernels/reduce.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { lowerGradientSink } from "./gradient-sink.js";
import { fixed, perImage } from "../plan/storage.js";
import type { StepDraft } from "./step-draft.js";

export function lowerChannelSum(
  context: LoweringContext,
  node: Node<"channelSum">,
): readonly StepDraft[] {
  const input = node.inputs[0]!;
  const layout = context.layout(input);
  const { pixels, width, quads } = layout;
  const sink = lowerGradientSink(context, node);
  return [
    dispatch(channelSum(sink.use), {
      buffers: { input: context.storageOf(input) },
      constants: { pixels, width, input: layout.inQuads() },
      fragments: [sink.bound(0)],
      workgroups: { x: { ...fixed(quads), tile: 1 }, z: 1 },
      label: `${node.origin.name} bias ${sink.label}`,
      origin: node.origin,
    }),
  ];
}

export function lowerBatchSums(
  context: LoweringContext,
  node: Node<"batchSums">,
): readonly StepDraft[] {
  const { shares } = node.attributes;
  const result = context.storageOf(node.outputs[0]!);
  const byRow = node.inputs.slice(shares.length);
  const ends = byRow.map((_, place) => wordsOf(node.inputs.slice(0, shares.length + place)));
  const single = sumChunks(node.inputs.slice(0, shares.length)).map((inputs, chunk) => {
    const at = chunk * SUMS_AT_ONCE;
    const values = inputs.map(
      (input, index) => [`values${index}`, context.storageOf(input)] as const,
    );
    const flags = inputs.map((_, index) => [`share${index}`, Number(shares[at + index])] as const);
    return dispatch(batchSums(inputs.length), {
      buffers: { ...Object.fromEntries(values), sums: result },
      constants: {
        at,
        unfit_at: wordsOf(node.inputs) + chunk,
        ...Object.fromEntries(flags),
      },
      workgroups: { x: { ...fixed(1), tile: 1 }, z: 1 },
      label: "loss and metrics",
      origin: node.origin,
    });
  });
  return [...single, ...byRow.map((input, place) => sumRows(context, node, input, ends[place]!))];
}

const wordsOf = (inputs: readonly Value[]) =>
  inputs.reduce((words, input) => words + sumsOfValue(input), 0);

function sumRows(
  context: LoweringContext,
  { outputs, origin }: Node<"batchSums">,
  input: Value,
  at: number,
): StepDraft {
  const layout = context.layout(input);
  return dispatch(rowSums(), {
    buffers: { input: context.storageOf(input), sums: context.storageOf(outputs[0]!) },
    constants: { rows: layout.width, input: layout.inFloats(), at },
    workgroups: { x: { ...fixed(layout.channels), tile: 1 }, z: 1 },
    label: "metrics by class",
    origin,
  });
}

/** A workgroup for each example. */
export function lowerExampleSum(
  context: LoweringContext,
  node: Node<"exampleSum">,
): readonly StepDraft[] {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const layout = context.layout(input);
  return [
    dispatch(exampleSum(), {
      buffers: { input: context.storageOf(input), sums: context.storageOf(output) },
      constants: { channels: layout.channels, input: layout.inFloats() },
      workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 },
      label: `${input.name} sums`,
      origin: node.origin,
    }),
  ];
}

export function lowerElementLoss(
  context: LoweringContext,
  node: Node<"elementLoss">,
): readonly StepDraft[] {
  const [prediction, target] = node.inputs as [Value, Value | undefined];
  const layout = context.layout(prediction);
  const { pixels, width, channels } = layout;
  const { expression } = node.attributes;
  const buffers = {
    predictions: context.storageOf(prediction),
    losses: context.storageOf(node.outputs[0]!),
  };
  const constants = { pixels, width, channels, predictions: layout.inFloats() };
  const rest = {
    workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 },
    label: target ? `${target.name} against ${prediction.name}` : `mean of ${prediction.name}`,
    origin: node.origin,
  } as const;
  if (!target) return [dispatch(elementMean(expression), { buffers, constants, ...rest })];
  const compared = {
    buffers: { ...buffers, targets: context.storageOf(target) },
    constants: { ...constants, targets: context.layout(target).inFloats() },
  };
  return [dispatch(elementLoss(expression), { ...compared, ...rest })];
}

/** A workgroup for each pixel. */
export function lowerSoftmax(
  context: LoweringContext,
  node: Node<"softmax">,
): readonly StepDraft[] {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const layout = context.layout(input);
  const { pixels, width, channels } = layout;
  return [
    dispatch(softmax(), {
      buffers: { input: context.storageOf(input), result: context.storageOf(output) },
      constants: {
        pixels,
        width,
        channels,
        input: layout.inQuads(),
        result: context.layout(output).inQuads(),
      },
      workgroups: { x: { ...perImage(pixels), tile: 1 }, z: 1 },
      label: `${node.origin.name} forward`,
      origin: node.origin,
    }),
  ];
}

/** A workgroup for each pixel. */
export function lowerSoftmaxGradient(
  context: LoweringContext,
  node: Node<"softmaxGradient">,
): readonly StepDraft[] {
  const [probabilities, gradient] = node.inputs as [Value, Value];
  const [result] = node.outputs as [Value];
  const layout = context.layout(probabilities);
  const { pixels, width, channels } = layout;
  return [
    dispatch(softmaxGradient(), {
      buffers: {
        input: context.storageOf(probabilities),
        gradient: context.storageOf(gradient),
        result: context.storageOf(result),
      },
      constants: {
        pixels,
        width,
        channels,
        input: layout.inQuads(),
        gradient: context.layout(gradient).inQuads(),
        result: context.layout(result).inQuads(),
      },
      workgroups: { x: { ...perImage(pixels), tile: 1 }, z: 1 },
      label: `${node.origin.name} gradient`,
      origin: node.origin,
    }),
  ];
}
