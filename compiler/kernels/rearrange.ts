import { read, written } from "./bindings.js";
import { code, frame, local, startThread, times } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { findElement } from "./element.js";

const LANES = 64;

/** Axes of an image as it is stored. */
const AXES = 3;

/**
 * Elements in another order. A thread makes an element: its number among those of an image of the
 * input is `start` plus its steps along its own axes, modulo 2^32. Where the input has none of that
 * number, the result is 0. Axes of the input come with their strides in that numbering, the largest
 * first, and their pitches in memory.
 */
export const rearrange = defineKernel("rearrange", () => ({
  summary: "Elements in another order; 0 where there is none.",
  bindings: { input: read("f32"), result: written("f32") },
  constants: {
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
    size0: "u32",
    size1: "u32",
    size2: "u32",
    pitch0: "u32",
    pitch1: "u32",
    pitch2: "u32",
    image_pitch: "u32",
    base: "u32",
    result: "place",
  },
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
