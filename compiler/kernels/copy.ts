import { read, written } from "./bindings.js";
import { code, frame, startThread, type Code } from "./code.js";
import type { PlaceCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { findElement } from "./element.js";

const LANES = 64;

/**
 * The batch as it was uploaded, NCHW, into the layout of its reader. Pitches in floats. A thread an
 * element.
 */
export const importImages = defineKernel("import_images", () => ({
  summary: "Images from NCHW, as uploaded, into the layout of the first layer.",
  bindings: { input: read("f32"), result: written("f32") },
  constants: { channels: "u32", height: "u32", width: "u32", result: "place" },
  lanes: LANES,
  body: ({ io, k }) => code`
    ${startThread(LANES)}
    ${findElement(k)}
    if (image < ${frame.batch}) {
      let plane_of_channel = image * ${k.channels} + channel;
      ${io.result.store(
        code`${k.result.at(code`image`, code`y`, code`x`)} + channel`,
        io.input.load(code`(plane_of_channel * ${k.height} + y) * ${k.width} + x`),
      )}
    }`,
}));

/** Some channels of each pixel, one by one, each to its place. Pitches in floats. */
export const copyChannels = defineKernel("copy_channels", () => ({
  summary: "Channels of each pixel, to their place in another activation.",
  bindings: { input: read("f32"), result: written("f32") },
  constants: { channels: "u32", height: "u32", width: "u32", input: "place", result: "place" },
  lanes: LANES,
  body: ({ io, k }) => {
    const at = (place: PlaceCode) => code`${place.at(code`image`, code`y`, code`x`)} + channel`;
    return code`
      ${startThread(LANES)}
      ${findElement(k)}
      if (image < ${frame.batch}) {
        ${io.result.store(at(k.result), io.input.load(at(k.input)))}
      }`;
  },
}));

/** Elements in logical (row-major) order from one shape to another. Pitches in floats. */
export const reshape = defineKernel("reshape", () => ({
  summary: "The same elements, in logical order, in another shape.",
  bindings: { input: read("f32"), result: written("f32") },
  constants: {
    elements: "u32",
    input_width: "u32",
    input_height: "u32",
    result_width: "u32",
    result_height: "u32",
    input: "place",
    result: "place",
  },
  lanes: LANES,
  body: ({ io, k }) => code`
    ${startThread(LANES)}
    let image = thread / ${k.elements};
    let element = thread % ${k.elements};
    if (image < ${frame.batch}) {
      let x_from = element % ${k.input_width};
      let y_from = element / ${k.input_width} % ${k.input_height};
      let channel_from = element / ${k.input_width} / ${k.input_height};
      let x_to = element % ${k.result_width};
      let y_to = element / ${k.result_width} % ${k.result_height};
      let channel_to = element / ${k.result_width} / ${k.result_height};
      ${io.result.store(
        code`${k.result.at(code`image`, code`y_to`, code`x_to`)} + channel_to`,
        io.input.load(code`${k.input.at(code`image`, code`y_from`, code`x_from`)} + channel_from`),
      )}
    }`,
}));

/**
 * Weights flipped and transposed for the input gradient: [group][kh][kw x inputs][outputs] becomes
 * [group][kh][kw x outputs][inputs] with the kernel turned by half a circle. Channel counts are
 * padded ones; a thread makes four inputs. `input` may hold some of the groups, or some outputs of
 * one, and `result` some of the inputs.
 */
export const flipWeights = defineKernel("flip_weights", () => ({
  summary: "Weights turned by half a circle and transposed, for the input gradient.",
  bindings: { input: read("f32"), result: written("vec4f") },
  constants: {
    input_quads: "u32",
    row_quads: "u32",
    outputs: "u32",
    all_outputs: "u32",
    taps: "u32",
    threads: "u32",
    input_base: "u32",
    result_base: "u32",
  },
  lanes: LANES,
  body: ({ io, k }) => code`
    ${startThread(LANES)}
    if (thread < ${k.threads}) {
      let quad = thread % ${k.input_quads};
      let output = thread / ${k.input_quads} % ${k.outputs};
      let tap = thread / ${k.input_quads} / ${k.outputs} % ${k.taps};
      let group = thread / ${k.input_quads} / ${k.outputs} / ${k.taps};
      let flipped = group * ${k.taps} + ${k.taps} - 1u - tap;
      let source = ${k.input_base} + (flipped * ${k.row_quads} + quad) * 4u * ${k.outputs} + output;
      let row = (group * ${k.taps} + tap) * ${k.all_outputs} + output;
      ${io.result.store(
        code`${k.result_base} + row * ${k.input_quads} + quad`,
        code`vec4f(\n  ${fourOf(k.outputs, io.input.load)}\n)`,
      )}
    }`,
}));

/** Inputs of a quad, one output after the other, each with a comma. */
const fourOf = (step: Code, load: (at: Code) => Code): readonly Code[] => [
  code`${load(code`source`)},`,
  code`${load(code`source + ${step}`)},`,
  code`${load(code`source + 2u * ${step}`)},`,
  code`${load(code`source + 3u * ${step}`)},`,
];
