import type { AttentionAttributes, AttentionWindow, Node, Value } from "../ir/graph.js";
import {
  attention,
  ATTENTION_LANES,
  attentionGains,
  attentionKeys,
  attentionQueries,
  type HeadForm,
} from "../kernels/attention.js";
import {
  attentionBroadcast,
  attentionKeysBroadcast,
  attentionQueriesBroadcast,
} from "../kernels/attention-broadcast.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { AttentionNode } from "../plan/attention.js";
import { perImage, type Storage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** What all kernels of an attention are given alike. */
function commonOf(
  context: LoweringContext,
  node: AttentionNode,
  { x, rows, gains }: { readonly x: Value; readonly rows: Value; readonly gains?: Value },
) {
  const { attributes } = node;
  const { subgroup } = context.choice<AttentionNode["kind"]>(node);
  const { heads, causal, scale, window, dropout } = attributes;
  const { channels, pixels } = context.layout(x);
  const size = channels / 3 / heads;
  const isQuads = size % 4 === 0;
  const form: HeadForm = {
    element: isQuads ? "vec4f" : "f32",
    size: isQuads ? size / 4 : size,
    causal,
    hasWindows: window !== undefined,
    drops: dropout !== undefined,
  };
  const place = (value: Value) => {
    const layout = context.layout(value);
    return isQuads ? layout.inQuads() : layout.inFloats();
  };
  const parts = partsOf(pixels, attributes, subgroup ?? ATTENTION_LANES);
  const constants = {
    input: place(x),
    rows: context.layout(rows).inFloats(),
    tokens: window ? undefined : pixels,
    parts,
    heads,
    scale,
    ...windowsOf(context, x, gains, window),
    rate: dropout?.rate,
    stream: dropout?.stream,
  };
  return {
    form,
    kernels: kernelsOf(form, subgroup),
    place,
    constants,
    workgroups: { x: { ...perImage(heads * parts), tile: 1 }, z: 1 },
    macs: (pairsOf(pixels, attributes) * channels) / 3,
    gains: gains && context.storageOf(gains),
  };
}

const kernelsOf = (form: HeadForm, lanes: 4 | 8 | undefined) =>
  lanes
    ? {
        forward: attentionBroadcast({ size: form.size, lanes }),
        queries: attentionQueriesBroadcast({ size: form.size, lanes }),
        keys: attentionKeysBroadcast({ size: form.size, lanes }),
      }
    : { forward: attention(form), queries: attentionQueries(form), keys: attentionKeys(form) };

/** Workgroups of a head of an image. */
function partsOf(tokens: number, { window }: AttentionAttributes, lanes: number): number {
  const together = window ? window.size[0] * window.size[1] : tokens;
  return (tokens / together) * Math.ceil(together / lanes);
}

/** Sizes of images and windows; undefined for sequences. */
function windowsOf(
  context: LoweringContext,
  x: Value,
  gains: Value | undefined,
  window: AttentionWindow | undefined,
) {
  const { height, width } = context.layout(x);
  return {
    gains: gains && context.layout(gains).inFloats(),
    height: window && height,
    width: window && width,
    window_height: window?.size[0],
    window_width: window?.size[1],
    shift_down: window?.shift[0],
    shift_across: window?.shift[1],
  };
}

/** Scores of a head of an image; a little fewer where windows are cut at the border. */
function pairsOf(tokens: number, { causal, window }: AttentionAttributes): number {
  if (window) return tokens * window.size[0] * window.size[1];
  return causal ? (tokens * (tokens + 1)) / 2 : tokens * tokens;
}

export function lowerAttention(
  context: LoweringContext,
  node: Node<"attention">,
): readonly StepDraft[] {
  const { origin } = node;
  const [x, gains] = node.inputs as [Value, Value?];
  const [y, rows] = node.outputs as [Value, Value];
  const common = commonOf(context, node, withoutUndefined({ x, rows, gains }));
  const { kernels, place, constants, workgroups, macs } = common;
  return [
    dispatch(kernels.forward, {
      buffers: {
        input: context.storageOf(x),
        gains: common.gains,
        result: context.storageOf(y),
        rows: context.storageOf(rows),
      },
      constants: { ...constants, result: place(y) },
      workgroups,
      label: `${origin.name} forward`,
      origin,
      macs: 2 * macs,
    }),
  ];
}

/** Queries first: they leave products that the other kernels read. */
export function lowerAttentionGradient(
  context: LoweringContext,
  node: Node<"attentionGradient">,
): readonly StepDraft[] {
  const { origin } = node;
  const [x, y, rows, d, gains] = node.inputs as [Value, Value, Value, Value, Value?];
  const [result, products, slopes] = node.outputs as [Value, Value, Value?];
  const common = commonOf(context, node, withoutUndefined({ x, rows, gains }));
  const { form, kernels, place, workgroups, macs } = common;
  const read = {
    input: context.storageOf(x),
    gains: common.gains,
    rows: context.storageOf(rows),
    gradient: context.storageOf(d),
    products: context.storageOf(products),
  };
  const buffers = { ...read, result: context.storageOf(result) };
  const constants = { ...common.constants, gradient: place(d) };
  const places = { ...constants, result: place(result) };
  const ofGains = slopes && gains && { slopes, gains };
  return [
    dispatch(kernels.queries, {
      buffers: { ...buffers, output: context.storageOf(y) },
      constants: { ...places, output: place(y) },
      workgroups,
      label: `${origin.name} gradient of queries`,
      origin,
      macs: 3 * macs,
    }),
    dispatch(kernels.keys, {
      buffers,
      constants: places,
      workgroups,
      label: `${origin.name} gradient of keys`,
      origin,
      macs: 4 * macs,
    }),
    ...(ofGains ? [lowerGains(context, node, { read, constants, form, ofGains, macs })] : []),
  ];
}

type Common = ReturnType<typeof commonOf>;

/** What the kernels of the gradient have in common. */
interface OfGradient {
  readonly read: Readonly<Record<"input" | "rows" | "gradient" | "products", Storage>>;
  readonly constants: Common["constants"] & { readonly gradient: ReturnType<Common["place"]> };
  readonly form: HeadForm;
  readonly macs: number;
  readonly ofGains: { readonly slopes: Value; readonly gains: Value };
}

function lowerGains(
  context: LoweringContext,
  { origin }: AttentionNode,
  { read, constants, form, macs, ofGains: { slopes, gains } }: OfGradient,
): StepDraft {
  const layout = context.layout(slopes);
  const kinds = layout.channels;
  return dispatch(attentionGains(form), {
    buffers: { ...read, gains: context.storageOf(gains), slopes: context.storageOf(slopes) },
    constants: {
      ...constants,
      parts: undefined,
      slopes: layout.inFloats(),
      kinds,
    },
    threads: perImage(kinds),
    label: `${origin.name} gradient of gains`,
    origin,
    macs: 2 * macs,
  });
}
