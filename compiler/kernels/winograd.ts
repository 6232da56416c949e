/**
 * Winograd's F(2x2, 3x3) (A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks,
 * arXiv:1509.09308): four outputs of a 3x3 window that moves by one pixel take 16 multiplications
 * instead of 36. For a tile d of 4x4 inputs and weights g, the 2x2 outputs are
 *
 *   A' [ (G g G') * (B' d B) ] A
 *
 * The products, summed over the input channels, are 16 matrix products: the contraction over pixels
 * (contraction-pixels.ts) with a group for each of the 16 positions and a row for each tile. The
 * kernels here are the three transforms around it. In f32 the result differs from the direct sum by
 * a few units of the last place more: the transforms of inputs and outputs add and subtract values
 * that partly cancel.
 */
import { POSITIONS, TILE_OUTPUTS } from "../schedules/winograd.js";
import { read, written } from "./bindings.js";
import {
  code,
  frame,
  helper,
  local,
  offset,
  startThread,
  stepped,
  times,
  type Code,
} from "./code.js";
import { defineKernel, scopeOf } from "./define-kernel.js";
import { epilogueFragment, type Epilogue } from "./epilogue.js";
import { placeName } from "./pixels.js";

const LANES = 64;

const FOUR = [0, 1, 2, 3] as const;

/** A variable for an element of a matrix: `input12`. */
const entry = (matrix: string, row: number, column: number) => local(`${matrix}${row}`, column);

const TILES = { tiles: "u32", tiles_across: "u32", quads: "u32" } as const;

const { k: shared } = scopeOf({ bindings: {}, constants: TILES });

/**
 * Splits a thread over the tiles of the batch into `tile` (over images), `image`, `tile_y`,
 * `tile_x` and a channel `quad`.
 */
const splitTile = code`
  ${startThread(LANES)}
  let quad = thread % ${shared.quads};
  let tile = thread / ${shared.quads};
  let image = tile / ${shared.tiles};
  let tile_y = tile % ${shared.tiles} / ${shared.tiles_across};
  let tile_x = tile % ${shared.tiles_across};
  if (image >= ${frame.batch}) {
    return;
  }`;

type Four = readonly [Code, Code, Code, Code];

const fourOf = (make: (index: number) => Code): Four => [make(0), make(1), make(2), make(3)];

/** A row of B' times four vec4. */
const inputRow = (row: number, [a, b, c, d]: Four): Code =>
  [code`${a} - ${c}`, code`${b} + ${c}`, code`${c} - ${b}`, code`${b} - ${d}`][row]!;

/** A row of G times three vec4. */
const weightRow = (row: number, [a, b, c]: readonly [Code, Code, Code]): Code =>
  [a, code`0.5 * (${a} + ${b} + ${c})`, code`0.5 * (${a} - ${b} + ${c})`, c][row]!;

/** A row of A' times four vec4. */
const outputRow = (row: number, [a, b, c, d]: Four): Code =>
  [code`${a} + ${b} + ${c}`, code`${b} - ${c} - ${d}`][row]!;

/**
 * B' d B of every tile and channel. input: activation, its place that of the first window's corner;
 * result: [image][position][tile][quad]. Where the output's size is odd, the last tiles read a row
 * or column more than there is: what it holds goes only into outputs that are not stored.
 */
export const winogradInput = defineKernel("winograd_input", () => ({
  summary: "Winograd F(2x2, 3x3): tiles of 4x4 inputs, transformed.",
  bindings: { input: read("vec4f"), result: written("vec4f") },
  constants: { ...TILES, input: "place" },
  lanes: LANES,
  body: ({ io, k }) => code`
    ${splitTile}
    let y = 2u * tile_y;
    let x = 2u * tile_x;
    let place = ${k.input.at(code`image`, code`y`, code`x`)} + quad;
    ${FOUR.flatMap((row) =>
      FOUR.map((column) => {
        const at = stepped(stepped(code`place`, row, k.input.row), column, k.input.column);
        return code`let ${entry("input", row, column)} = ${io.input.load(at)};`;
      }),
    )}
    ${FOUR.flatMap((row) =>
      FOUR.map((column) => {
        const down = fourOf((index) => entry("input", index, column));
        return code`let ${entry("partial", row, column)} = ${inputRow(row, down)};`;
      }),
    )}
    let stride = ${k.tiles} * ${k.quads};
    let at = (image * ${POSITIONS - 1} * ${k.tiles} + tile) * ${k.quads} + quad;
    ${FOUR.flatMap((row) =>
      FOUR.map((column) => {
        const along = fourOf((index) => entry("partial", row, index));
        const at = stepped(code`at`, 4 * row + column, code`stride`);
        return io.result.store(at, inputRow(column, along));
      }),
    )}`,
}));

