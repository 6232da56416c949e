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
@group(0) @binding(6) var<storage, read> operand2: array<vec4f>;

const MINUS_INFINITY = -0x800000;
const MAGNITUDE = 0x7fffffff;
const INFINITY = 0x7f800000;
const BLOCK_ROWS = 24u;
const COLUMN_LANES = 8u;
const ROW_LANES = 8u;

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
    result[result_place + quad] = vec4f(0.16666666666666666) * ((sum * operand1[quad] + operand2[quad]) * smaller(relu(sum * operand1[quad] + operand2[quad] + vec4f(3.0)), vec4f(6.0)));
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
  let row1 = min(first_row + row_lane + 8u, rows - 1u);
  let image1 = row1 / constants.pixels;
  let y1 = row1 % constants.pixels / constants.width;
  let x1 = row1 % constants.width;
  let input_place1 = place_of(constants.input, image1, y1, x1) + group * constants.input_group;
  let result_place1 = place_of(constants.result, image1, y1, x1);
  let row2 = min(first_row + row_lane + 16u, rows - 1u);
  let image2 = row2 / constants.pixels;
  let y2 = row2 % constants.pixels / constants.width;
  let x2 = row2 % constants.width;
  let input_place2 = place_of(constants.input, image2, y2, x2) + group * constants.input_group;
  let result_place2 = place_of(constants.result, image2, y2, x2);
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
  let columns = constants.columns;
  var weights_place = group * constants.weights_group + min(column, columns - 1u);
  for (var segment = 0u; segment < constants.segments; segment++) {
    let start = segment / constants.segments_per_row * constants.segment_row + segment % constants.segments_per_row * constants.segment_column;
    let end = start + constants.run;
    for (var k = start; k < end; k++) {
      let input0 = input[input_place0 + k];
      let input1 = input[input_place1 + k];
      let input2 = input[input_place2 + k];
      let weights0 = weights[weights_place];
      let weights1 = weights[weights_place + columns];
      let weights2 = weights[weights_place + 2u * columns];
      let weights3 = weights[weights_place + 3u * columns];
      // Multiply.
      sum0 = multiply_add(sum0, vec4f(subgroupBroadcast(input0.x, 0u), subgroupBroadcast(input0.y, 0u), subgroupBroadcast(input0.z, 0u), subgroupBroadcast(input0.w, 0u)), weights0, weights1, weights2, weights3);
      sum1 = multiply_add(sum1, vec4f(subgroupBroadcast(input0.x, 1u), subgroupBroadcast(input0.y, 1u), subgroupBroadcast(input0.z, 1u), subgroupBroadcast(input0.w, 1u)), weights0, weights1, weights2, weights3);
      sum2 = multiply_add(sum2, vec4f(subgroupBroadcast(input0.x, 2u), subgroupBroadcast(input0.y, 2u), subgroupBroadcast(input0.z, 2u), subgroupBroadcast(input0.w, 2u)), weights0, weights1, weights2, weights3);
      sum3 = multiply_add(sum3, vec4f(subgroupBroadcast(input0.x, 3u), subgroupBroadcast(input0.y, 3u), subgroupBroadcast(input0.z, 3u), subgroupBroadcast(input0.w, 3u)), weights0, weights1, weights2, weights3);
      sum4 = multiply_add(sum4, vec4f(subgroupBroadcast(input0.x, 4u), subgroupBroadcast(input0.y, 4u), subgroupBroadcast(input0.z, 4u), subgroupBroadcast(input0.w, 4u)), weights0, weights1, weights2, weights3);
      sum5 = multiply_add(sum5, vec4f(subgroupBroadcast(input0.x, 5u), subgroupBroadcast(input0.y, 5u), subgroupBroadcast(input0.z, 5u), subgroupBroadcast(input0.w, 5u)), weights0, weights1, weights2, weights3);
      sum6 = multiply_add(sum6, vec4f(subgroupBroadcast(input0.x, 6u), subgroupBroadcast(input0.y, 6u), subgroupBroadcast(input0.z, 6u), subgroupBroadcast(input0.w, 6u)), weights0, weights1, weights2, weights3);
      sum7 = multiply_add(sum7, vec4f(subgroupBroadcast(input0.x, 7u), subgroupBroadcast(input0.y, 7u), subgroupBroadcast(input0.z, 7u), subgroupBroadcast(input0.w, 7u)), weights0, weights1, weights2, weights3);
      sum8 = multiply_add(sum8, vec4f(subgroupBroadcast(input1.x, 0u), subgroupBroadcast(input1.y, 0u), subgroupBroadcast(input1.z, 0u), subgroupBroadcast(input1.w, 0u)), weights0, weights1, weights2, weights3);
      sum9 = multiply_add(sum9, vec4f(subgroupBroadcast(input1.x, 1u), subgroupBroadcast(input1.y, 1u), subgroupBroadcast(input1.z, 1u), subgroupBroadcast(input1.w, 1u)), weights0, weights1, weights2, weights3);
      sum10 = multiply_add(sum10, vec4f(subgroupBroadcast(input1.x, 2u), subgroupBroadcast(input1.y, 2u), subgroupBroadcast(input1.z, 2u), subgroupBroadcast(input1.w, 2u)), weights0, weights1, weights2, weights3);
      sum11 = multiply_add(sum11, vec4f(subgroupBroadcast(input1.x, 3u), subgroupBroadcast(input1.y, 3u), subgroupBroadcast(input1.z, 3u), subgroupBroadcast(input1.w, 3u)), weights0, weights1, weights2, weights3);
      sum12 = multiply_add(sum12, vec4f(subgroupBroadcast(input1.x, 4u), subgroupBroadcast(input1.y, 4u), subgroupBroadcast(input1.z, 4u), subgroupBroadcast(input1.w, 4u)), weights0, weights1, weights2, weights3);
      sum13 = multiply_add(sum13, vec4f(subgroupBroadcast(input1.x, 5u), subgroupBroadcast(input1.y, 5u), subgroupBroadcast(input1.z, 5u), subgroupBroadcast(input1.w, 5u)), weights0, weights1, weights2, weights3);
      sum14 = multiply_add(sum14, vec4f(subgroupBroadcast(input1.x, 6u), subgroupBroadcast(input1.y, 6u), subgroupBroadcast(input1.z, 6u), subgroupBroadcast(input1.w, 6u)), weights0, weights1, weights2, weights3);
      sum15 = multiply_add(sum15, vec4f(subgroupBroadcast(input1.x, 7u), subgroupBroadcast(input1.y, 7u), subgroupBroadcast(input1.z, 7u), subgroupBroadcast(input1.w, 7u)), weights0, weights1, weights2, weights3);
      sum16 = multiply_add(sum16, vec4f(subgroupBroadcast(input2.x, 0u), subgroupBroadcast(input2.y, 0u), subgroupBroadcast(input2.z, 0u), subgroupBroadcast(input2.w, 0u)), weights0, weights1, weights2, weights3);
      sum17 = multiply_add(sum17, vec4f(subgroupBroadcast(input2.x, 1u), subgroupBroadcast(input2.y, 1u), subgroupBroadcast(input2.z, 1u), subgroupBroadcast(input2.w, 1u)), weights0, weights1, weights2, weights3);
      sum18 = multiply_add(sum18, vec4f(subgroupBroadcast(input2.x, 2u), subgroupBroadcast(input2.y, 2u), subgroupBroadcast(input2.z, 2u), subgroupBroadcast(input2.w, 2u)), weights0, weights1, weights2, weights3);
      sum19 = multiply_add(sum19, vec4f(subgroupBroadcast(input2.x, 3u), subgroupBroadcast(input2.y, 3u), subgroupBroadcast(input2.z, 3u), subgroupBroadcast(input2.w, 3u)), weights0, weights1, weights2, weights3);
      sum20 = multiply_add(sum20, vec4f(subgroupBroadcast(input2.x, 4u), subgroupBroadcast(input2.y, 4u), subgroupBroadcast(input2.z, 4u), subgroupBroadcast(input2.w, 4u)), weights0, weights1, weights2, weights3);
      sum21 = multiply_add(sum21, vec4f(subgroupBroadcast(input2.x, 5u), subgroupBroadcast(input2.y, 5u), subgroupBroadcast(input2.z, 5u), subgroupBroadcast(input2.w, 5u)), weights0, weights1, weights2, weights3);
      sum22 = multiply_add(sum22, vec4f(subgroupBroadcast(input2.x, 6u), subgroupBroadcast(input2.y, 6u), subgroupBroadcast(input2.z, 6u), subgroupBroadcast(input2.w, 6u)), weights0, weights1, weights2, weights3);
      sum23 = multiply_add(sum23, vec4f(subgroupBroadcast(input2.x, 7u), subgroupBroadcast(input2.y, 7u), subgroupBroadcast(input2.z, 7u), subgroupBroadcast(input2.w, 7u)), weights0, weights1, weights2, weights3);
      weights_place += 4u * columns;
    }
  }
  // Write.
  let quad = constants.first_quad + group * columns + column;
  var sums = array<vec4f, 24>(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7, sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15, sum16, sum17, sum18, sum19, sum20, sum21, sum22, sum23);
  var row_values0 = array<u32, 3>(result_place0, result_place1, result_place2);
  for (var row = 0u; row != 24u && first_row + row < rows; row++) {
    finish(first_row + row, column, quad, sums[row], subgroupShuffle(row_values0[row / 8u], row % 8u));
  }
}
