import type { DetectionAttributes, Node, Value } from "../ir/graph.js";
import { detectionLoss, detectionLossGradient } from "../kernels/detection.js";
import { perImage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** What both kernels are given alike. */
function partsOf(
  context: LoweringContext,
  { inputs, origin }: Pick<Node, "inputs" | "origin">,
  { coord, noobj }: DetectionAttributes,
) {
  const [grid, boxes] = inputs as [Value, Value];
  const layout = context.layout(grid);
  const { width, height, channels } = layout;
  const most = Number(boxes.shape[1]);
  return {
    buffers: { input: context.storageOf(grid), boxes: context.storageOf(boxes) },
    constants: {
      width,
      height,
      classes: channels - 5,
      most,
      coord,
      noobj,
      input: layout.inFloats(),
      boxes: context.layout(boxes).inFloats(),
    },
    cells: width * height,
    label: `${boxes.name} against ${grid.name}`,
    origin,
  };
}

export function lowerDetectionLoss(
  context: LoweringContext,
  node: Node<"detectionLoss">,
): readonly StepDraft[] {
  const { buffers, constants, label, origin } = partsOf(context, node, node.attributes);
  return [
    dispatch(detectionLoss(), {
      buffers: { ...buffers, losses: context.storageOf(node.outputs[0]!) },
      constants,
      workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 },
      label,
      origin,
    }),
  ];
}

export function lowerDetectionLossGradient(
  context: LoweringContext,
  node: Node<"detectionLossGradient">,
): readonly StepDraft[] {
  const { weight, ...rule } = node.attributes;
  const { buffers, constants, cells, label, origin } = partsOf(context, node, rule);
  const [result] = node.outputs as [Value];
  return [
    dispatch(detectionLossGradient(), {
      buffers: { ...buffers, result: context.storageOf(result) },
      constants: { ...constants, weight, result: context.layout(result).inFloats() },
      threads: perImage(cells),
      label: `${label}, gradient`,
      origin,
    }),
  ];
}
