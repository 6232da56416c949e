/** Convolutions of 3x3 windows by Winograd's way (kernels/winograd.ts): sizes and memory. */
import { bindableBytes } from "../../program/limits.js";
import type { Affine } from "../../program/program.js";
import type { Node } from "../ir/graph.js";
import type { ConvolutionGeometry } from "../layout/geometry.js";
import { fitsWinograd, POSITIONS, tilesOf } from "../schedules/winograd.js";
import { layoutOf, type GraphSettings } from "./settings.js";
import { fixed, perImage, scratch, type Storage } from "./storage.js";

/** Tiles of an image and across it, vec4 of input and output channels, and what is transformed. */
export interface WinogradPlan {
  readonly kind: "winograd";
  readonly tiles: number;
  readonly across: number;
  readonly quads: number;
  readonly columns: number;
  readonly weights: Storage;
  readonly inputs: Storage;
  readonly products: Storage;
}

/** Of the result, and vec4 of what is read and made. */
interface Sizes {
  readonly pixels: number;
  readonly width: number;
  readonly quads: number;
  readonly columns: number;
}

export function planWinograd(
  label: string,
  { pixels, width, quads, columns }: Sizes,
): WinogradPlan {
  const { across, count: tiles } = tilesOf(pixels, width);
  const own = (name: string, bytes: Affine) => scratch(`${label} ${name}`, bytes);
  const bytes = 16 * POSITIONS;
  return {
    kind: "winograd",
    tiles,
    across,
    quads,
    columns,
    weights: own("transformed weights", fixed(bytes * 4 * quads * columns)),
    inputs: own("transformed tiles", perImage(bytes * tiles * quads)),
    products: own("products", perImage(bytes * tiles * columns)),
  };
}

/**
 * 3x3 windows that move by one pixel over whole vec4 can go by tiles of 2x2 outputs: how many tiles
 * an image has.
 */
export function winogradTiles(
  settings: GraphSettings,
  { inputs, outputs }: Pick<Node, "inputs" | "outputs">,
  { attributes }: ConvolutionGeometry,
): number | undefined {
  const { kernel, stride, dilation, groups } = attributes;
  const isEach = (pair: readonly number[], size: number) => pair.every((each) => each === size);
  const fits = isEach(kernel, 3) && isEach(stride, 1) && isEach(dilation, 1) && groups === 1;
  const read = layoutOf(settings, inputs[0]!);
  if (!fits || read.isPart || read.pitch % 4 !== 0) return undefined;
  const { pixels, width, quads: columns } = layoutOf(settings, outputs[0]!);
  const tiles = tilesOf(pixels, width).count;
  const sizes = { tiles, quads: read.pitch / 4, columns };
  return fitsWinograd(sizes, bindableBytes(settings.limits)) ? tiles : undefined;
}
