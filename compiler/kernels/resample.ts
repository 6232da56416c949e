/**
 * Images in another size, and the gradient. A thread makes one channel quad of one pixel. `input`
 * is the image that is resampled and `output` what is made of it, in the gradient as well.
 */
import { read, type Loaded } from "./bindings.js";
import { code, Declaration, helper, type Code } from "./code.js";
import type { PlaceCode } from "./constants.js";
import { defineQuads } from "./quads.js";

const INPUT = { input_height: "u32", input_width: "u32" } as const;
const SIZES = { ...INPUT, output_height: "u32", output_width: "u32" } as const;

/** Output pixel i falls on max(0, i * ratio + shift) of the input. */
const PLACES = { ratio_y: "f32", shift_y: "f32", ratio_x: "f32", shift_x: "f32" } as const;

interface Pixels {
  readonly io: { readonly input: Loaded };
  readonly k: { readonly input: PlaceCode };
}

const quadAt = ({ io, k }: Pixels, row: Code, column: Code) =>
  io.input.load(code`${k.input.at(code`image`, row, column)} + quad`);

const [OUTPUT_Y, OUTPUT_X] = [code`output_y`, code`output_x`];

const NEAREST_OF = helper(
  "nearest_of",
  code`
    fn nearest_of(index: u32, size: u32, count: u32) -> u32 {
      return index * size / count;
    }`,
);

export const resampleNearest = defineQuads("resample_nearest", () => ({
  summary: "An image in another size: the nearest pixels.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...SIZES },
  value: (scope) => {
    const { input_height, input_width, output_height, output_width } = scope.k;
    return code`
      let row = ${NEAREST_OF}(y, ${input_height}, ${output_height});
      let column = ${NEAREST_OF}(x, ${input_width}, ${output_width});
      let value = ${quadAt(scope, code`row`, code`column`)};`;
  },
}));

/** The first of the output pixels whose nearest pixel lies at `index` or behind it. */
const FIRST_NEAREST = helper(
  "first_nearest",
  code`
    fn first_nearest(index: u32, size: u32, count: u32) -> u32 {
      return (index * count + size - 1u) / size;
    }`,
);

export const resampleNearestGradient = defineQuads("resample_gradient_nearest", () => ({
  summary: "An image in another size, gradient: a pixel gathers from those that are its copies.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...SIZES },
  value: (scope) => {
    const { input_height, input_width, output_height, output_width } = scope.k;
    return code`
      let first_y = ${FIRST_NEAREST}(y, ${input_height}, ${output_height});
      let end_y = ${FIRST_NEAREST}(y + 1u, ${input_height}, ${output_height});
      let first_x = ${FIRST_NEAREST}(x, ${input_width}, ${output_width});
      let end_x = ${FIRST_NEAREST}(x + 1u, ${input_width}, ${output_width});
      var value = vec4f(0);
      for (var output_y = first_y; output_y < end_y; output_y++) {
        for (var output_x = first_x; output_x < end_x; output_x++) {
          value += ${quadAt(scope, OUTPUT_Y, OUTPUT_X)};
        }
      }`;
  },
}));

/** The input pixels that an output pixel is made of, and how much the second counts. */
const BETWEEN = new Declaration(code`
  struct Taps { first: u32, second: u32, share: f32 }

  fn taps(index: u32, size: u32, ratio: f32, shift: f32) -> Taps {
    let place = max(f32(index) * ratio + shift, 0.0);
    let first = min(u32(place), size - 1u);
    return Taps(first, min(first + 1u, size - 1u), place - f32(first));
  }`);

const TAPS = helper("taps", BETWEEN);
const TAPS_TYPE = helper("Taps", BETWEEN);

