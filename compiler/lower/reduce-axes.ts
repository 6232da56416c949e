import type { Node } from "../ir/graph.js";
import { clearsChannels, reduce, spread } from "../kernels/reduce-axes.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

export function lowerReduce(context: LoweringContext, node: Node<"reduce">): readonly StepDraft[] {
  const [input, result] = [node.inputs[0]!, node.outputs[0]!];
  const { by } = node.attributes;
  const [from, to] = [context.layout(input), context.layout(result)];
  const channels = from.channels > to.channels;
  return quadSteps(context, node, {
    label: `${node.origin.name} ${by}`,
    result,
    fused: node.fusion?.epilogue,
    kernel: reduce({ by, channels }),
    buffers: { input: context.storageOf(input) },
    constants: {
      input: from.inQuads(),
      rows: from.height / to.height,
      columns: from.width / to.width,
      ...withoutUndefined({
        input_channels: channels ? from.channels : undefined,
        own_channels: clearsChannels({ by, channels }) ? to.channels : undefined,
      }),
    },
  });
}

export function lowerSpread(context: LoweringContext, node: Node<"spread">): readonly StepDraft[] {
  const [input, result] = [node.inputs[0]!, node.outputs[0]!];
  const [from, to] = [context.layout(input), context.layout(result)];
  const channels = from.channels < to.channels;
  return quadSteps(context, node, {
    label: `${node.origin.name} spread`,
    result,
    fused: node.fusion?.epilogue,
    kernel: spread({ channels }),
    buffers: { input: context.storageOf(input) },
    constants: {
      input: from.inQuads(),
      input_height: from.height,
      input_width: from.width,
      ...withoutUndefined({ own_channels: channels ? to.channels : undefined }),
    },
  });
}
