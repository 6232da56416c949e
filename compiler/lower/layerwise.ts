import type { LayerwiseKind } from "../../program/optimizers.js";
import { trainedBy, type TrainedParameter } from "../ir/fusion.js";
import type { Node } from "../ir/graph.js";
import { layerDirection, layerStep } from "../kernels/layerwise.js";
import { UPDATE_QUADS, UPDATE_WORKGROUP } from "../kernels/update.js";
import { fixed, type Storage } from "../plan/storage.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { scaleOf } from "./gradient-sink.js";
import { squareSteps } from "./square-sum.js";
import type { StepDraft } from "./step-draft.js";

const workgroups = (quads: number) => ({
  x: { ...fixed(quads), tile: UPDATE_WORKGROUP * UPDATE_QUADS },
  z: 1,
});

/** The direction of a parameter's step, the norms of both, and the step. */
export function lowerLayerwise(
  context: LoweringContext,
  node: Node<"update">,
): readonly StepDraft[] {
  const [{ parameter }] = trainedBy(node) as [TrainedParameter];
  const memory = context.choice(node)!;
  const norm = (pieces: readonly Storage[], result: Storage) =>
    squareSteps({
      pieces,
      blocks: memory.blocks,
      result,
      others: undefined,
      label: { label: `${result.name} norm`, origin: node.origin },
    });
  return [
    ...directionSteps(context, node),
    ...norm(context.piecesOf(parameter), memory.weightSquares),
    ...norm(memory.directions, memory.stepSquares),
    ...layerSteps(context, node),
  ];
}

function directionSteps(context: LoweringContext, node: Node<"update">): readonly StepDraft[] {
  const [{ parameter, gradient, states }] = trainedBy(node) as [TrainedParameter];
  const { clipsValue, gradientFactor, decayFactor } = node.attributes;
  const optimizer = node.attributes.optimizer as LayerwiseKind;
  const unscales = gradientFactor !== undefined;
  const scale = scaleOf(node);
  const kernel = layerDirection({ optimizer, clipsValue, unscales, scale });
  const last = scale === "none" ? undefined : context.storageOf(node.inputs.at(-1)!);
  return context.choice(node)!.directions.map((direction, index) => {
    const piece = (value: typeof parameter) => context.piecesOf(value)[index]!;
    const quads = direction.bytes.fixed / 16;
    const [state0, state1] = states.map(piece);
    const lamb = {
      buffers: { weights: piece(parameter), state0: state0!, state1: state1! },
      constants: { decay_factor: decayFactor },
    };
    return dispatch(kernel, {
      buffers: { gradient: piece(gradient!), direction },
      constants: { quads, ...withoutUndefined({ gradient_factor: gradientFactor }) },
      fragments: [
        optimizer === "lamb" ? lamb : undefined,
        last && { buffers: { [scale]: last }, constants: {} },
      ],
      workgroups: workgroups(quads),
      label: `${parameter.name} direction`,
      origin: node.origin,
    });
  });
}

function layerSteps(context: LoweringContext, node: Node<"update">): readonly StepDraft[] {
  const [{ parameter, states }] = trainedBy(node) as [TrainedParameter];
  const { learningRateFactor, decayFactor, skips = false, trustCoefficient } = node.attributes;
  const optimizer = node.attributes.optimizer as LayerwiseKind;
  const { directions, weightSquares, stepSquares } = context.choice(node)!;
  return context.piecesOf(parameter).map((weights, index) => {
    const quads = weights.bytes.fixed / 16;
    const velocity = context.piecesOf(states[0]!)[index]!;
    const applied = skips ? context.storageOf(node.inputs.at(-1)!) : undefined;
    return dispatch(layerStep(optimizer, skips), {
      buffers: {
        direction: directions[index]!,
        weight_squares: weightSquares,
        step_squares: stepSquares,
        weights,
      },
      constants: {
        quads,
        learning_rate_factor: learningRateFactor,
        decay_factor: decayFactor,
        ...withoutUndefined({ trust_coefficient: trustCoefficient }),
      },
      fragments: [
        optimizer === "lars" ? { buffers: { state0: velocity }, constants: {} } : undefined,
        applied && { buffers: { applied }, constants: {} },
      ],
      workgroups: workgroups(quads),
      label: `${parameter.name} update`,
      origin: node.origin,
    });
  });
}
