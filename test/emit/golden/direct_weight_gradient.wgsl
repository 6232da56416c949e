// Weight gradient of a convolution with groups of odd sizes, a thread a weight.

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
  input: Place,
  gradient: Place,
  weights: u32,
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
  output_height: u32,
  output_width: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

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
  let weight = block * LANES + lane;
  if (weight >= constants.weights) {
    return;
  }
  let column = weight % constants.kernel_width;
  let row = weight / constants.kernel_width % constants.kernel_height;
  let filter_size = constants.group_inputs * constants.kernel_height * constants.kernel_width;
  let output_channel = weight / filter_size;
  let input_channel = output_channel / constants.group_outputs * constants.group_inputs
    + weight % filter_size / (constants.kernel_width * constants.kernel_height);
  var sum = 0f;
  for (var image = 0u; image < frame.batch; image++) {
    for (var output_y = 0u; output_y < constants.output_height; output_y++) {
      let input_y = i32(output_y * constants.stride_height + row * constants.dilation_height) - i32(constants.padding_top);
      if (input_y < 0 || input_y >= i32(constants.input_height)) {
        continue;
      }
      for (var output_x = 0u; output_x < constants.output_width; output_x++) {
        let input_x = i32(output_x * constants.stride_width + column * constants.dilation_width) - i32(constants.padding_left);
        if (input_x >= 0 && input_x < i32(constants.input_width)) {
          sum = fma(input[4u * place_of(constants.input, image, u32(input_y), u32(input_x)) + input_channel], gradient[4u * place_of(constants.gradient, image, output_y, output_x) + output_channel], sum);
        }
      }
    }
  }
  result[weight] = sum;
}
