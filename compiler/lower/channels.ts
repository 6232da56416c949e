import type { Node, Value } from "../ir/graph.js";
import { copyChannels } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { pointwise, POINTWISE_WORKGROUP } from "../kernels/pointwise.js";
import type { PixelPlace } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { perImage } from "./storage.js";

/** Each input is copied to its place among the channels. */
export function lowerConcatenate(context: LoweringContext, node: Node<"concatenate">): void {
  const output = node.outputs[0]!;
  let start = 0;
  for (const input of node.inputs) {
    const { channels } = context.layout(input);
    copy(context, node, { from: input, to: output, fromStart: 0, toStart: start, channels });
    start += channels;
  }
}

export function lowerSlice(context: LoweringContext, node: Node<"slice">): void {
  const [from, to] = [node.inputs[0]!, node.outputs[0]!];
  const { start, count } = node.attributes;
  copy(context, node, { from, to, fromStart: start, toStart: 0, channels: count });
}

interface ChannelCopy {
  readonly from: Value;
  readonly to: Value;
  readonly fromStart: number;
  readonly toStart: number;
  readonly channels: number;
}

/** Copies channels in fours where they stand in fours on both sides, else one by one. */
function copy(
  context: LoweringContext,
  { origin, kind }: Pick<Node, "origin" | "kind">,
  problem: ChannelCopy,
): void {
  const { from, to, fromStart, toStart, channels } = problem;
  const { pixels, height, width } = context.layout(to);
  const inFours = [fromStart, toStart, channels].every((count) => count % 4 === 0);
  const common = { label: `${origin.name} ${kind}`, origin };
  if (!inFours) {
    context.emit(
      dispatch(copyChannels(), {
        buffers: { a: context.storageOf(from), result: context.storageOf(to) },
        constants: {
          ...{ channels, height, width },
          a: fromChannel(context.layout(from).inFloats(), fromStart),
          y: fromChannel(context.layout(to).inFloats(), toStart),
        },
        threads: perImage(pixels * channels),
        ...common,
      }),
    );
    return;
  }
  const quads = channels / 4;
  context.emit({
    kernel: pointwise(IDENTITY),
    storage: [context.storageOf(from), context.storageOf(to)],
    constants: {
      ...{ pixels, width, quads },
      ...placeFrom(context, "a", from, { start: fromStart, unit: 4 }),
      ...placeFrom(context, "y", to, { start: toStart, unit: 4 }),
    },
    workgroups: { x: { ...perImage(pixels * quads), tile: POINTWISE_WORKGROUP }, z: 1 },
    ...common,
    macs: 0,
  });
}

/** The place of an activation's pixels from one of its channels, or channel quads, on. */
const fromChannel = (place: PixelPlace, start: number): PixelPlace => ({
  ...place,
  base: place.base + start,
});

/** The place constants of an activation from one of its channels on, in vec4 or floats. */
function placeFrom(
  context: LoweringContext,
  name: string,
  value: Value,
  { start, unit }: { readonly start: number; readonly unit: number },
): Record<string, number> {
  const layout = context.layout(value);
  const place = unit === 4 ? layout.place(name) : layout.placeInFloats(name);
  return { ...place, [`${name}_base`]: place[`${name}_base`]! + start / unit };
}
