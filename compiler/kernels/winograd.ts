/**
 * Winograd's F(2x2, 3x3) (A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308): four outputs of a
 * 3x3 window that moves by one pixel take 16 multiplications instead of 36. For a tile d of 4x4 inputs and weights g, the 2x2 outputs are
 *
 *   A' [ (G g G') * (B' d B) ] A
 *
 * The products, summed over the input channels, are 16 matrix products: the contraction over pixels (contraction-pixels.ts) with a group
 * for each of the 16 positions and a row for each tile. The kernels here are the three transforms around it. In f32 the result differs from the
 * direct sum by a few units of the last place more: the transforms of inputs and outputs add and subtract values that partly cancel.
 */
import { EpiloguePrinter, type Epilogue } from "./epilogue.js";
import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf } from "./place.js";
import { times, wgsl } from "./wgsl.js";
import { POSITIONS, TILE_OUTPUTS } from "../schedules/winograd.js";

export const WINOGRAD_WORKGROUP = 64;

const FOUR = [0, 1, 2, 3] as const;

const thread = `let thread = block * ${WINOGRAD_WORKGROUP}u + lane;`;

/** Splits a thread over the tiles of the batch into `tile` (over images), `image`, `tile_y`, `tile_x` and a channel `quad`. */
const splitTile = wgsl`
  ${thread}
  let quad = thread % constants.quads;
  let tile = thread / constants.quads;
  let image = tile / constants.tiles;
  let tile_y = tile % constants.tiles / constants.tiles_across;
  let tile_x = tile % constants.tiles_across;
  if (image >= frame.batch) {
    return;
  }`;

/** A row of B' times four vec4. */
const inputRow = (row: number, v: readonly [string, string, string, string]): string =>
  [`${v[0]} - ${v[2]}`, `${v[1]} + ${v[2]}`, `${v[2]} - ${v[1]}`, `${v[1]} - ${v[3]}`][row]!;

/** A row of G times three vec4. */
const weightRow = (row: number, v: readonly [string, string, string]): string =>
  [v[0], `0.5 * (${v[0]} + ${v[1]} + ${v[2]})`, `0.5 * (${v[0]} - ${v[1]} + ${v[2]})`, v[2]][row]!;

/** A row of A' times four vec4. */
const outputRow = (row: number, v: readonly [string, string, string, string]): string =>
  [`${v[0]} + ${v[1]} + ${v[2]}`, `${v[1]} - ${v[2]} - ${v[3]}`][row]!;

/**
 * B' d B of every tile and channel. a: activation, its place that of the first window's corner; y: [image][position][tile][quad]. Where
 * the output's size is odd, the last tiles read a row or column more than there is: what it holds goes only into outputs that are not
 * stored.
 */
export function winogradInput(): Kernel {
  return assemble({
    name: "winograd_input",
    summary: "Winograd F(2x2, 3x3): tiles of 4x4 inputs, transformed.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
    ],
    constants: ["tiles", "tiles_across", "quads", ...placeConstants("a")],
    workgroupSize: WINOGRAD_WORKGROUP,
    body: wgsl`
      ${splitTile}
      let y = 2u * tile_y;
      let x = 2u * tile_x;
      let place = ${placeOf("a")} + quad;
      ${FOUR.flatMap((row) =>
        FOUR.map(
          (column) =>
            `let d${row}${column} = a[place + ${row}u * constants.a_row + ${column}u * constants.a_column];`,
        ),
      )}
      ${FOUR.flatMap((row) =>
        FOUR.map((column) => {
          const down = FOUR.map((k) => `d${k}${column}`) as [string, string, string, string];
          return `let r${row}${column} = ${inputRow(row, down)};`;
        }),
      )}
      let stride = constants.tiles * constants.quads;
      let at = (image * ${POSITIONS - 1}u * constants.tiles + tile) * constants.quads + quad;
      ${FOUR.flatMap((row) =>
        FOUR.map((column) => {
          const along = FOUR.map((k) => `r${row}${k}`) as [string, string, string, string];
          return `result[at + ${4 * row + column}u * stride] = ${inputRow(column, along)};`;
        }),
      )}`,
  });
}

/** G g G'. a: weights, [tap][input channel][quad of outputs]; y: [position][input channel][quad of outputs]. A thread makes one quad. */
export function winogradWeights(): Kernel {
  return assemble({
    name: "winograd_weights",
    summary: "Winograd F(2x2, 3x3): weights of 3x3, transformed.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
    ],
    constants: ["threads"],
    workgroupSize: WINOGRAD_WORKGROUP,
    body: wgsl`
      ${thread}
      if (thread >= constants.threads) {
        return;
      }
      ${times(9, (tap) => `let g${Math.floor(tap / 3)}${tap % 3} = a[${tap}u * constants.threads + thread];`)}
      ${FOUR.flatMap((row) =>
        times(3, (column) => {
          return `let r${row}${column} = ${weightRow(row, [`g0${column}`, `g1${column}`, `g2${column}`])};`;
        }),
      )}
      ${FOUR.flatMap((row) =>
        FOUR.map((column) => {
          const value = weightRow(column, [`r${row}0`, `r${row}1`, `r${row}2`]);
          return `result[${4 * row + column}u * constants.threads + thread] = ${value};`;
        }),
      )}`,
  });
}

/** A' m A and what follows the convolution. products: [tile over images][position][quad]; y: activation. */
export function winogradOutput(epilogue: Epilogue): Kernel {
  const fused = new EpiloguePrinter(epilogue);
  const places = ["y", ...fused.activations];
  return assemble({
    name: `winograd_output${fused.suffix}`,
    summary: "Winograd F(2x2, 3x3): products to 2x2 outputs.",
    storage: [
      { name: "products", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
      ...fused.storage,
    ],
    constants: [
      ...["tiles", "tiles_across", "quads", "pixels", "width"],
      ...placeConstants("y"),
      ...fused.constants,
    ],
    workgroupSize: WINOGRAD_WORKGROUP,
    declarations: [
      ...fused.declarations,
      wgsl`
        fn finish(image: u32, y: u32, x: u32, quad: u32, sum: vec4f) {
          if (x >= constants.width || y * constants.width >= constants.pixels) {
            return;
          }
          let pixel = image * constants.pixels + y * constants.width + x;
          ${places.map((name) => `let ${name}_place = ${placeOf(name)};`)}
          result[y_place + quad] = ${fused.print("sum", "quad", "pixel", (name) => `${name}_place`)};
        }`,
    ],
    body: wgsl`
      ${splitTile}
      let first = tile * ${POSITIONS}u * constants.quads + quad;
      ${times(POSITIONS, (position) => {
        const name = `m${Math.floor(position / 4)}${position % 4}`;
        return `let ${name} = products[first + ${position}u * constants.quads];`;
      })}
      ${[0, 1].flatMap((row) =>
        FOUR.map((column) => {
          const down = FOUR.map((k) => `m${k}${column}`) as [string, string, string, string];
          return `let r${row}${column} = ${outputRow(row, down)};`;
        }),
      )}
      ${[0, 1].flatMap((row) =>
        times(TILE_OUTPUTS, (column) => {
          const along = FOUR.map((k) => `r${row}${k}`) as [string, string, string, string];
          return `finish(image, 2u * tile_y + ${row}u, 2u * tile_x + ${column}u, quad, ${outputRow(column, along)});`;
        }),
      )}`,
  });
}
