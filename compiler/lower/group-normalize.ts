import type { Node, Value } from "../ir/graph.js";
import {
  type GroupForm,
  groupNormalize,
  groupNormalizeGradient,
  groupsPerWorkgroup,
} from "../kernels/group-normalize.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { perImage } from "./storage.js";

type GroupNode = Node<"groupNormalize"> | Node<"groupNormalizeGradient">;

/**
 * Elements of a group up to which a thread goes through them alone, if there is a group for each
 * pixel.
 */
const MOST_OF_A_THREAD = 256;

/** The form that suits a node's groups, and what both kernels are given alike. */
function groupsOf(context: LoweringContext, node: GroupNode) {
  const { groups, pixels: extent, epsilon } = node.attributes;
  const layout = context.layout(node.inputs[0]!);
  const [starts, pixels] = extent === "together" ? [1, layout.pixels] : [layout.pixels, 1];
  const isQuad = (layout.channels / groups) % 4 === 0;
  const channels = layout.channels / groups / (isQuad ? 4 : 1);
  const size = channels * pixels;
  const form: GroupForm = {
    worker: starts > 1 && size <= MOST_OF_A_THREAD ? "thread" : "workgroup",
    element: isQuad ? "vec4f" : "f32",
  };
  return {
    form,
    constants: { groups, starts, channels, size, width: layout.width, epsilon },
    workgroups: { x: { ...perImage(groups * starts), tile: groupsPerWorkgroup(form) }, z: 1 },
  };
}

export function lowerGroupNormalize(context: LoweringContext, node: Node<"groupNormalize">): void {
  const { form, constants, workgroups } = groupsOf(context, node);
  const [input, result] = [node.inputs[0]!, node.outputs[0]!];
  context.emit(
    dispatch(groupNormalize(form), {
      buffers: { a: context.storageOf(input), result: context.storageOf(result) },
      constants: {
        ...constants,
        a: context.layout(input).inQuads(),
        y: context.layout(result).inQuads(),
      },
      workgroups,
      label: `${node.origin.name} forward`,
      origin: node.origin,
    }),
  );
}

export function lowerGroupNormalizeGradient(
  context: LoweringContext,
  node: Node<"groupNormalizeGradient">,
): void {
  const { form, constants, workgroups } = groupsOf(context, node);
  const [input, gradient] = node.inputs as [Value, Value];
  const [result] = node.outputs as [Value];
  context.emit(
    dispatch(groupNormalizeGradient(form), {
      buffers: {
        a: context.storageOf(input),
        d: context.storageOf(gradient),
        result: context.storageOf(result),
      },
      constants: {
        ...constants,
        a: context.layout(input).inQuads(),
        d: context.layout(gradient).inQuads(),
        y: context.layout(result).inQuads(),
      },
      workgroups,
      label: `${node.origin.name} gradient`,
      origin: node.origin,
    }),
  );
}
