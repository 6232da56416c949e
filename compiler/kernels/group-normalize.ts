import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf } from "./place.js";
import { REDUCE_WORKGROUP, SUM } from "./reduce.js";
import { wgsl } from "./wgsl.js";

/**
 * A workgroup for what is normalised together: `size` scalars, those of `channels` neighbouring channels at a run of pixels. An
 * image has `groups` of them at each of its `starts` first pixels.
 */
const GROUP_CONSTANTS = ["groups", "starts", "channels", "size", "width", "epsilon"];

const GROUP = wgsl`
  if (block >= frame.batch * constants.groups * constants.starts) {
    return;
  }
  let image = block / constants.starts / constants.groups;
  let first_channel = block % constants.groups * constants.channels;
  let first_pixel = block / constants.groups % constants.starts;
  let count = f32(constants.size);`;

/** The loop over a group's elements; `NAME_at` is where an activation has the element. */
const overElements = (names: readonly string[], ...body: readonly string[]) => wgsl`
  for (var element = lane; element < constants.size; element += ${REDUCE_WORKGROUP}u) {
    let pixel = first_pixel + element / constants.channels;
    let c = first_channel + element % constants.channels;
    let y = pixel / constants.width;
    let x = pixel % constants.width;
    ${names.map((name) => `let ${name}_at = 4u * (${placeOf(name)}) + c;`)}
    ${body}
  }`;

/** Mean and deviation in two passes, of which the second corrects the first's mean for rounding. */
const MOMENTS = wgsl`
  var sum = 0f;
  ${overElements(["a"], "sum += a[a_at];")}
  let near = total(sum, lane) / count;
  var rest = 0f;
  var squares = 0f;
  ${overElements(
    ["a"],
    "let distance = a[a_at] - near;",
    "rest += distance;",
    "squares += distance * distance;",
  )}
  rest = total(rest, lane) / count;
  squares = max(total(squares, lane) / count - rest * rest, 0.0);
  let mean = near + rest;
  let deviation = sqrt(squares + bitcast<f32>(constants.epsilon));`;

/** (x - mean) / sqrt(variance + epsilon). */
export function groupNormalize(): Kernel {
  return assemble({
    name: "group_normalize",
    summary: "Normalisation of each group of channels, of an image or of a pixel.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: [...GROUP_CONSTANTS, ...placeConstants("a"), ...placeConstants("y")],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM],
    body: wgsl`
      ${GROUP}
      ${MOMENTS}
      ${overElements(["a", "y"], "result[y_at] = (a[a_at] - mean) / deviation;")}`,
  });
}

/** With y the normalised x: (dy - mean(dy) - y mean(dy y)) / deviation. */
export function groupNormalizeGradient(): Kernel {
  return assemble({
    name: "group_normalize_gradient",
    summary: "Normalisation of each group of channels, gradient.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "d", access: "read", element: "f32" },
      { name: "result", access: "read_write", element: "f32" },
    ],
    constants: [...GROUP_CONSTANTS, ...["a", "d", "y"].flatMap((name) => placeConstants(name))],
    workgroupSize: REDUCE_WORKGROUP,
    declarations: [SUM],
    body: wgsl`
      ${GROUP}
      ${MOMENTS}
      var gradients = 0f;
      var products = 0f;
      ${overElements(
        ["a", "d"],
        "gradients += d[d_at];",
        "products += d[d_at] * (a[a_at] - mean);",
      )}
      gradients = total(gradients, lane) / count;
      products = total(products, lane) / count / deviation;
      ${overElements(
        ["a", "d", "y"],
        "let along = (a[a_at] - mean) / deviation * products;",
        "result[y_at] = (d[d_at] - gradients - along) / deviation;",
      )}`,
  });
}
