import type { Node, Value } from "../ir/graph.js";
import { dice, diceGradient, diceSums, diceSumsGradient } from "../kernels/dice.js";
import { perImage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { pixelParts } from "./pixel-classification.js";
import type { StepDraft } from "./step-draft.js";

export function lowerDiceSums(
  context: LoweringContext,
  node: Node<"diceSums">,
): readonly StepDraft[] {
  const { buffers, constants, rows, label, origin } = pixelParts(context, node);
  const [sums] = node.outputs as [Value];
  return [
    dispatch(diceSums(), {
      buffers: { ...buffers, sums: context.storageOf(sums) },
      constants: { ...constants, sums: context.layout(sums).inFloats() },
      ...rows,
      label,
      origin,
    }),
  ];
}

export function lowerDiceSumsGradient(
  context: LoweringContext,
  node: Node<"diceSumsGradient">,
): readonly StepDraft[] {
  const { buffers, constants, pixels, label, origin } = pixelParts(context, node);
  const [, , slopes] = node.inputs as [Value, Value, Value];
  const [result] = node.outputs as [Value];
  return [
    dispatch(diceSumsGradient(), {
      buffers: {
        ...buffers,
        slopes: context.storageOf(slopes),
        result: context.storageOf(result),
      },
      constants: {
        ...constants,
        slopes: context.layout(slopes).inFloats(),
        result: context.layout(result).inFloats(),
      },
      ...pixels,
      label: `${label}, gradient`,
      origin,
    }),
  ];
}

/** A workgroup for each example. */
const EXAMPLES = { workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 } };

function sumsOf(context: LoweringContext, sums: Value, smooth: number) {
  const layout = context.layout(sums);
  const { width: rows, channels } = layout;
  return { rows, classes: channels / 2, smoothness: smooth, sums: layout.inFloats() };
}

export function lowerDice(context: LoweringContext, node: Node<"dice">): readonly StepDraft[] {
  const { inputs, outputs, attributes, origin } = node;
  const [sums, losses] = [inputs[0]!, outputs[0]!];
  return [
    dispatch(dice(), {
      buffers: { sums: context.storageOf(sums), losses: context.storageOf(losses) },
      constants: sumsOf(context, sums, attributes.smooth),
      ...EXAMPLES,
      label: `${origin.name} of examples`,
      origin,
    }),
  ];
}

export function lowerDiceGradient(
  context: LoweringContext,
  node: Node<"diceGradient">,
): readonly StepDraft[] {
  const { inputs, outputs, attributes, origin } = node;
  const { smooth, weight } = attributes;
  const [sums, result] = [inputs[0]!, outputs[0]!];
  return [
    dispatch(diceGradient(), {
      buffers: { sums: context.storageOf(sums), result: context.storageOf(result) },
      constants: {
        ...sumsOf(context, sums, smooth),
        weight,
        result: context.layout(result).inFloats(),
      },
      ...EXAMPLES,
      label: `${origin.name} of examples, gradient`,
      origin,
    }),
  ];
}
