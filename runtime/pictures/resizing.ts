/** Which part of a picture becomes the input, at which size, and the filters for that. */
import type { Preparation } from "../../program/program.js";
import { sidesOf } from "../../program/transforms.js";
import { centralCrop, resizedSize, type Size } from "../data/decide.js";
import type { Rectangle } from "../data/image.js";
import { fixedPoint, type FixedFilter } from "../data/fixed-point.js";
import { filterFor, takeRows } from "../data/resample.js";
import { channelsOf, transformsBefore } from "./eval-split.js";
import type { ResizeSizes } from "./resize-kernels.js";

/** A picture resized, of which a part is kept. */
interface Resizing {
  readonly to: Size;
  readonly keep: Rectangle;
}

/**
 * What the transforms before the device's do to a picture, if that is one bilinear resizing; else
 * undefined: for other ones, for a crop beyond the picture, and where the result has not the
 * input's size.
 */
export function resizingOf(preparation: Preparation, picture: Size): Resizing | undefined {
  const [resize, ...rest] = transformsBefore(preparation);
  const isResized = resize?.kind === "resize" && !resize.mode;
  const to = isResized ? resizedSize(picture, resize) : picture;
  const [crop, ...others] = isResized ? rest : resize ? [resize, ...rest] : [];
  if (others.length > 0 || (crop && crop.kind !== "center_crop")) return undefined;
  const keep = crop ? centralCrop(to, sidesOf(crop.size)) : { left: 0, top: 0, ...to };
  const { width, height } = preparation.staged;
  const isInput = keep.width === width && keep.height === height;
  const isInside = keep.left >= 0 && keep.top >= 0;
  const isWithin = keep.left + width <= to.width && keep.top + height <= to.height;
  return isInput && isInside && isWithin ? { to, keep } : undefined;
}

export interface Filters {
  readonly sizes: ResizeSizes;
  /** Across, then down: of each result the first input, then the weights of each. */
  readonly words: Int32Array<ArrayBuffer>;
}

/** The filters of a resizing. */
export function filtersOf(
  preparation: Preparation,
  picture: Size,
  { to, keep }: Resizing,
): Filters {
  const { left, width } = keep;
  const axes = [
    { inputs: picture.width, outputs: to.width },
    { inputs: picture.height, outputs: to.height },
  ] as const;
  const wide = filterFor(axes[0], { start: left, length: width });
  const high = filterFor(axes[1], { start: keep.top, length: keep.height });
  const { top, height: rows } = takeRows(high);
  const [across, down] = [fixedPoint(wide, picture.width), fixedPoint(high, rows)];
  return {
    sizes: {
      width,
      height: keep.height,
      top,
      rows,
      tapsAcross: across.taps,
      tapsDown: down.taps,
      channels: channelsOf(preparation),
    },
    words: Int32Array.from([...wordsOf(across), ...wordsOf(down)]),
  };
}

const wordsOf = ({ first, weights }: FixedFilter) => [...first, ...weights];
