// Weight gradient of a few images, applied row by row.
enable subgroups;

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
  features: u32,
  columns: u32,
  first_quad: u32,
  a_image: u32,
  b_image: u32,
  b_base: u32,
  learning_rate_factor: f32,
  decay_factor: f32,
  bias_learning_rate_factor: f32,
  bias_decay_factor: f32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> state0: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> bias_w: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> bias_state0: array<vec4f>;

fn descend(at: u32, made: vec4f) {
  let rate = frame.learning_rate * constants.learning_rate_factor;
  let decay = frame.weight_decay * constants.decay_factor;
  let gradient = made;
  let weight = w[at];
  let inner = select(1.0, rate, frame.convention == 1u);
  let outer = select(rate, 1.0, frame.convention == 1u);
  let is_first = frame.is_first_slice != 0u;
  let g = inner * (gradient + select(0.0, decay, is_first) * weight);
  let v = select(1.0, frame.momentum, is_first) * state0[at] + g;
  state0[at] = v;
  if (frame.is_last_slice != 0u) {
    w[at] = weight - outer * select(v, g + frame.momentum * v, frame.nesterov != 0u);
  }
}

fn bias_descend(at: u32, made: vec4f) {
  let rate = frame.learning_rate * constants.bias_learning_rate_factor;
  let decay = frame.weight_decay * constants.bias_decay_factor;
  let gradient = made;
  let weight = bias_w[at];
  let inner = select(1.0, rate, frame.convention == 1u);
  let outer = select(rate, 1.0, frame.convention == 1u);
  let is_first = frame.is_first_slice != 0u;
  let g = inner * (gradient + select(0.0, decay, is_first) * weight);
  let v = select(1.0, frame.momentum, is_first) * bias_state0[at] + g;
  bias_state0[at] = v;
  if (frame.is_last_slice != 0u) {
    bias_w[at] = weight - outer * select(v, g + frame.momentum * v, frame.nesterov != 0u);
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let plane = workgroup.z + constants.first_plane;
  let column = block * 8u + lane;
  let quad = constants.first_quad + min(column, constants.columns - 1u);
  let row_lane = subgroup_lane % 4u;
  let last_image = frame.batch - 1u;
  let a_place0 = min(row_lane, last_image) * constants.a_image;
  let a_place1 = min(row_lane + 4u, last_image) * constants.a_image;
  let d0 = select(vec4f(0), b[constants.b_base + min(0u, last_image) * constants.b_image + quad], 0u <= last_image);
  let d1 = select(vec4f(0), b[constants.b_base + min(1u, last_image) * constants.b_image + quad], 1u <= last_image);
  let d2 = select(vec4f(0), b[constants.b_base + min(2u, last_image) * constants.b_image + quad], 2u <= last_image);
  let d3 = select(vec4f(0), b[constants.b_base + min(3u, last_image) * constants.b_image + quad], 3u <= last_image);
  let d4 = select(vec4f(0), b[constants.b_base + min(4u, last_image) * constants.b_image + quad], 4u <= last_image);
  let d5 = select(vec4f(0), b[constants.b_base + min(5u, last_image) * constants.b_image + quad], 5u <= last_image);
  let d6 = select(vec4f(0), b[constants.b_base + min(6u, last_image) * constants.b_image + quad], 6u <= last_image);
  let d7 = select(vec4f(0), b[constants.b_base + min(7u, last_image) * constants.b_image + quad], 7u <= last_image);
  let first = plane * 64u;
  let end = min(first + 64u, constants.features);
  for (var row = first; row < end; row++) {
    let x0 = a[a_place0 + row];
    let x1 = a[a_place1 + row];
    var gradient = vec4f(0);
    gradient = fma(vec4f(subgroupBroadcast(x0, 0u)), d0, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 1u)), d1, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 2u)), d2, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x0, 3u)), d3, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x1, 0u)), d4, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x1, 1u)), d5, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x1, 2u)), d6, gradient);
    gradient = fma(vec4f(subgroupBroadcast(x1, 3u)), d7, gradient);
    if (column < constants.columns) {
      descend(row * constants.columns + column, gradient);
    }
  }
  if (plane == 0u && column < constants.columns) {
    let bias_sum = d0 + d1 + d2 + d3 + d4 + d5 + d6 + d7;
    bias_descend(quad, bias_sum);
  }
}
