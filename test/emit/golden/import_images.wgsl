// Images from NCHW, as uploaded, into the layout of the first layer.

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

  channels: u32,
  height: u32,
  width: u32,
  y_image: u32,
  y_row: u32,
  y_column: u32,
  y_base: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * 64u + lane;
  let channel = thread % constants.channels;
  let x = thread / constants.channels % constants.width;
  let y_row = thread / constants.channels / constants.width % constants.height;
  let image = thread / constants.channels / constants.width / constants.height;
  if (image < frame.batch) {
    let plane_of_channel = image * constants.channels + channel;
    result[constants.y_base + image * constants.y_image + y_row * constants.y_row + x * constants.y_column + channel] = a[(plane_of_channel * constants.height + y_row) * constants.width + x];
  }
}
