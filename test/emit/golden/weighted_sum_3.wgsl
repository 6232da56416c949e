// A weighted sum of the losses of each example.

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

  weight0: u32,
  weight1: u32,
  weight2: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a0: array<f32>;
@group(0) @binding(3) var<storage, read> a1: array<f32>;
@group(0) @binding(4) var<storage, read> a2: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let image = block * 64u + lane;
  if (image < frame.batch) {
    y[image] = bitcast<f32>(constants.weight0) * a0[image] + bitcast<f32>(constants.weight1) * a1[image] + bitcast<f32>(constants.weight2) * a2[image];
  }
}
