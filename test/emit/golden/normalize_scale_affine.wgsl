// Normalization by known statistics: what to multiply by, and what to add.

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

  quads: u32,
  epsilon: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read> variance: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> shift: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let quad = block * 64u + lane;
  if (quad < constants.quads) {
    let deviation = sqrt(variance[quad] + vec4f(bitcast<f32>(constants.epsilon)));
    let factor = weight[quad] / deviation;
    scale[quad] = factor;
    shift[quad] = bias[quad] - mean[quad] * factor;
  }
}
