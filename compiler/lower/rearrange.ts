import type { Node, RearrangeAttributes, Value } from "../ir/graph.js";
import { orderOf } from "../ir/rearrangement.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { broadcast } from "../kernels/broadcast.js";
import { finerAxes, finerNames, rearrange, rearrangeFiner } from "../kernels/rearrange.js";
import { joinChannels, joinedName, startName } from "../kernels/join-channels.js";
import { digitNames, take, TAKEN_AXES } from "../kernels/take.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import { joinedChannels } from "../layout/joined-channels.js";
import { takenPlaces, type Digits } from "../layout/taken-places.js";
import { logicalStrides, rearrangedStrides, type PerAxis } from "../layout/strides.js";
import { imageShape, withChannels } from "../ir/shape.js";
import type { Origin } from "../ir/origin.js";
import { perImage, type Storage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { sizesOf } from "../ir/graph.js";
import { partStep } from "./channels.js";
import { bind, dispatch } from "./dispatch.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

export function lowerRearrange(
  context: LoweringContext,
  node: Node<"rearrange">,
): readonly StepDraft[] {
  const { attributes } = node;
  const { start } = attributes;
  if (isNamed(context, node)) return [];
  const done = (node.fusion ? undefined : partStep(context, node)) ?? takeSteps(context, node);
  if (done) return done;
  const strides = logicalStrides(node.inputs[0]!.shape);
  if (attributes.sizes) {
    const axes = finerOf(attributes);
    const numbers = { start: 0, steps: logicalStrides(attributes.shape), strides };
    return steps(context, node, { ...numbers, finer: { first: start, axes } });
  }
  return steps(context, node, { start, steps: rearrangedStrides(attributes), strides });
}

export function lowerRearrangeGradient(
  context: LoweringContext,
  node: Node<"rearrangeGradient">,
): readonly StepDraft[] {
  const { attributes } = node;
  if (isNamed(context, node)) return [];
  const taken = takeSteps(context, node);
  if (taken) return taken;
  const numbers = { start: -attributes.start, steps: logicalStrides(attributes.inputShape) };
  if (attributes.sizes) {
    const axes = finerOf(attributes).map(({ place, size, step }) => ({
      place: step,
      size,
      step: place,
    }));
    const strides = logicalStrides(attributes.shape);
    return steps(context, node, { ...numbers, strides, finer: { first: 0, axes } });
  }
  const strides = rearrangedStrides(attributes satisfies RearrangeAttributes);
  return steps(context, node, { ...numbers, strides });
}

/** A finer axis: its stride in the result and in the input, and its size. */
interface FinerAxis {
  readonly place: number;
  readonly size: number;
  readonly step: number;
}

/** The axes of more than one element along which y is counted. */
function finerOf(attributes: RearrangeAttributes): readonly FinerAxis[] {
  const sizes = sizesOf(attributes);
  const product = (numbers: readonly number[]) => numbers.reduce((a, b) => a * b, 1);
  return sizes
    .map((size, axis) => ({
      size,
      place: product(sizes.slice(axis + 1)),
      step: attributes.strides[axis]!,
    }))
    .filter(({ size }) => size > 1);
}

/** The digits of the places along all axes. */
function digitConstants(places: Digits): Readonly<Record<string, number>> {
  const entries = TAKEN_AXES.flatMap((axis) =>
    places[axis].flatMap((digit, index) => {
      const names = digitNames(axis, index, places[axis].length);
      return (["divisor", "size", "pitch"] as const).flatMap((part) => {
        const name = names[part];
        return name === undefined ? [] : [[name, digit[part]] as const];
      });
    }),
  );
  return Object.fromEntries(entries);
}

/** How elements are numbered: from where, and along the axes of the result and of the source. */
interface Numbering {
  readonly start: number;
  readonly steps: PerAxis;
  readonly strides: PerAxis;
  /** Where the numbers of the result are not those of the source: finer axes, and from where. */
  readonly finer?: { readonly first: number; readonly axes: readonly FinerAxis[] };
}

type Moved = Node<"rearrange"> | Node<"rearrangeGradient">;

/** Whether a node only says where a value lies. */
const isNamed = (context: LoweringContext, { inputs, outputs }: Moved) =>
  context.storageOf(inputs[0]!) === context.storageOf(outputs[0]!);

/** By the places of each axis; undefined where there are none, or zeros between. */
function takeSteps(context: LoweringContext, node: Moved): readonly StepDraft[] | undefined {
  const [from, result] = [node.inputs[0]!, node.outputs[0]!];
  const order = orderOf(node);
  const places = order && takenPlaces(order, from.shape, context.layout(from));
  if (!places) {
    if (node.fusion) throw new Error(`${node.origin.name} has no places for what is fused`);
    return undefined;
  }
  const { channels } = context.layout(result);
  const clears = !places.isOfQuads && channels % 4 !== 0;
  const { base, image: image_pitch } = places;
  return quadSteps(context, node, {
    label: `${node.origin.name} ${node.kind}`,
    result,
    fused: node.fusion?.epilogue,
    kernel: take({
      row: places.row.length,
      column: places.column.length,
      channel: places.channel.length,
      reads: places.isOfQuads ? "quads" : "elements",
      clears,
    }),
    buffers: { input: context.storageOf(from) },
    constants: {
      base,
      image_pitch,
      ...withoutUndefined({ last_channel: clears ? channels - 1 : undefined }),
      ...digitConstants(places),
    },
  });
}

function steps(
  context: LoweringContext,
  { kind, inputs, outputs, origin }: Moved,
  numbering: Numbering,
): readonly StepDraft[] {
  const [from, to] = [inputs[0]!, outputs[0]!];
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
  const common = {
    buffers: { input: context.storageOf(from), result: storage },
    threads: perImage(channels * pixels),
    label,
    origin,
  };
  const constants = {
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
    pitch0: first.pitch,
    pitch1: second.pitch,
    pitch2: third.pitch,
    image_pitch,
    base,
    result: layout.inFloats(),
  };
  const { finer } = numbering;
  if (!finer) {
    const sizes = { size0: first.size, size1: second.size, size2: third.size };
    return dispatch(rearrange(), { ...common, constants: { ...constants, ...sizes } });
  }
  return dispatch(rearrangeFiner(finer.axes.length), {
    ...common,
    constants: { ...constants, first: finer.first },
    fragments: [bindFiner(finer.axes)],
  });
}

/** The finer axes as constants, those with the largest strides in the result first. */
function bindFiner(axes: readonly FinerAxis[]) {
  const sorted = axes.toSorted((a, b) => b.place - a.place);
  const constants = sorted.flatMap(({ place, size, step }, axis) => {
    const names = finerNames(axis);
    return [
      [names.place, place],
      [names.size, size],
      [names.step, step],
    ] as const;
  });
  return bind(finerAxes(axes.length), { buffers: {}, constants: Object.fromEntries(constants) });
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

export function lowerJoinChannels(
  context: LoweringContext,
  node: Node<"joinChannels">,
): readonly StepDraft[] {
  const { inputs, attributes } = node;
  const [result] = node.outputs as [Value];
  const joined = joinedChannels(attributes, inputs, joinedShape(inputs));
  if (!joined) throw new Error(`${node.origin.name} joins channels that it does not find`);
  const { first, digits, starts, lanes } = joined;
  const { channels } = context.layout(result);
  const clears = channels % 4 !== 0;
  const named = <Of>(nameOf: (index: number) => string, of: (index: number) => Of) =>
    Object.fromEntries(inputs.map((_, index) => [nameOf(index), of(index)]));
  const others = starts.slice(1).map((start, at) => [startName(at + 1), start] as const);
  return quadSteps(context, node, {
    label: `${node.origin.name} ${node.kind}`,
    result,
    fused: node.fusion?.epilogue,
    kernel: joinChannels({ inputs: inputs.length, digits: digits.length, lanes, clears }),
    buffers: named(joinedName, (index) => context.storageOf(inputs[index]!)),
    constants: {
      ...named(joinedName, (index) => context.layout(inputs[index]!).inFloats()),
      first_channel: first,
      ...withoutUndefined({ last_channel: clears ? channels - 1 : undefined }),
      ...Object.fromEntries(others),
      ...digitConstants({ row: [], column: [], channel: digits }),
    },
  });
}

/** Of channels one after the other. */
function joinedShape(inputs: readonly Value[]) {
  const channels = inputs.reduce((sum, { shape }) => sum + imageShape(shape).channels, 0);
  return withChannels(inputs[0]!.shape, channels);
}

export const lowerBroadcast = (context: LoweringContext, node: Node<"broadcast">) =>
  quadSteps(context, node, {
    label: `${node.origin.name} broadcast`,
    result: node.outputs[0]!,
    kernel: broadcast(),
    buffers: { input: context.storageOf(node.inputs[0]!) },
    constants: {},
  });
