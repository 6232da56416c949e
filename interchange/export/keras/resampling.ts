import { resampleTaps } from "../../../compiler/ir/resample-taps.js";
import type { KerasLayers } from "../channels-last/keras-writer.js";
import { LAST } from "../channels-last/windows.js";
import { adaptiveWindows } from "../pool-windows.js";
import { separable, type AxisMatrix } from "./einsum.js";

/** Windows of different sizes: means are products with a matrix. */
export function unevenAverages(layers: KerasLayers): void {
  const [rows, columns] = layers.call.pair("size");
  const { height, width } = layers.call.image;
  separable(layers, averages(height, rows), averages(width, columns));
}

const averages = (from: number, to: number): AxisMatrix =>
  matrix(from, to, (index) => {
    const [start, end] = adaptiveWindows(from, to)[index]!;
    const share = 1 / (end - start);
    return Array.from({ length: end - start }, (_, at) => [start + at, share] as const);
  });

/** UpSampling2D by whole numbers, with the places of pixels that netc has; else a matrix. */
export function upsample(layers: KerasLayers): void {
  const { call } = layers;
  const { height, width } = call.image;
  const [rows, columns] = layers.shape as [number, number];
  if (call.text("mode") === "bicubic") return bicubic(layers);
  const isBilinear = call.text("mode") === "bilinear";
  const hasCorners = isBilinear && call.flag("align_corners");
  const size = [rows / height, columns / width];
  if (!hasCorners && size.every(Number.isInteger)) {
    const config = { size, interpolation: isBilinear ? "bilinear" : "nearest", ...LAST };
    return layers.end("UpSampling2D", { config, inputs: [layers.input()] });
  }
  const along = (from: number, to: number) => {
    if (!isBilinear) return matrix(from, to, (index) => [[Math.floor((index * from) / to), 1]]);
    return matrix(from, to, (index) => between(placeOf(index, { from, to, hasCorners }), from));
  };
  separable(layers, along(height, rows), along(width, columns));
}

/** Keras' own has another curve. */
function bicubic(layers: KerasLayers): void {
  const { height, width } = layers.call.image;
  const [rows, columns] = layers.shape as [number, number];
  const attributes = { mode: "bicubic", alignCorners: layers.call.flag("align_corners") } as const;
  const along = (from: number, to: number) => {
    const taps = resampleTaps({ input: from, output: to }, attributes);
    return matrix(from, to, (index) => taps[index]!.map(({ at, share }) => [at, share] as const));
  };
  separable(layers, along(height, rows), along(width, columns));
}

interface Places {
  readonly from: number;
  readonly to: number;
  readonly hasCorners: boolean;
}

/** Where a pixel lies in the smaller image. */
function placeOf(index: number, { from, to, hasCorners }: Places): number {
  if (hasCorners) return to === 1 ? 0 : (index * (from - 1)) / (to - 1);
  return Math.max(0, ((index + 0.5) * from) / to - 0.5);
}

type Share = readonly [element: number, share: number];

function between(place: number, size: number): readonly Share[] {
  const first = Math.min(Math.floor(place), size - 1);
  const second = Math.min(first + 1, size - 1);
  const share = place - first;
  return [
    [first, 1 - share],
    [second, share],
  ];
}

/** `[from, to]`, by the elements that each place takes and their shares. */
function matrix(from: number, to: number, taken: (index: number) => readonly Share[]): AxisMatrix {
  const values = new Float32Array(from * to);
  for (let index = 0; index < to; index++) {
    for (const [element, share] of taken(index)) values[element * to + index]! += share;
  }
  return { from, to, values };
}
