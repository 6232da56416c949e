// The same elements, in logical order, in another shape.

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
}

struct Constants {

  elements: u32,
  a_width: u32,
  a_height: u32,
  y_width: u32,
  y_height: u32,
  a_image: u32,
  a_row: u32,
  a_column: u32,
  a_base: u32,
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
  let image = thread / constants.elements;
  let element = thread % constants.elements;
  if (image < frame.batch) {
    let x_from = element % constants.a_width;
    let y_from = element / constants.a_width % constants.a_height;
    let c_from = element / constants.a_width / constants.a_height;
    let x_to = element % constants.y_width;
    let y_to = element / constants.y_width % constants.y_height;
    let c_to = element / constants.y_width / constants.y_height;
    result[constants.y_base + image * constants.y_image + y_to * constants.y_row + x_to * constants.y_column + c_to] = a[constants.a_base + image * constants.a_image + y_from * constants.a_row + x_from * constants.a_column + c_from];
  }
}
