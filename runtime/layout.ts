/**
 * Parameters between PyTorch's row-major order, which users see, and the layouts of buffers, which
 * kernels read.
 */
import {
  columnPitch,
  groupsOf,
  pieceLength,
  runLength,
  type ContractionLayout,
} from "../program/pieces.js";
import type { ParameterLayout, ParameterPiece } from "../program/program.js";

/**
 * Outputs copied together: their reads are far apart, so a few streams at a time keep the cache
 * warm.
 */
const BLOCK = 16;

/**
 * One piece as its buffer holds it, from all the parameter's values in PyTorch's order. Padding is
 * zero.
 */
export function packPiece(
  layout: ParameterLayout,
  piece: ParameterPiece,
  rows: number,
  values: Float32Array,
): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(pieceLength(layout, piece, rows));
  if (layout.kind === "contraction") {
    forEachRun(layout, piece, (logical, stride, physical, count) => {
      for (let i = 0; i < count; i++) packed[physical + i] = values[logical + i * stride]!;
    });
  } else {
    const row = layout.length / rows;
    packed.set(values.subarray(piece.start * row, (piece.start + piece.count) * row));
  }
  return packed;
}

/** Writes one piece's values, as its buffer holds them, to their places in PyTorch's order. */
export function unpackPiece(
  layout: ParameterLayout,
  piece: ParameterPiece,
  rows: number,
  packed: Float32Array,
  values: Float32Array,
): void {
  if (layout.kind === "contraction") {
    forEachRun(layout, piece, (logical, stride, physical, count) => {
      for (let i = 0; i < count; i++) values[logical + i * stride] = packed[physical + i]!;
    });
  } else {
    const row = layout.length / rows;
    values.set(packed.subarray(0, piece.count * row), piece.start * row);
  }
}

/**
 * Where an element, by its index in PyTorch's order, lies: the number of its piece, and floats from
 * the start of that piece's buffer.
 */
export function placeOf(
  layout: ParameterLayout,
  pieces: readonly Pick<ParameterPiece, "start" | "count">[],
  rows: number,
  index: number,
): { readonly piece: number; readonly offset: number } {
  const each = sizeOfRow(layout, rows);
  const row = Math.floor(index / each);
  const piece = pieces.findIndex(({ start, count }) => row < start + count);
  const own = pieces[piece]!;
  if (layout.kind !== "contraction") return { piece, offset: index - own.start * each };
  const [height, width] = layout.kernel;
  const held = groupsOf(own, layout);
  const group = Math.floor((row - own.start) / held.outputs);
  const column = (row - own.start) % held.outputs;
  const [channel, tap] = [Math.floor((index % each) / (height * width)), index % (height * width)];
  const line =
    (group * height + Math.floor(tap / width)) * runLength(layout) +
    (tap % width) * layout.inputPitch +
    channel;
  return { piece, offset: line * columnPitch(held) + column };
}

/** Values of one output channel. */
const sizeOfRow = (layout: ParameterLayout, rows: number): number =>
  layout.kind === "contraction"
    ? layout.inputs * layout.kernel[0] * layout.kernel[1]
    : layout.length / rows;

/**
 * Calls `visit` for each stretch of neighboring output channels: where it starts in PyTorch's
 * order and how far apart its values lie there, where it starts in the buffer (values adjoin), and
 * how many there are.
 */
function forEachRun(
  layout: ContractionLayout,
  piece: ParameterPiece,
  visit: (logical: number, stride: number, physical: number, count: number) => void,
): void {
  const { inputs, inputPitch } = layout;
  const [height, width] = layout.kernel;
  const held = groupsOf(piece, layout);
  const { count: groups, outputs } = held;
  const pitch = columnPitch(held);
  const run = runLength(layout);
  const stride = inputs * height * width;
  for (let group = 0; group < groups; group++) {
    const firstOutput = piece.start + group * outputs;
    for (let output = 0; output < outputs; output += BLOCK) {
      const count = Math.min(BLOCK, outputs - output);
      for (let channel = 0; channel < inputs; channel++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const logical = (firstOutput + output) * stride + (channel * height + y) * width + x;
            const line = (group * height + y) * run + x * inputPitch + channel;
            visit(logical, stride, line * pitch + output, count);
          }
        }
      }
    }
  }
}
