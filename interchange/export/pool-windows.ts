/** Windows of pools, with what `ceil` adds as padding. */
import type { Padding, Pair } from "../../compiler/ir/graph.js";
import { poolGeometry } from "../../compiler/layers/pooling.js";
import { NO_DILATION } from "../../compiler/layers/windows.js";
import type { LayerCall } from "./layer-call.js";

export interface PoolWindows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** As the spec says it. */
  readonly padding: Padding;
  /** Rows and columns that the last windows reach beyond that, because of `ceil`. */
  readonly overhang: { readonly bottom: number; readonly right: number };
}

const NONE = { bottom: 0, right: 0 };
/** Of pools that take none. */
const NO_PADDING: Padding = { top: 0, bottom: 0, left: 0, right: 0 };

export function poolWindows(call: LayerCall): PoolWindows {
  const padding = call.has("padding") ? call.padding("padding") : NO_PADDING;
  const values = { ...call.layer.values, padding } as never;
  const { attributes, overhang = NONE } = poolGeometry(call.shape, values);
  const { kernel, stride } = attributes;
  const dilation = call.has("dilation") ? call.pair("dilation") : NO_DILATION;
  return { kernel, stride, dilation, padding, overhang };
}

export const hasPadding = ({ top, bottom, left, right }: Padding): boolean =>
  top + bottom + left + right > 0;

export const hasOverhang = ({ overhang }: PoolWindows): boolean =>
  overhang.bottom + overhang.right > 0;

/** Padding with the overhang: windows that round down cover the same. */
export const paddingWithOverhang = ({ padding, overhang }: PoolWindows): Padding => ({
  top: padding.top,
  left: padding.left,
  bottom: padding.bottom + overhang.bottom,
  right: padding.right + overhang.right,
});

/** Start and end of each window of `adaptive_avgpool` along an axis, by PyTorch's rule. */
export function adaptiveWindows(
  size: number,
  count: number,
): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, index) => {
    return [Math.floor((index * size) / count), Math.ceil(((index + 1) * size) / count)] as const;
  });
}

/** Kernel and stride of windows that are all alike; undefined for others. */
export function evenWindows(
  size: number,
  count: number,
): { readonly kernel: number; readonly stride: number } | undefined {
  const windows = adaptiveWindows(size, count);
  const [[, kernel], second] = windows as [
    readonly [number, number],
    ...(readonly [number, number])[],
  ];
  const stride = second ? second[0] : kernel;
  const isEven = windows.every(([start, end], index) => {
    return start === index * stride && end === start + kernel;
  });
  return isEven && stride > 0 ? { kernel, stride } : undefined;
}
