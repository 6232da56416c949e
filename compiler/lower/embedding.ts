import type { Node, Value } from "../ir/graph.js";
import {
  embedding,
  embeddingGradient,
  QUADS_OF_BLOCK,
  type TableForm,
} from "../kernels/embedding.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { fixed } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

/** A row that no table has: more rows do not fit into a buffer. */
const NO_ROW = 0xffffffff;

function tableOf({ shape }: Pick<Value, "shape">) {
  const [rows, channels] = shape.map(Number) as [number, number];
  const form: TableForm = { element: channels % 4 === 0 ? "vec4f" : "f32" };
  const size = form.element === "vec4f" ? channels / 4 : channels;
  return { form, rows, channels: size, numbers: rows * channels };
}

export function lowerEmbedding(
  context: LoweringContext,
  node: Node<"embedding">,
): readonly StepDraft[] {
  const [tokens, table] = node.inputs as [Value, Value];
  const { form, channels } = tableOf(table);
  return quadSteps(context, node, {
    label: `${node.origin.name} rows`,
    result: node.outputs[0]!,
    kernel: embedding(form),
    buffers: { tokens: context.storageOf(tokens), table: context.storageOf(table) },
    constants: { own_channels: channels },
  });
}

export function lowerEmbeddingGradient(
  context: LoweringContext,
  node: Node<"embeddingGradient">,
): readonly StepDraft[] {
  const [tokens, gradient] = node.inputs as [Value, Value];
  const [result] = node.outputs as [Value];
  const { form, rows, channels, numbers } = tableOf(result);
  const { width, quads, ...layout } = sizesOf(context, gradient);
  const end = form.element === "f32" ? 4 * Math.ceil(numbers / 4) : undefined;
  return [
    dispatch(embeddingGradient(form), {
      buffers: {
        tokens: context.storageOf(tokens),
        gradient: context.storageOf(gradient),
        result: context.storageOf(result),
      },
      constants: {
        ...withoutUndefined({ end }),
        gradient: layout.place,
        width,
        rows,
        channels,
        quads,
        padding: node.attributes.padding ?? NO_ROW,
      },
      workgroups: {
        x: { ...fixed(rows), tile: 1 },
        z: Math.ceil(quads / QUADS_OF_BLOCK),
      },
      label: `${node.origin.name} gradient`,
      origin: node.origin,
    }),
  ];
}

function sizesOf(context: LoweringContext, value: Value) {
  const layout = context.layout(value);
  const { width, quads } = layout;
  return { width, quads, place: layout.inQuads() };
}
