import type { AttentionAttributes, AttentionWindow, Node, Value } from "../ir/graph.js";
import {
  attention,
  attentionGains,
  attentionKeys,
  attentionQueries,
  type HeadForm,
} from "../kernels/attention.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { perImage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

/** What all kernels of an attention are given alike. */
function commonOf(
  context: LoweringContext,
  { x, rows, gains }: { readonly x: Value; readonly rows: Value; readonly gains?: Value },
  attributes: AttentionAttributes,
) {
  const { heads, causal, window, dropout } = attributes;
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
  const constants = {
    input: place(x),
    rows: context.layout(rows).inFloats(),
    tokens: pixels,
    heads,
    scale: 1 / Math.sqrt(size),
    ...windowsOf(context, x, gains, window),
    rate: dropout?.rate,
    stream: dropout?.stream,
  };
  return {
    form,
    place,
    constants,
    threads: perImage(heads * pixels),
    macs: (pairsOf(pixels, attributes) * channels) / 3,
    gains: gains && context.storageOf(gains),
  };
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
  const { origin, attributes } = node;
  const [x, gains] = node.inputs as [Value, Value?];
  const [y, rows] = node.outputs as [Value, Value];
  const common = commonOf(context, withoutUndefined({ x, rows, gains }), attributes);
  const { form, place, constants, threads, macs } = common;
  return [
    dispatch(attention(form), {
      buffers: {
        input: context.storageOf(x),
        gains: common.gains,
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

/** Queries first: they leave products that the other kernels read. */
export function lowerAttentionGradient(
  context: LoweringContext,
  node: Node<"attentionGradient">,
): readonly StepDraft[] {
  const { origin, attributes } = node;
  const [x, y, rows, d, gains] = node.inputs as [Value, Value, Value, Value, Value?];
  const [result, products, slopes] = node.outputs as [Value, Value, Value?];
  const common = commonOf(context, withoutUndefined({ x, rows, gains }), attributes);
  const { form, place, threads, macs } = common;
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
    dispatch(attentionQueries(form), {
      buffers: { ...buffers, output: context.storageOf(y) },
      constants: { ...places, output: place(y) },
      threads,
      label: `${origin.name} gradient of queries`,
      origin,
      macs: 3 * macs,
    }),
    dispatch(attentionKeys(form), {
      buffers,
      constants: places,
      threads,
      label: `${origin.name} gradient of keys`,
      origin,
      macs: 4 * macs,
    }),
    ...(ofGains
      ? [
          dispatch(attentionGains(form), {
            buffers: {
              ...read,
              gains: context.storageOf(ofGains.gains),
              slopes: context.storageOf(ofGains.slopes),
            },
            constants: {
              ...constants,
              tokens: undefined,
              slopes: context.layout(ofGains.slopes).inFloats(),
              kinds: context.layout(ofGains.slopes).channels,
            },
            threads: perImage(context.layout(ofGains.slopes).channels),
            label: `${origin.name} gradient of gains`,
            origin,
            macs: 2 * macs,
          }),
        ]
      : []),
  ];
}
