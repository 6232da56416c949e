// Convolution with groups of odd sizes, a thread an output quad.

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
  input_height: u32,
  input_width: u32,
  output_channels: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

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
  var value = vec4f(0);
  for (var part = 0u; part < 4u; part++) {
    let channel = 4u * quad + part;
    if (channel >= constants.output_channels) {
      break;
    }
    var sum = 0f;
    let output_channel = channel;
    let first_input = channel / constants.group_outputs * constants.group_inputs;
    for (var row = 0u; row < constants.kernel_height; row++) {
      for (var column = 0u; column < constants.kernel_width; column++) {
        let input_y = i32(y * constants.stride_height + row * constants.dilation_height) - i32(constants.padding_top);
        let input_x = i32(x * constants.stride_width + column * constants.dilation_width) - i32(constants.padding_left);
        let is_before = input_y < 0 || input_x < 0;
        if (is_before || input_y >= i32(constants.input_height) || input_x >= i32(constants.input_width)) {
          continue;
        }
        for (var input_channel = 0u; input_channel < constants.group_inputs; input_channel++) {
          sum = fma(input[4u * place_of(constants.input, image, u32(input_y), u32(input_x)) + first_input + input_channel], weights[((output_channel * constants.group_inputs + input_channel) * constants.kernel_height + row) * constants.kernel_width + column], sum);
        }
      }
    }
    value[part] = sum;
  }
  result[result_place + quad] = value;
}