export const resampleBilinear = defineQuads("resample_bilinear", () => ({
  summary: "An image in another size: between the four pixels around each place.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...INPUT, ...PLACES },
  value: (scope) => {
    const { input_height, input_width, ratio_y, shift_y, ratio_x, shift_x } = scope.k;
    const between = (row: Code) => {
      const [left, right] = [code`columns.first`, code`columns.second`].map((column) =>
        quadAt(scope, row, column),
      );
      return code`mix(${left}, ${right}, columns.share)`;
    };
    return code`
      let rows = ${TAPS}(y, ${input_height}, ${ratio_y}, ${shift_y});
      let columns = ${TAPS}(x, ${input_width}, ${ratio_x}, ${shift_x});
      let upper = ${between(code`rows.first`)};
      let lower = ${between(code`rows.second`)};
      let value = mix(upper, lower, rows.share);`;
  },
}));

/**
 * The output pixels that may be made of an input pixel: those that fall within one pixel of it, and
 * at the image's edge all that lie beyond.
 */
const FIRST_OF = helper(
  "first_of",
  code`
    fn first_of(index: u32, ratio: f32, shift: f32) -> u32 {
      if (index == 0u || ratio == 0.0) {
        return 0u;
      }
      return u32(max((f32(index) - 1.0 - shift) / ratio, 0.0));
    }`,
);

const END_OF = helper(
  "end_of",
  code`
    fn end_of(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> u32 {
      if (index == size - 1u || ratio == 0.0) {
        return count;
      }
      return min(u32(ceil((f32(index) + 1.0 - shift) / ratio)) + 1u, count);
    }`,
);

/** How much of an output pixel comes from the input pixel. */
const SHARE_OF = helper(
  "share_of",
  code`
    fn share_of(index: u32, made: ${TAPS_TYPE}) -> f32 {
      let first = select(0.0, 1.0 - made.share, made.first == index);
      let second = select(0.0, made.share, made.second == index);
      return first + second;
    }`,
);

export const resampleBilinearGradient = defineQuads("resample_gradient_bilinear", () => ({
  summary: "An image in another size, gradient: a pixel gathers its share of all around it.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...SIZES, ...PLACES },
  value: (scope) => {
    const { input_height, input_width, output_height, output_width } = scope.k;
    const { ratio_y, shift_y, ratio_x, shift_x } = scope.k;
    const columnTaps = code`${TAPS}(output_x, ${input_width}, ${ratio_x}, ${shift_x})`;
    return code`
      let first_y = ${FIRST_OF}(y, ${ratio_y}, ${shift_y});
      let end_y = ${END_OF}(y, ${input_height}, ${output_height}, ${ratio_y}, ${shift_y});
      let first_x = ${FIRST_OF}(x, ${ratio_x}, ${shift_x});
      let end_x = ${END_OF}(x, ${input_width}, ${output_width}, ${ratio_x}, ${shift_x});
      var value = vec4f(0);
      for (var output_y = first_y; output_y < end_y; output_y++) {
        let row_share = ${SHARE_OF}(y, ${TAPS}(output_y, ${input_height}, ${ratio_y}, ${shift_y}));
        for (var output_x = first_x; output_x < end_x; output_x++) {
          let column_share = ${SHARE_OF}(x, ${columnTaps});
          value += row_share * column_share * ${quadAt(scope, OUTPUT_Y, OUTPUT_X)};
        }
      }`;
  },
}));

/**
 * Four pixels around a place, of which those outside are the edge: where the first one is, and how
 * much each counts (Keys, 1981, with a = -0.75).
 */
const CUBIC = new Declaration(code`
  struct CubicTaps { first: i32, shares: vec4f }

  fn cubic_taps(index: u32, ratio: f32, shift: f32) -> CubicTaps {
    let place = f32(index) * ratio + shift;
    let below = floor(place);
    let rest = place - below;
    let x = vec4f(1.0 + rest, rest, 1.0 - rest, 2.0 - rest);
    let far = ((-0.75 * x + 3.75) * x - 6.0) * x + 3.0;
    let near = (1.25 * x - 2.25) * x * x + 1.0;
    return CubicTaps(i32(below) - 1, vec4f(far.x, near.y, near.z, far.w));
  }

  fn within_edges(place: i32, size: u32) -> u32 {
    return u32(clamp(place, 0, i32(size) - 1));
  }`);

