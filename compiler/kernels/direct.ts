import { read, written, type Loaded } from "./bindings.js";
import { code, frame, startThread, type Code } from "./code.js";
import type { ConstantCode, PlaceCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { defineQuads } from "./quads.js";

/**
 * The direct form of the contraction, for groups whose channels do not come in fours (depthwise
 * convolution among them): scalars, a thread an output quad or a weight, no sharing between lanes.
 * Weights lie in PyTorch's order [O, C/groups, kh, kw].
 */

const LANES = 64;

const GEOMETRY = {
  group_inputs: "u32",
  group_outputs: "u32",
  kernel_height: "u32",
  kernel_width: "u32",
  stride_height: "u32",
  stride_width: "u32",
  dilation_height: "u32",
  dilation_width: "u32",
  padding_top: "u32",
  padding_left: "u32",
} as const;

type Geometry = ConstantCode<typeof GEOMETRY>;

/** Loads a scalar of an activation whose place is in vec4. */
const scalar = (from: Loaded, place: PlaceCode, y: Code, x: Code, channel: Code) =>
  from.load(code`4u * ${place.at(code`image`, y, x)} + ${channel}`);

/** Loops over kernel taps; `row` and `column` count within the kernel. */
const overTaps = (k: Geometry, body: Code) => code`
  for (var row = 0u; row < ${k.kernel_height}; row++) {
    for (var column = 0u; column < ${k.kernel_width}; column++) {
      ${body}
    }
  }`;

/** Runs `body` for each of a quad's channels; the vec4 `value` gathers `sum`. */
const overQuad = (channels: Code, body: Code) => code`
  var value = vec4f(0);
  for (var part = 0u; part < 4u; part++) {
    let channel = 4u * quad + part;
    if (channel >= ${channels}) {
      break;
    }
    var sum = 0f;
    ${body}
    value[part] = sum;
  }`;

const weightAt = (k: Geometry) => {
  const ofInput = code`(output_channel * ${k.group_inputs} + input_channel) * ${k.kernel_height}`;
  return code`(${ofInput} + row) * ${k.kernel_width} + column`;
};

const BINDINGS = { input: read("f32"), weights: read("f32") } as const;

const FORWARD = {
  ...GEOMETRY,
  input_height: "u32",
  input_width: "u32",
  output_channels: "u32",
  input: "place",
} as const;

export const directConvolution = defineQuads("direct_convolution", () => ({
  summary: "Convolution with groups of odd sizes, a thread an output quad.",
  bindings: BINDINGS,
  constants: FORWARD,
  value: ({ io, k }) => {
    const channel = code`first_input + input_channel`;
    const value = scalar(io.input, k.input, code`u32(input_y)`, code`u32(input_x)`, channel);
    const windowY = code`i32(y * ${k.stride_height} + row * ${k.dilation_height})`;
    const windowX = code`i32(x * ${k.stride_width} + column * ${k.dilation_width})`;
    const taps = overTaps(
      k,
      code`
        let input_y = ${windowY} - i32(${k.padding_top});
        let input_x = ${windowX} - i32(${k.padding_left});
        let is_before = input_y < 0 || input_x < 0;
        if (is_before || input_y >= i32(${k.input_height}) || input_x >= i32(${k.input_width})) {
          continue;
        }
        for (var input_channel = 0u; input_channel < ${k.group_inputs}; input_channel++) {
          sum = fma(${value}, ${io.weights.load(weightAt(k))}, sum);
        }`,
    );
    return overQuad(
      k.output_channels,
      code`
        let output_channel = channel;
        let first_input = channel / ${k.group_outputs} * ${k.group_inputs};
        ${taps}`,
    );
  },
}));

const BACKWARD = {
  ...GEOMETRY,
  input_channels: "u32",
  output_height: "u32",
  output_width: "u32",
  input: "place",
} as const;

export const directInputGradient = defineQuads("direct_input_gradient", () => ({
  summary: "Input gradient of a convolution with groups of odd sizes, a thread an input quad.",
  bindings: BINDINGS,
  constants: BACKWARD,
  value: ({ io, k }) => {
    const channel = code`output_channel`;
    const value = scalar(io.input, k.input, code`u32(output_y)`, code`u32(output_x)`, channel);
    const [height, width] = [code`i32(${k.output_height})`, code`i32(${k.output_width})`];
    const taps = overTaps(
      k,
      code`
        let top = i32(y + ${k.padding_top}) - i32(row * ${k.dilation_height});
        let left = i32(x + ${k.padding_left}) - i32(column * ${k.dilation_width});
        let output_y = top / i32(${k.stride_height});
        let output_x = left / i32(${k.stride_width});
        let is_row = output_y * i32(${k.stride_height}) == top;
        let is_column = output_x * i32(${k.stride_width}) == left;
        let is_inside = top >= 0 && left >= 0 && output_y < ${height} && output_x < ${width};
        if (!is_row || !is_column || !is_inside) {
          continue;
        }
        for (var part_output = 0u; part_output < ${k.group_outputs}; part_output++) {
          let output_channel = first_output + part_output;
          sum = fma(${value}, ${io.weights.load(weightAt(k))}, sum);
        }`,
    );
    return overQuad(
      k.input_channels,
      code`
        let input_channel = channel % ${k.group_inputs};
        let first_output = channel / ${k.group_inputs} * ${k.group_outputs};
        ${taps}`,
    );
  },
}));

export const directWeightGradient = defineKernel("direct_weight_gradient", () => ({
  summary: "Weight gradient of a convolution with groups of odd sizes, a thread a weight.",
  bindings: { input: read("f32"), gradient: read("f32"), result: written("f32") },
  constants: {
    weights: "u32",
    ...GEOMETRY,
    input_height: "u32",
    input_width: "u32",
    output_height: "u32",
    output_width: "u32",
    input: "place",
    gradient: "place",
  },
  lanes: LANES,
  body: ({ io, k }) => {
    const [inputY, inputX] = [code`u32(input_y)`, code`u32(input_x)`];
    const value = scalar(io.input, k.input, inputY, inputX, code`input_channel`);
    const [outputY, outputX] = [code`output_y`, code`output_x`];
    const slope = scalar(io.gradient, k.gradient, outputY, outputX, code`output_channel`);
    const y = code`output_y * ${k.stride_height} + row * ${k.dilation_height}`;
    const x = code`output_x * ${k.stride_width} + column * ${k.dilation_width}`;
    return code`
      ${startThread(LANES, "weight")}
      if (weight >= ${k.weights}) {
        return;
      }
      let column = weight % ${k.kernel_width};
      let row = weight / ${k.kernel_width} % ${k.kernel_height};
      let filter_size = ${k.group_inputs} * ${k.kernel_height} * ${k.kernel_width};
      let output_channel = weight / filter_size;
      let input_channel = output_channel / ${k.group_outputs} * ${k.group_inputs}
        + weight % filter_size / (${k.kernel_width} * ${k.kernel_height});
      var sum = 0f;
      for (var image = 0u; image < ${frame.batch}; image++) {
        for (var output_y = 0u; output_y < ${k.output_height}; output_y++) {
          let input_y = i32(${y}) - i32(${k.padding_top});
          if (input_y < 0 || input_y >= i32(${k.input_height})) {
            continue;
          }
          for (var output_x = 0u; output_x < ${k.output_width}; output_x++) {
            let input_x = i32(${x}) - i32(${k.padding_left});
            if (input_x >= 0 && input_x < i32(${k.input_width})) {
              sum = fma(${value}, ${slope}, sum);
            }
          }
        }
      }
      ${io.result.store(code`weight`, code`sum`)}`;
  },
}));
