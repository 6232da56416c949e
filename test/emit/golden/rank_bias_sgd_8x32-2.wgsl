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
  input_image: u32,
  gradient_image: u32,
  gradient_base: u32,
  learning_rate_factor: f32,
  decay_factor: f32,
  bias_learning_rate_factor: f32,
  bias_decay_factor: f32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> weights: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> state0: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> bias: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> bias_state0: array<vec4f>;

const COLUMN_LANES = 8u;
const ROW_LANES = 4u;
const BLOCK_ROWS = 64u;

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

fn bias_descend(at: u32, made: vec4f) {
  let rate = frame.learning_rate * constants.bias_learning_rate_factor;
  let decay = frame.weight_decay * constants.bias_decay_factor;
  let gradient = made;
  let weight = bias[at];
  let inner = select(1.0, rate, frame.convention == 1u);
  let outer = select(rate, 1.0, frame.convention == 1u);
  let is_first = frame.is_first_slice != 0u;
  let slope = inner * (gradient + select(0.0, decay, is_first) * weight);
  let velocity = select(1.0, frame.momentum, is_first) * bias_state0[at] + slope;
  bias_state0[at] = velocity;
  if (frame.is_last_slice != 0u) {
    bias[at] = weight - outer * select(velocity, slope + frame.momentum * velocity, frame.nesterov != 0u);
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
  let column = block * COLUMN_LANES + lane;
  let quad = constants.first_quad + min(column, constants.columns - 1u);
  let row_lane = subgroup_lane % ROW_LANES;
  let last_image = frame.batch - 1u;
  let input_place0 = min(row_lane, last_image) * constants.input_image;
  let input_place1 = min(row_lane + 4u, last_image) * constants.input_image;
  let gradient0 = select(vec4f(0), gradient[constants.gradient_base + min(0u, last_image) * constants.gradient_image + quad], 0u <= last_image);
  let gradient1 = select(vec4f(0), gradient[constants.gradient_base + min(1u, last_image) * constants.gradient_image + quad], 1u <= last_image);
  let gradient2 = select(vec4f(0), gradient[constants.gradient_base + min(2u, last_image) * constants.gradient_image + quad], 2u <= last_image);
  let gradient3 = select(vec4f(0), gradient[constants.gradient_base + min(3u, last_image) * constants.gradient_image + quad], 3u <= last_image);
  let gradient4 = select(vec4f(0), gradient[constants.gradient_base + min(4u, last_image) * constants.gradient_image + quad], 4u <= last_image);
  let gradient5 = select(vec4f(0), gradient[constants.gradient_base + min(5u, last_image) * constants.gradient_image + quad], 5u <= last_image);
  let gradient6 = select(vec4f(0), gradient[constants.gradient_base + min(6u, last_image) * constants.gradient_image + quad], 6u <= last_image);
  let gradient7 = select(vec4f(0), gradient[constants.gradient_base + min(7u, last_image) * constants.gradient_image + quad], 7u <= last_image);
  // Update row by row.
  let first = plane * BLOCK_ROWS;
  let end = min(first + BLOCK_ROWS, constants.features);
  for (var row = first; row < end; row++) {
    let input0 = input[input_place0 + row];
    let input1 = input[input_place1 + row];
    var sum = vec4f(0);
    sum = fma(vec4f(subgroupBroadcast(input0, 0u)), gradient0, sum);
    sum = fma(vec4f(subgroupBroadcast(input0, 1u)), gradient1, sum);
    sum = fma(vec4f(subgroupBroadcast(input0, 2u)), gradient2, sum);
    sum = fma(vec4f(subgroupBroadcast(input0, 3u)), gradient3, sum);
    sum = fma(vec4f(subgroupBroadcast(input1, 0u)), gradient4, sum);
    sum = fma(vec4f(subgroupBroadcast(input1, 1u)), gradient5, sum);
    sum = fma(vec4f(subgroupBroadcast(input1, 2u)), gradient6, sum);
    sum = fma(vec4f(subgroupBroadcast(input1, 3u)), gradient7, sum);
    if (column < constants.columns) {
      descend(row * constants.columns + column, sum);
    }
  }
  if (plane == 0u && column < constants.columns) {
    let bias_sum = gradient0 + gradient1 + gradient2 + gradient3 + gradient4 + gradient5 + gradient6 + gradient7;
    bias_descend(quad, bias_sum);
  }
}
