import type { Node, Value } from "../ir/graph.js";
import {
  groupNormalize,
  groupNormalizeGradient,
  groupsPerWorkgroup,
} from "../kernels/group-normalize.js";
import type { GroupNode } from "../plan/forms.js";
import { perImage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** The form of a node's kernel, and what both kernels are given alike. */
function formOf(context: LoweringContext, node: GroupNode) {
  const { groups, epsilon } = node.attributes;
  const { worker, element, starts, channels, size } = context.choice(node);
  const { width } = context.layout(node.inputs[0]!);
  const form = { worker, element };
  return {
    form,
    constants: { groups, starts, channels, size, width, epsilon },
    workgroups: { x: { ...perImage(groups * starts), tile: groupsPerWorkgroup(form) }, z: 1 },
  };
}

export function lowerGroupNormalize(
  context: LoweringContext,
  node: Node<"groupNormalize">,
): readonly StepDraft[] {
  const { form, constants, workgroups } = formOf(context, node);
  const [input, result] = [node.inputs[0]!, node.outputs[0]!];
  return [
    dispatch(groupNormalize(form), {
      buffers: { input: context.storageOf(input), result: context.storageOf(result) },
      constants: {
        ...constants,
        input: context.layout(input).inQuads(),
        result: context.layout(result).inQuads(),
      },
      workgroups,
      label: `${node.origin.name} forward`,
      origin: node.origin,
    }),
  ];
}

export function lowerGroupNormalizeGradient(
  context: LoweringContext,
  node: Node<"groupNormalizeGradient">,
): readonly StepDraft[] {
  const { form, constants, workgroups } = formOf(context, node);
  const [input, gradient] = node.inputs as [Value, Value];
  const [result] = node.outputs as [Value];
  return [
    dispatch(groupNormalizeGradient(form), {
      buffers: {
        input: context.storageOf(input),
        gradient: context.storageOf(gradient),
        result: context.storageOf(result),
      },
      constants: {
        ...constants,
        input: context.layout(input).inQuads(),
        gradient: context.layout(gradient).inQuads(),
        result: context.layout(result).inQuads(),
      },
      workgroups,
      label: `${node.origin.name} gradient`,
      origin: node.origin,
    }),
  ];
}
