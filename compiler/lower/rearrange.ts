import type { Node, RearrangeAttributes, Value } from "../ir/graph.js";
import { broadcast } from "../kernels/broadcast.js";
import { rearrange } from "../kernels/rearrange.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import { logicalStrides, rearrangedStrides, type PerAxis } from "../layout/strides.js";
import type { Origin } from "../ir/origin.js";
import { perImage, type Storage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

export function lowerRearrange(
  context: LoweringContext,
  node: Node<"rearrange">,
): readonly StepDraft[] {
  const { attributes } = node;
  const numbers = {
    start: attributes.start,
    steps: rearrangedStrides(attributes),
    strides: logicalStrides(node.inputs[0]!.shape),
  };
  return steps(context, node, numbers);
}

export function lowerRearrangeGradient(
  context: LoweringContext,
  node: Node<"rearrangeGradient">,
): readonly StepDraft[] {
  const { attributes } = node;
  const numbers = {
    start: -attributes.start,
    steps: logicalStrides(attributes.inputShape),
    strides: rearrangedStrides(attributes satisfies RearrangeAttributes),
  };
  return steps(context, node, numbers);
}

/** How elements are numbered: from where, and along the axes of the result and of the source. */
interface Numbering {
  readonly start: number;
  readonly steps: PerAxis;
  readonly strides: PerAxis;
}

function steps(
  context: LoweringContext,
  { kind, inputs, outputs, origin }: Node<"rearrange"> | Node<"rearrangeGradient">,
  numbering: Numbering,
): readonly StepDraft[] {
  const [from, to] = [inputs[0]!, outputs[0]!];
  if (context.storageOf(from) === context.storageOf(to)) return [];
  const label = `${origin.name} ${kind}`;
  const target = { storage: context.storageOf(to), layout: context.layout(to) };
  return [moveStep(context, origin, { label, from, numbering, ...target })];
}

interface Move {
  readonly label: string;
  readonly from: Value;
  readonly storage: Storage;
  readonly layout: ActivationLayout;
  readonly numbering: Numbering;
}

/** Moves a value's elements into another layout, by their numbers in either. */
export function moveStep(
  context: LoweringContext,
  origin: Origin,
  { label, from, storage, layout, numbering }: Move,
): StepDraft {
  const { channels, height, width, pixels } = layout;
  const source = context.layout(from);
  const { image: image_pitch, base } = source.inFloats();
  const [first, second, third] = axesOf(source, numbering.strides);
  return dispatch(rearrange(), {
    buffers: { input: context.storageOf(from), result: storage },
    constants: {
      channels,
      height,
      width,
      start: numbering.start >>> 0,
      channel_step: numbering.steps.channel,
      row_step: numbering.steps.row,
      column_step: numbering.steps.column,
      stride0: first.stride,
      stride1: second.stride,
      stride2: third.stride,
      size0: first.size,
      size1: second.size,
      size2: third.size,
      pitch0: first.pitch,
      pitch1: second.pitch,
      pitch2: third.pitch,
      image_pitch,
      base,
      result: layout.inFloats(),
    },
    threads: perImage(channels * pixels),
    label,
    origin,
  });
}

interface SourceAxis {
  readonly stride: number;
  readonly size: number;
  readonly pitch: number;
}

/** More than any number of an element; an axis of one element, which only 0 is on. */
const BEYOND = 0x7fffffff;

/** The axes of a source, those with the largest strides first. */
function axesOf(layout: ActivationLayout, strides: PerAxis): readonly SourceAxis[] & Three {
  const { row, column } = layout.inFloats();
  const axes = [
    { stride: strides.channel, size: layout.channels, pitch: 1 },
    { stride: strides.row, size: layout.height, pitch: row },
    { stride: strides.column, size: layout.width, pitch: column },
  ];
  const real = axes.map((axis) => (axis.size === 1 ? { ...axis, stride: BEYOND } : axis));
  return real.sort((a, b) => b.stride - a.stride) as unknown as readonly SourceAxis[] & Three;
}

type Three = readonly [SourceAxis, SourceAxis, SourceAxis];

export const lowerBroadcast = (context: LoweringContext, node: Node<"broadcast">) =>
  quadSteps(context, node, {
    label: `${node.origin.name} broadcast`,
    result: node.outputs[0]!,
    kernel: broadcast(),
    buffers: { input: context.storageOf(node.inputs[0]!) },
    constants: {},
  });