const CUBIC_TAPS = helper("cubic_taps", CUBIC);
const CUBIC_TYPE = helper("CubicTaps", CUBIC);
const WITHIN = helper("within_edges", CUBIC);

export const resampleBicubic = defineQuads("resample_bicubic", () => ({
  summary: "An image in another size: a cubic curve through four pixels of each axis.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...INPUT, ...PLACES },
  value: (scope) => {
    const { input_height, input_width, ratio_y, shift_y, ratio_x, shift_x } = scope.k;
    return code`
      let rows = ${CUBIC_TAPS}(y, ${ratio_y}, ${shift_y});
      let columns = ${CUBIC_TAPS}(x, ${ratio_x}, ${shift_x});
      var value = vec4f(0);
      for (var i = 0; i < 4; i++) {
        let row = ${WITHIN}(rows.first + i, ${input_height});
        var sum = vec4f(0);
        for (var j = 0; j < 4; j++) {
          let column = ${WITHIN}(columns.first + j, ${input_width});
          sum += columns.shares[j] * ${quadAt(scope, code`row`, code`column`)};
        }
        value += rows.shares[i] * sum;
      }`;
  },
}));

/** The first of the output pixels that may be made of an input pixel: those within two of it. */
const FIRST_CUBIC = helper(
  "first_cubic",
  code`
    fn first_cubic(index: u32, ratio: f32, shift: f32) -> u32 {
      if (index == 0u || ratio == 0.0) {
        return 0u;
      }
      return u32(max((f32(index) - 2.0 - shift) / ratio - 1.0, 0.0));
    }`,
);

const END_CUBIC = helper(
  "end_cubic",
  code`
    fn end_cubic(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> u32 {
      if (index == size - 1u || ratio == 0.0) {
        return count;
      }
      return min(u32(max(ceil((f32(index) + 2.0 - shift) / ratio), 0.0)) + 2u, count);
    }`,
);

const CUBIC_SHARE = helper(
  "cubic_share",
  code`
    fn cubic_share(index: u32, size: u32, made: ${CUBIC_TYPE}) -> f32 {
      var share = 0.0;
      for (var i = 0; i < 4; i++) {
        share += select(0.0, made.shares[i], ${WITHIN}(made.first + i, size) == index);
      }
      return share;
    }`,
);

export const resampleBicubicGradient = defineQuads("resample_gradient_bicubic", () => ({
  summary: "An image in another size by cubic curves, gradient.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...SIZES, ...PLACES },
  value: (scope) => {
    const { input_height, input_width, output_height, output_width } = scope.k;
    const { ratio_y, shift_y, ratio_x, shift_x } = scope.k;
    const rowTaps = code`${CUBIC_TAPS}(output_y, ${ratio_y}, ${shift_y})`;
    const columnTaps = code`${CUBIC_TAPS}(output_x, ${ratio_x}, ${shift_x})`;
    return code`
      let first_y = ${FIRST_CUBIC}(y, ${ratio_y}, ${shift_y});
      let end_y = ${END_CUBIC}(y, ${input_height}, ${output_height}, ${ratio_y}, ${shift_y});
      let first_x = ${FIRST_CUBIC}(x, ${ratio_x}, ${shift_x});
      let end_x = ${END_CUBIC}(x, ${input_width}, ${output_width}, ${ratio_x}, ${shift_x});
      var value = vec4f(0);
      for (var output_y = first_y; output_y < end_y; output_y++) {
        let row_share = ${CUBIC_SHARE}(y, ${input_height}, ${rowTaps});
        for (var output_x = first_x; output_x < end_x; output_x++) {
          let column_share = ${CUBIC_SHARE}(x, ${input_width}, ${columnTaps});
          value += row_share * column_share * ${quadAt(scope, OUTPUT_Y, OUTPUT_X)};
        }
      }`;
  },
}));
