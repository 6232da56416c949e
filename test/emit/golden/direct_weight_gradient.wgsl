// Weight gradient of a convolution with groups of odd sizes, a thread a weight.

struct Frame {
  batch: u32,
  step: u32,
  seed: u32,
  training: u32,
  learning_rate: f32,
  weight_decay: f32,
  clip_norm: f32,
  clip_value: f32,
  momentum: f32,
  nesterov: u32,
  convention: u32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  correction1: f32,
  correction2: f32,
  first_image: u32,
  step_images: u32,
  rest1: f32,
  rest2: f32,
  is_first_slice: u32,
  is_last_slice: u32,
}

struct Constants {

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
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
  b_image: u32,
  b_row: u32,
  b_column: u32,
  b_base: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let weight = block * 64u + lane;
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
          sum = fma(a[4u * (constants.a_base + image * constants.a_image + u32(iy) * constants.a_row + u32(ix) * constants.a_column) + input], b[4u * (constants.b_base + image * constants.b_image + oy * constants.b_row + ox * constants.b_column) + output], sum);
        }
      }
    }
  }
  y[weight] = sum;
}
