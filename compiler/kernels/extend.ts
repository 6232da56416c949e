/** Images with pixels around them, and the gradient. A thread makes a channel quad of a pixel. */
import { read } from "./bindings.js";
import { code, helper, type Code, type Declared } from "./code.js";
import { defineQuads } from "./quads.js";

export type ExtendMode = "reflect" | "replicate" | "circular" | "constant";

const SIZES = { input_height: "u32", input_width: "u32" } as const;
const BEFORE = { padding_top: "u32", padding_left: "u32" } as const;

/** The pixel of the image that is at a place; out of range where it is a number. */
const SOURCES: Readonly<Record<ExtendMode, Declared>> = {
  reflect: helper(
    "source_of",
    code`
      fn source_of(index: u32, before: u32, size: u32) -> i32 {
        let place = i32(index) - i32(before);
        return min(abs(place), 2 * i32(size) - 2 - place);
      }`,
  ),
  replicate: helper(
    "source_of",
    code`
      fn source_of(index: u32, before: u32, size: u32) -> i32 {
        return clamp(i32(index) - i32(before), 0, i32(size) - 1);
      }`,
  ),
  circular: helper(
    "source_of",
    code`
      fn source_of(index: u32, before: u32, size: u32) -> i32 {
        return i32((index + size - before) % size);
      }`,
  ),
  constant: helper(
    "source_of",
    code`
      fn source_of(index: u32, before: u32, size: u32) -> i32 {
        return i32(index) - i32(before);
      }`,
  ),
};

export interface ExtendVariant {
  readonly mode: ExtendMode;
}

export const extend = defineQuads("extend", ({ mode }: ExtendVariant) => {
  const isConstant = mode === "constant";
  return {
    suffix: `_${mode}`,
    summary: "An image with pixels around it.",
    bindings: { input: read("vec4f") },
    constants: {
      input: "place",
      ...SIZES,
      ...BEFORE,
      value: isConstant ? "f32" : undefined,
      own_channels: isConstant ? "u32" : undefined,
    },
    value: ({ io, k }) => {
      const source = SOURCES[mode];
      const row = code`${source}(y, ${k.padding_top}, ${k.input_height})`;
      const column = code`${source}(x, ${k.padding_left}, ${k.input_width})`;
      const at = k.input.at(code`image`, code`u32(row)`, code`u32(column)`);
      const load = io.input.load(code`${at} + quad`);
      const isInside = code`
        row >= 0 && row < i32(${k.input_height}) && column >= 0 && column < i32(${k.input_width})`;
      return code`
        let row = ${row};
        let column = ${column};
        ${
          k.value
            ? code`
              // Behind the last channel values stay 0.
              let is_channel = quad * 4u + vec4u(0, 1, 2, 3) < vec4u(${k.own_channels});
              var value = select(vec4f(0), vec4f(${k.value}), is_channel);
              if (${isInside}) {
                value = ${load};
              }`
            : code`let value = ${load};`
        }`;
    },
  };
});

/** Places of a pixel and of its copies: at most three, and only those in range count. */
const COPIES: Readonly<Record<"reflect" | "circular", Declared>> = {
  reflect: helper(
    "copy_of",
    code`
      fn copy_of(index: u32, copy: u32, before: u32, size: u32) -> i32 {
        let own = i32(index);
        let last = i32(size) - 1;
        let mirrored = select(i32(before) - own, i32(before) + 2 * last - own, copy == 2u);
        let is_edge = (copy == 1u && own == 0) || (copy == 2u && own == last);
        return select(select(mirrored, -1, is_edge), i32(before) + own, copy == 0u);
      }`,
  ),
  circular: helper(
    "copy_of",
    code`
      fn copy_of(index: u32, copy: u32, before: u32, size: u32) -> i32 {
        let step = select(i32(size), -i32(size), copy == 1u);
        return i32(before + index) + select(0, step, copy > 0u);
      }`,
  ),
};

const OUTPUT = { output_height: "u32", output_width: "u32" } as const;

export interface ExtendGradientVariant {
  readonly mode: "reflect" | "circular";
}

export const extendGradient = defineQuads("extend_gradient", ({ mode }: ExtendGradientVariant) => ({
  suffix: `_${mode}`,
  summary: "An image with pixels around it, gradient: a pixel gathers from its copies.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...SIZES, ...OUTPUT, ...BEFORE },
  value: ({ io, k }) => {
    const at = k.input.at(code`image`, code`u32(output_y)`, code`u32(output_x)`);
    const copy = COPIES[mode];
    const row = code`${copy}(y, row_copy, ${k.padding_top}, ${k.input_height})`;
    const column = code`${copy}(x, column_copy, ${k.padding_left}, ${k.input_width})`;
    return code`
        var value = vec4f(0);
        for (var row_copy = 0u; row_copy < 3u; row_copy++) {
          let output_y = ${row};
          if (output_y < 0 || output_y >= i32(${k.output_height})) {
            continue;
          }
          for (var column_copy = 0u; column_copy < 3u; column_copy++) {
            let output_x = ${column};
            if (output_x >= 0 && output_x < i32(${k.output_width})) {
              value += ${io.input.load(code`${at} + quad`)};
            }
          }
        }`;
  },
}));

/** The first of the places that a pixel of the edge is copied to, and the one behind the last. */
const rangeOf = (index: Code, size: Code, before: Code, count: Code) => [
  code`select(${index} + ${before}, 0u, ${index} == 0u)`,
  code`select(${index} + ${before} + 1u, ${count}, ${index} + 1u == ${size})`,
];

export const extendEdgeGradient = defineQuads("extend_gradient_replicate", () => ({
  summary: "An image with its edge repeated around it, gradient.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...SIZES, ...OUTPUT, ...BEFORE },
  value: ({ io, k }) => {
    const at = k.input.at(code`image`, code`output_y`, code`output_x`);
    const [firstY, endY] = rangeOf(code`y`, k.input_height, k.padding_top, k.output_height);
    const [firstX, endX] = rangeOf(code`x`, k.input_width, k.padding_left, k.output_width);
    return code`
      let end_y = ${endY};
      let end_x = ${endX};
      var value = vec4f(0);
      for (var output_y = ${firstY}; output_y < end_y; output_y++) {
        for (var output_x = ${firstX}; output_x < end_x; output_x++) {
          value += ${io.input.load(code`${at} + quad`)};
        }
      }`;
  },
}));
