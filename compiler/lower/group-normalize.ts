import type { Node } from "../ir/graph.js";
import {
  type GroupForm,
  groupNormalize,
  groupNormalizeGradient,
  groupsPerWorkgroup,
} from "../kernels/group-normalize.js";
import type { Kernel } from "../kernels/kernel.js";
import type { LoweringContext } from "./context.js";
import { floatBits, perImage } from "./storage.js";

type GroupNode = Node<"groupNormalize"> | Node<"groupNormalizeGradient">;

interface GroupStep {
  readonly kernel: (form: GroupForm) => Kernel;
  /** The kernel's names for the inputs and the output. */
  readonly names: readonly string[];
  readonly label: string;
}

/** Elements of a group up to which a thread goes through them alone, if there is a group for each pixel. */
const MOST_OF_A_THREAD = 256;

function emitGroups(context: LoweringContext, node: GroupNode, step: GroupStep): void {
  const values = [...node.inputs, ...node.outputs];
  const { groups, pixels: extent, epsilon } = node.attributes;
  const layout = context.layout(values[0]!);
  const [starts, pixels] = extent === "together" ? [1, layout.pixels] : [layout.pixels, 1];
  const isQuad = (layout.channels / groups) % 4 === 0;
  const channels = layout.channels / groups / (isQuad ? 4 : 1);
  const size = channels * pixels;
  const form: GroupForm = {
    worker: starts > 1 && size <= MOST_OF_A_THREAD ? "thread" : "workgroup",
    element: isQuad ? "vec4f" : "f32",
  };
  const places = values.map((value, index) => context.layout(value).place(step.names[index]!));
  context.emit({
    kernel: step.kernel(form),
    storage: values.map((value) => context.storageOf(value)),
    constants: {
      ...{ groups, starts, channels, size },
      width: layout.width,
      epsilon: floatBits(epsilon),
      ...(Object.assign({}, ...places) as Record<string, number>),
    },
    workgroups: { x: { ...perImage(groups * starts), tile: groupsPerWorkgroup(form) }, z: 1 },
    label: `${node.origin.name} ${step.label}`,
    origin: node.origin,
    macs: 0,
  });
}

export function lowerGroupNormalize(context: LoweringContext, node: Node<"groupNormalize">): void {
  const step = { kernel: groupNormalize, names: ["a", "y"], label: "forward" };
  emitGroups(context, node, step);
}

export function lowerGroupNormalizeGradient(
  context: LoweringContext,
  node: Node<"groupNormalizeGradient">,
): void {
  const step = { kernel: groupNormalizeGradient, names: ["a", "d", "y"], label: "gradient" };
  emitGroups(context, node, step);
}
