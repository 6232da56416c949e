import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ParameterLayout, ParameterPiece } from "../../program/program.js";
import { pieceLength } from "../../program/pieces.js";
import { packPiece, placeOf, unpackPiece } from "../../runtime/layout.js";

const whole = (count: number): ParameterPiece => ({ start: 0, count, buffer: 0 });

function counting(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => index + 1);
}

const contraction = fc.record({
  kind: fc.constant("contraction" as const),
  groups: fc.integer({ min: 1, max: 3 }),
  outputs: fc.integer({ min: 1, max: 37 }),
  inputs: fc.integer({ min: 1, max: 5 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  extraPitch: fc.nat(3),
});

/** Cuts after some output channels of each group, or between groups. */
function piecesOf(
  { groups, outputs }: { readonly groups: number; readonly outputs: number },
  cut: number,
): readonly ParameterPiece[] {
  const own = cut % outputs;
  const ends =
    own > 0
      ? Array.from({ length: groups }, (_, group) =>
          [own, outputs].map((at) => group * outputs + at),
        )
      : [[(1 + (cut % groups)) * outputs], [groups * outputs]];
  const places = [...new Set(ends.flat())];
  return places.map((end, buffer) => {
    const start = places[buffer - 1] ?? 0;
    return { start, count: end - start, buffer };
  });
}

/** A layout with its logical size, and pieces that cover it. */
const layoutWithPieces = fc.tuple(contraction, fc.nat()).map(([{ extraPitch, ...layout }, cut]) => {
  const rows = layout.groups * layout.outputs;
  const pieces = piecesOf(layout, cut);
  const length = rows * layout.inputs * layout.kernel[0] * layout.kernel[1];
  return { layout: { ...layout, inputPitch: layout.inputs + extraPitch }, rows, pieces, length };
});

describe("the contraction layout", () => {
  test("is [kernel row][kernel column x input, padded][output, padded]", () => {
    const layout: ParameterLayout = {
      kind: "contraction",
      groups: 1,
      outputs: 3,
      inputs: 2,
      kernel: [1, 2],
      inputPitch: 3,
    };
    // w[o][c][0][x] = 1 + 4 o + 2 c + x
    const packed = packPiece(layout, whole(3), 3, counting(12));
    const line = (...values: number[]) => [...values, 0];
    expect([...packed]).toEqual([
      ...line(1, 5, 9), // x 0, c 0
      ...line(3, 7, 11), // x 0, c 1
      ...line(0, 0, 0), // pitch
      ...line(2, 6, 10), // x 1, c 0
      ...line(4, 8, 12), // x 1, c 1
      ...line(0, 0, 0), // pitch
      ...line(0, 0, 0), // run padded from 6 to 8
      ...line(0, 0, 0),
    ]);
  });

  test("has each element where `placeOf` says", () => {
    fc.assert(
      fc.property(layoutWithPieces, ({ layout, rows, pieces, length }) => {
        const values = counting(length);
        const packed = pieces.map((piece) => packPiece(layout, piece, rows, values));
        values.forEach((value, index) => {
          const { piece, offset } = placeOf(layout, pieces, rows, index);
          expect(packed[piece]![offset]).toBe(value);
        });
      }),
      { numRuns: 40 },
    );
  });

  test("holds each value once, at the documented place, and zeros elsewhere", () => {
    fc.assert(
      fc.property(layoutWithPieces, ({ layout, rows, pieces, length }) => {
        const values = counting(length);
        const seen: number[] = [];
        for (const piece of pieces) {
          const packed = packPiece(layout, piece, rows, values);
          expect(packed.length).toBe(pieceLength(layout, piece, rows));
          seen.push(...packed.filter((value) => value !== 0));
        }
        expect(seen.sort((a, b) => a - b)).toEqual([...values]);
      }),
    );
  });

  test("comes back to PyTorch's order", () => {
    fc.assert(
      fc.property(layoutWithPieces, ({ layout, rows, pieces, length }) => {
        const values = counting(length);
        const back = new Float32Array(length);
        for (const piece of pieces) {
          unpackPiece(layout, piece, rows, packPiece(layout, piece, rows, values), back);
        }
        expect(back).toEqual(values);
      }),
    );
  });

  test("keeps groups apart", () => {
    const layout: ParameterLayout = {
      kind: "contraction",
      groups: 2,
      outputs: 1,
      inputs: 1,
      kernel: [1, 1],
      inputPitch: 1,
    };
    const packed = packPiece(layout, whole(2), 2, counting(2));
    expect(packed.length).toBe(32);
    expect([packed[0], packed[16]]).toEqual([1, 2]);
  });
});

test("vectors are padded to whole vec4s, piece by piece", () => {
  const layout: ParameterLayout = { kind: "vector", length: 7 };
  const values = counting(7);
  expect([...packPiece(layout, { start: 0, count: 5, buffer: 0 }, 7, values)]).toEqual([
    ...[1, 2, 3, 4, 5, 0, 0, 0],
  ]);
  const back = new Float32Array(7);
  unpackPiece(layout, { start: 5, count: 2, buffer: 0 }, 7, new Float32Array([6, 7, 0, 0]), back);
  expect([...back]).toEqual([0, 0, 0, 0, 0, 6, 7]);
});

test("plain pieces are rows", () => {
  const layout: ParameterLayout = { kind: "plain", length: 6 };
  expect([...packPiece(layout, { start: 1, count: 2, buffer: 0 }, 3, counting(6))]).toEqual([
    3, 4, 5, 6,
  ]);
});
