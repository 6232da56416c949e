/** Parts of activations that are copied. */
import type { Node } from "../ir/graph.js";
import { copyChannels } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { pointwise } from "../kernels/pointwise.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import { partsJoined, partTaken } from "../layout/parts.js";
import { perImage, type Storage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** A part of an activation, and where it goes: of the same channels, rows and columns. */
interface Copy {
  readonly input: Storage;
  readonly from: ActivationLayout;
  readonly result: Storage;
  readonly to: ActivationLayout;
}

/** Each input is copied to its place in the result, unless it was made there. */
export function lowerConcatenate(
  context: LoweringContext,
  node: Node<"concatenate">,
): readonly StepDraft[] {
  const output = node.outputs[0]!;
  const [result, whole] = [context.storageOf(output), context.layout(output)];
  const parts = partsJoined(node);
  return node.inputs.flatMap((value, index) => {
    const [input, from] = [context.storageOf(value), context.layout(value)];
    const to = whole.part(value.shape, parts[index]!);
    return copySteps(node, { input, from, result, to });
  });
}

/** A part that a rearranged value is, copied; undefined where it is in another order. */
export function partStep(
  context: LoweringContext,
  node: Node<"rearrange">,
): readonly StepDraft[] | undefined {
  const [value, output] = [node.inputs[0]!, node.outputs[0]!];
  const part = partTaken(value.shape, node.attributes);
  if (!part) return undefined;
  const from = context.layout(value).part(output.shape, part);
  const [input, result] = [context.storageOf(value), context.storageOf(output)];
  return copySteps(node, { input, from, result, to: context.layout(output) });
}

type Copying = Pick<Node, "origin"> & { readonly kind: string };

/** None where both lie in one memory. */
function copySteps(node: Copying, copy: Copy): readonly StepDraft[] {
  if (copy.input === copy.result) return [];
  const { channels } = copy.to;
  const ends = [copy.from, copy.to].map((layout) => layout.inFloats().base);
  const isInFours = [...ends, channels].every((count) => count % 4 === 0);
  const common = { label: `${node.origin.name} ${node.kind}`, origin: node.origin };
  return [isInFours ? copyQuads(copy, common) : copySingly(copy, common)];
}

type Common = Pick<StepDraft, "label" | "origin">;

function copySingly({ input, from, result, to }: Copy, common: Common): StepDraft {
  const { channels, height, width, pixels } = to;
  return dispatch(copyChannels(), {
    buffers: { input, result },
    constants: { channels, height, width, input: from.inFloats(), result: to.inFloats() },
    threads: perImage(pixels * channels),
    ...common,
  });
}

function copyQuads({ input, from, result, to }: Copy, common: Common): StepDraft {
  const { channels, width, pixels } = to;
  const quads = channels / 4;
  return dispatch(pointwise().in({ form: "quads", epilogue: IDENTITY }), {
    buffers: { input, result },
    constants: { pixels, width, quads, input: from.inQuads(), result: to.inQuads() },
    threads: perImage(pixels * quads),
    ...common,
  });
}
