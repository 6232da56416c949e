import type { ResampleAttributes } from "../ir/graph.js";
import type { Epilogue } from "./epilogue.js";
import type { Kernel } from "./kernel.js";
import { quadKernel } from "./pointwise-old.js";
import { wgsl } from "./wgsl.js";

/**
 * Images in another size, and the gradient. A thread makes one channel quad of one pixel. `input`
 * is the smaller side's size in the forward pass: the image that is resampled.
 */

type Mode = ResampleAttributes["mode"];

const CONSTANTS = [
  ...["a_image", "a_row", "a_column", "a_base"],
  ...["input_height", "input_width", "output_height", "output_width"],
];

/**
 * Ratio and shift of both axes, as bits of f32: output pixel i falls on max(0, i * ratio + shift).
 */
const PLACES = ["ratio_y", "shift_y", "ratio_x", "shift_x"];

const constantsOf = (mode: Mode) => (mode === "nearest" ? CONSTANTS : [...CONSTANTS, ...PLACES]);

const number = (name: string) => `bitcast<f32>(constants.${name})`;

/** The input pixels that an output pixel is made of, and how much the second counts. */
const TAPS: Readonly<Record<Mode, string>> = {
  nearest: wgsl`
    struct Taps { first: u32, second: u32, share: f32 }

    fn taps(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> Taps {
      let only = index * size / count;
      return Taps(only, only, 0.0);
    }`,
  bilinear: wgsl`
    struct Taps { first: u32, second: u32, share: f32 }

    fn taps(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> Taps {
      let place = max(f32(index) * ratio + shift, 0.0);
      let first = min(u32(place), size - 1u);
      return Taps(first, min(first + 1u, size - 1u), place - f32(first));
    }`,
};

/** The taps of row or column `index`. */
function tapsOf(axis: "y" | "x", index: string, mode: Mode): string {
  const size = axis === "y" ? "height" : "width";
  const place =
    mode === "nearest" ? "0.0, 0.0" : `${number(`ratio_${axis}`)}, ${number(`shift_${axis}`)}`;
  return `taps(${index}, constants.input_${size}, constants.output_${size}, ${place})`;
}

const quadAt = (row: string, column: string) =>
  `a[constants.a_base + image * constants.a_image + ${row} * constants.a_row + ${column} * constants.a_column + quad]`;

export function resample(mode: Mode, epilogue: Epilogue): Kernel {
  const between = wgsl`
    let upper = mix(${quadAt("rows.first", "columns.first")}, ${quadAt("rows.first", "columns.second")}, columns.share);
    let lower = mix(${quadAt("rows.second", "columns.first")}, ${quadAt("rows.second", "columns.second")}, columns.share);
    let value = mix(upper, lower, rows.share);`;
  return quadKernel({
    name: `resample_${mode}`,
    summary: "An image in another size.",
    storage: [{ name: "a", access: "read", element: "vec4f" }],
    constants: constantsOf(mode),
    inputs: [],
    declarations: [TAPS[mode]],
    result: wgsl`
      let rows = ${tapsOf("y", "y", mode)};
      let columns = ${tapsOf("x", "x", mode)};
      ${mode === "nearest" ? `let value = ${quadAt("rows.first", "columns.first")};` : between}`,
    epilogue,
  });
}

/**
 * The output pixels that may be made of an input pixel: those that fall on it or, between pixels,
 * within one of it; at the image's edge all that lie beyond.
 */
const RANGE: Readonly<Record<Mode, string>> = {
  nearest: wgsl`
    fn first_of(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> u32 {
      return (index * count + size - 1u) / size;
    }

    fn end_of(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> u32 {
      return ((index + 1u) * count + size - 1u) / size;
    }`,
  bilinear: wgsl`
    fn first_of(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> u32 {
      if (index == 0u || ratio == 0.0) {
        return 0u;
      }
      return u32(max((f32(index) - 1.0 - shift) / ratio, 0.0));
    }

    fn end_of(index: u32, size: u32, count: u32, ratio: f32, shift: f32) -> u32 {
      if (index == size - 1u || ratio == 0.0) {
        return count;
      }
      return min(u32(ceil((f32(index) + 1.0 - shift) / ratio)) + 1u, count);
    }`,
};

const rangeOf = (axis: "y" | "x", mode: Mode, end: "first_of" | "end_of") =>
  tapsOf(axis, axis, mode).replace("taps(", `${end}(`);

/** How much of an output pixel comes from the input pixel. */
const SHARE = wgsl`
  fn share_of(index: u32, made: Taps) -> f32 {
    return select(0.0, 1.0 - made.share, made.first == index) + select(0.0, made.share, made.second == index);
  }`;

export function resampleGradient(mode: Mode, epilogue: Epilogue): Kernel {
  return quadKernel({
    name: `resample_gradient_${mode}`,
    summary:
      "An image in another size, gradient: a pixel gathers its share of all that it is part of.",
    storage: [{ name: "a", access: "read", element: "vec4f" }],
    constants: constantsOf(mode),
    inputs: [],
    declarations: [TAPS[mode], RANGE[mode], SHARE],
    result: wgsl`
      var value = vec4f(0);
      for (var oy = ${rangeOf("y", mode, "first_of")}; oy < ${rangeOf("y", mode, "end_of")}; oy++) {
        let row_share = share_of(y, ${tapsOf("y", "oy", mode)});
        for (var ox = ${rangeOf("x", mode, "first_of")}; ox < ${rangeOf("x", mode, "end_of")}; ox++) {
          let share = row_share * share_of(x, ${tapsOf("x", "ox", mode)});
          value += share * ${quadAt("oy", "ox")};
        }
      }`,
    epilogue,
  });
}
