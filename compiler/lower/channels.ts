import type { Node, Value } from "../ir/graph.js";
import { copyChannels } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { pointwise } from "../kernels/pointwise.js";
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
  context.emit(
    dispatch(pointwise().in({ form: "quads", epilogue: IDENTITY }), {
      buffers: { a: context.storageOf(from), result: context.storageOf(to) },
      constants: {
        ...{ pixels, width, quads },
        a: fromChannel(context.layout(from).inQuads(), fromStart / 4),
        y: fromChannel(context.layout(to).inQuads(), toStart / 4),
      },
      threads: perImage(pixels * quads),
      ...common,
    }),
  );
}

/** The place of an activation's pixels from one of its channels, or channel quads, on. */
const fromChannel = (place: PixelPlace, start: number): PixelPlace => ({
  ...place,
  base: place.base + start,
});
