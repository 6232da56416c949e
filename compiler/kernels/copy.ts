import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf } from "./place.js";
import { wgsl } from "./wgsl.js";

export const COPY_WORKGROUP = 64;

const thread = `let thread = block * ${COPY_WORKGROUP}u + lane;`;

/** The batch as it was uploaded, NCHW, into the layout of its reader. Pitches in floats. A thread an element. */
export function importImages(): Kernel {
  return assemble({
    name: "import_images",
    summary: "Images from NCHW, as uploaded, into the layout of the first layer.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: ["channels", "height", "width", ...placeConstants("y")],
    workgroupSize: COPY_WORKGROUP,
    body: wgsl`
      ${thread}
      let channel = thread % constants.channels;
      let x = thread / constants.channels % constants.width;
      let y_row = thread / constants.channels / constants.width % constants.height;
      let image = thread / constants.channels / constants.width / constants.height;
      if (image < frame.batch) {
        let plane_of_channel = image * constants.channels + channel;
        result[constants.y_base + image * constants.y_image + y_row * constants.y_row + x * constants.y_column + channel] =
          a[(plane_of_channel * constants.height + y_row) * constants.width + x];
      }`,
  });
}

/** Some channels of each pixel, one by one, to a place of their own. Pitches in floats; a thread an element. */
export function copyChannels(): Kernel {
  return assemble({
    name: "copy_channels",
    summary: "Channels of each pixel, to their place in another activation.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: ["channels", "height", "width", ...placeConstants("a"), ...placeConstants("y")],
    workgroupSize: COPY_WORKGROUP,
    body: wgsl`
      ${thread}
      let channel = thread % constants.channels;
      let x = thread / constants.channels % constants.width;
      let y = thread / constants.channels / constants.width % constants.height;
      let image = thread / constants.channels / constants.width / constants.height;
      if (image < frame.batch) {
        result[${placeOf("y")} + channel] = a[${placeOf("a")} + channel];
      }`,
  });
}

/** Elements in logical (row-major) order from one shape to another; a thread an element. Pitches in floats. */
export function reshape(): Kernel {
  const place = (name: string, suffix: string) =>
    wgsl`constants.${name}_base + image * constants.${name}_image + y${suffix} * constants.${name}_row` +
    ` + x${suffix} * constants.${name}_column + c${suffix}`;
  const split = (name: string, suffix: string) => wgsl`
    let x${suffix} = element % constants.${name}_width;
    let y${suffix} = element / constants.${name}_width % constants.${name}_height;
    let c${suffix} = element / constants.${name}_width / constants.${name}_height;`;
  return assemble({
    name: "reshape",
    summary: "The same elements, in logical order, in another shape.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: [
      ...["elements", "a_width", "a_height", "y_width", "y_height"],
      ...placeConstants("a"),
      ...placeConstants("y"),
    ],
    workgroupSize: COPY_WORKGROUP,
    body: wgsl`
      ${thread}
      let image = thread / constants.elements;
      let element = thread % constants.elements;
      if (image < frame.batch) {
        ${split("a", "_from")}
        ${split("y", "_to")}
        result[${place("y", "_to")}] = a[${place("a", "_from")}];
      }`,
  });
}

/**
 * Weights flipped and transposed for the input gradient: [group][kh][kw x inputs][outputs] becomes
 * [group][kh][kw x outputs][inputs] with the kernel turned by half a circle. Channel counts are padded ones; a thread makes four inputs.
 * `a` may hold some of the groups, or some outputs of one, and `y` some of the inputs.
 */
export function flipWeights(): Kernel {
  return assemble({
    name: "flip_weights",
    summary: "Weights turned by half a circle and transposed, for the input gradient.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "y", access: "read_write", element: "vec4f" },
    ],
    constants: [
      ...["input_quads", "row_quads", "outputs", "all_outputs", "taps", "threads"],
      ...["a_base", "y_base"],
    ],
    workgroupSize: COPY_WORKGROUP,
    body: wgsl`
      ${thread}
      if (thread < constants.threads) {
        let quad = thread % constants.input_quads;
        let output = thread / constants.input_quads % constants.outputs;
        let tap = thread / constants.input_quads / constants.outputs % constants.taps;
        let group = thread / constants.input_quads / constants.outputs / constants.taps;
        let flipped = group * constants.taps + constants.taps - 1u - tap;
        let source = constants.a_base + (flipped * constants.row_quads + quad) * 4u * constants.outputs + output;
        let row = (group * constants.taps + tap) * constants.all_outputs + output;
        y[constants.y_base + row * constants.input_quads + quad] = vec4f(
          a[source],
          a[source + constants.outputs],
          a[source + 2u * constants.outputs],
          a[source + 3u * constants.outputs],
        );
      }`,
  });
}
