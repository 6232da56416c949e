import type { Epilogue } from "./epilogue.js";
import { assemble, type Kernel } from "./kernel.js";
import { quadKernel } from "./pointwise.js";
import { wgsl } from "./wgsl.js";

/**
 * The direct form of the contraction, for groups whose channels do not come in fours (depthwise convolution among them): scalars,
 * a thread an output quad or a weight, no sharing between lanes. Weights lie in PyTorch's order [O, C/groups, kh, kw].
 */

const GEOMETRY = [
  ...["group_inputs", "group_outputs", "kernel_height", "kernel_width"],
  ...[
    "stride_height",
    "stride_width",
    "dilation_height",
    "dilation_width",
    "padding_top",
    "padding_left",
  ],
];
const INPUT = ["input_height", "input_width", "input_channels"];
const OUTPUT = ["output_height", "output_width", "output_channels"];

/** Place of a scalar of activation `a`; pitches of places are in vec4. */
const scalar = (name: string, y: string, x: string, channel: string) =>
  `${name}[4u * (constants.${name}_base + image * constants.${name}_image + ${y} * constants.${name}_row` +
  ` + ${x} * constants.${name}_column) + ${channel}]`;

const PLACE = ["a_image", "a_row", "a_column", "a_base"];

/** Loops over kernel taps; \`row\` and \`column\` count within the kernel. */
const overTaps = (body: string) => wgsl`
  for (var row = 0u; row < constants.kernel_height; row++) {
    for (var column = 0u; column < constants.kernel_width; column++) {
      ${body}
    }
  }`;

/** Runs `body` for each of a quad's channels \`c\`; the vec4 \`value\` gathers \`sum\`. */
const overQuad = (channels: string, body: string) => wgsl`
  var value = vec4f(0);
  for (var part = 0u; part < 4u; part++) {
    let c = 4u * quad + part;
    if (c >= constants.${channels}) {
      break;
    }
    var sum = 0f;
    ${body}
    value[part] = sum;
  }`;

const weightAt =
  "w[((output * constants.group_inputs + input) * constants.kernel_height + row) * constants.kernel_width + column]";

export function directConvolution(epilogue: Epilogue): Kernel {
  return quadKernel({
    name: "direct_convolution",
    summary: "Convolution with groups of odd sizes, a thread an output quad.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "w", access: "read", element: "f32" },
    ],
    constants: [...GEOMETRY, ...INPUT, ...OUTPUT, ...PLACE],
    inputs: [],
    result: overQuad(
      "output_channels",
      wgsl`
      let output = c;
      let first_input = c / constants.group_outputs * constants.group_inputs;
      ${overTaps(wgsl`
        let iy = i32(y * constants.stride_height + row * constants.dilation_height) - i32(constants.padding_top);
        let ix = i32(x * constants.stride_width + column * constants.dilation_width) - i32(constants.padding_left);
        if (iy < 0 || ix < 0 || iy >= i32(constants.input_height) || ix >= i32(constants.input_width)) {
          continue;
        }
        for (var input = 0u; input < constants.group_inputs; input++) {
          sum = fma(${scalar("a", "u32(iy)", "u32(ix)", "first_input + input")}, ${weightAt}, sum);
        }`)}`,
    ),
    epilogue,
  });
}

export function directInputGradient(epilogue: Epilogue): Kernel {
  return quadKernel({
    name: "direct_input_gradient",
    summary: "Input gradient of a convolution with groups of odd sizes, a thread an input quad.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "w", access: "read", element: "f32" },
    ],
    constants: [...GEOMETRY, ...INPUT, ...OUTPUT, ...PLACE],
    inputs: [],
    result: overQuad(
      "input_channels",
      wgsl`
      let input = c % constants.group_inputs;
      let first_output = c / constants.group_inputs * constants.group_outputs;
      ${overTaps(wgsl`
        let ty = i32(y + constants.padding_top) - i32(row * constants.dilation_height);
        let tx = i32(x + constants.padding_left) - i32(column * constants.dilation_width);
        let oy = ty / i32(constants.stride_height);
        let ox = tx / i32(constants.stride_width);
        let aligned = oy * i32(constants.stride_height) == ty && ox * i32(constants.stride_width) == tx;
        if (ty < 0 || tx < 0 || !aligned || oy >= i32(constants.output_height) || ox >= i32(constants.output_width)) {
          continue;
        }
        for (var part_output = 0u; part_output < constants.group_outputs; part_output++) {
          let output = first_output + part_output;
          sum = fma(${scalar("a", "u32(oy)", "u32(ox)", "output")}, ${weightAt}, sum);
        }`)}`,
    ),
    epilogue,
  });
}

export const DIRECT_WEIGHTS_WORKGROUP = 64;

export function directWeightGradient(): Kernel {
  const thread = `block * ${DIRECT_WEIGHTS_WORKGROUP}u + lane`;
  return assemble({
    name: "direct_weight_gradient",
    summary: "Weight gradient of a convolution with groups of odd sizes, a thread a weight.",
    storage: [
      { name: "a", access: "read", element: "f32" },
      { name: "b", access: "read", element: "f32" },
      { name: "y", access: "read_write", element: "f32" },
    ],
    constants: [
      "weights",
      ...GEOMETRY,
      ...INPUT,
      ...OUTPUT,
      ...PLACE,
      ...["b_image", "b_row", "b_column", "b_base"],
    ],
    workgroupSize: DIRECT_WEIGHTS_WORKGROUP,
    body: wgsl`
      let weight = ${thread};
      if (weight >= constants.weights) {
        return;
      }
      let column = weight % constants.kernel_width;
      let row = weight / constants.kernel_width % constants.kernel_height;
      let filter_size = constants.group_inputs * constants.kernel_height * constants.kernel_width;
      let output = weight / filter_size;
      let input = output / constants.group_outputs * constants.group_inputs
        + weight % filter_size / (constants.kernel_width * constants.kernel_height);
      var sum = 0f;
      for (var image = 0u; image < frame.batch; image++) {
        for (var oy = 0u; oy < constants.output_height; oy++) {
          let iy = i32(oy * constants.stride_height + row * constants.dilation_height) - i32(constants.padding_top);
          if (iy < 0 || iy >= i32(constants.input_height)) {
            continue;
          }
          for (var ox = 0u; ox < constants.output_width; ox++) {
            let ix = i32(ox * constants.stride_width + column * constants.dilation_width) - i32(constants.padding_left);
            if (ix >= 0 && ix < i32(constants.input_width)) {
              sum = fma(${scalar("a", "u32(iy)", "u32(ix)", "input")}, ${scalar("b", "oy", "ox", "output")}, sum);
            }
          }
        }
      }
      y[weight] = sum;`,
  });
}
