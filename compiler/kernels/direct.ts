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

/** Runs `body` for each of a quad's channels `c`; the vec4 `value` gathers `sum`. */
const overQuad = (channels: Code, body: Code) => code`
  var value = vec4f(0);
  for (var part = 0u; part < 4u; part++) {
    let c = 4u * quad + part;
    if (c >= ${channels}) {
      break;
    }
    var sum = 0f;
    ${body}
    value[part] = sum;
  }`;

const weightAt = (k: Geometry) => {
  const ofInput = code`(output * ${k.group_inputs} + input) * ${k.kernel_height}`;
  return code`(${ofInput} + row) * ${k.kernel_width} + column`;
};

const BINDINGS = { a: read("f32"), w: read("f32") } as const;

const FORWARD = {
  ...GEOMETRY,
  input_height: "u32",
  input_width: "u32",
  output_channels: "u32",
  a: "place",
} as const;

export const directConvolution = defineQuads("direct_convolution", () => ({
  summary: "Convolution with groups of odd sizes, a thread an output quad.",
  bindings: BINDINGS,
  constants: FORWARD,
  value: ({ io, k }) => {
    const value = scalar(io.a, k.a, code`u32(iy)`, code`u32(ix)`, code`first_input + input`);
    const taps = overTaps(
      k,
      code`
        let iy = i32(y * ${k.stride_height} + row * ${k.dilation_height}) - i32(${k.padding_top});
        let ix = i32(x * ${k.stride_width} + column * ${k.dilation_width}) - i32(${k.padding_left});
        if (iy < 0 || ix < 0 || iy >= i32(${k.input_height}) || ix >= i32(${k.input_width})) {
          continue;
        }
        for (var input = 0u; input < ${k.group_inputs}; input++) {
          sum = fma(${value}, ${io.w.load(weightAt(k))}, sum);
        }`,
    );
    return overQuad(
      k.output_channels,
      code`
        let output = c;
        let first_input = c / ${k.group_outputs} * ${k.group_inputs};
        ${taps}`,
    );
  },
}));

const BACKWARD = {
  ...GEOMETRY,
  input_channels: "u32",
  output_height: "u32",
  output_width: "u32",
  a: "place",
} as const;

export const directInputGradient = defineQuads("direct_input_gradient", () => ({
  summary: "Input gradient of a convolution with groups of odd sizes, a thread an input quad.",
  bindings: BINDINGS,
  constants: BACKWARD,
  value: ({ io, k }) => {
    const value = scalar(io.a, k.a, code`u32(oy)`, code`u32(ox)`, code`output`);
    const isBeyond = code`oy >= i32(${k.output_height}) || ox >= i32(${k.output_width})`;
    const taps = overTaps(
      k,
      code`
        let ty = i32(y + ${k.padding_top}) - i32(row * ${k.dilation_height});
        let tx = i32(x + ${k.padding_left}) - i32(column * ${k.dilation_width});
        let oy = ty / i32(${k.stride_height});
        let ox = tx / i32(${k.stride_width});
        let aligned = oy * i32(${k.stride_height}) == ty && ox * i32(${k.stride_width}) == tx;
        if (ty < 0 || tx < 0 || !aligned || ${isBeyond}) {
          continue;
        }
        for (var part_output = 0u; part_output < ${k.group_outputs}; part_output++) {
          let output = first_output + part_output;
          sum = fma(${value}, ${io.w.load(weightAt(k))}, sum);
        }`,
    );
    return overQuad(
      k.input_channels,
      code`
        let input = c % ${k.group_inputs};
        let first_output = c / ${k.group_inputs} * ${k.group_outputs};
        ${taps}`,
    );
  },
}));

export const directWeightGradient = defineKernel("direct_weight_gradient", () => ({
  summary: "Weight gradient of a convolution with groups of odd sizes, a thread a weight.",
  bindings: { a: read("f32"), b: read("f32"), y: written("f32") },
  constants: {
    weights: "u32",
    ...GEOMETRY,
    input_height: "u32",
    input_width: "u32",
    output_height: "u32",
    output_width: "u32",
    a: "place",
    b: "place",
  },
  lanes: LANES,
  body: ({ io, k }) => {
    const a = scalar(io.a, k.a, code`u32(iy)`, code`u32(ix)`, code`input`);
    const b = scalar(io.b, k.b, code`oy`, code`ox`, code`output`);
    const y = code`oy * ${k.stride_height} + row * ${k.dilation_height}`;
    const x = code`ox * ${k.stride_width} + column * ${k.dilation_width}`;
    return code`
      ${startThread(LANES, "weight")}
      if (weight >= ${k.weights}) {
        return;
      }
      let column = weight % ${k.kernel_width};
      let row = weight / ${k.kernel_width} % ${k.kernel_height};
      let filter_size = ${k.group_inputs} * ${k.kernel_height} * ${k.kernel_width};
      let output = weight / filter_size;
      let input = output / ${k.group_outputs} * ${k.group_inputs}
        + weight % filter_size / (${k.kernel_width} * ${k.kernel_height});
      var sum = 0f;
      for (var image = 0u; image < ${frame.batch}; image++) {
        for (var oy = 0u; oy < ${k.output_height}; oy++) {
          let iy = i32(${y}) - i32(${k.padding_top});
          if (iy < 0 || iy >= i32(${k.input_height})) {
            continue;
          }
          for (var ox = 0u; ox < ${k.output_width}; ox++) {
            let ix = i32(${x}) - i32(${k.padding_left});
            if (ix >= 0 && ix < i32(${k.input_width})) {
              sum = fma(${a}, ${b}, sum);
            }
          }
        }
      }
      ${io.y.store(code`weight`, code`sum`)}`;
  },
}));
