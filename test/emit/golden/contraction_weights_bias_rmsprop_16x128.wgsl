// Contraction: rows are weights of a kernel window, columns output channels, K pixels.

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

struct Place {
  image_pitch: u32,
  row_pitch: u32,
  column_pitch: u32,
  base: u32,
}

struct Constants {
  a: Place,
  b: Place,
  height: u32,
  width: u32,
  columns: u32,
  column_blocks: u32,
  first_quad: u32,
  row_quads: u32,
  run_values: u32,
  segments_per_row: u32,
  segment_row: u32,
  segment_column: u32,
  run: u32,
  a_group: u32,
  y_group: u32,
  learning_rate_factor: f32,
  decay_factor: f32,
  bias_learning_rate_factor: f32,
  bias_decay_factor: f32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> state0: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> state1: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> bias_w: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> bias_state0: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> bias_state1: array<vec4f>;

var<workgroup> tile: array<vec4f, 4>;
var<workgroup> places: array<u32, 24>;

fn descend(at: u32, made: vec4f) {
  let rate = frame.learning_rate * constants.learning_rate_factor;
  let decay = frame.weight_decay * constants.decay_factor;
  let gradient = made;
  let weight = w[at];
  let g = gradient + decay * weight;
  let squares = frame.beta2 * state0[at] + frame.rest2 * g * g;
  state0[at] = squares;
  let v = frame.momentum * state1[at] + g / (sqrt(squares) + frame.epsilon);
  state1[at] = v;
  w[at] = weight - rate * v;
}

fn bias_descend(at: u32, made: vec4f) {
  let rate = frame.learning_rate * constants.bias_learning_rate_factor;
  let decay = frame.weight_decay * constants.bias_decay_factor;
  let gradient = made;
  let weight = bias_w[at];
  let g = gradient + decay * weight;
  let squares = frame.beta2 * bias_state0[at] + frame.rest2 * g * g;
  bias_state0[at] = squares;
  let v = frame.momentum * bias_state1[at] + g / (sqrt(squares) + frame.epsilon);
  bias_state1[at] = v;
  bias_w[at] = weight - rate * v;
}

fn finish(row: u32, group: u32, column: u32, sum: vec4f) {
  let is_value = row % (4u * constants.run) < constants.run_values;
  if (row < 4u * constants.row_quads && column < constants.columns && is_value) {
    descend(group * constants.y_group + row * constants.columns + column, sum);
  }
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let plane = workgroup.z + constants.first_plane;
  let first_quad = block * 4u;
  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * 32u + lane;
  let row_lane = lane % 4u;
  let quad0 = min(first_quad + row_lane, constants.row_quads - 1u);
  let segment0 = quad0 / constants.run;
  let a_place0 = segment0 / constants.segments_per_row * constants.segment_row + segment0 % constants.segments_per_row * constants.segment_column + quad0 % constants.run + group * constants.a_group;
  let b_quad = group * constants.columns + min(column, constants.columns - 1u) + constants.first_quad;
  var c0 = vec4f(0);
  var c1 = vec4f(0);
  var c2 = vec4f(0);
  var c3 = vec4f(0);
  var c4 = vec4f(0);
  var c5 = vec4f(0);
  var c6 = vec4f(0);
  var c7 = vec4f(0);
  var c8 = vec4f(0);
  var c9 = vec4f(0);
  var c10 = vec4f(0);
  var c11 = vec4f(0);
  var c12 = vec4f(0);
  var c13 = vec4f(0);
  var c14 = vec4f(0);
  var c15 = vec4f(0);
  let first_line = 0u;
  let last_line = frame.batch * constants.height;
  let width = constants.width;
  let a_column = constants.a.column_pitch;
  let b_column = constants.b.column_pitch;
  for (var line = first_line; line < last_line; line++) {
    let image = line / constants.height;
    let y_row = line % constants.height;
    var a_line = constants.a.base + image * constants.a.image_pitch + y_row * constants.a.row_pitch;
    var b_line = constants.b.base + line / constants.height * constants.b.image_pitch + line % constants.height * constants.b.row_pitch + b_quad;
    for (var x = 0u; x < width; x++) {
      let a0 = a[a_line + a_place0];
      workgroupBarrier();
      if (lane < 4u) {
        tile[lane] = a0;
      }
      workgroupBarrier();
      let b0 = b[b_line];
      c0 = fma(vec4f(tile[0u].x), b0, c0);
      c1 = fma(vec4f(tile[0u].y), b0, c1);
      c2 = fma(vec4f(tile[0u].z), b0, c2);
      c3 = fma(vec4f(tile[0u].w), b0, c3);
      c4 = fma(vec4f(tile[1u].x), b0, c4);
      c5 = fma(vec4f(tile[1u].y), b0, c5);
      c6 = fma(vec4f(tile[1u].z), b0, c6);
      c7 = fma(vec4f(tile[1u].w), b0, c7);
      c8 = fma(vec4f(tile[2u].x), b0, c8);
      c9 = fma(vec4f(tile[2u].y), b0, c9);
      c10 = fma(vec4f(tile[2u].z), b0, c10);
      c11 = fma(vec4f(tile[2u].w), b0, c11);
      c12 = fma(vec4f(tile[3u].x), b0, c12);
      c13 = fma(vec4f(tile[3u].y), b0, c13);
      c14 = fma(vec4f(tile[3u].z), b0, c14);
      c15 = fma(vec4f(tile[3u].w), b0, c15);
      a_line += a_column;
      b_line += b_column;
    }
  }
  finish(4u * first_quad, group, column, c0);
  finish(4u * first_quad + 1u, group, column, c1);
  finish(4u * first_quad + 2u, group, column, c2);
  finish(4u * first_quad + 3u, group, column, c3);
  finish(4u * first_quad + 4u, group, column, c4);
  finish(4u * first_quad + 5u, group, column, c5);
  finish(4u * first_quad + 6u, group, column, c6);
  finish(4u * first_quad + 7u, group, column, c7);
  finish(4u * first_quad + 8u, group, column, c8);
  finish(4u * first_quad + 9u, group, column, c9);
  finish(4u * first_quad + 10u, group, column, c10);
  finish(4u * first_quad + 11u, group, column, c11);
  finish(4u * first_quad + 12u, group, column, c12);
  finish(4u * first_quad + 13u, group, column, c13);
  finish(4u * first_quad + 14u, group, column, c14);
  finish(4u * first_quad + 15u, group, column, c15);
  if (block == 0u) {
    var bias_sum = vec4f(0);
    var image_sum = vec4f(0);
    for (var line = first_line; line < last_line; line++) {
      var b_line = constants.b.base + line / constants.height * constants.b.image_pitch + line % constants.height * constants.b.row_pitch + b_quad;
      var line_sum = vec4f(0);
      for (var x = 0u; x < width; x++) {
        line_sum += b[b_line];
        b_line += b_column;
      }
      image_sum += line_sum;
      if ((line + 1u) % constants.height == 0u) {
        bias_sum += image_sum;
        image_sum = vec4f(0);
      }
    }
    bias_sum += image_sum;
    if (column < constants.columns) {
      bias_descend(b_quad, bias_sum);
    }
  }
}
