import type { Node } from "../ir/graph.js";
import { groupNormalize, groupNormalizeGradient } from "../kernels/group-normalize.js";
import type { Kernel } from "../kernels/kernel.js";
import type { LoweringContext } from "./context.js";
import { floatBits, perImage } from "./storage.js";

type GroupNode = Node<"groupNormalize"> | Node<"groupNormalizeGradient">;

interface GroupStep {
  readonly kernel: Kernel;
  /** The kernel's names for the inputs and the output. */
  readonly names: readonly string[];
  readonly label: string;
}

/** A workgroup for each group. */
function emitGroups(context: LoweringContext, node: GroupNode, step: GroupStep): void {
  const values = [...node.inputs, ...node.outputs];
  const { groups, pixels: extent, epsilon } = node.attributes;
  const layout = context.layout(values[0]!);
  const channels = layout.channels / groups;
  const [starts, pixels] = extent === "together" ? [1, layout.pixels] : [layout.pixels, 1];
  const places = values.map((value, index) => context.layout(value).place(step.names[index]!));
  context.emit({
    kernel: step.kernel,
    storage: values.map((value) => context.storageOf(value)),
    constants: {
      ...{ groups, starts, channels, size: channels * pixels },
      width: layout.width,
      epsilon: floatBits(epsilon),
      ...(Object.assign({}, ...places) as Record<string, number>),
    },
    workgroups: { x: { ...perImage(groups * starts), tile: 1 }, z: 1 },
    label: `${node.origin.name} ${step.label}`,
    origin: node.origin,
    macs: 0,
  });
}

export function lowerGroupNormalize(context: LoweringContext, node: Node<"groupNormalize">): void {
  const step = { kernel: groupNormalize(), names: ["a", "y"], label: "forward" };
  emitGroups(context, node, step);
}

export function lowerGroupNormalizeGradient(
  context: LoweringContext,
  node: Node<"groupNormalizeGradient">,
): void {
  const step = { kernel: groupNormalizeGradient(), names: ["a", "d", "y"], label: "gradient" };
  emitGroups(context, node, step);
}
