// Input gradient of a convolution with groups of odd sizes, a thread an input quad.

struct Frame {
  batch: u32,
}

struct Place {
  image_pitch: u32,
  row_pitch: u32,
  column_pitch: u32,
  base: u32,
}

struct Constants {
  result: Place,
  operand1: Place,
  input: Place,
  pixels: u32,
  width: u32,
  quads: u32,
  group_inputs: u32,
  group_outputs: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_height: u32,
  stride_width: u32,
  dilation_height: u32,
  dilation_width: u32,
  padding_top: u32,
  padding_left: u32,
  input_channels: u32,
  output_height: u32,
  output_width: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> operand1: array<vec4f>;

const LANES = 64u;

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  let pixel = thread / constants.quads;
  let quad = thread % constants.quads;
  if (pixel >= frame.batch * constants.pixels) {
    return;
  }
  let image = pixel / constants.pixels;
  let y = pixel % constants.pixels / constants.width;
  let x = pixel % constants.width;
  let result_place = place_of(constants.result, image, y, x);
  let operand1_place = place_of(constants.operand1, image, y, x);
  var value = vec4f(0);
  for (var part = 0u; part < 4u; part++) {
    let channel = 4u * quad + part;
    if (channel >= constants.input_channels) {
      break;
    }
    var sum = 0f;
    let input_channel = channel % constants.group_inputs;
    let first_output = channel / constants.group_inputs * constants.group_outputs;
    for (var row = 0u; row < constants.kernel_height; row++) {
      for (var column = 0u; column < constants.kernel_width; column++) {
        let top = i32(y + constants.padding_top) - i32(row * constants.dilation_height);
        let left = i32(x + constants.padding_left) - i32(column * constants.dilation_width);
        let output_y = top / i32(constants.stride_height);
        let output_x = left / i32(constants.stride_width);
        let is_row = output_y * i32(constants.stride_height) == top;
        let is_column = output_x * i32(constants.stride_width) == left;
        let is_inside = top >= 0 && left >= 0 && output_y < i32(constants.output_height) && output_x < i32(constants.output_width);
        if (!is_row || !is_column || !is_inside) {
          continue;
        }
        for (var part_output = 0u; part_output < constants.group_outputs; part_output++) {
          let output_channel = first_output + part_output;
          sum = fma(input[4u * place_of(constants.input, image, u32(output_y), u32(output_x)) + output_channel], weights[((output_channel * constants.group_inputs + input_channel) * constants.kernel_height + row) * constants.kernel_width + column], sum);
        }
      }
    }
    value[part] = sum;
  }
  result[result_place + quad] = select(vec4f(0), value, operand1[operand1_place + quad] > vec4f(0));
}
