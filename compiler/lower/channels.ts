import type { Node } from "../ir/graph.js";
import { copyChannels } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { pointwise } from "../kernels/pointwise.js";
import type { Place } from "../ir/place.js";
import type { ChannelCopy, CopyNode } from "../plan/forms.js";
import { perImage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** Each input is copied to its place among the channels. */
export const lowerConcatenate = (context: LoweringContext, node: Node<"concatenate">) =>
  copySteps(context, node, context.choice(node));

export const lowerSlice = (context: LoweringContext, node: Node<"slice">) =>
  copySteps(context, node, context.choice(node));

const copySteps = (
  context: LoweringContext,
  { origin, kind }: CopyNode,
  copies: readonly ChannelCopy[],
): readonly StepDraft[] =>
  copies.map((copy) => {
    const common = { label: `${origin.name} ${kind}`, origin };
    return copy.inFours ? copyQuads(context, copy, common) : copySingly(context, copy, common);
  });

type Common = Pick<StepDraft, "label" | "origin">;

function copySingly(context: LoweringContext, copy: ChannelCopy, common: Common): StepDraft {
  const { from, to, fromStart, channels } = copy;
  const { pixels, height, width } = context.layout(from);
  return dispatch(copyChannels(), {
    buffers: { input: context.storageOf(from), result: context.storageOf(to) },
    constants: {
      channels,
      height,
      width,
      input: fromChannel(context.layout(from).inFloats(), fromStart),
      result: target(context.layout(to).inFloats(), copy.toStart, copy),
    },
    threads: perImage(pixels * channels),
    ...common,
  });
}

function copyQuads(context: LoweringContext, copy: ChannelCopy, common: Common): StepDraft {
  const { from, to, fromStart, channels } = copy;
  const { pixels, width } = context.layout(from);
  const quads = channels / 4;
  return dispatch(pointwise().in({ form: "quads", epilogue: IDENTITY }), {
    buffers: { input: context.storageOf(from), result: context.storageOf(to) },
    constants: {
      pixels,
      width,
      quads,
      input: fromChannel(context.layout(from).inQuads(), fromStart / 4),
      result: target(context.layout(to).inQuads(), copy.toStart / 4, copy),
    },
    threads: perImage(pixels * quads),
    ...common,
  });
}

/** The place of an activation's pixels from one of its channels, or channel quads, on. */
const fromChannel = (place: Place, start: number): Place => ({
  ...place,
  base: place.base + start,
});

/** The same behind the rows or columns that come before. */
function target(place: Place, start: number, { toRow = 0, toColumn = 0 }: ChannelCopy): Place {
  const { base, row, column } = fromChannel(place, start);
  return { ...place, base: base + toRow * row + toColumn * column };
}
