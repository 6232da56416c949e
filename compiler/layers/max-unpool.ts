import { withoutUndefined } from "../../program/without-undefined.js";
import { formatShape, imageShape, sameShape, type Shape } from "../ir/shape.js";
import { defineLayer, type InferenceContext, type MadeBy } from "./layer.js";
import type { PoolingValues } from "./pooling.js";

export const maxUnpool = defineLayer({
  name: "max_unpool",
  aliases: ["max_unpool2d", "MaxUnpool2d", "MaxUnpool1d", "MaxUnpool", "MaxUnpooling2D"],
  summary: "the reverse of a max pooling: elements go back to where the largest ones were",
  documentation: `
\`max_unpool(pool)\` puts each element where \`maxpool(2) as pool\` found the largest one of its
window, and zeros elsewhere: SegNet's decoder (Badrinarayanan et al., arXiv:1511.00561). Of equal
elements the first one counts. It is PyTorch's \`MaxUnpool2d\` with the indices of
\`MaxPool2d(return_indices=True)\`; window, padding and size follow from the pool.

- input: the shape of the pool's output; output: the shape of the pool's input
- the windows of the pool must not overlap: two of them could have the same largest element, of
  which PyTorch keeps either
`,
  positional: [],
  arguments: {},
  others: "one",
  samples: [
    { spec: "maxpool(2) as pool -> max_unpool(pool)", input: [4, 6, 8], output: [4, 6, 8] },
    {
      spec: "maxpool([3, 2], padding=1) as pool -> sigmoid -> max_unpool(pool)",
      input: [4, 7, 6],
      output: [4, 7, 6],
    },
  ],

  infer(input, _, context) {
    const [pooled] = context.others;
    const [maker] = context.makers;
    if (!pooled || !maker) return reportMaker(undefined, context);
    if (maker.layer !== "maxpool") return reportMaker(maker, context);
    checkWindows(maker.values as unknown as PoolingValues, context);
    if (sameShape(input, pooled)) return maker.input;
    reportShape(input, pooled, context);
    return undefined;
  },

  lower(input, _, { builder, origin, others }) {
    const pool = builder.makerOf(others[0]!);
    if (pool?.kind !== "maxPool") throw new Error(`${origin.name} reads another value than a pool`);
    const { kernel, stride, padding, dilation } = pool.attributes;
    const windows = { kernel, stride, padding, ...withoutUndefined({ dilation }) };
    const attributes = { ...windows, inputShape: pool.inputs[0]!.shape };
    return builder.add("maxUnpool", [input, pool.outputs[1]!], attributes, origin);
  },
});

function reportMaker(maker: MadeBy | undefined, context: InferenceContext): undefined {
  return context.report("NET2053", {
    message:
      `${context.title} needs the name of a maxpool` +
      (maker ? `, and this is a ${maker.layer}` : ""),
    notes: ["`maxpool(2) as pool` names it, and `max_unpool(pool)` undoes it"],
  });
}

function checkWindows(values: PoolingValues, context: InferenceContext): void {
  const { kernel, dilation = [1, 1] } = values;
  const stride = values.stride ?? kernel;
  const spans = kernel.map((size, axis) => dilation[axis]! * (size - 1) + 1);
  const axis = spans.findIndex((span, index) => span > stride[index]!);
  if (axis < 0) return;
  const [what, name] = axis === 0 ? ["rows", "high"] : ["columns", "wide"];
  context.report("NET2053", {
    message:
      `${context.title} cannot undo a maxpool whose windows overlap: ` +
      `they are ${spans[axis]} ${what} ${name}, and ${stride[axis]} apart`,
    notes: ["two windows may have the same largest element; SegNet's pools are `maxpool(2)`"],
  });
}

function reportShape(input: Shape, pooled: Shape, context: InferenceContext): void {
  const isImage = input.length === 4;
  const differs = isImage && imageShape(input).channels !== imageShape(pooled).channels;
  context.report("NET2031", {
    message:
      `${context.title} receives ${formatShape(input)}, ` +
      `and the pool gives ${formatShape(pooled)}: both must have one shape`,
    axis: isImage ? (differs ? "channels" : "space") : "rank",
    notes: ["it has a place for each element of the pool's output"],
  });
}
