// Sums of parts of a weight gradient, in a fixed order, and their use.

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
  beta1: f32,
  beta2: f32,
  rest1: f32,
  rest2: f32,
  epsilon: f32,
}

struct Constants {
  first: u32,
  quads: u32,
  splits: u32,
  partial_quads: u32,
  base: u32,
  learning_rate_factor: f32,
  decay_factor: f32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> partials: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> state0: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> state1: array<vec4f>;

const LANES = 64u;

fn descend(at: u32, made: vec4f) {
  let rate = frame.learning_rate * constants.learning_rate_factor;
  let decay = frame.weight_decay * constants.decay_factor;
  let gradient = made;
  let weight = weights[at];
  let slope = gradient + decay * weight;
  let squares = frame.beta2 * state0[at] + frame.rest2 * slope * slope;
  state0[at] = squares;
  let scaled = slope / (sqrt(squares) + frame.epsilon);
  let velocity = frame.momentum * state1[at] + scaled;
  state1[at] = velocity;
  weights[at] = weight - rate * velocity;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let thread = block * LANES + lane;
  if (thread < constants.quads) {
    let at = constants.first + thread;
    var gradient = vec4f(0);
    for (var split = 0u; split < constants.splits; split++) {
      gradient += partials[split * constants.partial_quads + constants.base + at];
    }
    descend(at, gradient);
  }
}
