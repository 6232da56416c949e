import { read, written } from "./bindings.js";
import { code, frame, local, startThread, times, type Code, type Hole } from "./code.js";
import { defineKernel, scopeOf, type Fragment } from "./define-kernel.js";
import { findElement } from "./element.js";

const LANES = 64;

/** Axes of an image as it is stored. */
const AXES = 3;

const SIZES = { size0: "u32", size1: "u32", size2: "u32" } as const;

/** Sizes of the result, steps along its axes, and axes of the input. */
const CONSTANTS = {
  channels: "u32",
  height: "u32",
  width: "u32",
  start: "u32",
  channel_step: "u32",
  row_step: "u32",
  column_step: "u32",
  stride0: "u32",
  stride1: "u32",
  stride2: "u32",
  ...SIZES,
  pitch0: "u32",
  pitch1: "u32",
  pitch2: "u32",
  image_pitch: "u32",
  base: "u32",
  result: "place",
} as const;

/**
 * Elements in another order. A thread makes an element: its number among those of an image of the
 * input is `start` plus its steps along its own axes, modulo 2^32. Where the input has none of that
 * number, the result is 0. Axes of the input come with their strides in that numbering, the largest
 * first, and their pitches in memory.
 */
export const rearrange = defineKernel("rearrange", () => ({
  summary: "Elements in another order; 0 where there is none.",
  bindings: { input: read("f32"), result: written("f32") },
  constants: CONSTANTS,
  lanes: LANES,
  body: ({ io, k }) => {
    const axes = [
      { stride: k.stride0, size: k.size0, pitch: k.pitch0 },
      { stride: k.stride1, size: k.size1, pitch: k.pitch1 },
      { stride: k.stride2, size: k.size2, pitch: k.pitch2 },
    ];
    const index = (axis: number) => local("index", axis);
    return code`
      ${startThread(LANES)}
      ${findElement(k)}
      if (image >= ${frame.batch}) {
        return;
      }
      var rest = ${k.start} + channel * ${k.channel_step};
      rest += y * ${k.row_step} + x * ${k.column_step};
      var at = ${k.base} + image * ${k.image_pitch};
      var inside = true;
      ${times(AXES, (axis) => {
        const { stride, size, pitch } = axes[axis]!;
        return code`
          let ${index(axis)} = rest / ${stride};
          rest -= ${index(axis)} * ${stride};
          inside = inside && ${index(axis)} < ${size};
          at += ${index(axis)} * ${pitch};`;
      })}
      var value = 0f;
      if (inside && rest == 0u) {
        value = ${io.input.load(code`at`)};
      }
      let result_at = ${k.result.at(code`image`, code`y`, code`x`)} + channel;
      ${io.result.store(code`result_at`, code`value`)}`;
  },
}));

const NO_SIZES = { size0: undefined, size1: undefined, size2: undefined } as const;

/** What a finer axis is given: its stride in the result and in the input, and its size. */
export const finerNames = (axis: number) => ({
  place: `place_of${axis}`,
  size: `size_of${axis}`,
  step: `step_of${axis}`,
});

/** The finer axes of a result, as constants. */
export function finerAxes(count: number): Fragment {
  const names = times(count, (axis) => Object.values(finerNames(axis))).flat();
  return { bindings: {}, constants: Object.fromEntries(names.map((name) => [name, "u32"])) };
}

/**
 * The same where axes of the result are several finer ones, which take elements from anywhere. The
 * number of an element in the result is cut into places on the finer axes, those with the largest
 * strides first, and from them comes its number in the input.
 */
export const rearrangeFiner = defineKernel("rearrange_finer", (count: number) => {
  const finer = finerAxes(count);
  const given = scopeOf(finer).k as Readonly<Record<string, Code>>;
  return {
    suffix: `_${count}`,
    summary: `Elements in another order, along ${count} axes; 0 where there is none.`,
    bindings: { input: read("f32"), result: written("f32") },
    constants: { ...CONSTANTS, ...NO_SIZES, first: "u32" },
    fragments: [finer],
    lanes: LANES,
    body: ({ io, k }) => {
      const place = (axis: number) => local("place", axis);
      const toNumber = (axis: number): Hole => {
        const { place: stride, size, step } = finerNames(axis);
        return code`
          let ${place(axis)} = rest / ${given[stride]};
          rest -= ${place(axis)} * ${given[stride]};
          inside = inside && ${place(axis)} < ${given[size]};
          number += ${place(axis)} * ${given[step]};`;
      };
      const axes = [
        { stride: k.stride0, pitch: k.pitch0 },
        { stride: k.stride1, pitch: k.pitch1 },
        { stride: k.stride2, pitch: k.pitch2 },
      ];
      const toPlace = (axis: number): Hole => {
        const { stride, pitch } = axes[axis]!;
        return code`
          at += number / ${stride} * ${pitch};
          number %= ${stride};`;
      };
      return code`
        ${startThread(LANES)}
        ${findElement(k)}
        if (image >= ${frame.batch}) {
          return;
        }
        var rest = ${k.start} + channel * ${k.channel_step};
        rest += y * ${k.row_step} + x * ${k.column_step};
        var number = ${k.first};
        var inside = true;
        ${times(count, toNumber)}
        var at = ${k.base} + image * ${k.image_pitch};
        ${times(AXES, toPlace)}
        var value = 0f;
        if (inside && rest == 0u) {
          value = ${io.input.load(code`at`)};
        }
        let result_at = ${k.result.at(code`image`, code`y`, code`x`)} + channel;
        ${io.result.store(code`result_at`, code`value`)}`;
    },
  };
});