/**
 * G g G'. weights: [tap][input channel][quad of outputs]; result: [position][input channel][quad
 * of outputs]. A thread makes one quad.
 */
export const winogradWeights = defineKernel("winograd_weights", () => ({
  summary: "Winograd F(2x2, 3x3): weights of 3x3, transformed.",
  bindings: { weights: read("vec4f"), result: written("vec4f") },
  constants: { threads: "u32" },
  lanes: LANES,
  body: ({ io, k }) => code`
    ${startThread(LANES)}
    if (thread >= ${k.threads}) {
      return;
    }
    ${times(9, (tap) => {
      const name = entry("weights", Math.floor(tap / 3), tap % 3);
      return code`let ${name} = ${io.weights.load(stepped(code`thread`, tap, k.threads))};`;
    })}
    ${FOUR.flatMap((row) =>
      times(3, (column) => {
        const [a, b, c] = fourOf((index) => entry("weights", index, column));
        return code`let ${entry("partial", row, column)} = ${weightRow(row, [a, b, c])};`;
      }),
    )}
    ${FOUR.flatMap((row) =>
      FOUR.map((column) => {
        const [a, b, c] = fourOf((index) => entry("partial", row, index));
        const at = stepped(code`thread`, 4 * row + column, k.threads);
        return io.result.store(at, weightRow(column, [a, b, c]));
      }),
    )}`,
}));

/**
 * A' m A and what follows the convolution. products: [tile over images][position][quad];
 * result: activation.
 */
export const winogradOutput = defineKernel(
  "winograd_output",
  ({ epilogue }: { readonly epilogue: Epilogue }) => {
    const fused = epilogueFragment(epilogue);
    const [image, y, x] = [code`image`, code`y`, code`x`];
    return {
      suffix: fused.suffix,
      summary: "Winograd F(2x2, 3x3): products to 2x2 outputs.",
      bindings: { products: read("vec4f"), result: written("vec4f") },
      constants: { ...TILES, pixels: "u32", width: "u32", result: "place" },
      fragments: [fused],
      lanes: LANES,
      body: ({ io, k }) => {
        const finished = fused.finish({
          value: code`sum`,
          quad: code`quad`,
          pixel: code`pixel`,
          pixels: k.pixels,
          place: placeName,
        });
        const places = fused.activations.map((name) => {
          return code`let ${placeName(name)} = ${fused.placeOf(name, image, y, x)};`;
        });
        const finish = helper(
          "finish",
          code`
            fn finish(image: u32, y: u32, x: u32, quad: u32, sum: vec4f) {
              if (x >= ${k.width} || y * ${k.width} >= ${k.pixels}) {
                return;
              }
              let pixel = image * ${k.pixels} + y * ${k.width} + x;
              ${[code`let result_place = ${k.result.at(image, y, x)};`, ...places]}
              ${io.result.store(code`result_place + quad`, finished)}
            }`,
        );
        return code`
          ${splitTile}
          let first = tile * ${POSITIONS} * ${k.quads} + quad;
          ${times(POSITIONS, (position) => {
            const name = entry("products", Math.floor(position / 4), position % 4);
            const place = stepped(code`first`, position, k.quads);
            return code`let ${name} = ${io.products.load(place)};`;
          })}
          ${[0, 1].flatMap((row) =>
            FOUR.map((column) => {
              const down = fourOf((index) => entry("products", index, column));
              return code`let ${entry("partial", row, column)} = ${outputRow(row, down)};`;
            }),
          )}
          ${[0, 1].flatMap((row) =>
            times(TILE_OUTPUTS, (column) => {
              const along = fourOf((index) => entry("partial", row, index));
              const [top, left] = [
                offset(code`2u * tile_y`, row),
                offset(code`2u * tile_x`, column),
              ];
              return code`${finish}(image, ${top}, ${left}, quad, ${outputRow(column, along)});`;
            }),
          )}`;
      },
    };
  },
);
