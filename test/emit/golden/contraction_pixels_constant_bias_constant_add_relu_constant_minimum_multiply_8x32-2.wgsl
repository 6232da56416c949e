// Contraction: rows are output pixels, columns output channels, K the window.
enable subgroups;

struct Frame {
  batch: u32,
}

struct Place {
  image_pitch: u32,
  row_pitch: u32,
  column_pitch: u32,
  base: u32,
}

struct Constants {
  input: Place,
  result: Place,
  pixels: u32,
  width: u32,
  columns: u32,
  column_blocks: u32,
  first_quad: u32,
  segments: u32,
  segments_per_row: u32,
  segment_row: u32,
  segment_column: u32,
  run: u32,
  input_group: u32,
  weights_group: u32,
  first_plane: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> constants: Constants;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(5) var<storage, read> operand1: array<vec4f>;

const MINUS_INFINITY = -0x800000;
const MAGNITUDE = 0x7fffffff;
const INFINITY = 0x7f800000;
const BLOCK_ROWS = 8u;
const COLUMN_LANES = 8u;
const ROW_LANES = 4u;

fn relu(x: vec4f) -> vec4f {
  let bits = bitcast<vec4i>(x);
  return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(MINUS_INFINITY)));
}

fn or_nan(x: vec4f, y: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let is_nan = (bits & vec4u(MAGNITUDE)) > vec4u(INFINITY);
  return bitcast<vec4f>(select(bitcast<vec4u>(y), bits, is_nan));
}

fn smaller(a: vec4f, b: vec4f) -> vec4f {
  return or_nan(a, or_nan(b, min(a, b)));
}

fn place_of(at: Place, image: u32, y: u32, x: u32) -> u32 {
  return at.base + image * at.image_pitch + y * at.row_pitch + x * at.column_pitch;
}

fn multiply_add(sum: vec4f, row: vec4f, weights0: vec4f, weights1: vec4f, weights2: vec4f, weights3: vec4f) -> vec4f {
  let first = fma(vec4f(row.x), weights0, sum);
  let second = fma(vec4f(row.y), weights1, first);
  let third = fma(vec4f(row.z), weights2, second);
  return fma(vec4f(row.w), weights3, third);
}

fn finish(row: u32, column: u32, quad: u32, sum: vec4f, result_place: u32) {
  if (row < frame.batch * constants.pixels && column < constants.columns) {
    result[result_place + quad] = vec4f(0.16666666666666666) * smaller(relu(sum + operand1[quad] + vec4f(3.0)), vec4f(6.0));
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
  let rows = frame.batch * constants.pixels;
  let first_row = block * BLOCK_ROWS;
  let group = plane / constants.column_blocks;
  let column = plane % constants.column_blocks * COLUMN_LANES + lane;
  let row_lane = subgroup_lane % ROW_LANES;
  let row0 = min(first_row + row_lane, rows - 1u);
  let image0 = row0 / constants.pixels;
  let y0 = row0 % constants.pixels / constants.width;
  let x0 = row0 % constants.width;
  let input_place0 = place_of(constants.input, image0, y0, x0) + group * constants.input_group;
  let result_place0 = place_of(constants.result, image0, y0, x0);
  let row1 = min(first_row + row_lane + 4u, rows - 1u);
  let image1 = row1 / constants.pixels;
  let y1 = row1 % constants.pixels / constants.width;
  let x1 = row1 % constants.width;
  let input_place1 = place_of(constants.input, image1, y1, x1) + group * constants.input_group;
  let result_place1 = place_of(constants.result, image1, y1, x1);
  var sum0 = vec4f(0);
  var sum1 = vec4f(0);
  var sum2 = vec4f(0);
  var sum3 = vec4f(0);
  var sum4 = vec4f(0);
  var sum5 = vec4f(0);
  var sum6 = vec4f(0);
  var sum7 = vec4f(0);
  let columns = constants.columns;
  var weights_place = group * constants.weights_group + min(column, columns - 1u);
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + constants.run;
    for (var k = start; k < end; k++) {
      let input0 = input[input_place0 + k];
      let input1 = input[input_place1 + k];
      let weights0 = weights[weights_place];
      let weights1 = weights[weights_place + columns];
      let weights2 = weights[weights_place + 2u * columns];
      let weights3 = weights[weights_place + 3u * columns];
      // Multiply.
      sum0 = multiply_add(sum0, vec4f(subgroupBroadcast(input0.x, 0u), subgroupBroadcast(input0.y, 0u), subgroupBroadcast(input0.z, 0u), subgroupBroadcast(input0.w, 0u)), weights0, weights1, weights2, weights3);
      sum1 = multiply_add(sum1, vec4f(subgroupBroadcast(input0.x, 1u), subgroupBroadcast(input0.y, 1u), subgroupBroadcast(input0.z, 1u), subgroupBroadcast(input0.w, 1u)), weights0, weights1, weights2, weights3);
      sum2 = multiply_add(sum2, vec4f(subgroupBroadcast(input0.x, 2u), subgroupBroadcast(input0.y, 2u), subgroupBroadcast(input0.z, 2u), subgroupBroadcast(input0.w, 2u)), weights0, weights1, weights2, weights3);
      sum3 = multiply_add(sum3, vec4f(subgroupBroadcast(input0.x, 3u), subgroupBroadcast(input0.y, 3u), subgroupBroadcast(input0.z, 3u), subgroupBroadcast(input0.w, 3u)), weights0, weights1, weights2, weights3);
      sum4 = multiply_add(sum4, vec4f(subgroupBroadcast(input1.x, 0u), subgroupBroadcast(input1.y, 0u), subgroupBroadcast(input1.z, 0u), subgroupBroadcast(input1.w, 0u)), weights0, weights1, weights2, weights3);
      sum5 = multiply_add(sum5, vec4f(subgroupBroadcast(input1.x, 1u), subgroupBroadcast(input1.y, 1u), subgroupBroadcast(input1.z, 1u), subgroupBroadcast(input1.w, 1u)), weights0, weights1, weights2, weights3);
      sum6 = multiply_add(sum6, vec4f(subgroupBroadcast(input1.x, 2u), subgroupBroadcast(input1.y, 2u), subgroupBroadcast(input1.z, 2u), subgroupBroadcast(input1.w, 2u)), weights0, weights1, weights2, weights3);
      sum7 = multiply_add(sum7, vec4f(subgroupBroadcast(input1.x, 3u), subgroupBroadcast(input1.y, 3u), subgroupBroadcast(input1.z, 3u), subgroupBroadcast(input1.w, 3u)), weights0, weights1, weights2, weights3);
      weights_place += 4u * columns;
    }
  }
  // Write.
  let quad = constants.first_quad + group * columns + column;
  var sums = array<vec4f, 8>(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7);
  var row_values0 = array<u32, 2>(result_place0, result_place1);
  for (var row = 0u; row != 8u && first_row + row < rows; row++) {
    finish(first_row + row, column, quad, sums[row], subgroupShuffle(row_values0[row / 4u], row % 4u));
  }
}
