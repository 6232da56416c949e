// The optimizer's step, in place.

struct Frame {
  batch: u32,
  first_image: u32,
  step_images: u32,
  step: u32,
  seed: u32,
  training: u32,
  is_first_slice: u32,
  is_last_slice: u32,
  learning_rate: f32,
  weight_decay: f32,
  momentum: f32,
  nesterov: u32,
  convention: u32,
}

struct Constants {
  quads: u32,
  learning_rate_factor: f32,
  decay_factor: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> state0: array<vec4f>;

fn descend(at: u32, made: vec4f) {
  let rate = frame.learning_rate * constants.learning_rate_factor;
  let decay = frame.weight_decay * constants.decay_factor;
  let gradient = made;
  let weight = weights[at];
  let inner = select(1.0, rate, frame.convention == 1u);
  let outer = select(rate, 1.0, frame.convention == 1u);
  let is_first = frame.is_first_slice != 0u;
  let slope = inner * (gradient + select(0.0, decay, is_first) * weight);
  let velocity = select(1.0, frame.momentum, is_first) * state0[at] + slope;
  state0[at] = velocity;
  if (frame.is_last_slice != 0u) {
    weights[at] = weight - outer * select(velocity, slope + frame.momentum * velocity, frame.nesterov != 0u);
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let first = block * 256u + lane;
  for (var turn = 0u; turn < 4u; turn++) {
    let at = first + turn * 64u;
    if (at < constants.quads) {
      descend(at, gradient[at]);
    }
  }
}
