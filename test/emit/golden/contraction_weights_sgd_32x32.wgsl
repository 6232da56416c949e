// Contraction: rows are weights of a kernel window, columns output channels, K pixels.
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

struct Place {
  image_pitch: u32,
  row_pitch: u32,
  column_pitch: u32,
  base: u32,
}

struct Constants {
  input: Place,
  gradient: Place,
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
  input_group: u32,
  result_group: u32,
  learning_rate_factor: f32,
  decay_factor: f32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> weights: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> state0: array<vec4f>;

const BLOCK_QUADS = 8u;
const COLUMN_LANES = 8u;
const ROW_LANES = 8u;

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

fn finish(row: u32, group: u32, column: u32, sum: vec4f) {
  let is_value = row % (4u * constants.run) < constants.run_values;
  if (row < 4u * constants.row_quads && column < constants.columns && is_value) {
    descend(group * constants.result_group + row * constants.columns + column, sum);
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
  // The lane's part.
  let first_quad = block * BLOCK_QUADS;
  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * COLUMN_LANES + lane;
  let row_lane = subgroup_lane % ROW_LANES;
  let quad0 = min(first_quad + row_lane, constants.row_quads - 1u);
  let segment0 = quad0 / constants.run;
  let input_place0 = segment0 / constants.segments_per_row * constants.segment_row + segment0 % constants.segments_per_row * constants.segment_column + quad0 % constants.run + group * constants.input_group;
  let gradient_quad = group * constants.columns + min(column, constants.columns - 1u) + constants.first_quad;
  var sum0 = vec4f(0);
  var sum1 = vec4f(0);
  var sum2 = vec4f(0);
  var sum3 = vec4f(0);
  var sum4 = vec4f(0);
  var sum5 = vec4f(0);
  var sum6 = vec4f(0);
  var sum7 = vec4f(0);
  var sum8 = vec4f(0);
  var sum9 = vec4f(0);
  var sum10 = vec4f(0);
  var sum11 = vec4f(0);
  var sum12 = vec4f(0);
  var sum13 = vec4f(0);
  var sum14 = vec4f(0);
  var sum15 = vec4f(0);
  var sum16 = vec4f(0);
  var sum17 = vec4f(0);
  var sum18 = vec4f(0);
  var sum19 = vec4f(0);
  var sum20 = vec4f(0);
  var sum21 = vec4f(0);
  var sum22 = vec4f(0);
  var sum23 = vec4f(0);
  var sum24 = vec4f(0);
  var sum25 = vec4f(0);
  var sum26 = vec4f(0);
  var sum27 = vec4f(0);
  var sum28 = vec4f(0);
  var sum29 = vec4f(0);
  var sum30 = vec4f(0);
  var sum31 = vec4f(0);
  let first_line = 0u;
  let last_line = frame.batch * constants.height;
  let width = constants.width;
  let input_column = constants.input.column_pitch;
  let gradient_column = constants.gradient.column_pitch;
  for (var line = first_line; line < last_line; line++) {
    let image = line / constants.height;
    let y = line % constants.height;
    var input_line = constants.input.base + image * constants.input.image_pitch + y * constants.input.row_pitch;
    var gradient_line = constants.gradient.base + line / constants.height * constants.gradient.image_pitch + line % constants.height * constants.gradient.row_pitch + gradient_quad;
    for (var x = 0u; x < width; x++) {
      let input0 = input[input_line + input_place0];
      // Multiply.
      let gradient0 = gradient[gradient_line];
      sum0 = fma(vec4f(subgroupBroadcast(input0[0u], 0u)), gradient0, sum0);
      sum1 = fma(vec4f(subgroupBroadcast(input0[1u], 0u)), gradient0, sum1);
      sum2 = fma(vec4f(subgroupBroadcast(input0[2u], 0u)), gradient0, sum2);
      sum3 = fma(vec4f(subgroupBroadcast(input0[3u], 0u)), gradient0, sum3);
      sum4 = fma(vec4f(subgroupBroadcast(input0[0u], 1u)), gradient0, sum4);
      sum5 = fma(vec4f(subgroupBroadcast(input0[1u], 1u)), gradient0, sum5);
      sum6 = fma(vec4f(subgroupBroadcast(input0[2u], 1u)), gradient0, sum6);
      sum7 = fma(vec4f(subgroupBroadcast(input0[3u], 1u)), gradient0, sum7);
      sum8 = fma(vec4f(subgroupBroadcast(input0[0u], 2u)), gradient0, sum8);
      sum9 = fma(vec4f(subgroupBroadcast(input0[1u], 2u)), gradient0, sum9);
      sum10 = fma(vec4f(subgroupBroadcast(input0[2u], 2u)), gradient0, sum10);
      sum11 = fma(vec4f(subgroupBroadcast(input0[3u], 2u)), gradient0, sum11);
      sum12 = fma(vec4f(subgroupBroadcast(input0[0u], 3u)), gradient0, sum12);
      sum13 = fma(vec4f(subgroupBroadcast(input0[1u], 3u)), gradient0, sum13);
      sum14 = fma(vec4f(subgroupBroadcast(input0[2u], 3u)), gradient0, sum14);
      sum15 = fma(vec4f(subgroupBroadcast(input0[3u], 3u)), gradient0, sum15);
      sum16 = fma(vec4f(subgroupBroadcast(input0[0u], 4u)), gradient0, sum16);
      sum17 = fma(vec4f(subgroupBroadcast(input0[1u], 4u)), gradient0, sum17);
      sum18 = fma(vec4f(subgroupBroadcast(input0[2u], 4u)), gradient0, sum18);
      sum19 = fma(vec4f(subgroupBroadcast(input0[3u], 4u)), gradient0, sum19);
      sum20 = fma(vec4f(subgroupBroadcast(input0[0u], 5u)), gradient0, sum20);
      sum21 = fma(vec4f(subgroupBroadcast(input0[1u], 5u)), gradient0, sum21);
      sum22 = fma(vec4f(subgroupBroadcast(input0[2u], 5u)), gradient0, sum22);
      sum23 = fma(vec4f(subgroupBroadcast(input0[3u], 5u)), gradient0, sum23);
      sum24 = fma(vec4f(subgroupBroadcast(input0[0u], 6u)), gradient0, sum24);
      sum25 = fma(vec4f(subgroupBroadcast(input0[1u], 6u)), gradient0, sum25);
      sum26 = fma(vec4f(subgroupBroadcast(input0[2u], 6u)), gradient0, sum26);
      sum27 = fma(vec4f(subgroupBroadcast(input0[3u], 6u)), gradient0, sum27);
      sum28 = fma(vec4f(subgroupBroadcast(input0[0u], 7u)), gradient0, sum28);
      sum29 = fma(vec4f(subgroupBroadcast(input0[1u], 7u)), gradient0, sum29);
      sum30 = fma(vec4f(subgroupBroadcast(input0[2u], 7u)), gradient0, sum30);
      sum31 = fma(vec4f(subgroupBroadcast(input0[3u], 7u)), gradient0, sum31);
      input_line += input_column;
      gradient_line += gradient_column;
    }
  }
  // Write.
  var sums = array<vec4f, 32>(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7, sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15, sum16, sum17, sum18, sum19, sum20, sum21, sum22, sum23, sum24, sum25, sum26, sum27, sum28, sum29, sum30, sum31);
  for (var row = 0u; row != 32u && 4u * first_quad + row < 4u * constants.row_quads; row++) {
    finish(4u * first_quad + row, group, column, sums[row]);
  }
}
