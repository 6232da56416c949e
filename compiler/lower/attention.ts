import type { AttentionAttributes, Node, Value } from "../ir/graph.js";
import { attention, attentionKeys, attentionQueries, type HeadForm } from "../kernels/attention.js";
import { perImage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** What all kernels of an attention are given alike. */
function commonOf(
  context: LoweringContext,
  x: Value,
  rows: Value,
  attributes: AttentionAttributes,
) {
  const { heads, causal } = attributes;
  const { channels, width: tokens } = context.layout(x);
  const size = channels / 3 / heads;
  const form: HeadForm =
    size % 4 === 0
      ? { element: "vec4f", size: size / 4, causal }
      : { element: "f32", size, causal };
  const place = (value: Value) => {
    const layout = context.layout(value);
    return form.element === "vec4f" ? layout.inQuads() : layout.inFloats();
  };
  const constants = {
    input: place(x),
    rows: context.layout(rows).inFloats(),
    tokens,
    heads,
    scale: 1 / Math.sqrt(size),
  };
  const pairs = causal ? (tokens * (tokens + 1)) / 2 : tokens * tokens;
  return {
    form,
    place,
    constants,
    threads: perImage(heads * tokens),
    macs: (pairs * channels) / 3,
  };
}

export function lowerAttention(
  context: LoweringContext,
  node: Node<"attention">,
): readonly StepDraft[] {
  const { origin, attributes } = node;
  const [x, y, rows] = [node.inputs[0]!, ...node.outputs] as [Value, Value, Value];
  const { form, place, constants, threads, macs } = commonOf(context, x, rows, attributes);
  return [
    dispatch(attention(form), {
      buffers: {
        input: context.storageOf(x),
        result: context.storageOf(y),
        rows: context.storageOf(rows),
      },
      constants: { ...constants, result: place(y) },
      threads,
      label: `${origin.name} forward`,
      origin,
      macs: 2 * macs,
    }),
  ];
}

/** Queries first: they leave products that the kernel of the keys reads. */
export function lowerAttentionGradient(
  context: LoweringContext,
  node: Node<"attentionGradient">,
): readonly StepDraft[] {
  const { origin, attributes } = node;
  const [x, y, rows, d] = node.inputs as [Value, Value, Value, Value];
  const [result, products] = node.outputs as [Value, Value];
  const { form, place, constants, threads, macs } = commonOf(context, x, rows, attributes);
  const buffers = {
    input: context.storageOf(x),
    rows: context.storageOf(rows),
    gradient: context.storageOf(d),
    result: context.storageOf(result),
    products: context.storageOf(products),
  };
  const places = { gradient: place(d), result: place(result) };
  return [
    dispatch(attentionQueries(form), {
      buffers: { ...buffers, output: context.storageOf(y) },
      constants: {
        ...constants,
        ...places,
        output: place(y),
      },
      threads,
      label: `${origin.name} gradient of queries`,
      origin,
      macs: 3 * macs,
    }),
    dispatch(attentionKeys(form), {
      buffers,
      constants: { ...constants, ...places },
      threads,
      label: `${origin.name} gradient of keys`,
      origin,
      macs: 4 * macs,
    }),
  ];
}
